/** Every hook event: who runs, in which order, and why in that order. */
import { Webhook } from "lucide-react";
import { Badge } from "@/components/controls";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { HookEvent, HookSlot } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { intoSight } from "@/lib/focus";
import { plural } from "@/lib/format";
import { go } from "@/lib/route";
import { sentence } from "@/lib/sentence";
import { duration } from "@/lib/time";

const KINDS: Record<string, { name: string; tone: "plain" | "accent" | "warn" }> = {
  observe: { name: "observes", tone: "plain" },
  transform: { name: "changes", tone: "accent" },
  gate: { name: "may stop", tone: "warn" },
};
const COUNTS_EVERY_MS = 10_000;

export function HooksView({ event }: { event: string | null }) {
  const hooks = useRead("hook.list", {}, { refetchInterval: COUNTS_EVERY_MS });
  const chosen = hooks.data?.find((each) => each.event === event) ?? hooks.data?.find(({ handlers }) => handlers.length > 0);
  return (
    <>
      <ListPane label="Hooks" title="Hooks">
        {hooks.isPending ? (
          <SkeletonRows />
        ) : hooks.isError ? (
          <Failure error={hooks.error} onRetry={() => void hooks.refetch()} />
        ) : (
          <Scroll className="pb-3">
            <ul className="flex flex-col gap-px px-2">
              {hooks.data.map((row) => (
                <Row key={row.event} row={row} selected={row === chosen} />
              ))}
            </ul>
          </Scroll>
        )}
      </ListPane>
      <ContentPane label="Hook">{chosen === undefined ? <Nothing /> : <Detail hook={chosen} />}</ContentPane>
    </>
  );
}

const Nothing = () => (
  <Empty icon={Webhook} title="No hooks yet">
    Plugins may watch or change what passes: messages, the agent’s start, tool calls. As soon as one does, its place stands here.
  </Empty>
);

function Row({ row, selected }: { row: HookEvent; selected: boolean }) {
  const failures = row.handlers.reduce((sum, each) => sum + each.failures, 0);
  return (
    <li>
      <button
        ref={selected ? intoSight : undefined}
        type="button"
        data-testid={`hook-${row.event}`}
        aria-current={selected ? "true" : undefined}
        onClick={() => go({ view: "hooks", event: row.event })}
        className={cn("flex h-9 w-full items-center gap-2 rounded-lg px-2.5 text-left", selected ? "bg-selected" : "hover:bg-hover")}
      >
        <span className={cn("min-w-0 flex-1 truncate font-mono text-sm", row.handlers.length === 0 && "text-faint")}>{row.event}</span>
        {failures > 0 && <Badge tone="bad">{failures.toLocaleString()}<span className="max-[960px]:sr-only"> failed</span></Badge>}
        <span className="text-sm text-faint tabular-nums">{row.handlers.length === 0 ? "" : row.handlers.length}</span>
      </button>
    </li>
  );
}

function Detail({ hook }: { hook: HookEvent }) {
  const kind = KINDS[hook.kind] ?? { name: hook.kind, tone: "plain" as const };
  return (
    <Scroll>
      <div className="mx-auto flex max-w-[760px] flex-col gap-5 px-5 pt-6 pb-12 @xl:px-8">
        <header className="flex flex-col gap-1">
          <h1 className="flex items-center gap-2.5 text-xl font-semibold">
            <span className="min-w-0 font-mono text-lg [overflow-wrap:anywhere]">{hook.event}</span>
            <Badge tone={kind.tone}>{kind.name}</Badge>
          </h1>
          <p className="text-muted">{sentence(hook.rule)}</p>
        </header>
        {hook.handlers.length === 0 ? (
          <p className="text-faint">No plugin listens to it.</p>
        ) : (
          <ol aria-label="Handlers in order" className="overflow-hidden rounded-lg border border-line">
            {hook.handlers.map((slot, i) => (
              <Slot key={`${slot.plugin} ${i}`} slot={slot} place={hook.kind === "observe" ? null : i + 1} />
            ))}
          </ol>
        )}
      </div>
    </Scroll>
  );
}

/** Those that only observe run at once; they have no place. */
function Slot({ slot, place }: { slot: HookSlot; place: number | null }) {
  return (
    <li data-testid={`slot-${slot.plugin}`} className="flex flex-wrap items-start gap-x-3 border-line px-3.5 py-2.5 not-first:border-t">
      <span aria-hidden className="mt-px w-4 shrink-0 text-right font-semibold text-faint tabular-nums">
        {place ?? "·"}
      </span>
      <div className="min-w-44 flex-1">
        <p className="flex flex-wrap items-center gap-x-2">
          <button type="button" className="rounded font-medium hover:underline" onClick={() => go({ view: "plugins", plugin: slot.plugin })}>
            {slot.plugin}
          </button>
          <span className="text-sm text-faint">
            {slot.origin} · priority {slot.priority} · <span className="whitespace-nowrap">at most {duration(slot.timeoutMs)}</span>
          </span>
        </p>
        <p className="text-muted">{sentence(slot.why)}</p>
      </div>
      <p className="ml-auto shrink-0 text-right text-sm text-faint tabular-nums">
        {plural(slot.calls, "call")}
        {slot.failures > 0 && <span className="block text-bad">{slot.failures.toLocaleString()} failed or timed out</span>}
      </p>
    </li>
  );
}
