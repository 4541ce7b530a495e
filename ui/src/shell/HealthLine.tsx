/** The foot of the sidebar: how everything stands, a pause of all channels, what needs the person. */
import { Pause, Play } from "lucide-react";
import type { ComponentPropsWithRef, ReactNode } from "react";
import { Menu, MenuItem } from "@/components/Menu";
import { StatusDot } from "@/components/StatusBadge";
import { useAct, useRead } from "@/data/operations";
import { useNeeds } from "@/features/approvals/needs";
import { partOf } from "@/features/sources/filter";
import type { Health } from "@/generated/protocol";
import { go, type Route } from "@/lib/route";
import type { Tone } from "@/lib/status";
import { clockTime } from "@/lib/time";
import { NeedsYou } from "./NeedsYou";
import { UpdateLine } from "./UpdateLine";

function healthTone(health: Health): Tone {
  if (health.failing > 0) return "bad";
  return health.waiting > 0 || health.needsUser > 0 || health.paused ? "warn" : "good";
}

export function HealthLine() {
  const system = useRead("system.status", {}).data;
  const sources = useRead("source.list", {}).data ?? [];
  const health = system?.health;
  // To what needs the person, else straight to what does not work, else to the sources.
  const needs = (useNeeds().data ?? []).length > 0;
  const first = sources.find((row) => partOf(row) === "failing");
  const to: Route = needs ? { view: "waiting" } : { view: "sources", source: first?.id ?? null };
  const line = health === undefined ? "Waiting for the engine" : health.line === "" ? "Nothing runs yet" : health.line;
  const channels = sources.some((row) => row.kind === "channel" && row.enabled);
  return (
    <div className="flex min-h-9 shrink-0 flex-col justify-center border-t border-line py-1 text-sm text-muted">
      {system?.pause.paused === true && <Paused until={system.pause.until} />}
      <div className="flex items-center">
        <button type="button" data-testid="health-line" title={needs ? "To what needs you" : first === undefined ? "How the sources stand" : `To ${first.name}`} onClick={() => go(to)} className="flex min-w-0 flex-1 items-center gap-2 py-0.5 pr-1 pl-4 text-left hover:bg-hover">
          <StatusDot tone={health === undefined ? "idle" : healthTone(health)} />
          <span role="status" className="line-clamp-3">
            {line}
          </span>
        </button>
        {channels && system?.pause.paused === false && <PauseMenu />}
      </div>
      <NeedsYou />
      <UpdateLine />
    </div>
  );
}

const CHOICES: readonly [string, number | null][] = [
  ["For half an hour", 30],
  ["For two hours", 120],
  ["Until I say so", null],
];

function PauseMenu() {
  const { mutate: pause } = useAct("system.pause");
  return (
    <Menu label="Pause all channels" align="end" trigger={<Round label="Pause all channels" testId="pause-channels" icon={<Pause aria-hidden className="size-3.5" />} />}>
      {CHOICES.map(([words, minutes]) => (
        <MenuItem key={words} testId={`pause-for-${minutes ?? "ever"}`} {...(minutes === null ? { note: "Nothing is taken in or sent; nothing is lost." } : {})} onSelect={() => pause({ paused: true, minutes })}>
          {words}
        </MenuItem>
      ))}
    </Menu>
  );
}

function Paused({ until }: { until: number | null }) {
  const { mutate: pause, isPending } = useAct("system.pause");
  return (
    <div data-testid="paused" className="mx-2 mb-1 flex flex-wrap items-center gap-x-2 rounded-md bg-warn-soft px-2 py-1 text-warn">
      <Pause aria-hidden className="size-3.5 shrink-0" />
      <span className="min-w-28 flex-1">{until === null ? "Channels are paused" : `Paused until ${clockTime(until)}`}</span>
      <button type="button" data-testid="resume-channels" disabled={isPending} onClick={() => pause({ paused: false, minutes: null })} className="ml-auto flex items-center gap-1 rounded px-1.5 font-medium hover:bg-hover">
        <Play aria-hidden className="size-3" />
        Go on
      </button>
    </div>
  );
}

interface RoundProps {
  label: string;
  testId: string;
  icon: ReactNode;
}

/** Radix hands the trigger its own properties. */
function Round({ label, testId, icon, ...trigger }: RoundProps & ComponentPropsWithRef<"button">) {
  return (
    <button type="button" {...trigger} data-testid={testId} aria-label={label} title={label} className="mr-2 flex size-6 shrink-0 items-center justify-center rounded-md hover:bg-hover">
      {icon}
    </button>
  );
}
