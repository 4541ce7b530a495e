/** How the last run ended, where it did not end in order, and why plugins are off: a calm line at the foot. */
import { useQueryClient } from "@tanstack/react-query";
import { Heart, ShieldAlert } from "lucide-react";
import type { ReactNode } from "react";
import { notify } from "@/data/notify";
import { invalidate, useAct, useRead } from "@/data/operations";
import type { CrashReport, SafeMode } from "@/generated/protocol";
import { agoWords, useNow } from "@/lib/time";
import { Line } from "@/shell/Line";

export function EndBanner() {
  const safe = useRead("system.status", {}).data?.safeMode ?? null;
  const reports = useRead("crash.list", {}).data ?? [];
  const ended = reports.find(({ seen, kind }) => !seen && kind !== "panic");
  return (
    <>
      {safe !== null && <SafeLine safe={safe} />}
      {ended !== undefined && <EndLine report={ended} />}
    </>
  );
}

function EndLine({ report }: { report: CrashReport }) {
  const now = useNow();
  const dismiss = useAct("crash.dismiss");
  const copy = async () => {
    await navigator.clipboard.writeText(report.text);
    notify({ tone: "info", message: "The report is in the clipboard.", hint: "It has no message text and no secrets." });
  };
  return (
    <Line
      tone="plain"
      icon={<Heart className="size-3.5 text-warn" />}
      message={`Kata Agents ended unexpectedly ${agoWords(report.at, now)} and came back; nothing was lost.`}
      hint={null}
      action={<Act id="copy-report" onClick={() => void copy()}>Copy report</Act>}
      onDismiss={() => dismiss.mutate({ id: report.id })}
    />
  );
}

function SafeLine({ safe }: { safe: SafeMode }) {
  const client = useQueryClient();
  const restart = useAct("system.restart", { onSuccess: () => invalidate(client, ["health"]) });
  const off = useAct("plugin.enable");
  const suspect = safe.suspects[0];
  return (
    <Line
      tone="warn"
      icon={<ShieldAlert className="size-3.5" />}
      message={`Safe mode: plugins are off, because ${safe.reason}.`}
      hint={suspect === undefined ? null : `“${suspect}” was at work when it ended.`}
      action={
        <>
          {suspect !== undefined && (
            <Act id="switch-off-suspect" disabled={off.isPending || off.isSuccess} onClick={() => off.mutate({ id: suspect, enabled: false })}>
              {off.isSuccess ? `${suspect} is off` : `Switch off ${suspect}`}
            </Act>
          )}
          <Act id="start-normally" disabled={restart.isPending} onClick={() => restart.mutate({ safe: false })}>
            Start normally
          </Act>
        </>
      }
    />
  );
}

function Act({ id, onClick, disabled, children }: { id: string; onClick: () => void; disabled?: boolean; children: ReactNode }) {
  return (
    <button type="button" data-testid={id} disabled={disabled} className="shrink-0 rounded px-1.5 font-medium underline underline-offset-2 hover:no-underline disabled:opacity-60" onClick={onClick}>
      {children}
    </button>
  );
}
