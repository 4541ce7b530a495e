/** Tokens by day and model. */
import { ChartColumn } from "lucide-react";
import { useState } from "react";
import { Section } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { UsageRow } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { count, plural } from "@/lib/format";
import { startOfDay, useNow } from "@/lib/time";

const SPANS = [7, 30, 90, 365] as const;
const DAY_MS = 86_400_000;
/** Shades of the accent, from the model most used. */
const SHADES = ["bg-accent", "bg-accent/60", "bg-accent/35", "bg-dot-idle"] as const;

const tokens = (row: UsageRow): number => row.input + row.output;

export function UsageView() {
  const [days, setDays] = useState<(typeof SPANS)[number]>(30);
  const usage = useRead("usage.get", { days }, { fresh: true });
  return (
    <>
      <div role="radiogroup" aria-label="How far back" className="flex flex-wrap gap-1">
        {SPANS.map((span) => (
          <label key={span} className={cn("flex h-7 items-center rounded-md border px-2.5 whitespace-nowrap has-focus-visible:outline-2 has-focus-visible:outline-accent", span === days ? "border-accent bg-accent-soft text-accent" : "border-line text-muted hover:bg-hover")}>
            <input type="radio" name="usage-span" className="sr-only" checked={span === days} onChange={() => setDays(span)} />
            {span === 365 ? "A year" : `${span} days`}
          </label>
        ))}
      </div>
      {usage.isPending ? (
        <SkeletonRows />
      ) : usage.isError ? (
        <Failure error={usage.error} onRetry={() => void usage.refetch()} />
      ) : usage.data.length === 0 ? (
        <div className="py-10">
          <Empty icon={ChartColumn} title="No tokens were used">
            What a model is asked and answers is counted here, by day. Counting began with this version.
          </Empty>
        </div>
      ) : (
        <Shown rows={usage.data} days={days} />
      )}
    </>
  );
}

function modelsOf(rows: readonly UsageRow[]): { model: string; input: number; output: number; turns: number }[] {
  const all = new Map<string, { model: string; input: number; output: number; turns: number }>();
  for (const row of rows) {
    const sum = all.get(row.model) ?? { model: row.model, input: 0, output: 0, turns: 0 };
    all.set(row.model, { model: row.model, input: sum.input + row.input, output: sum.output + row.output, turns: sum.turns + row.turns });
  }
  return [...all.values()].toSorted((a, b) => b.input + b.output - a.input - a.output);
}

function Shown({ rows, days }: { rows: readonly UsageRow[]; days: number }) {
  const models = modelsOf(rows);
  const shade = (model: string) => SHADES[Math.min(models.findIndex((one) => one.model === model), SHADES.length - 1)];
  return (
    <>
      <Section title="By day">
        <Chart rows={rows} days={days} shade={shade} />
      </Section>
      <Section title="By model">
        <div className="overflow-hidden rounded-lg border border-line">
          <table className="w-full text-left tabular-nums">
            <thead className="border-b border-line bg-list text-xs text-faint">
              <tr>
                {["Model", "Turns", "Sent", "Answered"].map((title, i) => (
                  <th key={title} scope="col" className={cn("px-3 py-1.5 font-medium", i > 0 && "text-right")}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {models.map(({ model, turns, input, output }) => (
                <tr key={model} className="border-line not-first:border-t">
                  <th scope="row" className="flex items-center gap-2 px-3 py-1.5 font-normal">
                    <span aria-hidden className={cn("size-2.5 shrink-0 rounded-sm", shade(model))} />
                    <span className="[overflow-wrap:anywhere]">{model}</span>
                  </th>
                  <td className="px-3 py-1.5 text-right">{turns.toLocaleString()}</td>
                  <td className="px-3 py-1.5 text-right">{input.toLocaleString()}</td>
                  <td className="px-3 py-1.5 text-right">{output.toLocaleString()}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className="text-sm text-faint">In tokens, what came from a provider’s cache included. Prices differ by provider and are not guessed.</p>
      </Section>
    </>
  );
}

const date = (day: number) => new Date(day).toLocaleDateString(undefined, { day: "numeric", month: "short" });

/** A bar a day. The same numbers are in the words of each bar. */
function Chart({ rows, days, shade }: { rows: readonly UsageRow[]; days: number; shade: (model: string) => string | undefined }) {
  const last = startOfDay(useNow());
  const columns = Array.from({ length: days }, (_, i) => {
    // A day with a clock change is an hour longer or shorter.
    const day = new Date(last - (days - 1 - i) * DAY_MS + DAY_MS / 2).setHours(0, 0, 0, 0);
    const parts = rows.filter((row) => row.day === day);
    return { day, parts, total: parts.reduce((sum, row) => sum + tokens(row), 0) };
  });
  const most = Math.max(1, ...columns.map(({ total }) => total));
  const total = columns.reduce((sum, column) => sum + column.total, 0);
  const first = columns[0];
  return (
    <figure className="flex flex-col gap-1.5">
      <figcaption className="text-muted">
        <span className="font-semibold text-ink tabular-nums">{count(total)}</span> tokens in {plural(days, "day")}; at most {count(most)} in one
      </figcaption>
      <ul aria-label="Tokens by day" className="flex h-36 items-end gap-px border-b border-line">
        {columns.map(({ day, parts, total: sum }) => (
          <li key={day} title={`${date(day)}: ${sum.toLocaleString()} tokens`} className="flex h-full min-w-0 flex-1 flex-col-reverse">
            <span className="sr-only">{`${date(day)}: ${sum.toLocaleString()} tokens`}</span>
            {parts.map((row) => (
              <span key={row.model} aria-hidden className={cn("min-h-px w-full", shade(row.model))} style={{ height: `${(tokens(row) / most) * 100}%` }} />
            ))}
          </li>
        ))}
      </ul>
      <p aria-hidden className="flex justify-between text-xs text-faint">
        <span>{first === undefined ? "" : date(first.day)}</span>
        <span>today</span>
      </p>
    </figure>
  );
}
