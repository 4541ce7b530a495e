/** What channels refused, counted by reason. */
import { DoorOpen } from "lucide-react";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useOriginName } from "@/features/sources/useOriginName";
import { go } from "@/lib/route";
import { ago, dateTime, useNow } from "@/lib/time";
import { REFUSALS } from "./words";

export const REFUSALS_EVERY_MS = 10_000;

export function Refused({ channel = null }: { channel?: string | null }) {
  const refusals = useRead("refusal.list", {}, { refetchInterval: REFUSALS_EVERY_MS, fresh: true });
  const now = useNow();
  const nameOf = useOriginName();
  if (refusals.isPending) return <SkeletonRows rows={3} />;
  if (refusals.isError) return <Failure error={refusals.error} onRetry={() => void refusals.refetch()} />;
  const rows = refusals.data.filter((row) => channel === null || row.channel === channel).toSorted((a, b) => b.count - a.count);
  if (rows.length === 0) return channel === null ? <Empty icon={DoorOpen} title="Nothing was refused">Messages that a channel does not let in are counted here, with the reason.</Empty> : <p className="text-faint">Nothing was refused.</p>;
  return (
    <div className="overflow-x-auto rounded-lg border border-line">
      <table className="w-full text-left">
        <thead className="border-b border-line bg-list text-xs text-faint">
          <tr>
            {channel === null && <th className="px-3 py-1.5 font-medium">Channel</th>}
            <th className="px-3 py-1.5 font-medium">Reason</th>
            <th className="px-3 py-1.5 text-right font-medium">How often</th>
            <th className="px-3 py-1.5 font-medium">Last</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.channel} ${row.code}`} className="border-line not-first:border-t">
              {channel === null && (
                <td className="px-3 py-1.5">
                  <button type="button" className="rounded hover:underline" onClick={() => go({ view: "sources", source: `channel:${row.channel}` })}>
                    {nameOf(row.channel)}
                  </button>
                </td>
              )}
              <td className="px-3 py-1.5">{REFUSALS[row.code]}</td>
              <td className="px-3 py-1.5 text-right tabular-nums">{row.count.toLocaleString()}</td>
              <td className="selectable px-3 py-1.5 text-muted [overflow-wrap:anywhere]" title={dateTime(row.lastAt)}>
                {row.lastSender} · {ago(row.lastAt, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
