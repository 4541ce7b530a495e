/** A unified diff with line numbers. The signs stand beside the colours, for those who do not see them. */
import { cn } from "@/lib/cn";
import type { DiffLine, Hunk } from "@/lib/diff";

const LOOKS: Record<DiffLine["kind"], { row: string; sign: string }> = {
  same: { row: "", sign: " " },
  added: { row: "bg-good-soft", sign: "+" },
  removed: { row: "bg-bad-soft", sign: "-" },
};

export function DiffView({ hunks, label, large = false }: { hunks: readonly Hunk[]; label: string; large?: boolean }) {
  return (
    <div
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area without links must still scroll by keyboard
      tabIndex={0}
      role="region"
      aria-label={label}
      className={cn("selectable overflow-auto bg-ground font-mono text-xs leading-[1.125rem]", !large && "max-h-96")}
    >
      <table className="w-full border-collapse">
        <tbody>
          {hunks.map((hunk) => (
            <HunkRows key={hunk.at} hunk={hunk} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function HunkRows({ hunk }: { hunk: Hunk }) {
  return (
    <>
      {hunk.at !== "" && (
        <tr>
          <td colSpan={4} className="bg-sunken px-3 py-0.5 text-faint">
            {hunk.at}
          </td>
        </tr>
      )}
      {hunk.lines.map((line) => (
        <tr key={`${line.before ?? ""}-${line.after ?? ""}`} data-kind={line.kind} className={LOOKS[line.kind].row}>
          <Number n={line.before} />
          <Number n={line.after} />
          <td className={cn("w-4 text-center select-none", line.kind === "added" ? "text-good" : line.kind === "removed" ? "text-bad" : "")}>{LOOKS[line.kind].sign}</td>
          <td className="pr-3 whitespace-pre-wrap [overflow-wrap:anywhere]">{line.text}</td>
        </tr>
      ))}
    </>
  );
}

const Number = ({ n }: { n: number | null }) => <td className="w-9 min-w-9 pr-2 text-right align-top text-faint tabular-nums select-none">{n}</td>;
