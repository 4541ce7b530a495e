/** A host, a homeserver and the plugin, put together. */

import type { Channel } from "@kata-agents/plugin-sdk";
import { FakeHost, load, type Loaded, outbound, Running } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { Homeserver, ME, ROOM, TOKEN } from "./homeserver.ts";

export interface BenchOptions {
  config?: Record<string, unknown>;
  secrets?: Record<string, string>;
  server?: Homeserver;
  state?: Map<string, unknown>;
}

export class Bench {
  readonly server: Homeserver;
  readonly host: FakeHost;
  readonly loaded: Loaded;
  readonly channel: Channel;

  private constructor(server: Homeserver, host: FakeHost, loaded: Loaded) {
    this.server = server;
    this.host = host;
    this.loaded = loaded;
    this.channel = loaded.channel("matrix");
  }

  /** Runs a test with everything made anew. */
  static async run(options: BenchOptions, test: (bench: Bench) => Promise<void>): Promise<void> {
    const server = options.server ?? new Homeserver();
    const config = { server: "https://matrix.example", invites: "all", deviceName: "Kata Agents", pollSeconds: 30, ...options.config };
    const host = new FakeHost({
      config,
      secrets: options.secrets ?? { accessToken: TOKEN },
      network: (request) => server.answer(request),
      ...(options.state === undefined ? {} : { state: options.state }),
    });
    const bench = new Bench(server, host, await load(plugin));
    await host.run(() => test(bench));
  }

  connect(): Running {
    return new Running(async (signal) => {
      await this.channel.messaging?.connect(this.host.connectContext(signal));
    });
  }

  /** Connects and waits until the first sync is over. */
  async connected(): Promise<Running> {
    const running = this.connect();
    await this.until(() => this.host.states.at(-1) === "running");
    return running;
  }

  async until(done: () => boolean, ms = 120_000): Promise<void> {
    if (!(await this.host.clock.until(done, ms))) throw new Error(`this did not happen; states ${this.host.states.join(", ")}; log ${this.host.said()}`);
  }

  send(text: string, fields: Parameters<typeof outbound>[1] = {}) {
    const { route, ...rest } = fields;
    return this.channel.outbound.send(outbound(text, { ...rest, route: { channel: "matrix", account: ME, conversation: ROOM, ...route } }), this.host.context());
  }

  get texts(): string[] {
    return this.host.drafts.map((draft) => draft.text);
  }

  /** Waits for a promise of the plugin while the host's time goes on. */
  async settled<T>(work: Promise<T>): Promise<T> {
    let done = false;
    void work.then(
      () => (done = true),
      () => (done = true),
    );
    await this.host.clock.until(() => done);
    return work;
  }
}
