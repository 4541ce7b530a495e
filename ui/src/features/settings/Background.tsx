/** Start at login, and who brings the program back after a crash. */
import { useQueryClient } from "@tanstack/react-query";
import { SwitchRow } from "@/components/controls";
import { Facts, Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { remember, useAct, useRead } from "@/data/operations";
import type { Background as State } from "@/generated/protocol";

const BY: Record<string, string> = {
  systemd: "systemd, as a service of your account",
  launchd: "macOS (launchd)",
  autostart: "your desktop’s autostart",
  registry: "Windows, as you log in",
};

export function Background() {
  const state = useRead("system.background", {}, { fresh: true });
  if (state.isPending) return <SkeletonRows rows={2} />;
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  return <Standing state={state.data} />;
}

function Standing({ state }: { state: State }) {
  const client = useQueryClient();
  const set = useAct("system.background_set", { onSuccess: (next) => remember(client, "system.background", {}, next) });
  const { atLogin, restarts, by, entry, starts, reason } = state;
  return (
    <Section title="In the background">
      <SwitchRow
        label="Start when you log in"
        note={starts === "app" ? "Hidden, with its icon in the tray." : "The engine without a screen."}
        checked={atLogin}
        disabled={by === null || set.isPending}
        onChange={(on) => set.mutate({ atLogin: on })}
      />
      {reason !== null && <p className="text-warn" data-testid="background-reason">{reason}</p>}
      {atLogin && (
        <Facts
          rows={[
            ["After a crash", restarts ? "It is started again" : "Nobody starts it again on this machine"],
            ["Started by", by === null ? "Nobody" : (BY[by] ?? by)],
            ["Written in", <code key="e" className="font-mono text-sm break-all">{entry}</code>],
          ]}
        />
      )}
    </Section>
  );
}
