/** What every channel must do, whatever its platform: checked from outside, against a platform that the author scripts. */

import type { Channel } from "../channel.ts";
import type { OauthToken } from "../context.ts";
import { SendError } from "@kata-agents/plugin-sdk";
import { settle } from "./clock.ts";
import { type ContractCase, expect, shown } from "./contract.ts";
import { type FakeRequest, refused, silence } from "./fetch.ts";
import { FakeHost, outbound, Running } from "./host.ts";
import { looks } from "./looks.ts";
import type { FakeConnection } from "./socket.ts";
import type { FakeTcpConnection } from "./tcp.ts";
import { talks } from "./talks.ts";

/** A platform as the author scripts it. Made anew for each case. */
export interface FakePlatform {
  /** Answers a request of the plugin. A poll without news may answer with `silence()` or with an empty list. */
  answer(request: FakeRequest): Response | Promise<Response>;
  /**
   * Takes a WebSocket of the plugin, for a platform that speaks over one; throw `refused()` to turn it away. While the network
   * is down, sockets break and none opens; while it is silent, they are half-open. What was not taken in must be given again.
   */
  socket?(connection: FakeConnection): void | Promise<void>;
  /** Takes a TCP connection of the plugin, for a platform that speaks over one; the same holds as for `socket`. */
  tcp?(connection: FakeTcpConnection): void | Promise<void>;
  /** A person writes this. Gives the `messageId` under which the plugin should hand it in. */
  write(text: string): string;
  /** Texts that readers see, in order. */
  sent(): readonly string[];
  /** Conversation and account of a route that exists there. */
  route: { account: string; conversation: string };
  /** A person presses the button of this id under the last message. With `buttons` it checks a channel that has them. */
  press?(button: string): void;
  /** Ids of the buttons that readers see now. */
  buttons?(): readonly string[];
  /** Texts that readers see now, with edits and deletions done; what goes by itself is none. It checks a channel that streams. */
  readers?(): readonly string[];
  /** What the platform answers to a send that comes too fast. Absent: it never says so. */
  tooFast?(request: FakeRequest): Response;
  /** What it answers when the sign-in is refused. Absent: it has none. */
  unauthorized?(request: FakeRequest): Response;
}

/** What a channel is checked with. */
export interface ChannelContractOptions {
  /** A platform without messages. */
  platform(): FakePlatform;
  /** Settings of the channel, all of them: the manifest's defaults are not filled in. */
  config?: Readonly<Record<string, unknown>>;
  /** Secrets; the contract checks that none of them is ever said. */
  secrets?: Readonly<Record<string, string>>;
  /** Accounts by provider. */
  accounts?: Readonly<Record<string, OauthToken>>;
}

/** The host's own time until a message must have come through. */
const PATIENCE_MS = 120_000;
/** Requests a plugin may make in a minute against a platform that is down. */
const MAX_REQUESTS_A_MINUTE = 300;

/** Requests that one short message may take. */
const MOST_REQUESTS = 20;

/** How the network behaves. */
type Mood = "up" | "down" | "too_fast" | "unauthorized" | "silent";

class Bench {
  readonly platform: FakePlatform;
  readonly host: FakeHost;
  readonly channel: Channel;
  #mood: Mood = "up";
  #loseFrom = Number.POSITIVE_INFINITY;
  #requests = 0;
  /** The first request whose answer was lost. */
  lost: string | undefined;

  private constructor(platform: FakePlatform, host: FakeHost, channel: Channel) {
    this.platform = platform;
    this.host = host;
    this.channel = channel;
  }

