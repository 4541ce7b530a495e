/** Narrows the traces; the engine does the looking, so that more than the newest are found. */
import { Select } from "@/components/controls";
import { useRead } from "@/data/operations";
import { useOriginName } from "@/features/sources/useOriginName";
import type { StepOutcome } from "@/generated/protocol";
import { OUTCOMES } from "./waterfall";

export interface TraceFilter {
  plugin: string;
  outcome: StepOutcome | "";
  origin: string;
}

export const NO_FILTER: TraceFilter = { plugin: "", outcome: "", origin: "" };

export function TraceFilters({ filter, onChange }: { filter: TraceFilter; onChange: (filter: TraceFilter) => void }) {
  const plugins = useRead("plugin.list", {}).data ?? [];
  const sources = useRead("source.list", {}).data ?? [];
  const channels = sources.filter(({ kind }) => kind === "channel").map(({ id }) => id.replace(/^channel:/, ""));
  const nameOf = useOriginName();
  const set = (next: Partial<TraceFilter>) => {
    const all = { ...filter, ...next };
    onChange(all.plugin === "" && all.outcome === "" && all.origin === "" ? NO_FILTER : all);
  };
  return (
    <div className="grid grid-cols-3 gap-1.5 max-[960px]:grid-cols-1 max-[759px]:grid-cols-3">
      <Select aria-label="From" value={filter.origin} onChange={(event) => set({ origin: event.target.value })}>
        <option value="">From all</option>
        {["desktop", "cli", ...channels].map((each) => (
          <option key={each} value={each}>
            {nameOf(each)}
          </option>
        ))}
      </Select>
      <Select aria-label="Plugin" value={filter.plugin} onChange={(event) => set({ plugin: event.target.value })}>
        <option value="">Plugin</option>
        {plugins.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      <Select aria-label="Outcome" value={filter.outcome} onChange={(event) => set({ outcome: event.target.value as StepOutcome | "" })}>
        <option value="">Result</option>
        {(Object.keys(OUTCOMES) as StepOutcome[]).map((each) => (
          <option key={each} value={each}>
            {OUTCOMES[each].words}
          </option>
        ))}
      </Select>
    </div>
  );
}
