/** What a plugin did wrong, each with its place in the author's source. */
import { Badge } from "@/components/controls";
import { CopyButton } from "@/components/Code";
import type { PluginFault, SourcePosition } from "@/generated/protocol";
import { ago, dateTime, useNow } from "@/lib/time";

export const placeOf = ({ file, line, column }: SourcePosition): string => `${file}:${line}:${column}`;

export function FaultList({ faults, folder }: { faults: readonly PluginFault[]; folder: string }) {
  const now = useNow();
  if (faults.length === 0) return <p className="text-faint">None.</p>;
  return (
    <ul className="overflow-hidden rounded-lg border border-line">
      {faults.map((fault, i) => (
        <li key={`${fault.at}-${i}`} data-testid="fault" className="flex flex-col gap-0.5 border-line px-3 py-2 not-first:border-t">
          <p className="flex items-start gap-2.5">
            <Badge tone="bad" className="mt-px">
              {fault.kind.replaceAll("_", " ")}
            </Badge>
            <span className="selectable min-w-0 flex-1 font-mono text-sm [overflow-wrap:anywhere]">{fault.message}</span>
            <time title={dateTime(fault.at)} className="shrink-0 text-sm text-faint">
              {ago(fault.at, now)}
            </time>
          </p>
          {fault.position !== null && (
            <p className="flex items-center gap-1 text-sm text-muted">
              at <code className="selectable font-mono">{placeOf(fault.position)}</code>
              <CopyButton text={`${folder}/${placeOf(fault.position)}`} label={`Copy ${placeOf(fault.position)} with its folder`} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
