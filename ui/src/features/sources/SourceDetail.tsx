/** One source: how it stands, what it brings, what it may, its settings, its log. */
import { RotateCw } from "lucide-react";
import { useRef } from "react";
import { Button } from "@/components/Button";
import { ContentPane, Facts, Scroll, Section } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { Failure, SkeletonRows } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import { Accounts } from "@/features/channels/Accounts";
import { ChannelActions } from "@/features/channels/ChannelActions";
import { Refused } from "@/features/routing/Refused";
import { Chips } from "@/features/services/Chips";
import { LogTail } from "@/features/services/LogTail";
import { MendButton } from "@/features/services/MendButton";
import { Timeline } from "@/features/services/Timeline";
import type { SourceDetail as Detail, SourceId } from "@/generated/protocol";
import { go } from "@/lib/route";
import { ago, useNow } from "@/lib/time";
import { ChannelPolicy, PairingRequests } from "./ChannelPolicy";
import { KINDS, SourceIcon } from "./kinds";
import { Secrets } from "./Secrets";
import { SettingsForm } from "./SettingsForm";

export function SourceDetail({ id }: { id: SourceId }) {
  const detail = useRead("source.get", { id });
  return (
    <ContentPane label="Source">
      {detail.isPending ? <SkeletonRows className="p-8" /> : detail.isError ? <Failure error={detail.error} onRetry={() => void detail.refetch()} /> : <Body detail={detail.data} />}
    </ContentPane>
  );
}

function Body({ detail }: { detail: Detail }) {
  const { summary } = detail;
  const { id } = summary;
  const scroller = useRef<HTMLDivElement>(null);
  const configure = useAct("source.configure", { quiet: true });
  const secret = useAct("source.secret");
  const pairing = useRead("pairing.list", {}, { enabled: summary.kind === "channel" }).data ?? [];
  const waiting = pairing.filter((request) => `channel:${request.channel}` === id);
  const show = (part: string) => {
    const section = scroller.current?.querySelector(`[data-part=${part}]`);
    section?.scrollIntoView({ block: "start" });
    section?.querySelector<HTMLElement>("input,select,button")?.focus();
  };
  const settable = detail.settingsSchema !== null || detail.secrets.length > 0;
  return (
    <Scroll>
      <div ref={scroller} className="mx-auto flex max-w-[760px] flex-col gap-8 px-5 pt-6 pb-12 @xl:px-8">
        <Head detail={detail} onShow={show} />
        {summary.kind === "channel" && <ChannelActions source={summary} needsSetup={needsSetup(detail)} />}
        {waiting.length > 0 && (
          <div data-part="pairing">
            <Section title="Waiting to be let in">
              <PairingRequests requests={waiting} />
            </Section>
          </div>
        )}
        {settable && (
          <div data-part="settings">
            <Section title="Settings">
              {detail.secrets.length > 0 && <Secrets secrets={detail.secrets} onStore={(name, value) => secret.mutateAsync({ id, name, value })} />}
              {detail.settingsSchema !== null && <SettingsForm key={JSON.stringify(detail.settings)} schema={detail.settingsSchema} settings={detail.settings} onSave={(settings) => configure.mutateAsync({ id, settings })} />}
            </Section>
          </div>
        )}
        {summary.kind === "channel" && (
          <Section title="Accounts">
            <Accounts source={summary} />
          </Section>
        )}
        {summary.kind === "channel" && (
          <Section title="Who may write">
            <ChannelPolicy id={id} />
          </Section>
        )}
        {summary.kind === "channel" && (
          <Section title="Refused">
            <Refused channel={id.replace(/^channel:/, "")} />
          </Section>
        )}
        <Section title="What it brings">
          <Facts
            rows={[
              ["Tools", <Chips key="t" names={detail.tools} none="none" />],
              ["Hooks", <Chips key="h" names={detail.hooks} none="none" />],
              ["Commands", <Chips key="c" names={detail.commands.map((name) => `/${name}`)} none="none" />],
              ["May reach", <Chips key="m" names={detail.capabilities} none="nothing" />],
            ]}
          />
        </Section>
        <Section title="How it went">
          <Timeline states={detail.timeline} />
        </Section>
        <Section title="Log">
          <LogTail records={detail.log} />
        </Section>
      </div>
    </Scroll>
  );
}

/** Something is missing, and it does not work without it. */
function needsSetup({ summary, secrets }: Detail): boolean {
  const { kind } = summary.status.state;
  return kind !== "running" && kind !== "degraded" && (kind === "needs_user" || secrets.some((each) => !each.set));
}

function Head({ detail, onShow }: { detail: Detail; onShow: (part: "settings" | "pairing") => void }) {
  const { summary } = detail;
  const now = useNow();
  const restart = useAct("source.restart");
  const plugin = summary.plugin;
  return (
    <header className="flex flex-col gap-3">
      <div className="flex items-start gap-3">
        <SourceIcon source={summary} large />
        <div className="min-w-0 flex-1">
          <h1 className="truncate text-xl font-semibold">{summary.name}</h1>
          <p className="flex flex-wrap gap-x-1.5 text-muted">
            <span>{KINDS[summary.kind].title}</span>
            {summary.tagline !== null && <span>· {summary.tagline}</span>}
            {plugin !== null && (
              <span>
                · from{" "}
                <button type="button" className="underline underline-offset-2 hover:text-ink" onClick={() => go({ view: "plugins", plugin })}>
                  {plugin}
                </button>
              </span>
            )}
            {summary.lastActivity !== null && <span>· last heard {ago(summary.lastActivity, now)}</span>}
          </p>
        </div>
        <Button icon={<RotateCw className="size-3.5" />} disabled={!summary.enabled || restart.isPending} onClick={() => restart.mutate({ id: summary.id })}>
          Restart
        </Button>
      </div>
      <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 rounded-lg border border-line bg-list py-1.5 pr-2 pl-3.5">
        <StatusBadge status={summary.status} full wrap className="min-w-60 flex-1" />
        <MendButton source={summary} onShow={onShow} />
      </div>
    </header>
  );
}
