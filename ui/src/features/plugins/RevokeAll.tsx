/** Asks before a plugin's whole trust is taken back. */
import { Confirm } from "@/components/Confirm";
import { useAct } from "@/data/operations";
import type { PluginSummary } from "@/generated/protocol";

export function RevokeAll({ summary, open, onClose }: { summary: PluginSummary; open: boolean; onClose: () => void }) {
  const revoke = useAct("plugin.revoke");
  return (
    <Confirm open={open} onClose={onClose} title={`Take back the trust in ${summary.name}?`} action="Take trust back" onConfirm={() => revoke.mutate({ id: summary.id })}>
      It stops at once: its connections are closed and its tools are gone. It stays in its folder and does not run before you trust it again.
    </Confirm>
  );
}
