/** Capabilities in plain words, with what can be done to each beside it. */
import { Eye } from "lucide-react";
import type { ReactNode } from "react";
import { Badge } from "@/components/controls";
import type { CapabilityState } from "@/generated/protocol";
import { cn } from "@/lib/cn";

interface CapabilityFactsProps {
  wanted: readonly CapabilityState[];
  /** Those that it did not ask for before. */
  added?: readonly string[];
  /** A switch or a button for one. */
  renderControl?: (state: CapabilityState) => ReactNode;
}

export function CapabilityFacts({ wanted, added = [], renderControl }: CapabilityFactsProps) {
  if (wanted.length === 0) return <p className="text-muted">Nothing outside its own memory.</p>;
  return (
    <ul className="overflow-hidden rounded-lg border border-line">
      {wanted.map((state) => (
        <li key={state.capability} data-testid={`capability-${state.capability}`} className={cn("flex items-center gap-3 border-line px-3.5 py-2 not-first:border-t", added.includes(state.capability) && "bg-warn-soft")}>
          <div className="min-w-0 flex-1">
            <p className="flex flex-wrap items-center gap-x-2">
              <span className="font-medium">{state.means}</span>
              {state.sensitive && (
                <Badge tone="warn" title="It can read what people write, change what the agent does, or change files.">
                  <Eye aria-hidden className="size-3" />
                  sensitive
                </Badge>
              )}
              {added.includes(state.capability) && <Badge tone="warn">new</Badge>}
              {!state.declared && <Badge title="Its manifest does not list it any more, so it has no use for it.">no longer asked for</Badge>}
            </p>
            <code className="selectable font-mono text-sm text-faint [overflow-wrap:anywhere]">{state.capability}</code>
          </div>
          {renderControl?.(state)}
        </li>
      ))}
    </ul>
  );
}
