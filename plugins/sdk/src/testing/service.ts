/** What every service must do: start, end when it is told to, and not wear the machine out. */

import type { Service } from "../api.ts";
import type { OauthToken } from "../context.ts";
import { settle } from "./clock.ts";
import { type ContractCase, expect, shown } from "./contract.ts";
import { type Answer, refused } from "./fetch.ts";
import { FakeHost, Running } from "./host.ts";

/** What a service is checked with. */
export interface ServiceContractOptions {
  /** Settings of the plugin, all of them: the manifest's defaults are not filled in. */
  config?: Readonly<Record<string, unknown>>;
  /** Secrets; the contract checks that none of them is ever said. */
  secrets?: Readonly<Record<string, string>>;
  /** Accounts by provider. */
  accounts?: Readonly<Record<string, OauthToken>>;
  /** Answers the service's requests. */
  network?: Answer;
  /** Something that has happened after the service has run for `ms` of the host's time; throws where it has not. */
  after?: { ms: number; check(host: FakeHost): void | Promise<void> };
}

/** Requests a service may make in a minute while nothing answers. */
const MAX_REQUESTS_A_MINUTE = 300;

/** The cases of a service. `make` gives it anew, as `register` would. */
export function serviceContract(name: string, make: () => Service | Promise<Service>, options: ServiceContractOptions = {}): ContractCase[] {
  const cases: ContractCase[] = [];
  const add = (sentence: string, check: (service: Service, host: FakeHost) => Promise<void>) =>
    void cases.push({
      name: `${name}: ${sentence}`,
      run: async () => {
        const host = new FakeHost(options);
        const service = await make();
        await host.run(() => check(service, host));
      },
    });
  const start = (service: Service, host: FakeHost) => new Running((signal) => service.start(host.serviceContext(signal)));
  const stop = async (service: Service, host: FakeHost, running: Running) => {
    running.stop();
    await settle();
    const stopping = new Running(() => service.stop?.(host.context()));
    const ended = await host.clock.until(() => stopping.ended && running.ended, 5_000);
    expect(ended, "it did not end within five seconds of its signal");
    expect(stopping.error === undefined, () => `stop threw ${shown(stopping.error)}`);
  };

  add("it starts and goes on", async (service, host) => {
    const running = start(service, host);
    await host.clock.advance(options.after?.ms ?? 1_000);
    expect(running.error === undefined, () => `start threw ${shown(running.error)}`);
    await options.after?.check(host);
    await stop(service, host, running);
  });

  add("it ends when it is told to, and asks for nothing after", async (service, host) => {
    const running = start(service, host);
    await host.clock.advance(1_000);
    await stop(service, host, running);
    const requests = host.network.requests.length;
    host.clock.forget();
    await host.clock.advance(3_600_000);
    expect(host.network.requests.length === requests, "it goes on asking after it has ended");
  });

  add("it can be started again", async (service, host) => {
    for (let round = 0; round < 3; round += 1) {
      const running = start(service, host);
      await host.clock.advance(1_000);
      expect(running.error === undefined, () => `start number ${round + 1} threw ${shown(running.error)}`);
      await stop(service, host, running);
      host.clock.forget();
    }
  });

  add("a network that is down is not asked without a pause", async (service, host) => {
    host.network.answerWith(() => {
      throw refused();
    });
    const running = start(service, host);
    const asked = () => host.network.requests.length;
    await host.clock.until(() => asked() > MAX_REQUESTS_A_MINUTE, 60_000);
    expect(asked() <= MAX_REQUESTS_A_MINUTE, `it asked more than ${MAX_REQUESTS_A_MINUTE} times in a minute while nothing answered`);
    await stop(service, host, running);
  });

  add("no secret is said in log, states and errors", async (service, host) => {
    const running = start(service, host);
    await host.clock.advance(60_000);
    await stop(service, host, running);
    const said = host.said(running.error === undefined ? [] : [running.error]);
    for (const [secret, value] of host.secrets) expect(!said.includes(value), `the secret “${secret}” was said`);
    for (const [provider, { accessToken }] of host.accounts) expect(!said.includes(accessToken), `the token of “${provider}” was said`);
  });
  return cases;
}
