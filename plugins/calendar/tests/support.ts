import { FakeHost, type Loaded, load, Running } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { ACCOUNT, CONFIG, FakeCalendar } from "./platform.ts";

export interface Bench {
  host: FakeHost;
  google: FakeCalendar;
  loaded: Loaded;
  start(): Running;
}

/** Runs a check; `before` is a bench whose disk and calendar are gone on with, as after a restart. */
export async function bench(check: (bench: Bench) => Promise<void>, config: Record<string, unknown> = {}, before?: Pick<Bench, "host" | "google">): Promise<void> {
  const google = before?.google ?? new FakeCalendar();
  const host = new FakeHost({ config: { ...CONFIG, ...config }, accounts: ACCOUNT, network: google.answer, ...(before === undefined ? {} : { state: before.host.state }) });
  const loaded = await load(plugin);
  await host.run(() => check({ host, google, loaded, start: () => new Running((signal) => loaded.service().start(host.serviceContext(signal))) }));
}

/** A time so many minutes from now. */
export const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();

export async function call({ host, loaded }: Bench, name: string, args: object): Promise<Record<string, unknown>> {
  const result = await loaded.tool<object>(name).execute(args, host.context());
  return JSON.parse(typeof result === "string" ? result : result.text) as Record<string, unknown>;
}

export async function fails(now: Bench, name: string, args: object): Promise<string> {
  let outcome: string | undefined;
  void call(now, name, args).then(
    (answer) => (outcome = `it answered ${JSON.stringify(answer)}`),
    (error: unknown) => (outcome = error instanceof Error ? error.message : String(error)),
  );
  await now.host.clock.until(() => outcome !== undefined, 60_000);
  return outcome ?? "it did not end";
}
