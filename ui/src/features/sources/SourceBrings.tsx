/** What a source brings to the agent, and what it may reach. */
import { Button } from "@/components/Button";
import { Facts, Section } from "@/components/layout";
import { useRead } from "@/data/operations";
import { CapabilityFacts } from "@/features/plugins/CapabilityFacts";
import { Chips } from "@/features/services/Chips";
import type { PluginId, SourceDetail } from "@/generated/protocol";
import { go } from "@/lib/route";
import { ToolList } from "./ToolList";

export function SourceBrings({ detail }: { detail: SourceDetail }) {
  const { hooks, commands, capabilities, summary } = detail;
  const { plugin } = summary;
  return (
    <>
      <Section title="Tools">
        <ToolList source={summary} />
      </Section>
      {plugin !== null && (
        <Section title="Hooks and commands">
          <Facts
            rows={[
              ["Hooks", <Chips key="h" names={hooks} none="none" />],
              ["Commands", <Chips key="c" names={commands.map((name) => `/${name}`)} none="none" />],
            ]}
          />
        </Section>
      )}
      {plugin !== null && <Granted plugin={plugin} capabilities={capabilities} />}
    </>
  );
}

/** In the words of its plugin's page; by their names where the plugin cannot be asked. */
function Granted({ plugin, capabilities }: { plugin: PluginId; capabilities: readonly string[] }) {
  const wanted = useRead("plugin.get", { id: plugin }).data?.wanted ?? [];
  const known = wanted.filter((each) => capabilities.includes(each.capability));
  return (
    <Section title="What it was granted" actions={<Button onClick={() => go({ view: "plugins", plugin })}>Change at the plugin</Button>}>
      {known.length === capabilities.length ? <CapabilityFacts wanted={known} /> : <Chips names={capabilities} none="" />}
    </Section>
  );
}
