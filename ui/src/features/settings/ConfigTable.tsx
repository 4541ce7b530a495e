/** Every setting in force and where it comes from; those with a rule are changed in place. */
import { useState } from "react";
import { Badge, SearchField } from "@/components/controls";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { SettingValue } from "@/generated/protocol";
import { jsonText } from "@/lib/format";
import { SettingRow } from "./SettingRow";
import { isChangeable } from "./setting";

const fits = ({ path, from, rule }: SettingValue, words: string): boolean => `${path} ${from} ${rule?.doc ?? ""}`.toLowerCase().includes(words);

export function ConfigTable() {
  const settings = useRead("settings.list", {});
  const [search, setSearch] = useState("");
  if (settings.isPending) return <SkeletonRows />;
  if (settings.isError) return <Failure error={settings.error} onRetry={() => void settings.refetch()} />;
  const shown = settings.data.filter((row) => fits(row, search.trim().toLowerCase()));
  const changeable = shown.filter(isChangeable);
  const others = shown.filter((row) => !isChangeable(row));
  return (
    <>
      <div className="flex flex-col gap-3">
        <p className="text-muted">A value comes from the last place that names it: the built-in default, the file settings.json, the start of the program.</p>
        <SearchField label="Search settings" value={search} onChange={setSearch} className="max-w-xs" />
        {shown.length === 0 && <p className="py-3 text-faint">No setting fits.</p>}
      </div>
      {changeable.length > 0 && (
        <Section title="Changed here">
          <ul className="divide-y divide-line rounded-lg border border-line">
            {changeable.map((row) => (
              <SettingRow key={row.path} row={row} />
            ))}
          </ul>
        </Section>
      )}
      {others.length > 0 && (
        <Section title="Changed elsewhere">
          <p className="text-muted">Models, sources, plugins, routing and the like have views of their own; here is what they wrote.</p>
          <Values rows={others} />
        </Section>
      )}
    </>
  );
}

function Values({ rows }: { rows: readonly SettingValue[] }) {
  return (
    <div className="overflow-hidden rounded-lg border border-line">
      <table className="w-full text-left">
        <thead className="border-b border-line bg-list text-xs text-faint">
          <tr>
            <th className="px-3.5 py-1.5 font-medium">Setting</th>
            <th className="px-3.5 py-1.5 font-medium">Value</th>
            <th className="px-3.5 py-1.5 font-medium">From</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.path} className="border-line align-top not-first:border-t">
              <td className="selectable px-3.5 py-1.5 font-mono text-sm [overflow-wrap:anywhere]">{row.path}</td>
              <td className="selectable px-3.5 py-1.5 font-mono text-sm text-muted [overflow-wrap:anywhere]">{row.value === null ? "—" : jsonText(row.value, 400)}</td>
              <td className="px-3.5 py-1.5">
                <Badge tone={row.from === "default" ? "plain" : "accent"} title={row.from}>
                  {row.from}
                </Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
