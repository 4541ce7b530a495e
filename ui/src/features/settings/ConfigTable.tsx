/** Every setting in force and where it comes from. */
import { useState } from "react";
import { Badge, SearchField } from "@/components/controls";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { jsonText } from "@/lib/format";

export function ConfigTable() {
  const settings = useRead("settings.list", {});
  const [search, setSearch] = useState("");
  if (settings.isPending) return <SkeletonRows />;
  if (settings.isError) return <Failure error={settings.error} onRetry={() => void settings.refetch()} />;
  const shown = settings.data.filter((row) => `${row.path} ${row.from}`.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted">A value comes from the last place that names it: the built-in default, a file, the environment.</p>
      <SearchField label="Search settings" value={search} onChange={setSearch} className="max-w-xs" />
      <div className="overflow-hidden rounded-lg border border-line">
        <table className="w-full text-left">
          <thead className="border-b border-line bg-list text-xs text-faint">
            <tr>
              <th className="px-3 py-1.5 font-medium">Setting</th>
              <th className="px-3 py-1.5 font-medium">Value</th>
              <th className="px-3 py-1.5 font-medium">From</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.path} className="border-line align-top not-first:border-t">
                <td className="selectable px-3 py-1.5 font-mono text-sm">{row.path}</td>
                <td className="selectable px-3 py-1.5 font-mono text-sm text-muted [overflow-wrap:anywhere]">{jsonText(row.value, 400)}</td>
                <td className="px-3 py-1.5">
                  <Badge tone={row.from === "default" ? "plain" : "accent"}>{row.from}</Badge>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length === 0 && <p className="px-3 py-3 text-faint">No setting fits.</p>}
      </div>
    </div>
  );
}
