/** The sections of the settings, in order; the palette lists them too. */
import { Boxes, Brush, ChartColumn, CircleArrowUp, Cpu, Footprints, KeyRound, type LucideIcon, Palette, Power, Radio, ScrollText, ShieldAlert, ShieldCheck, SlidersHorizontal, UserRound, Waypoints } from "lucide-react";
import type { SettingsSection } from "@/lib/route";

export const SECTIONS: readonly { id: SettingsSection; name: string; note: string; icon: LucideIcon }[] = [
  { id: "general", name: "General", note: "Start at login, notifications", icon: Power },
  { id: "models", name: "Models", note: "Who answers", icon: Cpu },
  { id: "accounts", name: "Accounts", note: "Who is signed in where", icon: KeyRound },
  { id: "workspace", name: "Workspace", note: "Its defaults and labels", icon: Boxes },
  { id: "preferences", name: "You", note: "What agents know of you", icon: UserRound },
  { id: "permissions", name: "Permissions", note: "What runs without asking", icon: ShieldCheck },
  { id: "hygiene", name: "Tidying up", note: "What is archived when", icon: Brush },
  { id: "tracing", name: "Tracing", note: "What is kept, left out, sent", icon: Waypoints },
  { id: "appearance", name: "Appearance", note: "Light, dark, colours, text", icon: Palette },
  { id: "usage", name: "Usage", note: "Tokens by day and model", icon: ChartColumn },
  { id: "gateway", name: "Gateway", note: "How other clients connect", icon: Radio },
  { id: "security", name: "Security", note: "What is open to whom", icon: ShieldAlert },
  { id: "updates", name: "Updates", note: "Which versions, and when", icon: CircleArrowUp },
  { id: "start", name: "First steps", note: "Tour, import, copies", icon: Footprints },
  { id: "config", name: "Configuration", note: "Every value and its origin", icon: SlidersHorizontal },
  { id: "diagnostics", name: "Diagnostics", note: "Version, ledger, log", icon: ScrollText },
];
