/** What a service uses of what it may use. */
import { Bar, Meter } from "@/components/Meter";
import { useSeries } from "@/data/series";
import type { SourceBudget } from "@/generated/protocol";
import { mebibytes } from "@/lib/format";

const plain = (value: number): string => value.toLocaleString();
const millis = (value: number): string => `${plain(value)} ms`;

export function BudgetUse({ budget, at }: { budget: SourceBudget; at: number }) {
  const series = useSeries(budget, at);
  const of = (pick: (row: SourceBudget) => number) => series.map(pick);
  return (
    <dl className="grid grid-cols-2 gap-2 @lg:grid-cols-3">
      <Meter testId="budget-cpu" name="CPU per minute" values={of((row) => row.cpuMsLastMinute)} ceiling={budget.cpuMsPerMinute} words={millis} />
      <Meter testId="budget-memory" name="Memory" values={of((row) => row.memoryBytes)} ceiling={budget.memoryLimit} words={mebibytes} />
      <Meter testId="budget-wakeups" name="Wake-ups per minute" values={of((row) => row.wakeupsLastMinute)} ceiling={budget.wakeupsPerMinute} words={plain} />
      <Meter testId="budget-requests" name="Requests per minute" values={of((row) => row.requestsLastMinute)} ceiling={budget.requestsPerMinute} words={plain} />
      <Meter testId="budget-day" className="col-span-2" name="Requests today" values={[budget.requestsToday]} ceiling={budget.requestsPerDay} words={plain}>
        {budget.requestsPerDay > 0 ? <Bar value={budget.requestsToday} of={budget.requestsPerDay} /> : <span className="flex h-7 items-end pb-1 text-xs text-faint">without a limit</span>}
      </Meter>
    </dl>
  );
}
