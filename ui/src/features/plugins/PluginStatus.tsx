/** How a plugin does: what it uses, what it did wrong, what it registered. */
import { Section } from "@/components/layout";
import { SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { FIGURES_EVERY_MS } from "@/data/series";
import type { PluginId } from "@/generated/protocol";
import { FaultList } from "./FaultList";
import { PartList } from "./PartList";
import { RegisteredList } from "./RegisteredList";
import { UsageCharts } from "./UsageCharts";

export function PluginStatus({ id }: { id: PluginId }) {
  // The figures are asked for only while this page is in sight.
  const read = useRead("plugin.get", { id }, { refetchInterval: FIGURES_EVERY_MS });
  const detail = read.data;
  if (detail === undefined) return <SkeletonRows />;
  return (
    <>
      {detail.summary.origin !== "gateway" && (
        <Section title="Use">
          <UsageCharts usage={detail.summary.usage} limits={detail.limits} at={read.dataUpdatedAt} />
        </Section>
      )}
      <Section title="Faults">
        <FaultList faults={detail.summary.faults} folder={detail.summary.path} />
      </Section>
      {detail.parts.length > 0 && (
        <Section title="Channels and services">
          <PartList parts={detail.parts} />
        </Section>
      )}
      <Section title="What it registered">
        <RegisteredList registered={detail.registered} declared={detail.summary.contributes} />
      </Section>
    </>
  );
}
