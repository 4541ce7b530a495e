/** What a source brings to the agent, and what it may reach. */
import { Facts, Section } from "@/components/layout";
import { Chips } from "@/features/services/Chips";
import type { SourceDetail } from "@/generated/protocol";
import { ToolList } from "./ToolList";

export function SourceBrings({ detail }: { detail: SourceDetail }) {
  const { hooks, commands, capabilities, summary } = detail;
  const plugin = summary.plugin !== null;
  return (
    <>
      <Section title="Tools">
        <ToolList source={summary} />
      </Section>
      {plugin && (
        <Section title="Hooks and commands">
          <Facts
            rows={[
              ["Hooks", <Chips key="h" names={hooks} none="none" />],
              ["Commands", <Chips key="c" names={commands.map((name) => `/${name}`)} none="none" />],
            ]}
          />
        </Section>
      )}
      {plugin && (
        <Section title="What it was granted">
          <Chips names={capabilities} none="Nothing: it reaches nothing outside itself." />
        </Section>
      )}
    </>
  );
}
