/** What each of the first steps shows. A step is done when what it waits for has happened, wherever that was done. */
import { CircleCheck } from "lucide-react";
import { useEffect } from "react";
import { Button } from "@/components/Button";
import { StatusBadge } from "@/components/StatusBadge";
import { SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { SourceId, SourceSummary } from "@/generated/protocol";
import { go } from "@/lib/route";
import { sentence } from "@/lib/sentence";

/** Those that are quickest to set up, first. */
const EASY = ["channel:telegram", "channel:discord", "channel:slack", "channel:matrix", "channel:email"];

const channelsOf = (sources: readonly SourceSummary[]): SourceSummary[] => sources.filter(({ kind, plugin }) => kind === "channel" && plugin != null);
const platformName = (id: SourceId): string => id.replace(/^channel:/, "");

function Wrong({ message, onRetry }: { message: string; onRetry: () => void }) {
  return (
    <p role="alert" className="flex items-center gap-2 text-bad">
      <span className="flex-1">{sentence(message)}</span>
      <Button onClick={onRetry}>Try again</Button>
    </p>
  );
}

function rank({ id }: SourceSummary): number {
  return EASY.includes(id) ? EASY.indexOf(id) : EASY.length;
}

export function ChannelStep({ onChoose, onReady }: { onChoose: (source: SourceSummary) => void; onReady: (channel: SourceId) => void }) {
  const sources = useRead("source.list", {});
  if (sources.isPending) return <SkeletonRows rows={3} className="p-0" />;
  if (sources.isError) return <Wrong message={sources.error.wire.message} onRetry={() => void sources.refetch()} />;
  const channels = channelsOf(sources.data);
  if (channels.length === 0) return <p className="text-muted">There is no channel. A plugin brings one: look under Plugins.</p>;
  const on = channels.filter(({ enabled }) => enabled);
  const offered = channels.filter(({ enabled }) => !enabled).toSorted((a, b) => rank(a) - rank(b)).slice(0, 5);
  return (
    <>
      <p className="text-muted">Choose where the agent can be reached. Only those you let in may write.</p>
      <ul className="flex flex-col gap-1.5">
        {on.map((source) => (
          <li key={source.id} className="flex items-center gap-2">
            <span className="min-w-0 flex-1 truncate">
              {source.icon} {source.name}
            </span>
            <StatusBadge status={source.status} />
            <Button look="primary" data-testid={`tour-use-${source.id}`} onClick={() => onReady(source.id)}>
              Use it
            </Button>
          </li>
        ))}
        {offered.map((source) => (
          <li key={source.id} className="flex items-center gap-2">
            <span className="min-w-0 flex-1 truncate">
              {source.icon} {source.name}
            </span>
            <Button data-testid={`tour-set-up-${source.id}`} onClick={() => onChoose(source)}>
              Set up
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

export function WriteStep({ channel, onLetIn }: { channel: SourceId | null; onLetIn: () => void }) {
  const waiting = useRead("pairing.list", {}, { fresh: true });
  const source = useRead("source.list", {}).data?.find(({ id }) => id === channel);
  const approve = useAct("pairing.approve", { onSuccess: onLetIn });
  const mine = (waiting.data ?? []).filter((request) => channel === null || request.channel === platformName(channel));
  return (
    <>
      <p className="text-muted">Write anything to the bot{source === undefined ? "" : ` on ${source.name}`} from your own account. It answers with a code, and you appear here.</p>
      {source !== undefined && source.status.state.kind !== "running" && <StatusBadge status={source.status} full wrap />}
      {waiting.isError && <Wrong message={waiting.error.wire.message} onRetry={() => void waiting.refetch()} />}
      {!waiting.isError && mine.length === 0 && (
        <p role="status" className="text-faint">
          Nobody has written yet.
        </p>
      )}
      {mine.map((request) => (
        <div key={request.code} className="flex items-center gap-2">
          <span className="min-w-0 flex-1 truncate">
            {request.senderName ?? request.sender} <code className="font-mono text-sm text-faint">{request.code}</code>
          </span>
          <Button look="primary" data-testid={`tour-let-in-${request.code}`} disabled={approve.isPending} onClick={() => approve.mutate({ code: request.code })}>
            Let them in
          </Button>
        </div>
      ))}
    </>
  );
}

/** The newest session that came in by the channel. */
function useCame(channel: SourceId | null) {
  const page = useRead("session.list", { channel: true, limit: 50 }, { fresh: true });
  return page.data?.sessions.find((row) => channel === null || row.channel?.adapter === platformName(channel) || row.channel?.slug === platformName(channel)) ?? null;
}

export function AnswerStep({ channel, onCame }: { channel: SourceId | null; onCame: () => void }) {
  const session = useCame(channel);
  const answered = session !== null && session.messageCount > 1;
  useEffect(() => {
    if (answered) onCame();
  }, [answered, onCame]);
  return (
    <p role="status" className="text-muted">
      {session === null ? "Now write again from the same account: the agent reads it and answers there." : "Your message is here; the agent is answering."}
    </p>
  );
}

export function DoneStep({ channel, onOpen }: { channel: SourceId | null; onOpen: () => void }) {
  const session = useCame(channel);
  return (
    <>
      <p className="flex items-start gap-2">
        <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0 text-good" />
        <span>Somebody wrote, was let in and got an answer. Sessions of channels stand under Channels, and each message has its trace.</span>
      </p>
      {session !== null && (
        <Button
          className="self-start"
          onClick={() => {
            onOpen();
            go({ view: "sessions", filter: { by: "channels" }, session: session.id });
          }}
        >
          Open the conversation
        </Button>
      )}
    </>
  );
}
