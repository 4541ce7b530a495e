/** One plugin: how it stands, how far it is trusted, its settings, its log. */
import { Plug } from "lucide-react";
import { useState } from "react";
import { type Tab, Tabs } from "@/components/Tabs";
import { Scroll } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { PluginDetail as Detail, PluginId, PluginSummary, UserAction } from "@/generated/protocol";
import { PluginHead } from "./PluginHead";
import { PluginLog } from "./PluginLog";
import { PluginSettings } from "./PluginSettings";
import { PluginStatus } from "./PluginStatus";
import { PluginTrust } from "./PluginTrust";
import { waitsForTrust } from "./words";

export function PluginDetail({ id }: { id: PluginId }) {
  const detail = useRead("plugin.get", { id });
  if (detail.isPending) return <SkeletonRows className="p-8" />;
  if (detail.data === undefined) {
    if (detail.error.wire.code !== "not_found") return <Failure error={detail.error} onRetry={() => void detail.refetch()} />;
    return (
      <Empty icon={Plug} title="This plugin is not here">
        It may have been removed, or its folder was passed over.
      </Empty>
    );
  }
  return <Body detail={detail.data} />;
}

function Body({ detail }: { detail: Detail }) {
  const { summary } = detail;
  const waits = waitsForTrust(summary.trust) || needs(summary, "trust");
  // What waits for the person is in front; afterwards they stay where they are.
  const [chosen, setChosen] = useState(waits ? "trust" : "status");
  const settable = detail.settingsSchema !== null || detail.secrets.length > 0;
  const needsSetting = detail.secrets.some((secret) => !secret.set) || needs(summary, "configure");
  const tabs: Tab[] = [
    { id: "status", title: "Status", content: <PluginStatus id={summary.id} /> },
    { id: "trust", title: "Trust", waits, content: <PluginTrust detail={detail} /> },
    ...(settable ? [{ id: "settings", title: "Settings", waits: needsSetting, content: <PluginSettings detail={detail} /> }] : []),
    { id: "log", title: "Log", content: <PluginLog id={summary.id} /> },
  ];
  const value = tabs.some((tab) => tab.id === chosen) ? chosen : "status";
  return (
    <Scroll>
      <div className="mx-auto flex max-w-[760px] flex-col gap-4 px-5 pt-6 pb-12 @xl:px-8">
        <PluginHead detail={detail} shown={value} onShow={setChosen} />
        <Tabs label={summary.name} tabs={tabs} value={value} onChange={setChosen} />
      </div>
    </Scroll>
  );
}

const needs = ({ status: { state } }: PluginSummary, action: UserAction["kind"]): boolean => state.kind === "needs_user" && state.action.kind === action;
