/** The plugin in a fake host, over a Slack in memory. */

import type { Channel } from "@kata-agents/plugin-sdk";
import { FakeHost, load, Running } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { APP, BOT, FakeSlack, ROOT } from "./platform.ts";

export class Bench {
  readonly slack: FakeSlack;
  readonly host: FakeHost;
  readonly channel: Channel;

  private constructor(slack: FakeSlack, host: FakeHost, channel: Channel) {
    this.slack = slack;
    this.host = host;
    this.channel = channel;
  }

  static async make(config: Record<string, unknown> = {}, before?: Bench): Promise<Bench> {
    const slack = before?.slack ?? new FakeSlack();
    const host = new FakeHost({
      config: { apiRoot: ROOT, replyInThread: true, command: "/kata", ...config },
      secrets: { botToken: BOT, appToken: APP },
      network: (request) => slack.answer(request),
      sockets: (connection) => slack.socket(connection),
      ...(before === undefined ? {} : { state: before.host.state }),
    });
    return new Bench(slack, host, (await load(plugin)).channel("slack"));
  }

  connect(): Running {
    return new Running((signal) => this.channel.messaging?.connect(this.host.connectContext(signal)));
  }

  /** Connects and runs until the first line stands. */
  async connected(): Promise<Running> {
    const running = this.connect();
    await this.host.clock.until(() => this.host.states.at(-1) === "running", 60_000);
    return running;
  }

  texts(): (string | undefined)[] {
    return this.host.drafts.map((draft) => draft.text);
  }
}

/** Runs a test in a fresh bench. */
export async function bench(test: (bench: Bench) => Promise<void>, config: Record<string, unknown> = {}): Promise<void> {
  const made = await Bench.make(config);
  await made.host.run(() => test(made));
}
