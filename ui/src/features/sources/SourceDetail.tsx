/** One source: how it stands and what mends it, what it brings, the files it is set up by, its log. */
import { useRef, useState } from "react";
import { ContentPane, Scroll } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { type Tab, Tabs } from "@/components/Tabs";
import { useRead } from "@/data/operations";
import { FIGURES_EVERY_MS } from "@/data/series";
import { SignIn } from "@/features/accounts/SignIn";
import { useProviderName } from "@/features/accounts/useProviderName";
import { Elicitations } from "@/features/approvals/Elicitations";
import { LogTail } from "@/features/services/LogTail";
import type { MendPart } from "@/features/services/MendButton";
import type { SourceDetail as Detail, SourceId } from "@/generated/protocol";
import { hasFiles } from "./kinds";
import { SourceBrings } from "./SourceBrings";
import { SourceFiles } from "./SourceFiles";
import { SourceHead } from "./SourceHead";
import { SourceOverview } from "./SourceOverview";

export function SourceDetail({ id }: { id: SourceId }) {
  // Figures and log lines have no facts; they are asked for while somebody looks.
  const detail = useRead("source.get", { id }, { refetchInterval: FIGURES_EVERY_MS });
  return (
    <ContentPane label="Source">
      {detail.isPending ? (
        <SkeletonRows className="p-8" />
      ) : detail.data === undefined ? (
        <Failure error={detail.error} onRetry={() => void detail.refetch()} />
      ) : (
        <Body detail={detail.data} at={detail.dataUpdatedAt} />
      )}
    </ContentPane>
  );
}

function Body({ detail, at }: { detail: Detail; at: number }) {
  const { summary } = detail;
  const { id } = summary;
  const scroller = useRef<HTMLDivElement>(null);
  const [tab, setTab] = useState("overview");
  const [signingIn, setSigningIn] = useState(false);
  const provider = useProviderName(detail.signsInAt, summary.name);
  const files = useRead("source.document", { id }, { enabled: hasFiles(summary) });
  const faults = files.data?.errors ?? [];
  const questions = (useRead("elicitation.list", {}).data ?? []).filter((each) => each.source === id);
  const signIn = () => setSigningIn(true);
  const show = (part: MendPart) => {
    setTab(part === "log" ? "log" : "overview");
    // After the part has been drawn.
    requestAnimationFrame(() => {
      const section = scroller.current?.querySelector(`[data-part=${part}]`);
      section?.scrollIntoView({ block: "start" });
      section?.querySelector<HTMLElement>("input,select,button")?.focus();
    });
  };
  const tabs: Tab[] = [
    { id: "overview", title: "Overview", content: <SourceOverview detail={detail} at={at} provider={provider} faults={faults} onSignIn={signIn} onFiles={() => setTab("files")} /> },
    { id: "brings", title: "What it brings", content: <SourceBrings detail={detail} /> },
    ...(hasFiles(summary) ? [{ id: "files", title: "Guide and rules", waits: faults.length > 0, content: <SourceFiles id={id} /> }] : []),
    { id: "log", title: "Log", content: <LogTail records={detail.log} /> },
  ];
  return (
    <Scroll>
      <div ref={scroller} className="mx-auto flex max-w-[760px] flex-col gap-5 px-5 pt-6 pb-12 @xl:px-8">
        <SourceHead detail={detail} provider={provider} onShow={show} onSignIn={signIn} />
        {/* Over the tabs: a tool that is tried in one of them may be what asks. */}
        {questions.length > 0 && <Elicitations questions={questions} reveal />}
        <Tabs label={summary.name} tabs={tabs} value={tab} onChange={setTab} />
      </div>
      {signingIn && detail.signsInAt !== null && <SignIn source={summary} at={detail.signsInAt} name={provider ?? summary.name} onClose={() => setSigningIn(false)} />}
    </Scroll>
  );
}
