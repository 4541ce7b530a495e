/** Updates of the program, as a server that has a newer version would have them. */
import type { UpdateState } from "@/generated/protocol";
import { OperationError } from "../types";
import { hoursAgo } from "./clock";
import type { Table } from "./operations";
import type { World } from "./world";

export const UPDATES: UpdateState = {
  current: "0.1.0",
  rules: { channel: "stable", automatic: true, quietHours: { from: "02:00", until: "05:00" } },
  unavailable: null,
  checkedAt: hoursAgo(2),
  offer: { version: "0.2.0", notes: "## Quicker and quieter\n\n- A session that waits is drawn **four times** as fast.\n- Slack: threads keep their names.", publishedAt: hoursAgo(30), bytes: 18_400_000, dismissed: false },
  stage: { stage: "ready", waitsFor: "the quiet hours from 02:00" },
  last: { version: "0.1.0", from: "0.0.9", at: hoursAgo(400), ok: true, message: "Version 0.1.0 runs." },
};

export const FAILED_UPDATE: UpdateState = {
  ...UPDATES,
  stage: { stage: "failed", message: "The server did not answer within 30 seconds. It is tried again in an hour." },
  last: { version: "0.2.0", from: "0.1.0", at: hoursAgo(3), ok: false, message: "Version 0.2.0 did not become ready within 60 seconds. Version 0.1.0 runs again." },
};

type UpdateOperations = Pick<Table, Extract<keyof Table, `update.${string}`>>;

function change(world: World, next: Partial<UpdateState>): UpdateState {
  world.updates = { ...world.updates, ...next };
  world.publish({ topic: "update_changed" });
  return world.updates;
}

function offered(world: World, version: string): void {
  if (world.updates.offer?.version !== version) throw new OperationError({ code: "conflict", message: `${world.updates.offer?.version ?? "nothing"} is offered now, and not ${version}` });
}

export const UPDATE_OPERATIONS: UpdateOperations = {
  "update.get": (world) => world.updates,
  "update.check": (world) => change(world, { checkedAt: Date.now() }),
  "update.install": (world, { version }) => {
    offered(world, version);
    return change(world, { stage: { stage: "draining", busy: 2 } });
  },
  "update.dismiss": (world, { version }) => {
    offered(world, version);
    const { offer } = world.updates;
    return change(world, { offer: offer && { ...offer, dismissed: true } });
  },
  "update.configure": (world, rules) => {
    const wrong = (["from", "until"] as const).find((field) => rules.quietHours != null && !/^([01]\d|2[0-3]):[0-5]\d$/.test(rules.quietHours[field]));
    if (wrong !== undefined) throw new OperationError({ code: "invalid", message: `“quietHours.${wrong}”: “${rules.quietHours?.[wrong]}” is no time of day; write it as 22:00` });
    return change(world, { rules: { ...rules, quietHours: rules.quietHours ?? null } });
  },
};
