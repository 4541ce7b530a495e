/** A host and a Gmail for the tests. */

import { FakeHost, type Loaded, load, Running } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { ACCOUNT, CONFIG, FakeGmail } from "./platform.ts";

export interface Bench {
  host: FakeHost;
  gmail: FakeGmail;
  loaded: Loaded;
  /** The channel. */
  connect(): Running;
  /** The service. */
  start(): Running;
}

/** Runs a check; `before` is a bench whose disk and mailbox are gone on with, as after a restart. */
export async function bench(check: (bench: Bench) => Promise<void>, config: Record<string, unknown> = {}, before?: Pick<Bench, "host" | "gmail">): Promise<void> {
  const gmail = before?.gmail ?? new FakeGmail();
  const host = new FakeHost({ config: { ...CONFIG, ...config }, accounts: ACCOUNT, network: gmail.answer, ...(before === undefined ? {} : { state: before.host.state }) });
  const loaded = await load(plugin);
  await host.run(() =>
    check({
      host,
      gmail,
      loaded,
      connect: () =>
        new Running(async (signal) => {
          while (!signal.aborted) await loaded.channel().messaging?.connect(host.connectContext(signal));
        }),
      start: () => new Running((signal) => loaded.service().start(host.serviceContext(signal))),
    }),
  );
}

/** Names of the methods that were called, in order. */
export { methodOf } from "./platform.ts";
