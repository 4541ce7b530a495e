/** Under the text: which model, what it may do without asking, how much has been used. */
import { ChevronDown, Cpu, FlaskConical, Shield, ShieldCheck, ShieldOff } from "lucide-react";
import type { ReactNode } from "react";
import { Menu, MenuItem, MenuSeparator } from "@/components/Menu";
import { useAct, useRead } from "@/data/operations";
import type { PermissionMode, SessionSummary, TokenUsage } from "@/generated/protocol";
import { cn } from "@/lib/cn";
import { count } from "@/lib/format";
import { GitBadge } from "./GitBadge";
import { go } from "@/lib/route";

export const MODES: Record<PermissionMode, { label: string; note: string; icon: ReactNode }> = {
  safe: { label: "Read only", note: "Only tools that read.", icon: <ShieldCheck className="size-3.5" /> },
  ask: { label: "Ask first", note: "Asks before anything else.", icon: <Shield className="size-3.5" /> },
  "allow-all": { label: "Allow all", note: "Never asks.", icon: <ShieldOff className="size-3.5" /> },
};

const TRIGGER = "flex h-7 min-w-0 items-center gap-1.5 rounded-md px-2 text-sm text-muted hover:bg-hover hover:text-ink";

interface FooterProps {
  session: SessionSummary;
  turnModel: string | null;
  usage: TokenUsage;
}

export function ComposerFooter({ session, turnModel, usage }: FooterProps) {
  return (
    <>
      <ModeMenu session={session} />
      <ModelMenu session={session} turnModel={turnModel} />
      <GitBadge session={session} className="hidden px-1 @xl:flex" />
      <TokenMeter usage={usage} />
    </>
  );
}

function ModeMenu({ session }: { session: SessionSummary }) {
  const update = useAct("session.update");
  const mode = MODES[session.mode];
  return (
    <Menu
      label="What it may do without asking"
      trigger={
        <button type="button" data-testid="permission-menu" aria-label={`Permission: ${mode.label}`} className={cn(TRIGGER, "shrink-0", session.mode === "allow-all" && "text-warn")}>
          {mode.icon}
          {mode.label}
        </button>
      }
    >
      {(Object.keys(MODES) as PermissionMode[]).map((each) => (
        <MenuItem key={each} testId={`permission-${each}`} icon={MODES[each].icon} note={MODES[each].note} checked={each === session.mode} onSelect={() => update.mutate({ id: session.id, mode: each })}>
          {MODES[each].label}
        </MenuItem>
      ))}
    </Menu>
  );
}

function ModelMenu({ session, turnModel }: { session: SessionSummary; turnModel: string | null }) {
  const models = useRead("model.list", {}).data ?? [];
  const update = useAct("session.update");
  const chosen = models.find((model) => (session.model === null ? model.default : model.settings.id === session.model));
  const label = turnModel ?? chosen?.label ?? "No model";
  const scripted = chosen?.settings.kind === "demo" || /scripted/i.test(label);
  return (
    <Menu
      label="Model of this session"
      trigger={
        <button type="button" data-testid="model-badge" aria-label={`Model: ${label}`} className={cn(TRIGGER, scripted && "bg-warn-soft text-warn hover:text-warn")}>
          {scripted ? <FlaskConical className="size-3.5 shrink-0" /> : <Cpu className="size-3.5 shrink-0" />}
          <span className="truncate">{label}</span>
          <ChevronDown aria-hidden className="size-3 shrink-0" />
        </button>
      }
    >
      {models.map((model) => (
        <MenuItem key={model.settings.id} checked={model === chosen} note={model.settings.model} onSelect={() => update.mutate({ id: session.id, model: model.settings.id })}>
          {model.label}
        </MenuItem>
      ))}
      {models.length > 0 && <MenuSeparator />}
      <MenuItem onSelect={() => go({ view: "settings", section: "models" })}>Models…</MenuItem>
    </Menu>
  );
}

function TokenMeter({ usage }: { usage: TokenUsage }) {
  const total = usage.totalTokens ?? 0;
  if (total === 0) return null;
  const cost = usage.costUsd ?? 0;
  const words = `${total.toLocaleString()} tokens: ${(usage.inputTokens ?? 0).toLocaleString()} sent, ${(usage.outputTokens ?? 0).toLocaleString()} answered`;
  return (
    <span title={words} aria-label={words} className="hidden shrink-0 px-1 text-sm text-faint tabular-nums @md:inline">
      {count(total)} tokens{cost > 0 && ` · $${cost.toFixed(2)}`}
    </span>
  );
}
