/** Start at login, crashes, safe mode, checks. */
import type { Background, Check, CrashReport } from "@/generated/protocol";
import { OperationError } from "../types";
import { minutesAgo } from "./clock";
import type { Table } from "./operations";

type LifeOperations = Pick<Table, "system.background" | "system.background_set" | "system.restart" | "crash.list" | "crash.dismiss" | "doctor.run">;

export const BACKGROUND: Background = { atLogin: false, restarts: false, by: "systemd", entry: "/home/ada/.config/systemd/user/kata-agents.service", starts: "app", reason: null };

export const CRASHES: CrashReport[] = [];

export const CRASH: CrashReport = { id: "20261126T203000-crash", at: minutesAgo(3), version: "0.1.0", kind: "crash", place: "SIGSEGV", text: "Kata Agents 0.1.0\nended by SIGSEGV", seen: false };

export const PANIC: CrashReport = { id: "20261126T193000-panic", at: minutesAgo(64), version: "0.1.0", kind: "panic", place: "kata_sources::mcp, line 214", text: "Kata Agents 0.1.0\na task stopped at kata_sources::mcp, line 214", seen: true };

export const CHECKS: Check[] = [
  { id: "home.folder", title: "Home folder", outcome: "ok", detail: "/home/ada/.kata-agents, yours alone", mend: null },
  { id: "disk.space", title: "Free space", outcome: "warning", detail: "640 MB free", mend: "make room on that disk" },
  { id: "model.default", title: "Model", outcome: "failed", detail: "none is set up, so nobody answers", mend: "kata models detect" },
];

export const LIFE: LifeOperations = {
  "system.background": (world) => world.background,
  "system.background_set": (world, { atLogin }) => {
    world.background = { ...world.background, atLogin, restarts: atLogin && world.background.by === "systemd" };
    return world.background;
  },
  "system.restart": (world, { safe }) => {
    world.safeMode = safe ? { reason: "it was asked for", suspects: [], since: Date.now() } : null;
    world.publish({ topic: "health_changed", health: world.health() });
    return {};
  },
  "crash.list": (world) => world.crashes,
  "crash.dismiss": (world, { id }) => {
    if (!world.crashes.some((each) => each.id === id)) throw new OperationError({ code: "not_found", message: `there is no crash report “${id}”` });
    world.crashes = world.crashes.map((each) => (each.id === id ? { ...each, seen: true } : each));
    world.publish({ topic: "attention_changed" });
    return {};
  },
  "doctor.run": (world) => world.checks,
};
