/** Plays one scripted turn: thinking, a tool (asking first where the mode says so), and a streamed answer. */
import type { Approval, ApprovalDecision, Message, SessionId, ToolCall } from "@/generated/protocol";
import { alwaysOf, covers, newCode } from "./approvals";
import { handIn } from "./plans";
import { traceOf } from "./rest";
import { message } from "./sessions";
import type { World } from "./world";

const THOUGHT = "The person wants a short, checked answer. Look at the latest deploy first, then say what it means.";

const ANSWER = `Here is what I found.

The latest deploy is **2.4.0-rc.2** on staging, finished at 08:11 and healthy.

1. All four services report the new version.
2. The error rate is \`0.02 %\`, the same as before.
3. Nothing was rolled back.

\`\`\`ts
const deploy = await deploys.latest({ environment: "staging" });
console.log(deploy.version, deploy.state);
\`\`\`

Say *ship it* and I will prepare production.`;

class Stopped extends Error {}

export async function playTurn(world: World, id: SessionId, text: string): Promise<void> {
  const turnId = `turn-${Date.now()}`;
  const label = world.model()?.label ?? "Demo (scripted)";
  world.stops.delete(id);
  world.change(id, { state: "preparing" });
  world.say(id, { kind: "state", state: "preparing" });
  world.say(id, { kind: "turn_started", turn: turnId, model: label });
  try {
    await speak(world, id, turnId, text);
    world.say(id, { kind: "turn_ended", turn: turnId, end: "completed", error: null });
  } catch (cause) {
    if (!(cause instanceof Stopped)) throw cause;
    world.keep(id, message("info", "Stopped.", { turnId }));
    world.say(id, { kind: "turn_ended", turn: turnId, end: "interrupted", error: null });
  }
  world.say(id, { kind: "state", state: "idle" });
  const usage = world.session(id).usage;
  const more = { ...usage, inputTokens: (usage.inputTokens ?? 0) + 1_204, outputTokens: (usage.outputTokens ?? 0) + 188, totalTokens: (usage.totalTokens ?? 0) + 1_392 };
  world.say(id, { kind: "usage", usage: more });
  world.change(id, { state: "idle", usage: more, lastMessageAt: Date.now(), messageCount: world.transcript(id).length });
  const trace = traceOf(`tr-${turnId}`, id, Date.now(), "desktop");
  world.traces.unshift(trace);
  world.publish({ topic: "trace_recorded", id: trace.id, session: id, startedAt: trace.startedAt });
}

async function speak(world: World, id: SessionId, turnId: string, text: string): Promise<void> {
  world.say(id, { kind: "state", state: "streaming" });
  world.change(id, { state: "streaming" });
  const opening = message("assistant", "I will look at the latest deploy first.", { turnId, intermediate: true, thinking: THOUGHT });
  await stream(world, id, opening);
  if (/fail|error/i.test(text)) {
    world.keep(id, message("error", "The model answered 529: overloaded.", { turnId }));
    throw new Stopped();
  }
  const plan = /^plan (.+)$/i.exec(text.trim())?.[1];
  if (plan !== undefined) {
    handIn(world, id, plan, turnId);
    return;
  }
  await runTool(world, id, turnId, text);
  world.say(id, { kind: "state", state: "streaming" });
  await stream(world, id, message("assistant", ANSWER, { turnId }));
}

async function stream(world: World, id: SessionId, row: Message): Promise<void> {
  for (const word of (row.thinking ?? "").split(/(?<= )/)) {
    if (word === "") break;
    await pause(world, id);
    world.say(id, { kind: "thinking_delta", message: row.id, text: word });
  }
  for (const word of row.content.split(/(?<=\s)/)) {
    await pause(world, id);
    world.say(id, { kind: "text_delta", message: row.id, text: word });
  }
  world.keep(id, { ...row, timestamp: Date.now() });
}

/** What the script calls, or what was typed as `/tool name {…}`. */
function callOf(text: string): ToolCall {
  const typed = /^\/tool\s+(\S+)\s*(\{.*\})?\s*$/s.exec(text);
  let input: unknown = { environment: "staging" };
  try {
    if (typed?.[2] !== undefined) input = JSON.parse(typed[2]) as unknown;
  } catch {
    // A person may type anything; then the script's own arguments stand.
  }
  return { callId: `call-${crypto.randomUUID()}`, name: typed?.[1] ?? "deploys_latest", input, result: null, status: "pending", durationMs: null };
}

async function runTool(world: World, id: SessionId, turnId: string, text: string): Promise<void> {
  const call = callOf(text);
  const row = message("tool", "", { turnId, tool: call });
  world.keep(id, row);
  const asks = world.session(id).mode === "ask" && world.model()?.settings.kind !== "demo" && !world.always.some((rule) => covers(rule, call));
  if (asks) {
    const allowed = await ask(world, id, turnId, call);
    if (!allowed) {
      world.keep(id, { ...row, tool: { ...call, status: "error", result: "The person said no." } });
      return;
    }
  }
  world.say(id, { kind: "state", state: "running_tools" });
  world.keep(id, { ...row, tool: { ...call, status: "executing" } });
  for (let i = 0; i < 20; i += 1) await pause(world, id);
  const result = call.name === "deploys_latest" ? '{"version":"2.4.0-rc.2","state":"succeeded","errorRate":0.0002}' : "done";
  world.keep(id, { ...row, tool: { ...call, status: "completed", durationMs: 640, result } });
}

async function ask(world: World, id: SessionId, turnId: string, call: ToolCall): Promise<boolean> {
  world.say(id, { kind: "state", state: "awaiting_approval" });
  world.change(id, { state: "awaiting_approval" });
  const approval: Approval = {
    code: newCode(),
    session: id,
    sessionName: world.session(id).name,
    turn: turnId,
    call,
    reason: `${call.name} is not marked as read only, and this session asks first.`,
    always: alwaysOf(call),
    channel: null,
    requestedAt: Date.now(),
    expiresAt: Date.now() + 24 * 3_600_000,
  };
  world.approvals = [...world.approvals, approval];
  world.publish({ topic: "approvals_changed" });
  world.say(id, { kind: "approval_requested", approval });
  const decision = await new Promise<ApprovalDecision>((resolve) => world.answers.set(call.callId, resolve));
  if (world.stops.has(id)) throw new Stopped();
  return decision !== "deny";
}

async function pause(world: World, id: SessionId): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, world.options.stepMs ?? 30));
  if (world.stops.has(id)) throw new Stopped();
}
