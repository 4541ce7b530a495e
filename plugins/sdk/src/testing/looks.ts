/** Cases of the parts that a person meets before and beside the messages: set-up, probe, audit, directory. */

import type { Channel } from "../channel.ts";
import type { SetupStep } from "../generated.ts";
import { type ContractCase, expect, shown } from "./contract.ts";
import type { FakeHost } from "./host.ts";

/** What these cases need of the bench. */
export interface Looks {
  readonly channel: Channel;
  readonly host: FakeHost;
  readonly platform: { sent(): readonly string[]; route: { account: string }; unauthorized?: unknown };
  mood: "up" | "down" | "too_fast" | "unauthorized" | "silent";
}

/** Adds a case. */
export type Add<T> = (sentence: string, check: (bench: T) => Promise<void>) => ContractCase | void;

/** The host's own limit for one question. */
const PATIENCE_MS = 15_000;
/** Most entries of one list of a directory. */
const MOST_ENTRIES = 1_000;

/** The answer to one question, asked as the host asks it. */
async function answer<T>(bench: Looks, part: string, ask: () => T | Promise<T>): Promise<T> {
  let outcome: { value: T } | { error: unknown } | undefined;
  void (async () => ask())().then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  );
  const ended = await bench.host.clock.until(() => outcome !== undefined, PATIENCE_MS);
  expect(ended && outcome !== undefined, `${part} did not answer within ${PATIENCE_MS / 1000} seconds`);
  if ("error" in outcome) expect(false, `${part} must answer, not throw: ${shown(outcome.error)}`);
  return (outcome as { value: T }).value;
}

/** The cases; a part that the channel does not offer passes by doing nothing. */
export function looks<T extends Looks>(add: Add<T>): void {
  add("the set-up is done once everything is given, and names the account that messages carry", async (bench) => {
    const { setup } = bench.channel;
    if (setup === undefined) return;
    const step = await next(bench);
    expect(step.kind === "done", () => `with settings and secrets in place setup.next shows ${shown(step)}`);
    expect(step.account === bench.platform.route.account, `the set-up names the account “${step.account}”, messages “${bench.platform.route.account}”`);
    expect(typeof step.name === "string" && step.name !== "", "done.name is empty or no text");
  });

  add("the set-up asks for a secret that is missing, by its name in the manifest", async (bench) => {
    if (bench.channel.setup === undefined || bench.host.secrets.size === 0) return;
    const known = [...bench.host.secrets.keys()];
    bench.host.secrets.clear();
    const step = await next(bench);
    expect(step.kind !== "done", "without its secrets the set-up says that it is done");
    if (step.kind === "secret") expect(known.includes(step.secret), `it asks for the secret “${step.secret}”, and is tested with ${known.join(", ")}`);
  });

  add("the set-up says what was wrong with a sign-in that is refused, and asks again", async (bench) => {
    if (bench.channel.setup === undefined || bench.platform.unauthorized === undefined || bench.host.secrets.size === 0) return;
    bench.mood = "unauthorized";
    const step = await next(bench);
    expect(step.kind !== "done", "the platform refuses the sign-in, and the set-up says that it is done");
    expect(typeof step.error === "string" && step.error !== "", () => `the step does not say what was wrong: ${shown(step)}`);
  });

  const probed = async (bench: Looks): Promise<boolean> => {
    const probe = await answer(bench, "status.probe", () => bench.channel.status?.probe(bench.host.context()));
    expect(probe !== undefined && Number.isInteger(probe.latencyMs) && probe.latencyMs >= 0, () => `probe.latencyMs is no whole number: ${shown(probe?.latencyMs)}`);
    expect(typeof probe.message === "string" && probe.message !== "", "probe.message is empty or no text");
    for (const [secret, value] of bench.host.secrets) expect(!probe.message.includes(value), `the probe says the secret “${secret}”`);
    return probe.ok;
  };

  add("a probe says whether the platform answers", async (bench) => {
    if (bench.channel.status === undefined) return;
    expect((await probed(bench)) === true, "the platform answers, and the probe is not ok");
    bench.mood = "down";
    expect((await probed(bench)) === false, "the platform is down, and the probe is ok");
  });

  add("a probe without a sign-in says so", async (bench) => {
    if (bench.channel.status === undefined || bench.host.secrets.size === 0) return;
    bench.host.secrets.clear();
    expect((await probed(bench)) === false, "there is no sign-in, and the probe is ok");
  });

  add("warnings have a code and a sentence, and looking for them changes nothing", async (bench) => {
    const { security } = bench.channel;
    if (security?.warnings === undefined) return;
    const look = () => answer(bench, "security.warnings", () => security.warnings?.(bench.host.context()) ?? []);
    const warnings = await look();
    for (const [index, warning] of warnings.entries()) {
      expect(/^[a-z0-9_]+$/.test(warning.code), `[${index}].code: “${warning.code}” has other characters than a-z, 0-9 and _`);
      expect(typeof warning.message === "string" && warning.message !== "", `[${index}].message is empty or no text`);
    }
    expect(shown(await look()) === shown(warnings), "a second look finds other warnings");
    expect(bench.platform.sent().length === 0, "looking for warnings wrote to somebody");
  });

  add("the directory names the bot and whom it knows, and writes to nobody", async (bench) => {
    const { directory } = bench.channel;
    if (directory === undefined) return;
    const me = await answer(bench, "directory.self", () => directory.self(bench.host.context()));
    expect(typeof me.id === "string" && me.id !== "", "self.id is empty or no text");
    for (const part of ["peers", "groups"] as const) {
      const list = await answer(bench, `directory.${part}`, () => directory[part]?.(bench.host.context()) ?? []);
      expect(list.length <= MOST_ENTRIES, `directory.${part} gives ${list.length} entries, more than ${MOST_ENTRIES}`);
      for (const [index, entry] of list.entries()) {
        const id: unknown = entry.id;
        expect(typeof id === "string" && id !== "", `${part}[${index}].id is empty or no text: ${shown(id)}`);
        expect(typeof entry.name === "string" && entry.name !== "", `${part}[${index}].name is empty or no text`);
        expect(["direct", "group", "channel"].includes(entry.chatType), `${part}[${index}].chatType: ${shown(entry.chatType)}`);
      }
    }
    expect(bench.platform.sent().length === 0, "looking into the directory wrote to somebody");
  });
}

async function next(bench: Looks): Promise<SetupStep> {
  const { setup } = bench.channel;
  expect(setup !== undefined, "there is no setup");
  const step = await answer(bench, "setup.next", () => setup.next(bench.host.context()));
  if (step.kind !== "done") expect(typeof step.title === "string" && step.title !== "", () => `the step has no title: ${shown(step)}`);
  return step;
}
