/**
 * What comes in on a line goes to the host here, and only when the host has it is the envelope acknowledged. Each
 * conversation is taken in order; what cannot be stored is tried again in its place, while Slack's own repetitions of it join
 * the first. Nothing is answered here.
 */

import type { ConnectContext, InboundDraft, PressAnswer } from "@kata-agents/plugin-sdk";
import { backoff, messageOf, systemClock } from "@kata-agents/plugin-sdk/sending";
import { messageId } from "./ids.ts";
import { type Happened, type Identity, isForUs, type Read, readCommand, readEvent, readPress } from "./inbound.ts";
import { type Fields, fields, text, textAt } from "./json.ts";
import type { Line } from "./line.ts";
import { type Journal, Lanes, type Places, Seen } from "./memory.ts";
import type { People } from "./people.ts";
import { idsIn, readable } from "./words.ts";

/** What the intake needs. */
export interface IntakeOptions {
  ctx: ConnectContext;
  me: Identity;
  people: People;
  places: Places;
  journal: Journal;
  replyInThread: boolean;
  random: () => number;
  /** The token was taken back, or the app removed. */
  gone(why: "token_revoked" | "app_uninstalled"): void;
  /** Shows what a press led to, to the person who pressed. */
  answered(payload: Fields, answer: PressAnswer): Promise<void>;
}

/** Envelopes worked on side by side; the others wait as they came, which costs less memory than half-done work. */
const AT_ONCE = 100;
/**
 * Envelopes that wait. One more is not acknowledged, and none after it until those that wait are taken: Slack gives them again, but not
 * in order, so the history is read then.
 */
const MOST = 1_000;

/** What waits. */
interface Waiting {
  envelope: Fields;
  line: Line;
  since: number;
}

/** What is being taken. */
interface Pending {
  since: number;
  done: Promise<void>;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #lanes = new Lanes();
  readonly #seen = new Seen();
  readonly #pending = new Map<string, Pending>();
  readonly #queue: Waiting[] = [];
  #busy = 0;
  #holds = 0;
  #full = false;
  #notStored = 0;
  /** Something came for which there was no room; what waited is taken now. */
  missed: () => void = () => {};

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** When the oldest that is not taken yet came; nothing when all are. */
  get oldest(): number | undefined {
    let oldest = this.#queue[0]?.since;
    for (const { since } of this.#pending.values()) oldest = Math.min(oldest ?? since, since);
    return oldest;
  }

  /** Whether messages wait because the host cannot store them. */
  get notStored(): boolean {
    return this.#notStored > 0;
  }

  envelope(envelope: Fields, line: Line): void {
    // A press answers what the agent waits for; it waits behind nobody.
    if (envelope["type"] === "interactive") this.#begin(envelope, line);
    else if (this.#full || this.#queue.length >= MOST) this.#full = true;
    else {
      this.#queue.push({ envelope, line, since: Date.now() });
      this.#next();
    }
  }

  /** Envelopes wait until `done` is settled: what was missed before them goes first. */
  holdUntil(done: Promise<unknown>): void {
    this.#holds += 1;
    const release = () => {
      this.#holds -= 1;
      this.#next();
    };
    void done.then(release, release);
  }

  #next(): void {
    while (this.#holds === 0 && this.#busy < AT_ONCE) {
      const next = this.#queue.shift();
      if (next === undefined) return this.#drained();
      if (!this.#options.ctx.signal.aborted) this.#begin(next.envelope, next.line);
    }
  }

  #drained(): void {
    if (!this.#full || this.#busy > 0) return;
    this.#full = false;
    this.missed();
  }

  #begin(envelope: Fields, line: Line): void {
    const id = text(envelope["envelope_id"]) ?? "";
    const payload = fields(envelope["payload"]) ?? {};
    const over = (taken: boolean) => {
      this.#busy -= 1;
      if (taken) line.ack(id);
      this.#next();
    };
    this.#busy += 1;
    this.#once(keyOf(envelope, payload, id), () => this.#take(text(envelope["type"]) ?? "", payload)).then(
      () => over(true),
      () => over(false),
    );
  }

  /** Takes a message of the history, in its conversation's order. */
  async message(draft: InboundDraft): Promise<void> {
    await this.#once(`message:${draft.messageId}`, () => this.#options.ctx.signal.aborted ? Promise.reject(new Error("stopped")) : this.#lane(draft.conversation, () => this.#receive(draft)));
  }

