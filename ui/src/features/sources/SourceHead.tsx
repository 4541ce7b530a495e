/** Name and state of a source, what mends it, and what a person can do with it as a whole. */
import { Activity, Ellipsis, Pencil, RotateCw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Switch } from "@/components/controls";
import { Menu, MenuItem, MenuSeparator } from "@/components/Menu";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/data/operations";
import { MendButton, type MendPart } from "@/features/services/MendButton";
import type { SourceDetail, SourceSummary } from "@/generated/protocol";
import { go } from "@/lib/route";
import { mendOf } from "@/lib/status";
import { agoWords, useNow } from "@/lib/time";
import { EditSource } from "./EditSource";
import { hasFiles, KINDS, SourceIcon } from "./kinds";
import { TestResult, useTest } from "./TestResult";

interface HeadProps {
  detail: SourceDetail;
  provider: string | null;
  onShow: (part: MendPart) => void;
  onSignIn: () => void;
}

export function SourceHead({ detail, provider, onShow, onSignIn }: HeadProps) {
  const { summary } = detail;
  const { id, name } = summary;
  const enable = useAct("source.enable");
  const restart = useAct("source.restart");
  const test = useTest(id);
  // Then the button beside the state is that restart.
  const mendedByRestart = summary.enabled && mendOf(summary.status.state, name)?.kind === "restart";
  return (
    <header className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-2">
        <SourceIcon source={summary} large />
        <div className="min-w-48 flex-1">
          <h1 className="truncate text-xl font-semibold">{name}</h1>
          <About summary={summary} />
        </div>
        <div className="flex items-center gap-1.5">
          {summary.kind !== "channel" && (
            <Button icon={<Activity className="size-3.5" />} data-testid="source-test" disabled={test.busy} onClick={test.ask}>
              {test.busy ? "Testing" : "Test"}
            </Button>
          )}
          {!mendedByRestart && (
            <Button icon={<RotateCw className="size-3.5" />} data-testid="source-restart" disabled={!summary.enabled || restart.isPending} onClick={() => restart.mutate({ id })}>
              Restart
            </Button>
          )}
          {hasFiles(summary) && <More source={summary} />}
        </div>
      </div>
      <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-line bg-list py-1.5 pr-3 pl-3.5">
        <StatusBadge status={summary.status} full wrap testId="source-state" className="min-w-40 flex-1" />
        <span className="ml-auto flex items-center gap-3">
          <MendButton source={summary} signsInAt={provider} onShow={onShow} onSignIn={onSignIn} />
          <Switch label={`Switch ${name} on`} checked={summary.enabled} disabled={enable.isPending} onChange={(enabled) => enable.mutate({ id, enabled })} />
        </span>
      </div>
      <TestResult test={test} />
    </header>
  );
}

function About({ summary }: { summary: SourceSummary }) {
  const now = useNow();
  const { plugin, tagline, lastActivity } = summary;
  const past = lastActivity === null ? null : agoWords(lastActivity, now);
  return (
    <>
      {tagline !== null && tagline !== "" && <p className="selectable text-muted [overflow-wrap:anywhere]">{tagline}</p>}
      <p className="flex flex-wrap gap-x-1.5 text-sm text-faint">
        <span>
          {KINDS[summary.kind].one}
          {(plugin !== null || past !== null) && " ·"}
        </span>
        {plugin !== null && (
          <span>
            from{" "}
            <button type="button" className="underline underline-offset-2 hover:text-ink" onClick={() => go({ view: "plugins", plugin })}>
              {plugin}
            </button>
            {past !== null && " ·"}
          </span>
        )}
        {past !== null && <span>last active {past}</span>}
      </p>
    </>
  );
}

function More({ source }: { source: SourceSummary }) {
  const [open, setOpen] = useState<"change" | "remove" | null>(null);
  const remove = useAct("source.remove", { onSuccess: () => go({ view: "sources", source: null }) });
  const close = () => setOpen(null);
  return (
    <>
      <Menu
        label="More"
        align="end"
        trigger={
          <IconButton label="More" data-testid="source-more">
            <Ellipsis className="size-4" />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil className="size-3.5" />} testId="source-change" onSelect={() => setOpen("change")}>
          Change…
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger icon={<Trash2 className="size-3.5" />} testId="source-remove" onSelect={() => setOpen("remove")}>
          Remove…
        </MenuItem>
      </Menu>
      {open === "change" && <EditSource source={source} onClose={close} />}
      <Confirm open={open === "remove"} title={`Remove ${source.name}?`} action="Remove" onClose={close} onConfirm={() => remove.mutate({ id: source.id })}>
        Its folder with the guide and the rules goes to the trash of the home folder. Its keys and its sign-in are forgotten for good.
      </Confirm>
    </>
  );
}
