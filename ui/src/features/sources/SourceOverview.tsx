/** What a person wants to know of a source first, in the order in which it is needed. */
import { useState } from "react";
import { Section } from "@/components/layout";
import { useAct, useRead } from "@/data/operations";
import { AccountCard } from "@/features/accounts/AccountCard";
import { Accounts } from "@/features/channels/Accounts";
import { ChannelActions } from "@/features/channels/ChannelActions";
import { Refused } from "@/features/routing/Refused";
import { BudgetUse } from "@/features/services/BudgetUse";
import { JobList } from "@/features/services/JobList";
import { Timeline } from "@/features/services/Timeline";
import type { SourceDetail } from "@/generated/protocol";
import { toneOf } from "@/lib/status";
import { ChannelPolicy, PairingRequests } from "./ChannelPolicy";
import { FileFaults } from "./FileFaults";
import { Secrets } from "./Secrets";
import { SettingsForm } from "./SettingsForm";
import { fieldsOf } from "./schema";
import { WorkspaceSwitches } from "./WorkspaceSwitches";

interface OverviewProps {
  detail: SourceDetail;
  /** When the figures came. */
  at: number;
  provider: string | null;
  /** What is wrong with its files. */
  faults: readonly string[];
  onSignIn: () => void;
  onFiles: () => void;
}

export function SourceOverview({ detail, at, provider, faults, onSignIn, onFiles }: OverviewProps) {
  const { summary } = detail;
  const { id } = summary;
  const channel = summary.kind === "channel";
  // Of a service that works one wants to see how it does; of one that does not, what it needs. Nothing moves under the hand.
  const [works] = useState(() => !channel && toneOf(summary.status.state) === "good");
  const pairing = useRead("pairing.list", {}, { enabled: channel }).data ?? [];
  const waiting = pairing.filter((request) => `channel:${request.channel}` === id);
  return (
    <>
      {faults.length > 0 && <FileFaults faults={faults} onOpen={onFiles} />}
      {channel && <ChannelActions source={summary} needsSetup={needsSetup(detail)} />}
      {waiting.length > 0 && (
        <div data-part="pairing">
          <Section title="Waiting to be let in">
            <PairingRequests requests={waiting} />
          </Section>
        </div>
      )}
      {provider !== null && (
        <Section title="Account">
          <AccountCard source={summary} provider={provider} account={detail.account} onSignIn={onSignIn} />
        </Section>
      )}
      {!works && <Settings detail={detail} />}
      {channel && <ChannelParts detail={detail} />}
      {detail.budget !== null && (
        <Section title="Use">
          <BudgetUse budget={detail.budget} at={at} />
        </Section>
      )}
      {detail.jobs.length > 0 && (
        <Section title="Planned work">
          <JobList jobs={detail.jobs} />
        </Section>
      )}
      {works && <Settings detail={detail} />}
      {detail.workspaces.length > 1 && (
        <Section title="Workspaces that see it">
          <WorkspaceSwitches id={id} name={summary.name} switches={detail.workspaces} />
        </Section>
      )}
      <Section title="How it went">
        <Timeline states={detail.timeline} />
      </Section>
    </>
  );
}

function Settings({ detail }: { detail: SourceDetail }) {
  const { id } = detail.summary;
  const configure = useAct("source.configure", { quiet: true });
  const secret = useAct("source.secret");
  const fields = fieldsOf(detail.settingsSchema).length > 0;
  if (!fields && detail.secrets.length === 0) return null;
  return (
    <div data-part="settings">
      <Section title={fields ? "Settings" : "Keys"}>
        {detail.secrets.length > 0 && <Secrets secrets={detail.secrets} onStore={(name, value) => secret.mutateAsync({ id, name, value })} />}
        {fields && <SettingsForm key={JSON.stringify(detail.settings)} schema={detail.settingsSchema} settings={detail.settings} onSave={(settings) => configure.mutateAsync({ id, settings })} />}
      </Section>
    </div>
  );
}

function ChannelParts({ detail: { summary } }: { detail: SourceDetail }) {
  return (
    <>
      <Section title="Accounts">
        <Accounts source={summary} />
      </Section>
      <Section title="Who may write">
        <ChannelPolicy id={summary.id} />
      </Section>
      <Section title="Refused">
        <Refused channel={summary.id.replace(/^channel:/, "")} />
      </Section>
    </>
  );
}

/** Something is missing, and it does not work without it. */
function needsSetup({ summary, secrets }: SourceDetail): boolean {
  const { kind } = summary.status.state;
  return kind !== "running" && kind !== "degraded" && (kind === "needs_user" || secrets.some((each) => !each.set));
}
