/** A plugin's own log lines, renewed while they are in sight. */
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { LogTail } from "@/features/services/LogTail";
import type { PluginId } from "@/generated/protocol";

const LINES = 500;
const EVERY_MS = 2_000;

export function PluginLog({ id }: { id: PluginId }) {
  const log = useRead("log.tail", { plugin: id, limit: LINES }, { refetchInterval: EVERY_MS });
  if (log.isPending) return <SkeletonRows />;
  if (log.data === undefined) return <Failure error={log.error} onRetry={() => void log.refetch()} />;
  return <LogTail records={log.data} />;
}
