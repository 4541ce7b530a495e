/** Settings, by section. */
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { AccountsSettings } from "@/features/accounts/AccountsSettings";
import { GatewayInfo } from "@/features/gateway/GatewayInfo";
import { Hygiene } from "@/features/hygiene/Hygiene";
import { FirstSteps } from "@/features/onboarding/FirstSteps";
import { Permissions } from "@/features/permissions/Permissions";
import { PreferencesForm } from "@/features/preferences/PreferencesForm";
import { UsageView } from "@/features/usage/UsageView";
import { WorkspaceSettings } from "@/features/workspaces/WorkspaceSettings";
import { cn } from "@/lib/cn";
import { go, type SettingsSection } from "@/lib/route";
import { intoSight } from "@/lib/focus";
import { paneOf, usePhone } from "@/shell/usePhone";
import { Appearance } from "./Appearance";
import { Background } from "./Background";
import { ConfigTable } from "./ConfigTable";
import { Diagnostics } from "./Diagnostics";
import { Models } from "./Models";
import { Notifications } from "./Notifications";
import { SECTIONS } from "./sections";
import { Security } from "./Security";
import { Tracing } from "./Tracing";
import { Updates } from "./Updates";

export function SettingsView({ section }: { section: SettingsSection }) {
  const chosen = useListed() ? null : section;
  const present = SECTIONS.find((each) => each.id === section);
  return (
    <>
      <ListPane label="Settings" title="Settings">
        <Scroll className="pb-3">
          <ul className="flex flex-col gap-px px-2">
            {SECTIONS.map(({ id, name, note, icon: Icon }) => (
              <li key={id}>
                <button
                  ref={id === chosen ? intoSight : undefined}
                  type="button"
                  data-testid={`settings-${id}`}
                  aria-current={id === chosen ? "page" : undefined}
                  onClick={() => go({ view: "settings", section: id })}
                  className={cn("flex h-[46px] w-full items-center gap-3 rounded-lg px-2.5 text-left", id === chosen ? "bg-selected" : "hover:bg-hover")}
                >
                  <Icon aria-hidden className="size-4 shrink-0 text-muted" strokeWidth={1.75} />
                  <span className="min-w-0">
                    <span className="block font-medium">{name}</span>
                    <span className="block truncate text-sm text-faint">{note}</span>
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </Scroll>
      </ListPane>
      <ContentPane label={present?.name ?? "Settings"}>
        <Scroll>
          <div className="mx-auto flex max-w-[760px] flex-col gap-8 px-5 pt-6 pb-12 @xl:px-8">
            <h1 className="text-xl font-semibold">{present?.name}</h1>
            <Chosen section={section} />
          </div>
        </Scroll>
      </ContentPane>
    </>
  );
}

/** On a phone the list stands alone before a section is chosen. */
const useListed = (): boolean => usePhone() && paneOf({ view: "settings", section: "models" }, window.location.hash) === "list";

function Chosen({ section }: { section: SettingsSection }) {
  switch (section) {
    case "general":
      return (
        <>
          <Background />
          <Notifications />
        </>
      );
    case "models":
      return <Models />;
    case "accounts":
      return <AccountsSettings />;
    case "workspace":
      return <WorkspaceSettings />;
    case "preferences":
      return <PreferencesForm />;
    case "usage":
      return <UsageView />;
    case "permissions":
      return <Permissions />;
    case "hygiene":
      return <Hygiene />;
    case "tracing":
      return <Tracing />;
    case "appearance":
      return <Appearance />;
    case "gateway":
      return <GatewayInfo />;
    case "security":
      return <Security />;
    case "start":
      return <FirstSteps />;
    case "updates":
      return <Updates />;
    case "config":
      return <ConfigTable />;
    case "diagnostics":
      return <Diagnostics />;
  }
}
