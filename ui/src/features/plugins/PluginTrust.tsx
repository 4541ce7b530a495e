/** How far a plugin is trusted: the question where one is open, what was granted otherwise, and how it came to that. */
import { Section } from "@/components/layout";
import type { PluginDetail } from "@/generated/protocol";
import { CapabilityFacts } from "./CapabilityFacts";
import { FileList } from "./FileList";
import { GrantHistory } from "./GrantHistory";
import { Granted } from "./Granted";
import { Origin } from "./Origin";
import { Program } from "./Program";
import { TrustPrompt } from "./TrustPrompt";
import { waitsForTrust } from "./words";

export function PluginTrust({ detail }: { detail: PluginDetail }) {
  const { summary } = detail;
  return (
    <>
      {waitsForTrust(summary.trust) ? (
        <TrustPrompt detail={detail} />
      ) : summary.trust === "bundled" || summary.trust === "token" ? (
        <Section title="What it may reach">
          <CapabilityFacts wanted={detail.wanted} />
        </Section>
      ) : (
        <Granted detail={detail} />
      )}
      {summary.origin === "gateway" ? (
        <Section title="Where it comes from">
          <Program client={summary.client ?? null} />
        </Section>
      ) : !waitsForTrust(summary.trust) && (
        <Section title="Where it lies">
          <Origin detail={detail} />
          <FileList files={detail.files} />
        </Section>
      )}
      {detail.history.length > 0 && (
        <Section title="What happened to its trust">
          <GrantHistory history={detail.history} />
        </Section>
      )}
    </>
  );
}
