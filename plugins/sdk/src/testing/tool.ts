/** What every tool and every hook must do. */

import type { Tool, ToolResult } from "../api.ts";
import type { OauthToken } from "../context.ts";
import type { HookEvents, HookHandler } from "../hooks.ts";
import type { HookName } from "../generated.ts";
import { type ContractCase, expect, shown } from "./contract.ts";
import type { Answer } from "./fetch.ts";
import { FakeHost, Running } from "./host.ts";

/** What the plugin around a tool or hook is given. */
export interface Surroundings {
  /** Settings of the plugin, all of them: the manifest's defaults are not filled in. */
  config?: Readonly<Record<string, unknown>>;
  /** Secrets; the contract checks that none of them is ever said. */
  secrets?: Readonly<Record<string, string>>;
  /** Accounts by provider. */
  accounts?: Readonly<Record<string, OauthToken>>;
  /** Answers requests. */
  network?: Answer;
}

/** One call and what must come of it. */
export interface ToolExample<Args> {
  /** Arguments, as the model would write them. */
  args: Args;
  /** The text, a pattern it fits, or a look at it that throws. Absent: any text that is no error. */
  gives?: string | RegExp | ((text: string) => void);
  /** The call must fail: throw, or answer with `isError`. */
  fails?: boolean;
}

/** What a tool is checked with. */
export interface ToolContractOptions<Args> extends Surroundings {
  /** At least one call. */
  examples: readonly ToolExample<Args>[];
}

/** Longest text of an answer, in UTF-8 bytes; the host cuts what is longer. */
const MAX_TEXT = 256 * 1024;
/** Time of one call. */
const CALL_MS = 60_000;

/** The cases of a tool. `make` gives it anew, as `register` would. */
export function toolContract<Args = unknown>(
  name: string,
  make: () => Tool<Args> | Promise<Tool<Args>>,
  options: ToolContractOptions<Args>,
): ContractCase[] {
  const add = (sentence: string, check: (tool: Tool<Args>, host: FakeHost) => Promise<void>): ContractCase => ({
    name: `${name}: ${sentence}`,
    run: async () => {
      const host = new FakeHost(options);
      const tool = await make();
      await host.run(() => check(tool, host));
    },
  });
  return [
    add("the model is told what it does and what it takes", async (tool) => {
      expect(/^[a-zA-Z0-9_-]{1,64}$/.test(tool.name), `name: “${tool.name}” must be 1 to 64 of a-z, A-Z, 0-9, _ and -`);
      expect(tool.description.trim() !== "", "description: is empty");
      const { type, properties } = tool.parameters as { type?: unknown; properties?: Record<string, { description?: unknown }> };
      expect(type === "object", "parameters.type: must be “object”");
      for (const [property, schema] of Object.entries(properties ?? {})) {
        expect(typeof schema.description === "string", `parameters.properties.${property}: has no description; the model cannot know what to write`);
      }
    }),
    ...options.examples.map((example, index) =>
      add(`example ${index + 1}, ${shown(example.args)}, ${example.fails === true ? "fails" : "is answered"}`, async (tool, host) => {
        const outcome = await call(tool, host, example.args);
        if (example.fails === true) return expect(outcome.failed, () => `it answered: ${outcome.text}`);
        expect(!outcome.failed, () => `it failed: ${outcome.text}`);
        fits(outcome.text, example.gives);
      }),
    ),
    add("calls side by side do not disturb each other", async (tool, host) => {
      const good = options.examples.filter((example) => example.fails !== true);
      const outcomes = await Promise.all([...good, ...good].map((example) => call(tool, host, example.args)));
      for (const [index, outcome] of outcomes.entries()) fits(outcome.text, good[index % good.length]?.gives);
    }),
    add("a call that nobody waits for any more ends", async (tool, host) => {
      const running = new Running(async (signal) => void (await tool.execute((options.examples[0] as ToolExample<Args>).args, host.context(signal))));
      running.stop();
      expect(await host.clock.until(() => running.ended, CALL_MS), "it did not end within 60 s of its signal");
    }),
    add("no secret is said in answers and log", async (tool, host) => {
      const texts: string[] = [];
      for (const example of options.examples) texts.push((await call(tool, host, example.args)).text);
      for (const [secret, value] of host.secrets) expect(!host.said(texts).includes(value), `the secret “${secret}” was said`);
    }),
  ];
}

async function call<Args>(tool: Tool<Args>, host: FakeHost, args: Args): Promise<{ text: string; failed: boolean }> {
  let result: ToolResult | undefined;
  const running = new Running(async (signal) => {
    result = await tool.execute(JSON.parse(JSON.stringify(args)) as Args, host.context(signal));
  });
  expect(await host.clock.until(() => running.ended, CALL_MS), `it did not end within ${CALL_MS / 1000} s`);
  if (running.error !== undefined) return { text: shown(running.error), failed: true };
  const text = typeof result === "string" ? result : result?.text;
  expect(typeof text === "string", () => `execute must give a text or { text }; it gave ${shown(result)}`);
  const bytes = new TextEncoder().encode(text).length;
  expect(bytes <= MAX_TEXT, `the answer has ${bytes} bytes; the host cuts it at ${MAX_TEXT}`);
  return { text, failed: typeof result === "object" && result.isError === true };
}

function fits(text: string, gives: ToolExample<unknown>["gives"]): void {
  if (typeof gives === "string") expect(text === gives, () => `it gave ${shown(text)}, not ${shown(gives)}`);
  else if (gives instanceof RegExp) expect(gives.test(text), () => `it gave ${shown(text)}, which does not fit ${String(gives)}`);
  else gives?.(text);
}

/** One event and what the handler must answer. */
export interface HookExample<E extends HookName> {
  /** The event. */
  event: HookEvents[E]["event"];
  /** The answer, compared as JSON; `undefined` for “changes nothing”. Absent: not looked at. */
  answers?: HookEvents[E]["outcome"] | undefined;
  /** A look at the host afterwards; throws where something is missing. */
  then?(host: FakeHost): void;
}

/** What a hook is checked with. */
export interface HookContractOptions<E extends HookName> extends Surroundings {
  /** At least one event. */
  examples: readonly HookExample<E>[];
}

/** Time of one handler of a transform or gate. */
const HOOK_MS = 15_000;

/** The cases of a hook. `make` gives the handler anew, as `register` would. */
export function hookContract<E extends HookName>(
  event: E,
  make: () => HookHandler<E> | Promise<HookHandler<E>>,
  options: HookContractOptions<E>,
): ContractCase[] {
  return options.examples.map((example, index) => ({
    name: `${event}: example ${index + 1}`,
    run: async () => {
      const host = new FakeHost(options);
      const handler = await make();
      await host.run(async () => {
        let answer: unknown;
        const running = new Running(async (signal) => {
          answer = await handler(JSON.parse(JSON.stringify(example.event)) as HookEvents[E]["event"], host.context(signal));
        });
        expect(await host.clock.until(() => running.ended, HOOK_MS), `it did not end within ${HOOK_MS / 1000} s`);
        expect(running.error === undefined, () => `it threw ${shown(running.error)}`);
        if ("answers" in example) {
          expect(shown(answer ?? undefined) === shown(example.answers), () => `it answered ${shown(answer)}, not ${shown(example.answers)}`);
        }
        example.then?.(host);
        for (const [secret, value] of host.secrets) expect(!host.said().includes(value), `the secret “${secret}” was said`);
      });
    },
  }));
}
