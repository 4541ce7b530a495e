/** A plugin's settings and secrets. */
import { Section } from "@/components/layout";
import { useAct } from "@/data/operations";
import { Secrets } from "@/features/sources/Secrets";
import { SettingsForm } from "@/features/sources/SettingsForm";
import type { PluginDetail } from "@/generated/protocol";

export function PluginSettings({ detail }: { detail: PluginDetail }) {
  const { id } = detail.summary;
  const configure = useAct("plugin.configure", { quiet: true });
  const secret = useAct("plugin.secret");
  return (
    <>
      {detail.settingsSchema !== null && (
        <Section title="Settings">
          <SettingsForm key={JSON.stringify(detail.settings)} schema={detail.settingsSchema} settings={detail.settings} onSave={(settings) => configure.mutateAsync({ id, settings })} />
        </Section>
      )}
      {detail.secrets.length > 0 && (
        <Section title="Secrets">
          <Secrets secrets={detail.secrets} onStore={(name, value) => secret.mutateAsync({ id, name, value })} />
        </Section>
      )}
    </>
  );
}
