/** Messages that did not get through. A person decides what becomes of each. */
import { ArrowRight, CircleHelp, Inbox, type LucideIcon, MailCheck, Send } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Badge } from "@/components/controls";
import { ContentPane, Scroll } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { useOriginName } from "@/features/sources/useOriginName";
import type { Letter, LetterState } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { go } from "@/lib/route";
import { sentence } from "@/lib/sentence";
import { ago, dateTime, useNow } from "@/lib/time";

interface Words {
  icon: LucideIcon;
  title: string;
  tone: "warn" | "bad";
  retry: string;
  /** What trying again could do that one does not want. */
  risk: string | null;
}

const STATES: Record<LetterState, Words> = {
  inbound_dead: { icon: Inbox, title: "Came in, not handled", tone: "bad", retry: "Handle again", risk: null },
  outbound_dead: { icon: Send, title: "Reply not sent", tone: "bad", retry: "Send again", risk: null },
  outbound_parked: { icon: CircleHelp, title: "Perhaps sent", tone: "warn", retry: "Send again", risk: "Nobody knows whether it arrived. Sent again, it may be there twice." },
};

export function LettersView() {
  const letters = useRead("letter.list", {});
  return (
    <ContentPane label="Undelivered" header={<h1 className="font-semibold">Undelivered</h1>}>
      {letters.isPending ? (
        <SkeletonRows className="p-8" />
      ) : letters.isError ? (
        <Failure error={letters.error} onRetry={() => void letters.refetch()} />
      ) : letters.data.length === 0 ? (
        <Empty icon={MailCheck} title="Everything got through">
          A message that could not be handled or delivered, or where nobody knows whether it was, lies here until you decide.
        </Empty>
      ) : (
        <Scroll>
          <div className="mx-auto flex max-w-[760px] flex-col gap-4 px-5 pt-6 pb-12 @xl:px-8">
            <p className="text-muted">These messages did not get through, and are not tried again by themselves.</p>
            <ul className="flex flex-col gap-2.5">
              {letters.data.map((letter) => (
                <li key={letter.id}>
                  <LetterCard letter={letter} />
                </li>
              ))}
            </ul>
          </div>
        </Scroll>
      )}
    </ContentPane>
  );
}

type Question = "retry" | "discard" | null;

export function LetterCard({ letter }: { letter: Letter }) {
  const { id, state, session, error } = letter;
  const { icon: Icon, title, tone, retry: words, risk } = STATES[state];
  const now = useNow();
  const nameOf = useOriginName();
  const [asking, ask] = useState<Question>(null);
  const retry = useAct("letter.retry");
  const discard = useAct("letter.discard");
  const busy = retry.isPending || discard.isPending;
  return (
    <div data-testid={`letter-${id}`} className="flex flex-col gap-2 rounded-lg border border-line bg-raised p-3.5">
      <div className="flex flex-wrap items-center gap-2">
        <Icon aria-hidden className="size-4 shrink-0 text-muted" strokeWidth={1.75} />
        <span className="min-w-0 truncate font-medium">{letter.conversation}</span>
        <span className="text-faint">{nameOf(letter.channel)}</span>
        <Badge tone={tone}>{title}</Badge>
        <span className="ml-auto shrink-0 text-sm text-faint" title={dateTime(letter.at)}>
          {ago(letter.at, now)}
        </span>
      </div>
      <p className="selectable line-clamp-3 [overflow-wrap:anywhere]">{letter.preview}</p>
      {error !== null && (
        <p className="selectable text-sm text-muted [overflow-wrap:anywhere]">
          {sentence(error)} <span className="text-faint">{letter.attempts === 0 ? "Not tried yet." : `Tried ${plural(letter.attempts, "time")}.`}</span>
        </p>
      )}
      <div className="flex flex-wrap gap-2">
        <Button data-testid={`retry-${id}`} disabled={busy} onClick={() => (risk === null ? retry.mutate({ id }) : ask("retry"))}>
          {risk === null ? words : `${words}…`}
        </Button>
        <Button look="danger" disabled={busy} onClick={() => ask("discard")}>
          Give up…
        </Button>
        {session !== null && (
          <Button look="plain" className="-mr-2.5 ml-auto" icon={<ArrowRight className="size-3.5" />} onClick={() => go({ view: "sessions", filter: { by: "channels" }, session })}>
            Open the session
          </Button>
        )}
      </div>
      <Confirm open={asking === "retry"} onClose={() => ask(null)} title="Send it again?" action="Send again" onConfirm={() => retry.mutate({ id })}>
        {risk}
      </Confirm>
      <Confirm open={asking === "discard"} onClose={() => ask(null)} title="Give this message up?" action="Give up" onConfirm={() => discard.mutate({ id })}>
        It is never {state === "inbound_dead" ? "handled" : "sent"}. It stays in the ledger as given up.
      </Confirm>
    </div>
  );
}
