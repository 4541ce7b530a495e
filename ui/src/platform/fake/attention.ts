/** What waits for the person in one list, and a pause of all channels. */
import type { Attention } from "@/generated/protocol";
import { OperationError } from "../types";
import { APPROVAL_OPERATIONS } from "./approvals";
import { LIFE } from "./life";
import { PLAN_OPERATIONS } from "./plans";
import type { Table } from "./operations";
import type { World } from "./world";

const entry = (kind: string, about: string, title: string, since: number, route: string, more: Partial<Attention> = {}): Attention => ({ id: `${kind}:${about}`, kind, title, detail: null, since, session: null, source: null, route, actions: [], ...more });

function waiting(world: World): Attention[] {
  const approvals = world.approvals.map((each) =>
    entry("approval", each.code, `${each.call.name} asks to run`, each.requestedAt, "/waiting", {
      detail: `${each.sessionName ?? each.session}: ${JSON.stringify(each.call.input)}`,
      session: each.session,
      actions: [
        { id: "once", label: "Allow once" },
        { id: "deny", label: "Refuse" },
      ],
    }),
  );
  const plans = world.plans.map((each) =>
    entry("plan", each.id, "A plan waits for your answer", each.submittedAt, "/waiting", { detail: `${each.sessionName ?? each.session}: ${each.title}`, session: each.session, actions: [{ id: "accept", label: "Accept" }] }),
  );
  const people = world.pairing.map((each) =>
    entry("pairing", each.code, `${each.senderName ?? each.sender} asks to write to your agent over ${each.channel}`, each.requestedAt, "/waiting", {
      detail: `code ${each.code}`,
      actions: [
        { id: "approve", label: "Let in" },
        { id: "deny", label: "Turn away" },
      ],
    }),
  );
  const questions = world.elicitations.map((each) => entry("elicitation", each.id, `${world.source(each.source).name} asks you something`, each.expiresAt - 600_000, "/waiting", { detail: each.message, source: each.source }));
  const sources = world.sources
    .filter((row) => row.enabled && row.status.state.kind === "needs_user")
    .map((row) => entry("source", row.id, `${row.name} needs you`, row.status.since, `/sources/${encodeURIComponent(row.id)}`, { detail: row.status.message, source: row.id }));
  const crashes = world.crashes
    .filter(({ seen }) => !seen)
    .map((each) => entry("crash", each.id, each.kind === "panic" ? "A part of Kata Agents stopped unexpectedly" : "Kata Agents ended unexpectedly and came back", each.at, "/settings/diagnostics", { detail: each.place, actions: [{ id: "dismiss", label: "Put away" }] }));
  return [...approvals, ...plans, ...crashes, ...people, ...questions, ...sources].toSorted((a, b) => a.since - b.since);
}

type AttentionOperations = Pick<Table, "attention.list" | "attention.answer" | "system.pause">;

export const ATTENTION_OPERATIONS: AttentionOperations = {
  "attention.list": waiting,
  "attention.answer": (world, { id, action }) => {
    const each = waiting(world).find((other) => other.id === id);
    if (each === undefined) throw new OperationError({ code: "not_found", message: "Nothing waits under that name.", hint: "It may have been answered, or its time is over." });
    const about = id.slice(id.indexOf(":") + 1);
    if (each.kind === "approval") APPROVAL_OPERATIONS["approval.answer"](world, { code: about, decision: action === "once" ? "once" : "deny" });
    if (each.kind === "plan") PLAN_OPERATIONS["plan.answer"](world, { id: about, decision: "accept", text: null });
    if (each.kind === "crash") LIFE["crash.dismiss"](world, { id: about });
    world.pairing = world.pairing.filter((row) => each.kind !== "pairing" || row.code !== about);
    world.publish({ topic: "pairing_changed" });
    return {};
  },
  "system.pause": (world, { paused, minutes }) => {
    world.pause = { paused, until: paused && minutes != null ? Date.now() + minutes * 60_000 : null };
    world.publish({ topic: "health_changed", health: world.health() });
    return world.pause;
  },
};
