/** A message that nobody sent, and its way through the table as it stands here. Nothing is written or sent to find out. */
import { ArrowRight, CircleCheck, CircleX, FlaskConical } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Badge, Switch } from "@/components/controls";
import { Facts } from "@/components/layout";
import { useAct } from "@/data/operations";
import type { ChatType, RouteExplanation } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { go } from "@/lib/route";
import { errorWords } from "@/lib/sentence";
import { Choice, TextField, useChannels } from "./fields";
import type { FullTable } from "./table";
import { CHAT_TYPES, MODE_NAMES, OVERLAPS, REFUSALS } from "./words";

interface Tried {
  channel: string | null;
  account: string | null;
  chatType: ChatType;
  conversation: string | null;
  thread: string | null;
  sender: string | null;
  mentions: boolean;
}

const EMPTY: Tried = { channel: null, account: null, chatType: "direct", conversation: null, thread: null, sender: null, mentions: true };

export function TryMessage({ table, onDecided }: { table: FullTable; onDecided: (binding: string | null) => void }) {
  const [tried, setTried] = useState<Tried>(EMPTY);
  const channels = useChannels();
  const explain = useAct("route.explain", { quiet: true, onSuccess: ({ binding }) => onDecided(binding) });
  const set = (next: Partial<Tried>) => setTried({ ...tried, ...next });
  const channel = tried.channel ?? channels[0]?.[0] ?? null;
  const ask = () => {
    if (channel === null) return;
    const sender = tried.sender ?? "somebody";
    explain.mutate({
      channel,
      table,
      message: {
        account: tried.account ?? "default",
        messageId: "try",
        conversation: tried.conversation ?? (tried.chatType === "direct" ? sender : "a-group"),
        chatType: tried.chatType,
        thread: tried.thread,
        sender: { id: sender, name: null, isBot: false },
        text: "Hello",
        mentionsBot: tried.mentions,
      },
    });
  };
  return (
    <section aria-label="Try a message" className="@container flex flex-col gap-3.5 rounded-xl border border-line bg-list p-4">
      <h2 className="flex items-center gap-2 font-semibold">
        <FlaskConical aria-hidden className="size-4 text-accent" />
        Try a message
      </h2>
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <div className="grid grid-cols-1 gap-3 @xs:grid-cols-2">
          <Choice label="Channel" value={channel} options={channels} {...(channels.length === 0 ? { none: "No channel yet" } : {})} onChange={(next) => set({ channel: next })} />
          <Choice label="Kind" value={tried.chatType} options={Object.entries(CHAT_TYPES) as [ChatType, string][]} onChange={(next) => set({ chatType: next ?? "direct" })} />
          <TextField label="Sender" value={tried.sender} placeholder="somebody" onChange={(sender) => set({ sender })} />
          <TextField label="Account" value={tried.account} placeholder="default" onChange={(account) => set({ account })} />
          <TextField label="Conversation" value={tried.conversation} placeholder={tried.chatType === "direct" ? "as the sender" : "a-group"} onChange={(conversation) => set({ conversation })} />
          <TextField label="Thread" value={tried.thread} placeholder="none" onChange={(thread) => set({ thread })} />
        </div>
        <div className="flex items-center gap-3">
          <span className="flex-1">Addresses the bot</span>
          <Switch label="Addresses the bot" checked={tried.mentions} onChange={(mentions) => set({ mentions })} />
        </div>
        <Button type="submit" look="primary" data-testid="route-explain" disabled={channel === null || explain.isPending}>
          Where does it go?
        </Button>
        {channels.length === 0 && <p className="text-sm text-muted">As soon as a channel is set up under Sources, its messages can be tried here.</p>}
      </form>
      {explain.isError && (
        <p role="alert" className="text-bad">
          {errorWords(explain.error.wire)}
        </p>
      )}
      {explain.data !== undefined && !explain.isError && <Explained found={explain.data} />}
    </section>
  );
}

function Explained({ found }: { found: RouteExplanation }) {
  const { refusal, session } = found;
  return (
    <div role="status" className="flex flex-col gap-3">
      <p data-testid="route-verdict" className={cn("flex items-start gap-2 rounded-lg px-3 py-2 font-medium", refusal === null ? "bg-good-soft text-good" : "bg-warn-soft text-warn")}>
        {refusal === null ? <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0" /> : <CircleX aria-hidden className="mt-0.5 size-4 shrink-0" />}
        <span>{refusal === null ? (found.binding === null ? "Taken by the usual rule" : `Taken by “${found.binding}”`) : `Refused at the door: ${REFUSALS[refusal].toLowerCase()}`}</span>
      </p>
      <ol aria-label="Steps" className="flex flex-col">
        {found.steps.map((step, i) => (
          <li key={i} data-testid={step.decided ? "route-step-decided" : "route-step"} aria-current={step.decided ? "step" : undefined} className={cn("flex items-baseline gap-2 rounded-md px-2 py-1", step.decided && "bg-accent-soft")}>
            <span aria-hidden className="w-4 shrink-0 text-right text-xs text-faint tabular-nums">
              {i + 1}
            </span>
            <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
              <span className="font-medium">{step.question}</span> <span className="text-muted">{step.answer}</span>
            </span>
            {step.decided && <Badge tone="accent">decides</Badge>}
          </li>
        ))}
      </ol>
      {refusal === null && (
        <Facts
          rows={[
            ["Key", <code key="k" className="font-mono text-sm">{found.key ?? "none"}</code>],
            ["Workspace", found.workspace ?? "the usual one"],
            ["Profile", found.profile ?? "none"],
            ["Permission", MODE_NAMES[found.mode]],
            ["At work", OVERLAPS[found.overlap.policy ?? "queue"].name],
          ]}
        />
      )}
      {session !== null && (
        <Button icon={<ArrowRight className="size-3.5" />} onClick={() => go({ view: "sessions", filter: { by: "channels" }, session })}>
          Open its session
        </Button>
      )}
    </div>
  );
}