  static async make(make: () => Channel | Promise<Channel>, options: ChannelContractOptions, before?: Bench): Promise<Bench> {
    const platform = before?.platform ?? options.platform();
    const host = new FakeHost({ ...options, ...(before === undefined ? {} : { state: before.host.state }) });
    const bench = new Bench(platform, host, await make());
    host.network.answerWith((request) => bench.#answer(request));
    host.sockets.answerWith((connection) => bench.#accept(connection));
    host.tcp.answerWith((connection) => bench.#take(connection));
    return bench;
  }

  get mood(): Mood {
    return this.#mood;
  }
  set mood(mood: Mood) {
    this.#mood = mood;
    if (mood === "down") for (const all of [this.host.sockets, this.host.tcp]) all.dropAll();
    if (mood === "silent") for (const one of [...this.host.sockets.open, ...this.host.tcp.open]) one.goSilent();
  }

  /** What went out so far: requests, and sockets and connections that were opened or tried. */
  get asked(): number {
    return this.host.network.requests.length + this.host.sockets.connections.length + this.host.tcp.connections.length;
  }

  /** The platform takes the request of this number, from 0, and every later one; their answers never come. */
  loseFrom(number: number): void {
    this.#loseFrom = number;
  }

  #accept(connection: FakeConnection): void | Promise<void> {
    if (this.mood === "silent") return new Promise(() => {});
    if (this.mood === "down" || this.platform.socket === undefined) throw refused();
    return this.platform.socket(connection);
  }

  #take(connection: FakeTcpConnection): void | Promise<void> {
    if (this.mood === "silent") return connection.goSilent();
    if (this.mood === "down" || this.platform.tcp === undefined) throw refused();
    return this.platform.tcp(connection);
  }

  #answer(request: FakeRequest): Response | Promise<Response> {
    if (this.mood === "down") throw refused();
    if (this.mood === "silent") return silence();
    if (this.mood === "too_fast" && this.platform.tooFast) return this.platform.tooFast(request);
    if (this.mood === "unauthorized" && this.platform.unauthorized) return this.platform.unauthorized(request);
    const number = this.#requests;
    this.#requests += 1;
    if (number < this.#loseFrom) return this.platform.answer(request);
    this.lost ??= `${request.method} ${request.url.pathname}`;
    void (async () => this.platform.answer(request))().catch(() => undefined);
    return silence();
  }

  /** Connects, and connects again when the plugin throws, as the host does. */
  connect(): Running {
    return new Running(async (signal) => {
      while (!signal.aborted) {
        try {
          await this.channel.messaging?.connect(this.host.connectContext(signal));
          return;
        } catch (error) {
          if (signal.aborted) return;
          this.host.log.push({ level: "error", message: shown(error) });
          await new Promise<void>((resolve) => void setTimeout(resolve, 1_000));
        }
      }
    });
  }

  async handedIn(id: string): Promise<void> {
    const came = await this.host.clock.until(() => this.host.received.includes(id), PATIENCE_MS);
    expect(came, () => `the message ${id} was not handed in; handed in: ${shown(this.host.received)}; log: ${this.host.said()}`);
  }

  send(text: string, fields: { idempotencyKey?: string; signal?: AbortSignal } = {}) {
    const { signal, ...rest } = fields;
    const message = outbound(text, { ...rest, route: { channel: this.channel.id, ...this.platform.route } });
    return this.channel.outbound.send(message, this.host.context(signal));
  }

  async sendFails(text: string): Promise<SendError> {
    const wrong = `a send must fail when the platform is ${this.mood}`;
    let outcome: { error: unknown } | { receipt: unknown } | undefined;
    void this.send(text).then(
      (receipt) => (outcome = { receipt }),
      (error: unknown) => (outcome = { error }),
    );
    const ended = await this.host.clock.until(() => outcome !== undefined, PATIENCE_MS);
    expect(ended && outcome !== undefined, `a send must end by itself when the platform is ${this.mood}`);
    expect("error" in outcome, wrong);
    const { error } = outcome;
    expect(error instanceof SendError, () => `outbound.send may throw nothing but SendError on purpose; it threw ${shown(error)}`);
    return error;
  }
}

/** Sends while the answer to the request of that number, from 0, and all later ones are lost. Whether it ended before there was such a request. */
async function losing(bench: Bench, number: number): Promise<boolean> {
  bench.loseFrom(number);
  const failure = await sendIsEnded(bench, () => bench.lost !== undefined);
  if (bench.lost === undefined) return true;
  const readers = bench.platform.sent();
  expect(readers.length === 0 || !(failure instanceof SendError && failure.certain), () => `the answer to ${bench.lost} was lost, readers see ${shown(readers)}, and \`certain\` is true`);
  return false;
}

/** Sends, takes the call back once `when` holds or the send is over, and gives what it threw. */
async function sendIsEnded(bench: Bench, when: () => boolean): Promise<unknown> {
  const abort = new AbortController();
  let outcome: { failure?: unknown } | undefined;
  void bench.send("hello", { signal: abort.signal }).then(
    () => (outcome = {}),
    (failure: unknown) => (outcome = { failure }),
  );
  await bench.host.clock.until(() => outcome !== undefined || when(), PATIENCE_MS);
  abort.abort();
  await settle();
  expect(await bench.host.clock.until(() => outcome !== undefined, PATIENCE_MS), "a send must end when ctx.signal is aborted");
  return outcome?.failure;
}

/**
 * The cases of a channel. `make` gives the channel anew, as `register` would:
 * `channelContract("rocket", async () => (await load(plugin)).channel(), { platform })`.
 */
export function channelContract(name: string, make: () => Channel | Promise<Channel>, options: ChannelContractOptions): ContractCase[] {
  const cases: ContractCase[] = [];
  const add = (sentence: string, check: (bench: Bench) => Promise<void>) =>
    void cases.push({
      name: `${name}: ${sentence}`,
      run: async () => {
        const bench = await Bench.make(make, options);
        await bench.host.run(() => check(bench));
      },
    });
  const again = (bench: Bench, check: (next: Bench) => Promise<void>) =>
    Bench.make(make, options, bench).then((next) => next.host.run(() => check(next)));

  add("says what it is and what the platform can do", async ({ channel }) => {
    expect(/^[a-z0-9-]+$/.test(channel.id), `id: “${channel.id}” has other characters than a-z, 0-9 and -`);
    expect(channel.meta.label !== "", "meta.label: is empty");
    const { textMax, typingTtlMs, chatTypes } = channel.capabilities;
    expect(textMax === undefined || textMax > 0, "capabilities.textMax: must be more than 0");
    expect(chatTypes === undefined || chatTypes.length > 0, "capabilities.chatTypes: names no kind of conversation");
    expect(!typingTtlMs || channel.heartbeat !== undefined, "capabilities.typingTtlMs is set and there is no heartbeat.typing");
    expect(!channel.capabilities.edit || channel.outbound.edit !== undefined, "capabilities.edit is set and there is no outbound.edit");
  });

  add("a send reaches the readers once and gives the platform's ids", async (bench) => {
    const receipt = await bench.send("hello");
    expect(receipt.messageIds.length > 0, "the receipt names no message");
    expect(receipt.messageIds.every((id) => typeof id === "string" && id !== ""), `an id in the receipt is no text: ${shown(receipt.messageIds)}`);
    const sent = bench.platform.sent();
    expect(sent.length === receipt.messageIds.length && sent.join("").includes("hello"), () => `readers see ${shown(sent)}`);
  });

  add("sends come in the order they were asked for", async (bench) => {
    for (const [index, text] of ["first", "second", "third"].entries()) await bench.send(text, { idempotencyKey: `key-${index}` });
    const sent = bench.platform.sent().join("\n");
    expect(/first[^]*second[^]*third/.test(sent), () => `readers see ${shown(bench.platform.sent())}`);
  });

  add("an unreachable platform is a SendError that says so", async (bench) => {
    bench.mood = "down";
    const error = await bench.sendFails("hello");
    expect(error.code === "unreachable", `code is “${error.code}”, not “unreachable”`);
    expect(error.certain, "nothing has left, so `certain` is true");
    expect(bench.platform.sent().length === 0, "nothing was sent");
  });

  add("a send whose answer is lost is not certain", async (bench) => {
    // Over TCP only the plugin knows how far it came before the silence; but it must end.
    bench.mood = "silent";
    await sendIsEnded(bench, () => bench.asked > 0);
    // Whatever request of a send it is whose answer gets lost: if the readers have the message, the error must not say they have not.
    for (let number = 0; ; number += 1) {
      expect(number < MOST_REQUESTS, `one short message takes more than ${MOST_REQUESTS} requests`);
      const one = await Bench.make(make, options);
      if (await one.host.run(() => losing(one, number))) break;
    }
  });

  if (channelLimits(options).tooFast) {
    add("a platform that is asked too fast is waited for as long as it says", async (bench) => {
      bench.mood = "too_fast";
      const error = await bench.sendFails("hello");
      expect(error.code === "rate_limited", `code is “${error.code}”, not “rate_limited”`);
      expect((error.retryAfterMs ?? 0) > 0, "retryAfterMs is missing");
    });
  }
  if (channelLimits(options).unauthorized) {
    add("a refused sign-in is a SendError for good, and waits for a person", async (bench) => {
      bench.mood = "unauthorized";
      const error = await bench.sendFails("hello");
      expect(error.code === "unauthorized", `code is “${error.code}”, not “unauthorized”`);
      const running = bench.connect();
      const asked = await bench.host.clock.until(() => bench.host.statuses.some((status) => status.state === "needs_user"), PATIENCE_MS);
      expect(asked || bench.channel.messaging === undefined, () => `no status says needs_user: ${shown(bench.host.states)}`);
      await running.stopped(bench.host);
    });
  }

  add("neither secrets nor a message's text are said in log, states and errors", async (bench) => {
    const canary = "canary words of a person";
    const running = bench.connect();
    bench.platform.write(canary);
    await bench.host.clock.advance(10_000);
    bench.mood = "down";
    const error = await bench.sendFails(canary);
    await bench.host.clock.advance(10_000);
    await running.stopped(bench.host);
    const said = bench.host.said([error]);
    expect(!said.includes(canary), () => `a message's text was said: ${said}`);
    for (const [secret, value] of bench.host.secrets) expect(!said.includes(value), `the secret “${secret}” was said`);
  });

  inbound(add, again);
  looks(add);
  talks(add);
  return cases;
}

function channelLimits(options: ChannelContractOptions): { tooFast: boolean; unauthorized: boolean } {
  const platform = options.platform();
  return { tooFast: platform.tooFast !== undefined, unauthorized: platform.unauthorized !== undefined };
}

/** Cases of `messaging`; a channel without it passes them by doing nothing. */
function inbound(
  add: (sentence: string, check: (bench: Bench) => Promise<void>) => void,
  again: (bench: Bench, check: (next: Bench) => Promise<void>) => Promise<void>,
): void {
  const reads = (sentence: string, check: (bench: Bench) => Promise<void>) =>
    add(sentence, async (bench) => {
      if (bench.channel.messaging !== undefined) await check(bench);
    });

  reads("a message is handed in as it was written", async (bench) => {
    const running = bench.connect();
    const id = bench.platform.write("good morning");
    await bench.handedIn(id);
    const draft = bench.host.drafts.find((one) => one.messageId === id);
    expect(draft?.text === "good morning", () => `the text is ${shown(draft?.text)}`);
    for (const field of ["account", "conversation"] as const) {
      const value = draft?.[field];
      expect(typeof value === "string" && value !== "", `draft.${field} is empty or no text: ${shown(value)}`);
    }
    expect(typeof draft?.sender.id === "string" && draft.sender.id !== "", "draft.sender.id is empty or no text");
    expect(bench.host.states.at(-1) === "running", () => `the last state is not “running”: ${shown(bench.host.states)}`);
    await running.stopped(bench.host);
  });

  reads("a message that could not be stored is handed in again", async (bench) => {
    let full = true;
    bench.host.door = () => {
      if (full) throw new Error("the disk is full");
      return { outcome: "admitted" };
    };
    const running = bench.connect();
    const id = bench.platform.write("keep me");
    await bench.handedIn(id);
    full = false;
    const tries = bench.host.drafts.length;
    const came = await bench.host.clock.until(() => bench.host.drafts.length > tries, PATIENCE_MS);
    expect(came, "it was not handed in again: the platform was told that it was taken before the host had it");
    await running.stopped(bench.host);
  });

  reads("what the host refuses or has seen already is passed over, and the next message comes", async (bench) => {
    bench.host.door = (draft) => {
      if (draft.text === "one") return { outcome: "refused", code: "pairing_required" };
      return draft.text === "two" ? { outcome: "duplicate" } : { outcome: "admitted" };
    };
    const running = bench.connect();
    for (const text of ["one", "two", "three"]) await bench.handedIn(bench.platform.write(text));
    const times = bench.host.drafts.length;
    const again = await bench.host.clock.until(() => bench.host.drafts.length > times, 60_000);
    expect(!again, "an answered message was handed in again and again");
    await running.stopped(bench.host);
  });

  reads("a restart goes on where the disk says, and loses nothing", async (bench) => {
    const running = bench.connect();
    await bench.handedIn(bench.platform.write("before"));
    await bench.host.clock.advance(5_000);
    expect(await running.stopped(bench.host), "connect did not end within five seconds of its signal");
    const id = bench.platform.write("while it was down");
    await again(bench, async (next) => {
      const second = next.connect();
      await next.handedIn(id);
      await second.stopped(next.host);
    });
  });

  reads("a platform that was down is found again, and is not asked without a pause", async (bench) => {
    const running = bench.connect();
    await bench.host.clock.advance(2_000);
    bench.mood = "down";
    const before = bench.asked;
    const asked = () => bench.asked - before;
    await bench.host.clock.until(() => asked() > MAX_REQUESTS_A_MINUTE, 60_000);
    expect(asked() <= MAX_REQUESTS_A_MINUTE, `it asked more than ${MAX_REQUESTS_A_MINUTE} times in a minute while the platform was down`);
    bench.mood = "up";
    await bench.handedIn(bench.platform.write("back again"));
    await running.stopped(bench.host);
  });

  reads("it ends when it is told to, and leaves nothing behind", async (bench) => {
    const running = bench.connect();
    await bench.host.clock.advance(2_000);
    expect(await running.stopped(bench.host), "connect did not end within five seconds of its signal");
    expect(running.error === undefined, () => `it ended with ${shown(running.error)}`);
    expect(bench.host.sockets.open.length + bench.host.tcp.open.length === 0, "a socket is still open after it has ended");
    const before = bench.asked;
    await bench.host.clock.advance(120_000);
    expect(bench.asked === before, "it goes on asking after it has ended");
  });

  add("the parts that look at the platform do not throw when it is down", async (bench) => {
    bench.mood = "down";
    const { status, setup } = bench.channel;
    for (const [part, look] of [
      ["status.probe", () => status?.probe(bench.host.context())],
      ["setup.next", () => setup?.next(bench.host.context())],
    ] as const) {
      let outcome: string | undefined;
      void Promise.resolve(look()).then(
        () => (outcome = ""),
        (error: unknown) => (outcome = shown(error)),
      );
      const ended = await bench.host.clock.until(() => outcome !== undefined, PATIENCE_MS);
      expect(ended && outcome === "", `${part} must answer, not throw: ${outcome ?? "it did not end"}`);
    }
  });
}
