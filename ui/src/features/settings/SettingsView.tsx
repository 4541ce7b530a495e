/** Settings, by section. */
import { Brush, CircleArrowUp, Cpu, Footprints, KeyRound, type LucideIcon, Palette, Power, Radio, ScrollText, ShieldAlert, ShieldCheck, SlidersHorizontal, Waypoints } from "lucide-react";
import { ContentPane, ListPane, Scroll } from "@/components/layout";
import { AccountsSettings } from "@/features/accounts/AccountsSettings";
import { GatewayInfo } from "@/features/gateway/GatewayInfo";
import { Hygiene } from "@/features/hygiene/Hygiene";
import { FirstSteps } from "@/features/onboarding/FirstSteps";
import { Permissions } from "@/features/permissions/Permissions";
import { cn } from "@/lib/cn";
import { go, type SettingsSection } from "@/lib/route";
import { Appearance } from "./Appearance";
import { Background } from "./Background";
import { ConfigTable } from "./ConfigTable";
import { Diagnostics } from "./Diagnostics";
import { Models } from "./Models";
import { Security } from "./Security";
import { Tracing } from "./Tracing";
import { Updates } from "./Updates";

const SECTIONS: readonly { id: SettingsSection; name: string; note: string; icon: LucideIcon }[] = [
  { id: "general", name: "General", note: "Start at login", icon: Power },
  { id: "models", name: "Models", note: "Who answers", icon: Cpu },
  { id: "accounts", name: "Accounts", note: "Who is signed in, and at whom", icon: KeyRound },
  { id: "permissions", name: "Permissions", note: "What it may do without asking", icon: ShieldCheck },
  { id: "hygiene", name: "Tidying up", note: "New sessions, archive, cleanup", icon: Brush },
  { id: "tracing", name: "Tracing", note: "What is kept, left out, sent", icon: Waypoints },
  { id: "appearance", name: "Appearance", note: "Light, dark, system", icon: Palette },
  { id: "gateway", name: "Gateway", note: "How other clients connect", icon: Radio },
  { id: "updates", name: "Updates", note: "Which versions, and when", icon: CircleArrowUp },
  { id: "security", name: "Security", note: "What is open, and how to shut it", icon: ShieldAlert },
  { id: "start", name: "First steps", note: "The tour, other programs, copies", icon: Footprints },
  { id: "config", name: "Configuration", note: "Every value and where it comes from", icon: SlidersHorizontal },
  { id: "diagnostics", name: "Diagnostics", note: "Version, ledger, log", icon: ScrollText },
];

export function SettingsView({ section }: { section: SettingsSection }) {
  const present = SECTIONS.find((each) => each.id === section);
  return (
    <>
      <ListPane label="Settings" title="Settings">
        <ul className="flex flex-col gap-px px-2">
          {SECTIONS.map(({ id, name, note, icon: Icon }) => (
            <li key={id}>
              <button
                type="button"
                data-testid={`settings-${id}`}
                aria-current={id === section ? "page" : undefined}
                onClick={() => go({ view: "settings", section: id })}
                className={cn("flex h-[46px] w-full items-center gap-3 rounded-lg px-2.5 text-left", id === section ? "bg-selected" : "hover:bg-hover")}
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

function Chosen({ section }: { section: SettingsSection }) {
  switch (section) {
    case "general":
      return <Background />;
    case "models":
      return <Models />;
    case "accounts":
      return <AccountsSettings />;
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
    case "updates":
      return <Updates />;
    case "security":
      return <Security />;
    case "start":
      return <FirstSteps />;
    case "config":
      return <ConfigTable />;
    case "diagnostics":
      return <Diagnostics />;
  }
}
