/** Where one can go, in the order of the sidebar; the palette goes by it too. `key` comes behind G. */
import { BellRing, BookOpen, Inbox, type LucideIcon, MailWarning, Plug, Settings, Split, Unplug, Waypoints, Webhook } from "lucide-react";
import { NEEDS_YOU } from "@/features/approvals/needs";
import { HOME, type Route } from "@/lib/route";

export interface Place {
  view: Route["view"];
  name: string;
  icon: LucideIcon;
  route: Route;
  key: string;
}

export const PLACES: readonly Place[] = [
  { view: "sessions", name: "All sessions", icon: Inbox, route: HOME, key: "a" },
  { view: "waiting", name: NEEDS_YOU, icon: BellRing, route: { view: "waiting" }, key: "w" },
  { view: "sources", name: "Sources", icon: Unplug, route: { view: "sources", source: null }, key: "o" },
  { view: "skills", name: "Skills", icon: BookOpen, route: { view: "skills", skill: null }, key: "k" },
  { view: "plugins", name: "Plugins", icon: Plug, route: { view: "plugins", plugin: null }, key: "p" },
  { view: "routing", name: "Routing", icon: Split, route: { view: "routing", part: "bindings" }, key: "r" },
  { view: "hooks", name: "Hooks", icon: Webhook, route: { view: "hooks", event: null }, key: "h" },
  { view: "traces", name: "Traces", icon: Waypoints, route: { view: "traces", trace: null, session: null }, key: "t" },
  { view: "letters", name: "Undelivered", icon: MailWarning, route: { view: "letters" }, key: "u" },
  { view: "settings", name: "Settings", icon: Settings, route: { view: "settings", section: "models" }, key: "s" },
];
