/** The routing table, the path of one message through it, and what a channel lets in. */
import type { Binding, BindingMatch, ChannelPolicyState, Overlap, RefusalCode, RefusalCount, RouteExplanation, RouteKey, RouteStep, RoutingTable } from "@/generated/protocol";
import { OperationError } from "../types";
import { hoursAgo, minutesAgo } from "./clock";
import type { Table } from "./operations";
import type { World } from "./world";

type RouteOperations = Pick<Table, Extract<keyof Table, `route.${string}`> | "refusal.list" | "channel.policy">;

export const OVERLAP: Required<Overlap> = { policy: "queue", collectMs: 1_500, most: 64, whenFull: "refuse_new" };

export const TABLE: RoutingTable = {
  workspace: null,
  profile: null,
  bindings: [
    { id: "releases", match: { channel: "telegram", conversation: "-100442", thread: "7" }, workspace: "acme", profile: "support", scope: "thread", overlap: { ...OVERLAP, policy: "collect", collectMs: 3_000 } },
    { id: "mara", match: { person: "mara" }, workspace: "acme", profile: "trusted", scope: "person", overlap: { ...OVERLAP, policy: "steer" } },
    { id: "support-mail", match: { channel: "gmail", chatType: "direct" }, workspace: "acme", profile: "support", scope: "sender", overlap: OVERLAP },
    { id: "slack", match: { channel: "slack" }, workspace: "acme", profile: null, scope: "conversation", overlap: { ...OVERLAP, policy: "interrupt" } },
  ],
  profiles: [
    { id: "support", name: "Support", model: null, mode: "safe", tools: ["crm_*", "issue_list", "handbook_search"], withoutTools: ["crm_delete"], systemPrompt: "You answer customers of Acme. Be brief, never promise a date, and say when you do not know." },
    { id: "trusted", name: "Trusted people", model: "anthropic", mode: "ask", tools: null, withoutTools: [], systemPrompt: null },
  ],
  people: [{ id: "mara", name: "Mara Lindqvist", addresses: [{ channel: "telegram", account: null, sender: "88120399" }, { channel: "slack", account: "T024ACME", sender: "U07MARA" }] }],
};

export const KEYS: RouteKey[] = [
  { key: "telegram:acme_helper_bot:88120399", session: "261122-channel-mara", name: "Mara Lindqvist", lastAt: minutesAgo(1) },
  { key: "slack:T024ACME:C0OPS", session: "261122-channel-ops", name: "#ops", lastAt: minutesAgo(52) },
  { key: "telegram:acme_helper_bot:-100442:7", session: "261121-channel-team", name: "Team chat › Releases", lastAt: hoursAgo(9) },
  { key: "gmail:help%40acme.example:jon%40northwind.example", session: "261120-channel-jon", name: "jon@northwind.example", lastAt: hoursAgo(48) },
];

export const REFUSALS: RefusalCount[] = [
  { channel: "telegram", code: "pairing_required", count: 7, lastAt: minutesAgo(6), lastSender: "88120431" },
  { channel: "telegram", code: "rate_limited", count: 3, lastAt: hoursAgo(5), lastSender: "70019922" },
  { channel: "slack", code: "not_mentioned", count: 412, lastAt: minutesAgo(3), lastSender: "U07JONAS" },
  { channel: "slack", code: "loop", count: 18, lastAt: hoursAgo(1), lastSender: "B01DEPLOYBOT" },
];

const PARTS: readonly (keyof BindingMatch)[] = ["thread", "conversation", "sender", "person", "chatType", "account", "channel"];
const weight = ({ match = {} }: Binding): number => PARTS.reduce((sum, part, i) => sum + (match[part] == null ? 0 : 2 ** (PARTS.length - i)), 0);

const HINT = "nothing was changed; mend that entry and set the table again";
const refuse = (message: string) => new OperationError({ code: "invalid", message, hint: HINT });

/** What makes a rule impossible, as the engine says it: first the binding, then its field. */
function check(table: RoutingTable): void {
  const seen = new Map<string, string>();
  for (const { id, match = {}, profile } of table.bindings ?? []) {
    const wrong = (field: string, problem: string) => refuse(`binding “${id}”, field “${field}”: ${problem}`);
    if (!/^[a-z0-9-]{1,64}$/.test(id)) throw wrong("id", "the name may have a-z, 0-9 and - only");
    if (match.channel == null && (match.account != null || match.conversation != null || match.thread != null || match.sender != null)) throw wrong("match.channel", "an id means nothing without its channel");
    if (match.person != null && match.sender != null) throw wrong("match.sender", "a person and a sender exclude each other");
    if (profile != null && !table.profiles?.some((each) => each.id === profile)) throw wrong("profile", `there is no profile “${profile}” in “profiles”`);
    const key = JSON.stringify(PARTS.map((part) => match[part] ?? null));
    const other = seen.get(key);
    if (other !== undefined) throw refuse(`bindings “${other}” and “${id}” take the same messages; take one away, or give one of them another field of “match”`);
    seen.set(key, id);
  }
}

type Draft = Parameters<RouteOperations["route.explain"]>[1];

