/** From a call that waits to the session that asks. */
import { ArrowRight } from "lucide-react";
import type { Approval } from "@/generated/protocol";
import { go } from "@/lib/route";

export function Jump({ approval: { session, sessionName, channel } }: { approval: Approval }) {
  const name = sessionName ?? "a session";
  return (
    <button
      type="button"
      data-testid={`jump-${session}`}
      onClick={() => go({ view: "sessions", filter: { by: channel === null ? "all" : "channels" }, session })}
      className="ml-auto flex min-w-0 items-center gap-1 rounded px-1 font-normal text-muted hover:bg-hover hover:text-ink"
    >
      <span className="truncate">in {name}</span>
      <ArrowRight aria-hidden className="size-3.5 shrink-0" />
    </button>
  );
}
