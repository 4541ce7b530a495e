/** The window once there is an engine and something that answers. */
import "./phone.css";
import { Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { ContentPane } from "@/components/layout";
import { preloadMarkdown } from "@/components/Markdown";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useConnection } from "@/data/platform";
import { WorkspaceProvider } from "@/data/workspace";
import { SessionsView } from "@/features/sessions/SessionsView";
import { NewWorkspace } from "@/features/workspaces/NewWorkspace";
import { focusPane } from "@/lib/panes";
import { type Route, useRoute } from "@/lib/route";
import { BackBar, Drawer, PlacesBar } from "./PhoneBars";
import { PLACES } from "./places";
import { Sidebar } from "./Sidebar";
import { StatusLine } from "./StatusLine";
import { type Sheet, useShortcuts } from "./useShortcuts";
import { backOf, paneOf, usePhone, useVisibleHeight } from "./usePhone";
import { useOpenPlaces } from "./useOpenPlaces";
import { preloadViews, view } from "./views";

const SourcesView = view(async () => (await import("@/features/sources/SourcesView")).SourcesView);
const PluginsView = view(async () => (await import("@/features/plugins/PluginsView")).PluginsView);
const SkillsView = view(async () => (await import("@/features/skills/SkillsView")).SkillsView);
const WaitingView = view(async () => (await import("@/features/approvals/WaitingView")).WaitingView);
const RoutingView = view(async () => (await import("@/features/routing/RoutingView")).RoutingView);
const HooksView = view(async () => (await import("@/features/hooks/HooksView")).HooksView);
const LettersView = view(async () => (await import("@/features/letters/LettersView")).LettersView);
const TracesView = view(async () => (await import("@/features/traces/TracesView")).TracesView);
const SettingsView = view(async () => (await import("@/features/settings/SettingsView")).SettingsView);
const Onboarding = view(async () => (await import("@/features/onboarding/Onboarding")).Onboarding);
const Tour = view(async () => (await import("@/features/onboarding/Tour")).Tour);
const CommandPalette = view(async () => (await import("./CommandPalette")).default);
const Shortcuts = view(async () => (await import("./Shortcuts")).default);

const WORKSPACE_KEY = "kata.workspace";

export function Shell() {
  const system = useRead("system.status", {});
  const workspaces = useRead("workspace.list", {});
  const [wanted, choose] = useState(() => localStorage.getItem(WORKSPACE_KEY));
  const choice = useMemo(() => {
    const all = workspaces.data ?? [];
    const workspace = all.find((each) => each.id === wanted) ?? all.find((each) => each.active) ?? all[0] ?? null;
    return { workspace, workspaces: all, choose };
  }, [workspaces.data, wanted]);

  useEffect(() => {
    if (wanted !== null) localStorage.setItem(WORKSPACE_KEY, wanted);
  }, [wanted]);

  if (system.isError && system.data === undefined) {
    return <Framed><main className="h-full"><Failure error={system.error} onRetry={() => void system.refetch()} /></main></Framed>;
  }
  if (system.isPending || workspaces.isPending) return <Splash />;
  if (system.data?.model == null) {
    return (
      <Framed>
        <Suspense fallback={null}>
          <Onboarding />
        </Suspense>
      </Framed>
    );
  }
  return (
    <WorkspaceProvider value={choice}>
      <Panes />
    </WorkspaceProvider>
  );
}

function Panes() {
  useEffect(preloadMarkdown, []);
  useEffect(preloadViews, []);
  const route = useRoute();
  const [sidebar, setSidebar] = useState(true);
  const [drawer, setDrawer] = useState(false);
  const [sheet, setSheet] = useState<Sheet>(null);
  const [making, setMaking] = useState(false);
  const phone = usePhone();
  useVisibleHeight(phone);
  useShortcuts(setSheet, phone ? setDrawer : setSidebar);
  const closeDrawer = useCallback(() => setDrawer(false), []);
  const pane = paneOf(route, window.location.hash);
  const back = phone && pane === "content" ? backOf(route) : null;
  useOpenPlaces();
  return (
    <div className="flex h-full flex-col" data-phone={phone ? pane : undefined}>
      <button type="button" onClick={() => focusPane("content")} className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-1.5 focus:shadow-pop">
        Skip to the content
      </button>
      {back !== null && <BackBar to={back} name={nameOf(route)} />}
      <div className="flex min-h-0 flex-1">
        {sidebar && !phone && <Sidebar route={route} />}
        <main className="flex min-w-0 flex-1">
          <Suspense fallback={<ContentPane label="Loading"><SkeletonRows className="p-8" /></ContentPane>}>
            <View route={route} />
          </Suspense>
        </main>
      </div>
      <StatusLine />
      {phone && back === null && <PlacesBar route={route} onMore={() => setDrawer(true)} />}
      {phone && drawer && (
        <Drawer onClose={closeDrawer}>
          <Sidebar route={route} />
        </Drawer>
      )}
      <Suspense fallback={null}>
        <Tour />
      </Suspense>
      <Suspense fallback={null}>
        {sheet === "palette" && <CommandPalette open onClose={() => setSheet(null)} onShortcuts={() => setSheet("shortcuts")} onSidebar={() => setSidebar((shown) => !shown)} onNewWorkspace={() => setMaking(true)} />}
        <NewWorkspace open={making} onClose={() => setMaking(false)} />
        {sheet === "shortcuts" && <Shortcuts open onClose={() => setSheet(null)} />}
      </Suspense>
    </div>
  );
}

const nameOf = (route: Route): string => PLACES.find((place) => place.view === route.view)?.name ?? "Back";

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "sessions":
      return <SessionsView filter={route.filter} session={route.session} message={route.message ?? null} />;
    case "waiting":
      return <WaitingView />;
    case "routing":
      return <RoutingView part={route.part} />;
    case "hooks":
      return <HooksView event={route.event} />;
    case "letters":
      return <LettersView />;
    case "sources":
      return <SourcesView source={route.source} />;
    case "plugins":
      return <PluginsView plugin={route.plugin} />;
    case "skills":
      return <SkillsView skill={route.skill} />;
    case "traces":
      return <TracesView trace={route.trace} session={route.session} />;
    case "settings":
      return <SettingsView section={route.section} />;
  }
}

function Framed({ children }: { children: React.ReactNode }) {
  return (
    <div className="flex h-full flex-col">
      <div className="min-h-0 flex-1">{children}</div>
      <StatusLine />
    </div>
  );
}

/** The panes before there is anything in them, so that nothing jumps. Without an engine nothing will come, which is said. */
function Splash() {
  if (useConnection().kind === "offline") return <Framed><main className="h-full"><SkeletonRows /></main></Framed>;
  return (
    <div className="flex h-full flex-col">
      <div aria-busy className="flex min-h-0 flex-1">
        <div className="w-[220px] shrink-0 border-r border-line bg-sidebar max-[960px]:w-[180px]" />
        <div className="w-[300px] shrink-0 border-r border-line bg-list pt-11 max-[960px]:w-[230px]">
          <SkeletonRows rows={7} />
        </div>
        <div className="flex-1" />
      </div>
      <StatusLine />
    </div>
  );
}
