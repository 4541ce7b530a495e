/** What happened to a plugin's grant, newest first. */
import type { GrantEvent } from "@/generated/protocol";
import { dateTime } from "@/lib/time";
import { ACTIONS } from "./words";

export function GrantHistory({ history }: { history: readonly GrantEvent[] }) {
  return (
    <ol data-testid="grant-history" className="flex flex-col gap-2">
      {history.map((event, i) => (
        <li key={`${event.at}-${i}`} className="flex flex-wrap gap-x-3">
          <time className="w-48 shrink-0 text-faint tabular-nums">{dateTime(event.at)}</time>
          <p className="min-w-0 flex-1">
            <span className="font-medium">{ACTIONS[event.action]}</span>
            {event.detail !== "" && event.detail !== ACTIONS[event.action] && <span className="text-muted [overflow-wrap:anywhere]"> — {event.detail}</span>}
            {event.hash !== null && (
              <code title={`SHA-256 ${event.hash}`} className="ml-2 font-mono text-xs text-faint">
                {event.hash.slice(0, 8)}
              </code>
            )}
          </p>
        </li>
      ))}
    </ol>
  );
}
