/** Questions that sources put to the person in the middle of a call: a form, or a page to open. */
import { ExternalLink, MessageCircleQuestion } from "lucide-react";
import { Button } from "@/components/Button";
import { useAct, useRead } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import { SchemaForm } from "@/features/sources/SchemaForm";
import type { Elicitation } from "@/generated/protocol";
import { intoSight } from "@/lib/focus";
import { go } from "@/lib/route";
import { dateTime, until, useNowHere } from "@/lib/time";
import { isWebUrl } from "@/platform";

interface ElicitationsProps {
  questions: readonly Elicitation[];
  /** Scrolls to one that comes: the page is about something else. */
  reveal?: boolean;
}

export function Elicitations({ questions, reveal = false }: ElicitationsProps) {
  return (
    <ul className="flex flex-col gap-3">
      {questions.map((question) => (
        <li key={question.id}>
          <Question question={question} reveal={reveal} />
        </li>
      ))}
    </ul>
  );
}

function Question({ question, reveal }: { question: Elicitation; reveal: boolean }) {
  const { id, source, message, url, expiresAt } = question;
  const now = useNowHere();
  const sources = useRead("source.list", {}).data;
  const name = sources?.find((row) => row.id === source)?.name ?? source;
  return (
    <div ref={reveal ? intoSight : undefined} role="group" aria-label={`${name} asks`} data-testid={`elicitation-${id}`} className="rounded-xl border border-warn/40 bg-raised p-3.5">
      <div className="flex items-start gap-2.5">
        <MessageCircleQuestion aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
        <div className="flex min-w-0 flex-1 flex-col gap-3">
          <div>
            <p className="font-medium">
              <button type="button" className="underline-offset-2 hover:underline" onClick={() => go({ view: "sources", source })}>
                {name}
              </button>{" "}
              asks
            </p>
            <p className="selectable whitespace-pre-wrap text-muted [overflow-wrap:anywhere]">{message}</p>
          </div>
          {url === null ? <Answer question={question} name={name} /> : <OpenPage question={question} url={url} />}
          <p className="text-sm text-faint" title={dateTime(expiresAt)}>
            {expiresAt > now ? `It is given up ${until(expiresAt, now)}; the call then ends without an answer.` : "Its time is over."} Never give a password here.
          </p>
        </div>
      </div>
    </div>
  );
}

function Answer({ question: { id, schema }, name }: { question: Elicitation; name: string }) {
  const answer = useAct("elicitation.answer", { quiet: true });
  const decline = useAct("elicitation.answer");
  return (
    <SchemaForm schema={schema} value={{}} action={[`Send to ${name}`, "Sending"]} testId="elicitation-accept" onSubmit={(content) => answer.mutateAsync({ id, action: "accept", content })}>
      <Button look="danger" data-testid="elicitation-decline" disabled={decline.isPending || answer.isPending} onClick={() => decline.mutate({ id, action: "decline" })}>
        Decline
      </Button>
    </SchemaForm>
  );
}

function OpenPage({ question: { id }, url }: { question: Elicitation; url: string }) {
  const platform = usePlatform();
  const answer = useAct("elicitation.answer");
  const web = isWebUrl(url) && URL.canParse(url);
  const open = () => {
    void platform.openExternal(url);
    answer.mutate({ id, action: "accept" });
  };
  return (
    <div className="flex flex-col gap-2">
      <p className="selectable rounded-md border border-line bg-sunken px-2.5 py-1.5 font-mono text-sm [overflow-wrap:anywhere]">{web ? <Address url={url} /> : url}</p>
      {!web && <p className="text-bad">This is not a page on the web; it is not opened.</p>}
      <div className="flex gap-2">
        <Button look="primary" icon={<ExternalLink className="size-3.5" />} data-testid="elicitation-open" disabled={!web || answer.isPending} onClick={open}>
          Open the page
        </Button>
        <Button look="danger" data-testid="elicitation-decline" disabled={answer.isPending} onClick={() => answer.mutate({ id, action: "decline" })}>
          Decline
        </Button>
      </div>
    </div>
  );
}

/** The host stands out: it is what a person must look at before they follow. */
function Address({ url }: { url: string }) {
  const { host } = new URL(url);
  const [before = "", ...after] = url.split(host);
  return (
    <>
      <span className="text-faint">{before}</span>
      <span className="font-semibold text-ink">{host}</span>
      <span className="text-faint">{after.join(host)}</span>
    </>
  );
}
