/** Where one can go, in the order of the sidebar; the palette and the number keys go by it too. */
import { Inbox, type LucideIcon, MailWarning, Plug, Settings, ShieldQuestion, Split, Unplug, Waypoints, Webhook } from "lucide-react";
import { HOME, type Route } from "@/lib/route";

export interface Place {
  view: Route["view"];
  name: string;
  icon: LucideIcon;
  route: Route;
}

export const PLACES: readonly Place[] = [
  { view: "sessions", name: "All sessions", icon: Inbox, route: HOME },
  { view: "waiting", name: "Waits for you", icon: ShieldQuestion, route: { view: "waiting" } },
  { view: "sources", name: "Sources", icon: Unplug, route: { view: "sources", source: null } },
  { view: "plugins", name: "Plugins", icon: Plug, route: { view: "plugins", plugin: null } },
  { view: "routing", name: "Routing", icon: Split, route: { view: "routing", part: "bindings" } },
  { view: "hooks", name: "Hooks", icon: Webhook, route: { view: "hooks", event: null } },
  { view: "traces", name: "Traces", icon: Waypoints, route: { view: "traces", trace: null, session: null } },
  { view: "letters", name: "Undelivered", icon: MailWarning, route: { view: "letters" } },
  { view: "settings", name: "Settings", icon: Settings, route: { view: "settings", section: "models" } },
];
