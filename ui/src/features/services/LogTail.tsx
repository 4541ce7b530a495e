/** Newest log lines, with search and level. */
import { useDeferredValue, useState } from "react";
import { SearchField, Select } from "@/components/controls";
import type { LogRecord } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { dateTime } from "@/lib/time";

const LEVELS = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];
const TONES: Record<string, string> = { ERROR: "text-bad", WARN: "text-warn", INFO: "text-muted" };
const stamp = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export function LogTail({ records, tall = false }: { records: readonly LogRecord[]; tall?: boolean }) {
  const [search, setSearch] = useState("");
  const [level, setLevel] = useState("DEBUG");
  const words = useDeferredValue(search.trim().toLowerCase());
  const upTo = LEVELS.indexOf(level);
  const shown = records.filter((record) => LEVELS.indexOf(record.level) <= upTo && `${record.target} ${record.message}`.toLowerCase().includes(words));
  return (
    <div className={cn("flex flex-col gap-2", tall && "h-full")}>
      <div className="flex gap-2">
        <SearchField label="Search the log" value={search} onChange={setSearch} className="flex-1" />
        <Select aria-label="Lowest level" value={level} onChange={(event) => setLevel(event.target.value)}>
          {LEVELS.map((each) => (
            <option key={each} value={each}>
              {each.toLowerCase()}
            </option>
          ))}
        </Select>
      </div>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area without links must still scroll by keyboard */}
      <div tabIndex={0} role="log" aria-label="Log" className={cn("selectable overflow-auto rounded-md border border-line bg-sunken py-1.5 font-mono text-xs leading-[1.125rem]", tall ? "min-h-0 flex-1" : "max-h-64")}>
        {shown.length === 0 ? (
          <p className="px-3 py-2 font-sans text-faint">{records.length === 0 ? "Nothing has been logged yet." : "No line fits."}</p>
        ) : (
          shown.map((record, i) => (
            <div key={`${record.at}-${i}`} className="flex gap-2.5 px-3 hover:bg-hover">
              <time title={dateTime(record.at)} className="shrink-0 text-faint">
                {stamp.format(record.at)}
              </time>
              <span className={cn("w-10 shrink-0", TONES[record.level] ?? "text-faint")}>{record.level}</span>
              <span className="min-w-0 flex-1 [overflow-wrap:anywhere]">
                <span className="text-faint">{record.target} </span>
                {record.message}
              </span>
            </div>
          ))
        )}
      </div>
    </div>
  );
}
