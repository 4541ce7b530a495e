/** Answers to what waits for the person, each by the operation it stands for, and a pause of all channels. */
import type { Attention } from "@/generated/protocol";
import { OperationError } from "../types";
import { APPROVAL_OPERATIONS } from "./approvals";
import { LIFE } from "./life";
import { PLAN_OPERATIONS } from "./plans";
import type { Table } from "./operations";
import { PLUGIN_OPERATIONS } from "./pluginOperations";
import { SOURCE_OPERATIONS } from "./sourceOperations";
import { UPKEEP_OPERATIONS } from "./upkeep";
import { waitingOf } from "./waiting";
import type { World } from "./world";

type AttentionOperations = Pick<Table, "attention.list" | "attention.answer" | "system.pause">;

function settle(world: World, { kind, id }: Attention, action: string): void {
  const about = id.slice(id.indexOf(":") + 1);
  switch (kind) {
    case "approval":
      APPROVAL_OPERATIONS["approval.answer"](world, { code: about, decision: action === "once" ? "once" : "deny" });
      return;
    case "plan":
      PLAN_OPERATIONS["plan.answer"](world, { id: about, decision: "accept", text: null });
      return;
    case "crash":
      LIFE["crash.dismiss"](world, { id: about });
      return;
    case "source":
      SOURCE_OPERATIONS["source.restart"](world, { id: about });
      return;
    case "plugin":
      PLUGIN_OPERATIONS["plugin.reload"](world, { id: about });
      return;
    case "letter":
      UPKEEP_OPERATIONS[action === "retry" ? "letter.retry" : "letter.discard"](world, { id: about });
      return;
    case "notice":
      world.notices = world.notices.filter((notice) => notice.id !== about);
      world.publish({ topic: "attention_changed" });
      world.publish({ topic: "health_changed", health: world.health() });
      return;
    case "pairing":
      world.pairing = world.pairing.filter((row) => row.code !== about);
      world.publish({ topic: "pairing_changed" });
  }
}

export const ATTENTION_OPERATIONS: AttentionOperations = {
  "attention.list": waitingOf,
  "attention.answer": (world, { id, action }) => {
    const each = waitingOf(world).find((other) => other.id === id);
    if (each === undefined) throw new OperationError({ code: "not_found", message: "Nothing waits under that name.", hint: "It may have been answered, or its time is over." });
    settle(world, each, action);
    return {};
  },
  "system.pause": (world, { paused, minutes }) => {
    world.pause = { paused, until: paused && minutes != null ? Date.now() + minutes * 60_000 : null };
    world.publish({ topic: "health_changed", health: world.health() });
    return world.pause;
  },
};