function why(binding: Binding, { channel, message }: Draft, person: string | null): string | null {
  const facts: Record<keyof BindingMatch, string | null> = { channel, account: message.account, chatType: message.chatType, conversation: message.conversation, thread: message.thread ?? null, sender: message.sender.id, person };
  const miss = PARTS.toReversed().find((part) => binding.match?.[part] != null && binding.match[part] !== facts[part]);
  return miss === undefined ? null : `the ${miss} is ${facts[miss] ?? "none"}, it wants ${binding.match?.[miss] ?? ""}`;
}

function explain(world: World, params: Draft): RouteExplanation {
  const table = params.table ?? world.table;
  check(table);
  const { channel, message } = params;
  const steps: RouteStep[] = [];
  const say = (question: string, answer: string, decided = false) => steps.push({ question, answer, decided });
  const end = (refusal: RefusalCode | null, more: Partial<RouteExplanation> = {}): RouteExplanation => ({ steps, refusal, binding: null, person: null, key: null, session: null, workspace: null, profile: null, mode: "safe", overlap: OVERLAP, ...more });
  const policy = policyOf(world, `channel:${channel}`);
  if (message.sender.isBot === true) {
    say("policy", "the sender is a bot; bots are refused so that two of them cannot talk for ever", true);
    return end("loop");
  }
  if (message.chatType !== "direct" && policy.requireMention && message.mentionsBot !== true) {
    say("policy", `in groups ${channel} takes only messages that address the bot`, true);
    return end("not_mentioned");
  }
  if (message.chatType === "direct" && policy.policy === "pairing" && !policy.allow.some((each) => each.startsWith(message.sender.id))) {
    say("policy", "the sender is not paired yet; they would get a code", true);
    return end("pairing_required");
  }
  say("policy", "let in");
  const person = table.people?.find((each) => each.addresses.some((at) => at.channel === channel && (at.account == null || at.account === message.account) && at.sender === message.sender.id));
  say("person", person === undefined ? "not a known person" : `known as ${person.name ?? person.id}`);
  let taken: Binding | null = null;
  for (const binding of (table.bindings ?? []).toSorted((a, b) => weight(b) - weight(a))) {
    const miss = why(binding, params, person?.id ?? null);
    say(`binding ${binding.id}`, miss === null ? "takes it" : `passed over: ${miss}`, miss === null);
    if (miss === null) {
      taken = binding;
      break;
    }
  }
  if (taken === null) say("default", "no binding takes it", true);
  const profile = table.profiles?.find((each) => each.id === (taken?.profile ?? table.profile));
  const scope = taken?.scope ?? "thread";
  const shared = scope === "person" && person !== undefined && message.chatType === "direct";
  const parts = shared ? ["person", person.id] : [channel, message.account, message.conversation, ...(scope !== "conversation" && message.thread != null ? [message.thread] : []), ...(scope === "sender" ? [message.sender.id] : [])];
  const key = parts.map(encodeURIComponent).join(":");
  say("scope", shared ? "one session for this person's direct conversations" : `one session for each ${scope}`);
  say("key", key);
  const known = world.keys.find((each) => each.key === key);
  say("session", known === undefined ? "a new one would begin" : `goes on in “${known.name ?? known.session}”`);
  return end(null, { binding: taken?.id ?? null, person: person?.id ?? null, key, session: known?.session ?? null, workspace: taken?.workspace ?? table.workspace ?? "acme", profile: profile?.id ?? null, mode: profile?.mode ?? "safe", overlap: taken?.overlap ?? OVERLAP });
}

function policyOf(world: World, id: string): ChannelPolicyState {
  return (
    world.policies.get(id) ?? { policy: "pairing", allow: ["88120399 (Mara Lindqvist)"], requireMention: true, approvers: ["88120399"], perMinuteSender: 20, perMinuteConversation: 60, maxText: 65_536, quietHours: null, previews: true, waitingMark: false, sendTo: [] }
  );
}

export const ROUTE_OPERATIONS: RouteOperations = {
  "route.get": (world) => world.table,
  "route.set": (world, table) => {
    check(table);
    world.table = table;
    world.publish({ topic: "routes_changed" });
    return table;
  },
  "route.explain": explain,
  "route.keys": (world) => world.keys,
  "route.join": (world, { key, session }) => {
    const before = world.keys.find((each) => each.key === key);
    if (before === undefined) throw new OperationError({ code: "not_found", message: `There is no conversation ${key}.` });
    const next = { ...before, session: session ?? `261122-new-${Date.now()}`, name: session == null ? null : world.session(session).name };
    world.keys = world.keys.map((each) => (each === before ? next : each));
    world.publish({ topic: "routes_changed" });
    return next;
  },
  "refusal.list": (world) => (world.options.empty === true ? [] : REFUSALS),
  "channel.policy": (world, { id, quietHours, ...change }) => {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value != null)) as Partial<ChannelPolicyState>;
    if (given.perMinuteSender === 0) throw new OperationError({ code: "invalid", message: "“perMinuteSender”: must be from 1 to 10,000" });
    const next = { ...policyOf(world, id), ...given, ...(quietHours == null ? {} : { quietHours: quietHours[0] ?? null }) };
    world.policies.set(id, next);
    return next;
  },
};