  /** Ends when everything that was being taken is. */
  async idle(): Promise<void> {
    await Promise.all([...this.#pending.values()].map((one) => one.done.catch(() => undefined)));
  }

  /** Does it unless it was done; whoever comes while it is being done waits for the same. */
  #once(key: string, work: () => Promise<void>): Promise<void> {
    if (this.#seen.has(key)) return Promise.resolve();
    const before = this.#pending.get(key);
    if (before !== undefined) return before.done;
    if (this.#lanes.full) return Promise.reject(new Error("too much waits already"));
    const done = work().then(
      () => {
        this.#seen.add(key);
        this.#pending.delete(key);
      },
      (error: unknown) => {
        this.#pending.delete(key);
        throw error;
      },
    );
    this.#pending.set(key, { since: Date.now(), done });
    return done;
  }

  #take(type: string, payload: Fields): Promise<void> {
    const { me, journal, replyInThread } = this.#options;
    switch (type) {
      case "events_api": {
        if (!isForUs(payload, me)) return Promise.resolve();
        const how = { replyInThread, takesPart: (channel: string, thread: string) => journal.isPart(channel, thread) };
        return this.#event(readEvent(fields(payload["event"]) ?? {}, me, how));
      }
      case "slash_commands": {
        const draft = readCommand(payload, me);
        return draft === undefined ? Promise.resolve() : this.#lane(draft.conversation, () => this.#receive(draft));
      }
      case "interactive":
        return this.#press(payload);
      default:
        return Promise.resolve();
    }
  }

  async #event(read: Read): Promise<void> {
    switch (read.kind) {
      case "message":
        // The mention of a channel comes a second time, as another event of the same message.
        return this.message(read.draft);
      case "notice":
        return this.#lane(read.channel, () => this.#notice(read));
      case "gone":
        return this.#options.gone(read.why);
      case "nothing":
    }
  }

  async #receive(draft: InboundDraft): Promise<void> {
    const { ctx, me, people, places, journal } = this.#options;
    const { users, channels } = idsIn(draft.text);
    const [names, sender, conversation] = await Promise.all([
      people.all(users, channels),
      draft.sender.name === undefined || !draft.sender.isBot ? people.user(draft.sender.id) : null,
      people.conversation(draft.conversation),
    ]);
    const name = sender ?? draft.sender.name ?? null;
    const chatType = draft.chatType === "channel" ? conversation.chatType : draft.chatType;
    // What is a group message and no channel begins no thread of its own.
    const thread = chatType === "group" && draft.thread !== undefined && draft.thread !== null && draft.messageId.endsWith(`:${draft.thread}`) ? null : (draft.thread ?? null);
    const whole: InboundDraft = {
      ...draft,
      chatType,
      thread,
      text: readable(draft.text, names),
      conversationName: conversation.name ?? (chatType === "direct" ? name : null),
      sender: { ...draft.sender, name },
    };
    places.note(draft.messageId, { thread, chatType, user: draft.sender.id });
    await this.#untilStored(async () => {
      await ctx.receive(whole);
    });
    if (journal.conversation(draft.conversation)) await journal.save(me.account);
  }

  async #notice(happened: Happened): Promise<void> {
    const { ctx, me, people, places } = this.#options;
    const id = messageId(happened.channel, happened.ts);
    const place = places.of(id);
    const edited = happened.what.kind === "edited" ? idsIn(happened.what.text) : { users: [], channels: [] };
    const [name, conversation, names] = await Promise.all([
      people.user(happened.user),
      people.conversation(happened.channel),
      people.all(edited.users, edited.channels),
    ]);
    const what = happened.what.kind === "edited" ? { ...happened.what, text: readable(happened.what.text, names) } : happened.what;
    await this.#untilStored(() =>
      ctx.notice({
        account: me.account,
        conversation: happened.channel,
        chatType: place?.chatType ?? conversation.chatType,
        thread: happened.thread ?? place?.thread ?? null,
        sender: { id: happened.user, name, isBot: false },
        messageId: id,
        what,
        at: happened.at ?? null,
      }),
    );
  }

  #press(payload: Fields): Promise<void> {
    const { ctx, me, people, places, answered } = this.#options;
    const press = readPress(payload, me);
    if (press === undefined || textAt(payload, "team", "id") !== me.team) return Promise.resolve();
    // Not behind what waits in the conversation: the agent waits for the answer there.
    return this.#lane(`press:${press.messageId}`, async () => {
      const place = places.of(press.messageId);
      const [name, conversation] = await Promise.all([people.user(press.sender.id), people.conversation(press.conversation)]);
      const chatType = place?.chatType ?? conversation.chatType;
      const thread = press.thread ?? place?.thread ?? null;
      const answer = await ctx.press({ ...press, chatType, thread, sender: { ...press.sender, name: name ?? press.sender.name ?? null } });
      // Only shown: what it led to is durable, so a failure here keeps nothing from being acknowledged.
      void answered(payload, answer).catch((error: unknown) => ctx.logger.warn(`the answer to a press was not shown: ${messageOf(error)}`));
    });
  }

  #lane(lane: string, work: () => Promise<void>): Promise<void> {
    return this.#lanes.run(lane, work);
  }

  /** Tries until the host has it; the state says so meanwhile. */
  async #untilStored(hand: () => Promise<void>): Promise<void> {
    const { ctx, random } = this.#options;
    const waits = backoff(random, { firstMs: 1_000, maxMs: 30_000 });
    let counted = false;
    try {
      for (;;) {
        if (ctx.signal.aborted) throw new Error("the channel is being brought down");
        try {
          return await hand();
        } catch (error) {
          if (!counted) this.#notStored += 1;
          counted = true;
          ctx.status({ state: "degraded", code: "not_stored", message: "A message could not be stored; Slack keeps it, and it is tried again." });
          ctx.logger.warn(`not_stored: ${messageOf(error)}`);
          await systemClock.sleep(waits.next(), ctx.signal);
        }
      }
    } finally {
      if (counted) this.#notStored -= 1;
      if (counted && this.#notStored === 0 && !ctx.signal.aborted) ctx.status({ state: "running" });
    }
  }
}

/** What an envelope is about, the same when Slack gives it again. */
function keyOf(envelope: Fields, payload: Fields, id: string): string {
  if (envelope["type"] === "events_api") return `event:${text(payload["event_id"]) ?? id}`;
  const action = fields(Array.isArray(payload["actions"]) ? payload["actions"][0] : undefined);
  return `${text(envelope["type"])}:${text(payload["trigger_id"]) ?? text(action?.["action_ts"]) ?? id}`;
}
