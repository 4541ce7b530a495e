/** A host and a Telegram for the tests: both scripted, both without real time. */

import type { ConnectContext, IngressAnswer, InboundDraft, OutboundMessage, PluginContext, StatusReport } from "@kata-agents/plugin-sdk";
import { FakeHost } from "@kata-agents/plugin-sdk/testing";
import { type Clock, PartialSends } from "@kata-agents/plugin-sdk/sending";
import { BotApi } from "../api.ts";
import { Chats } from "../chats.ts";
import type { Line } from "../outbound.ts";
import type { User } from "../types.ts";

export const ME: User = { id: 42, is_bot: true, first_name: "Kata", username: "kata_bot" };

/** A JSON answer of the Bot API. */
export function ok(result: unknown): Response {
  return Response.json({ ok: true, result });
}

export function fail(code: number, description: string, parameters?: Record<string, unknown>): Response {
  return Response.json({ ok: false, error_code: code, description, ...(parameters ? { parameters } : {}) }, { status: code });
}

export interface Call {
  method: string;
  /** Of a form, the fields as they were written; its files are in `files`. */
  params: Record<string, unknown>;
  files: Record<string, File>;
  url: string;
}

function bodyOf(body: unknown): Pick<Call, "params" | "files"> {
  if (!(body instanceof FormData)) return { params: body === undefined ? {} : (JSON.parse(String(body)) as Call["params"]), files: {} };
  const entries = [...body.entries()];
  const json = (text: string): unknown => (/^[[{]/.test(text) ? JSON.parse(text) : text);
  return {
    params: Object.fromEntries(entries.filter(([, value]) => typeof value === "string").map(([name, value]) => [name, json(String(value))])),
    files: Object.fromEntries(entries.filter((entry): entry is [string, File] => entry[1] instanceof File)),
  };
}

/** A `fetch` that answers from a script and keeps what it was asked. */
export function fakeFetch(answer: (call: Call, index: number) => Response | Promise<Response>) {
  const calls: Call[] = [];
  const impl: typeof fetch = async (input, init) => {
    const url = String(input);
    const call = { method: url.slice(url.lastIndexOf("/") + 1), ...bodyOf(init?.body), url };
    calls.push(call);
    init?.signal?.throwIfAborted();
    return answer(call, calls.length - 1);
  };
  return { fetch: impl, calls };
}

/** A clock that moves only when somebody sleeps. */
export class TestClock implements Clock {
  readonly sleeps: number[] = [];
  time = 1_700_000_000_000;
  now(): number {
    return this.time;
  }
  async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    this.time += ms;
  }
}

/** The host's side. `state` survives it, as the disk survives the app. */
export class TestHost {
  readonly abort = new AbortController();
  readonly drafts: InboundDraft[] = [];
  readonly statuses: StatusReport[] = [];
  readonly logs: string[] = [];
  /** What this file does not script is as the SDK's own fake host has it. */
  readonly kit = new FakeHost();
  token: string | undefined = "42:token";
  onReceive: (draft: InboundDraft) => Promise<IngressAnswer> = async () => ({ outcome: "admitted" });
  readonly state: Map<string, unknown>;

  constructor(state = new Map<string, unknown>()) {
    this.state = state;
  }

  get ctx(): ConnectContext {
    const kit = this.kit.connectContext();
    const log = (line: string) => void this.logs.push(line);
    return {
      ...kit,
      config: {},
      secrets: { get: async () => this.token, set: async () => {}, delete: async () => {} },
      state: {
        get: async (key) => structuredClone(this.state.get(key)),
        set: async (key, value) => void this.state.set(key, structuredClone(value)),
        delete: async (key) => void this.state.delete(key),
      },
      logger: { error: log, warn: log, info: log, debug: log },
      signal: this.abort.signal,
      status: (report) => void this.statuses.push(report),
      receive: async (draft) => {
        this.drafts.push(draft);
        return this.onReceive(draft);
      },
    };
  }

  get plugin(): PluginContext {
    return this.ctx;
  }

  /** States as a person sees them change. */
  get states(): string[] {
    const shown = this.statuses.map((s) => (s.code === undefined ? s.state : `${s.state}/${s.code}`));
    return shown.filter((state, index) => state !== shown[index - 1]);
  }
}

/** A Telegram that answers from a script, and what a send works with. */
export function line(answer: (call: Call, index: number) => Response | Promise<Response>, host = new TestHost()) {
  const fake = fakeFetch(answer);
  const api = new BotApi("http://telegram.test", "42:token", fake.fetch);
  const line: Line = { api, partial: new PartialSends(host.plugin.state), chats: new Chats(host.plugin.state), ctx: host.plugin };
  return { calls: fake.calls, api, host, line };
}

export function outbound(text: string, route: Partial<OutboundMessage["route"]> = {}, more: Partial<OutboundMessage> = {}): OutboundMessage {
  return {
    route: { channel: "telegram", account: "42", conversation: "-100", thread: null, replyTo: null, ...route },
    text,
    idempotencyKey: "key-1",
    attempt: 1,
    ...more,
  };
}
