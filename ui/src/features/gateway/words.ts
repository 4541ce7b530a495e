/** What the scopes of a device mean, in a person's words. */
import type { Ms, Scope } from "@/generated/protocol";
import { ago } from "@/lib/time";

export const SCOPES: Record<Scope, { name: string; note: string }> = {
  plugin: { name: "brings plugins", note: "For a program: registers tools and channels, and nothing else." },
  read: { name: "may look", note: "Sees sessions and how everything stands. Changes nothing." },
  chat: { name: "may write", note: "Also writes to sessions, as you do here." },
  approve: { name: "may approve", note: "Also answers tool calls and lets people in." },
  admin: { name: "may do everything", note: "Also changes settings, plugins and devices." },
};

/** As offered to a person, the usual one first. */
export const OFFERED: readonly Scope[] = ["approve", "chat", "read", "admin", "plugin"];

/** `9:41`. */
export function minutes(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** `just now`, `4 min ago`, `on Nov 14`. */
export function since(at: Ms, now: Ms): string {
  const past = ago(at, now);
  if (past === "now") return "just now";
  return now - at < 7 * 24 * 3_600_000 ? `${past} ago` : `on ${past}`;
}
