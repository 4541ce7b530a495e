/** What the serving generation registered; where none serves, what the manifest says it would. */
import type { ReactNode } from "react";
import { Badge } from "@/components/controls";
import { Chips } from "@/features/services/Chips";
import type { Contributes, Registered, RegisteredHook } from "@/generated/protocol";
import { duration } from "@/lib/time";
import { HOOK_KINDS } from "./words";

export function RegisteredList({ registered, declared }: { registered: Registered; declared: Contributes }) {
  const { tools, hooks, channels, services, commands, routes } = registered;
  const nothing = [tools, hooks, channels, services, commands, routes].every((each) => each.length === 0);
  if (nothing) return <Declared declared={declared} />;
  return (
    <div className="flex flex-col gap-4">
      <Group title="Tools" rows={tools.map((tool) => [tool.name, <Line key="l" words={tool.description} mark={tool.readOnly ? "reads only" : null} />])} />
      <Group title="Hooks" rows={hooks.map((hook) => [hook.event, <Hook key="h" hook={hook} />])} />
      <Group title="Channels" rows={channels.map((channel) => [channel.id, channel.label])} />
      <Group title="Services" rows={services.map((service) => [service, ""])} />
      <Group title="Commands" rows={commands.map((command) => [`/${command.name}`, command.description])} />
      <Group title="Routes" rows={routes.map((route) => [route.path, route.methods.join(", ")])} />
    </div>
  );
}

function Group({ title, rows }: { title: string; rows: readonly (readonly [string, ReactNode])[] }) {
  if (rows.length === 0) return null;
  return (
    <div>
      <h3 className="mb-1 text-xs font-medium text-faint">{title}</h3>
      <dl className="overflow-hidden rounded-lg border border-line">
        {rows.map(([name, what]) => (
          <div key={name} className="flex min-h-8 flex-wrap items-center gap-x-3 border-line px-3 py-1 not-first:border-t">
            <dt className="selectable w-44 shrink-0 truncate font-mono text-sm" title={name}>
              {name}
            </dt>
            <dd className="min-w-0 flex-1 text-muted">{what}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Line({ words, mark }: { words: string; mark: string | null }) {
  return (
    <span className="flex items-center gap-2">
      <span className="min-w-0 flex-1">{words}</span>
      {mark !== null && <Badge>{mark}</Badge>}
    </span>
  );
}

function Hook({ hook }: { hook: RegisteredHook }) {
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <Badge tone={hook.kind === "observe" ? "plain" : "warn"}>{HOOK_KINDS[hook.kind]}</Badge>
      <span>
        {hook.of === 1 ? "the only one" : `${hook.position}. of ${hook.of}`}, priority {hook.priority}
        {hook.timeoutMs !== null && `, ${duration(hook.timeoutMs)} at most`}
      </span>
    </span>
  );
}

function Declared({ declared }: { declared: Contributes }) {
  const names = [...(declared.tools ?? []), ...(declared.hooks ?? []), ...(declared.channels ?? []), ...(declared.services ?? []), ...(declared.commands ?? []).map((name) => `/${name}`), ...(declared.routes ?? [])];
  return (
    <div className="flex flex-col gap-1.5">
      <p className="text-faint">Nothing, because it does not run. Its manifest declares:</p>
      <Chips names={names} none="nothing" />
    </div>
  );
}
