/** One plugin: what it declares, what it may reach, what it uses, and what it did wrong. */
import { RotateCw } from "lucide-react";
import { Button } from "@/components/Button";
import { Badge } from "@/components/controls";
import { Facts, Scroll, Section } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/data/operations";
import { Chips } from "@/features/services/Chips";
import type { PluginSummary } from "@/generated/protocol";
import { bytes } from "@/lib/format";
import { ago, dateTime, useNow } from "@/lib/time";
import { ORIGINS } from "./PluginsView";

export function PluginDetail({ plugin }: { plugin: PluginSummary }) {
  const reload = useAct("plugin.reload");
  const { contributes } = plugin;
  return (
    <Scroll>
      <div className="mx-auto flex max-w-[760px] flex-col gap-8 px-5 pt-6 pb-12 @xl:px-8">
        <header className="flex flex-col gap-3">
          <div className="flex items-start gap-3">
            <div className="min-w-0 flex-1">
              <h1 className="text-xl font-semibold">
                {plugin.name} <span className="text-base font-normal text-faint">{plugin.version}</span>
              </h1>
              <p className="text-muted">{plugin.description}</p>
            </div>
            <Button icon={<RotateCw className="size-3.5" />} disabled={!plugin.enabled || reload.isPending} onClick={() => reload.mutate({ id: plugin.id })}>
              {reload.isPending ? "Reloading" : "Reload"}
            </Button>
          </div>
          <div className="flex min-h-11 items-center gap-3 rounded-lg border border-line bg-list py-1.5 pr-3 pl-3.5">
            <StatusBadge status={plugin.status} full className="flex-1" />
            <Badge title="Loads since start">generation {plugin.generation}</Badge>
          </div>
        </header>
        <Section title="Use">
          <div className="grid grid-cols-2 gap-2 @lg:grid-cols-4">
            <Tile name="Memory" value={bytes(plugin.usage.memoryBytes)} />
            <Tile name="CPU, last minute" value={`${plugin.usage.cpuMsLastMinute} ms`} />
            <Tile name="Timers" value={String(plugin.usage.timers)} />
            <Tile name="Calls in flight" value={String(plugin.usage.callsInFlight)} />
          </div>
        </Section>
        <Section title="What it brings">
          <Facts
            rows={[
              ["Channels", <Chips key="ch" names={contributes.channels ?? []} none="none" />],
              ["Services", <Chips key="s" names={contributes.services ?? []} none="none" />],
              ["Tools", <Chips key="t" names={contributes.tools ?? []} none="none" />],
              ["Hooks", <Chips key="h" names={contributes.hooks ?? []} none="none" />],
              ["Commands", <Chips key="c" names={(contributes.commands ?? []).map((name) => `/${name}`)} none="none" />],
            ]}
          />
        </Section>
        <Section title="What it may reach">
          <Chips names={plugin.capabilities} none="Nothing outside its own memory." />
        </Section>
        <Faults plugin={plugin} />
        <Section title="Where it lies">
          <Facts
            rows={[
              ["Origin", ORIGINS[plugin.origin]],
              ["Folder", <code key="p" className="font-mono text-sm">{plugin.path}</code>],
            ]}
          />
        </Section>
      </div>
    </Scroll>
  );
}

function Tile({ name, value }: { name: string; value: string }) {
  return (
    <div className="rounded-lg border border-line px-3 py-2">
      <p className="text-lg font-semibold tabular-nums">{value}</p>
      <p className="text-sm text-faint">{name}</p>
    </div>
  );
}

function Faults({ plugin }: { plugin: PluginSummary }) {
  const now = useNow();
  return (
    <Section title="Faults">
      {plugin.faults.length === 0 ? (
        <p className="text-faint">None.</p>
      ) : (
        <ul className="overflow-hidden rounded-lg border border-line">
          {plugin.faults.map((fault, i) => (
            <li key={`${fault.at}-${i}`} className="flex items-baseline gap-3 border-line px-3 py-2 not-first:border-t">
              <Badge tone="bad">{fault.kind.replaceAll("_", " ")}</Badge>
              <span className="selectable min-w-0 flex-1 font-mono text-sm [overflow-wrap:anywhere]">{fault.message}</span>
              <time title={dateTime(fault.at)} className="shrink-0 text-sm text-faint">
                {ago(fault.at, now)}
              </time>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
