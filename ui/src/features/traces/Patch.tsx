/** What a step changed, place by place: what stood there where it is known, then what stands there now. */
import { cn } from "@/lib/cn";
import { jsonText } from "@/lib/format";
import type { PatchLine } from "./waterfall";

const OPS: Record<string, { sign: string; words: string; look: string }> = {
  add: { sign: "+", words: "added", look: "text-good" },
  remove: { sign: "−", words: "removed", look: "text-bad" },
  replace: { sign: "~", words: "changed to", look: "text-accent" },
};

export function Patch({ lines }: { lines: readonly PatchLine[] }) {
  if (lines.length === 0) return null;
  return (
    <ul aria-label="What it changed" className="flex flex-col gap-1.5">
      {lines.map((line, i) => (
        <Line key={i} line={line} />
      ))}
    </ul>
  );
}

function Line({ line: { op, path, value, before } }: { line: PatchLine }) {
  const known = OPS[op];
  return (
    <li className="selectable flex gap-2 font-mono text-sm">
      <span aria-hidden className={cn("w-3 shrink-0 text-center font-semibold", known?.look)}>
        {known?.sign ?? "·"}
      </span>
      <span className="min-w-0 flex-1">
        <span className="text-muted">{path === "" ? "everything" : path}</span> <span className="font-sans text-xs text-faint">{known?.words ?? op}</span>
        {before !== undefined && <Value tone="before" value={before} />}
        {value !== undefined && <Value tone="after" value={value} />}
      </span>
    </li>
  );
}

function Value({ tone, value }: { tone: "before" | "after"; value: unknown }) {
  return (
    <span className={cn("mt-0.5 block max-h-48 overflow-y-auto rounded px-2 py-0.5 whitespace-pre-wrap [overflow-wrap:anywhere]", tone === "before" ? "bg-bad-soft line-through decoration-bad/40" : "bg-good-soft")}>
      {jsonText(value, 2_000)}
    </span>
  );
}
