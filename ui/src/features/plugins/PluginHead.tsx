/** Name, state and what can be done with a plugin. */
import { Ellipsis, RotateCw, Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Badge } from "@/components/controls";
import { Menu, MenuItem } from "@/components/Menu";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/data/operations";
import type { PluginDetail, PluginSummary } from "@/generated/protocol";
import { go } from "@/lib/route";
import { dateTime } from "@/lib/time";
import { RevokeAll } from "./RevokeAll";
import { TrustBadge } from "./TrustBadge";
import { waitsForTrust } from "./words";

interface HeadProps {
  detail: PluginDetail;
  /** The tab that is in front. */
  shown: string;
  onShow: (tab: string) => void;
}

export function PluginHead({ detail, shown, onShow }: HeadProps) {
  const { summary } = detail;
  const reload = useAct("plugin.reload");
  // A program of its own is started where it is started.
  const remote = summary.origin === "gateway";
  const runnable = summary.enabled && summary.trust !== "untrusted";
  return (
    <header className="flex flex-col gap-3">
      <div className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h1 className="flex flex-wrap items-center gap-x-2 text-xl font-semibold">
            {summary.name} <span className="text-base font-normal text-faint">{summary.version}</span>
            <TrustBadge trust={summary.trust} />
          </h1>
          <p className="text-muted">{summary.description}</p>
        </div>
        {!remote && <Button data-testid="reload" icon={<RotateCw className="size-3.5" />} disabled={!runnable || reload.isPending} onClick={() => reload.mutate({ id: summary.id })}>
          {reload.isPending ? "Reloading" : "Reload"}
        </Button>}
        {summary.origin !== "bundled" && !(remote && summary.client !== null) && <More summary={summary} granted={detail.grant !== null} />}
      </div>
      <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-line bg-list py-1.5 pr-2 pl-3.5">
        <StatusBadge status={summary.status} full wrap testId="plugin-state" className="min-w-60 flex-1" />
        {remote ? <Badge title="Times it joined since the app started">joined {summary.generation}×</Badge> : <Badge title="Loads since the app started">generation {summary.generation}</Badge>}
        <Mend summary={summary} shown={shown} busy={reload.isPending} onReload={() => reload.mutate({ id: summary.id })} onShow={onShow} />
      </div>
    </header>
  );
}

/** The one action that mends the state. */
function Mend({ summary, shown, busy, onReload, onShow }: Omit<HeadProps, "detail"> & { summary: PluginSummary; busy: boolean; onReload: () => void }) {
  const { state } = summary.status;
  if (waitsForTrust(summary.trust)) return shown === "trust" ? null : <MendButton label={summary.trust === "changed" ? "See what changed" : "Look at it"} onClick={() => onShow("trust")} />;
  if (!summary.enabled) return null;
  if (state.kind === "needs_user") {
    const trust = state.action.kind === "trust";
    const tab = trust ? "trust" : "settings";
    return shown === tab ? null : <MendButton label={trust ? "See what it asks for" : "Set it up"} onClick={() => onShow(tab)} />;
  }
  if (state.kind === "quarantined") return <MendButton label="Start it now" title={`Otherwise it is started at ${dateTime(state.until)}`} busy={busy} onClick={onReload} />;
  if (summary.origin === "gateway") return null;
  if (state.kind === "failed" || state.kind === "backoff") return <MendButton label="Try now" busy={busy} onClick={onReload} />;
  return null;
}

function MendButton({ label, onClick, busy = false, title }: { label: string; onClick: () => void; busy?: boolean; title?: string }) {
  return (
    <Button look="primary" data-testid="mend" title={title} disabled={busy} onClick={onClick}>
      {label}
    </Button>
  );
}

function More({ summary, granted }: { summary: PluginSummary; granted: boolean }) {
  const [asking, setAsking] = useState<"uninstall" | "revoke" | null>(null);
  const uninstall = useAct("plugin.uninstall", { onSuccess: () => go({ view: "plugins", plugin: null }) });
  const close = () => setAsking(null);
  return (
    <>
      <Menu
        label={`More for ${summary.name}`}
        align="end"
        trigger={
          <IconButton label="More" data-testid="plugin-more">
            <Ellipsis className="size-4" />
          </IconButton>
        }
      >
        {granted && (
          <MenuItem danger icon={<Undo2 className="size-3.5" />} onSelect={() => setAsking("revoke")}>
            Take trust back…
          </MenuItem>
        )}
        <MenuItem danger icon={<Trash2 className="size-3.5" />} onSelect={() => setAsking("uninstall")}>
          Remove…
        </MenuItem>
      </Menu>
      <RevokeAll summary={summary} open={asking === "revoke"} onClose={close} />
      <Confirm open={asking === "uninstall"} onClose={close} title={`Remove ${summary.name}?`} action="Remove" onConfirm={() => uninstall.mutate({ id: summary.id })}>
        {summary.origin === "gateway"
          ? "It is forgotten here; the program itself is left alone. When it joins again, it is new."
          : "It stops now, its folder leaves the extensions folder, and its trust is taken back. What it stored stays."}
      </Confirm>
    </>
  );
}
