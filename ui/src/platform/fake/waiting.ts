/** Everything that waits for the person, as the engine gathers it: the one list that every count is made of. */
import type { Attention } from "@/generated/protocol";
import type { World } from "./world";

/** Letters that are listed one by one; more of them are one entry. */
const LETTERS = 5;
const LINE = 160;

const line = (text: string): string => (text.length > LINE ? `${text.slice(0, LINE - 1)}…` : text);

const entry = (kind: string, about: string, title: string, since: number, route: string, more: Partial<Attention> = {}): Attention => ({ id: `${kind}:${about}`, kind, title, detail: null, since, session: null, source: null, route, actions: [], ...more });

export function waitingOf(world: World): Attention[] {
  const all = [...approvals(world), ...plans(world), ...questions(world), ...people(world), ...sources(world), ...plugins(world), ...letters(world), ...notices(world), ...crashes(world)];
  return all.toSorted((a, b) => a.since - b.since);
}

const approvals = (world: World): Attention[] =>
  world.approvals.map((each) =>
    entry("approval", each.code, `${each.call.name} asks to run`, each.requestedAt, "/waiting", {
      detail: line(`${each.sessionName ?? each.session}: ${JSON.stringify(each.call.input)}`),
      session: each.session,
      actions: [
        { id: "once", label: "Allow once" },
        { id: "deny", label: "Refuse" },
      ],
    }),
  );

const plans = (world: World): Attention[] =>
  world.plans.map((each) =>
    entry("plan", each.id, "A plan waits for your answer", each.submittedAt, "/waiting", { detail: `${each.sessionName ?? each.session}: ${each.title}`, session: each.session, actions: [{ id: "accept", label: "Accept" }] }),
  );

const questions = (world: World): Attention[] =>
  world.elicitations.map((each) => entry("elicitation", each.id, `${world.sources.find((row) => row.id === each.source)?.name ?? each.source} asks you something`, each.expiresAt - 600_000, "/waiting", { detail: each.message, source: each.source }));

const people = (world: World): Attention[] =>
  world.pairing.map((each) =>
    entry("pairing", each.code, `${each.senderName ?? each.sender} asks to write to your agent over ${each.channel}`, each.requestedAt, "/waiting", {
      detail: `code ${each.code}`,
      actions: [
        { id: "approve", label: "Let in" },
        { id: "deny", label: "Turn away" },
      ],
    }),
  );

function sources(world: World): Attention[] {
  return world.sources.flatMap(({ id, name, enabled, status }) => {
    if (!enabled || (status.state.kind !== "needs_user" && status.state.kind !== "failed")) return [];
    const again = status.state.kind === "failed" && status.state.recoverable;
    const more = { detail: status.message, source: id, actions: again ? [{ id: "retry", label: "Start again" }] : [] };
    return [entry("source", id, status.state.kind === "failed" ? `${name} has stopped` : `${name} needs you`, status.since, `/sources/${encodeURIComponent(id)}`, more)];
  });
}

function plugins(world: World): Attention[] {
  return world.plugins.flatMap(({ id, name, enabled, trust, status }) => {
    const about = (title: string, actions: Attention["actions"] = []) => [entry("plugin", id, title, status.since, `/plugins/${encodeURIComponent(id)}`, { detail: status.message, actions })];
    if (trust === "untrusted") return about(`The plugin ${name} waits until you have looked at it`);
    if (trust === "changed") return about(`The files of the plugin ${name} have changed`);
    if (status.state.kind === "quarantined" && enabled) return about(`The plugin ${name} was held back after too many faults`, [{ id: "retry", label: "Start again" }]);
    return [];
  });
}

function letters(world: World): Attention[] {
  if (world.letters.length > LETTERS) return [entry("letter", "all", `${world.letters.length} messages did not get through`, Math.min(...world.letters.map(({ at }) => at)), "/letters")];
  return world.letters.map(({ id, channel, at, error, session }) =>
    entry("letter", id, `A message over ${channel} did not get through`, at, "/letters", {
      detail: error,
      session,
      actions: [
        { id: "retry", label: "Try again" },
        { id: "discard", label: "Put away" },
      ],
    }),
  );
}

const notices = (world: World): Attention[] => world.notices.map(({ id, message, hint, at }) => entry("notice", id, message, at, "/settings/diagnostics", { detail: hint, actions: [{ id: "dismiss", label: "Put away" }] }));

const crashes = (world: World): Attention[] =>
  world.crashes
    .filter(({ seen }) => !seen)
    .map((each) => entry("crash", each.id, each.kind === "panic" ? "A part of Kata Agents stopped unexpectedly" : "Kata Agents ended unexpectedly and came back", each.at, "/settings/diagnostics", { detail: each.place, actions: [{ id: "dismiss", label: "Put away" }] }));
