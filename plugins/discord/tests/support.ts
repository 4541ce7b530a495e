/** A bot that runs against `platform.ts` under the host's kit. */

import type { Channel } from "@kata-agents/plugin-sdk";
import { FakeHost, load, Running } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { Discord, ME, TOKEN } from "./platform.ts";

export interface Bench {
  host: FakeHost;
  discord: Discord;
  channel: Channel;
  connect(): Running;
  /** Until it stands. */
  up(): Promise<Running>;
  /** Until the message was handed in. */
  came(id: string): Promise<void>;
}

/** Runs a test; `before` is an earlier life with its disk and its Discord. */
export async function bench(test: (bench: Bench) => Promise<void>, options: { before?: Bench; config?: Record<string, unknown> } = {}): Promise<Bench> {
  const discord = options.before?.discord ?? new Discord();
  const host = new FakeHost({
    config: { apiRoot: "https://discord.example/api", reads: "all", slashCommands: true, ...options.config },
    secrets: { botToken: TOKEN },
    ...(options.before === undefined ? {} : { state: options.before.host.state }),
    network: (request) => discord.answer(request),
    sockets: (connection) => discord.socket(connection),
  });
  const channel = (await load(plugin)).channel("discord");
  const connect = () => new Running(async (signal) => channel.messaging?.connect(host.connectContext(signal)));
  const made: Bench = {
    host,
    discord,
    channel,
    connect,
    up: async () => {
      const running = connect();
      const stands = await host.clock.until(() => host.states.at(-1) === "running", 120_000);
      if (!stands) throw new Error(`it does not stand: ${host.states.join(", ")}; ${host.said()}`);
      return running;
    },
    came: async (id) => {
      const came = await host.clock.until(() => host.received.includes(id), 120_000);
      if (!came) throw new Error(`${id} was not handed in; ${host.states.join(", ")}; ${host.said()}`);
    },
  };
  if (options.before !== undefined) await host.clock.advance(options.before.host.clock.now - host.clock.now);
  await host.run(() => test(made));
  return made;
}

export { ME };
