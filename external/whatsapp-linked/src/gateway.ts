/**
 * The way to the app: its gateway on this machine, by the client that every program of its own can use (clients/typescript). Nothing counts
 * as handed in that the app has not answered.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WebSocket } from "ws";
import { type InboundDraft, type IngressAnswer, KataClient, KataError, type PluginDefinition, type JoinedPlugin, type SocketLike } from "./client.ts";
import { backoff } from "../../../plugins/sdk/src/sending/backoff.ts";
import { systemClock } from "../../../plugins/sdk/src/sending/clock.ts";

/** The app is not there, or did not answer: what was handed over is handed over again. */
export class Away extends Error {}

/** How the channel stands. */
export interface Standing {
  kind: "connecting" | "running" | "degraded" | "needs_user";
  code: string;
  message: string;
}

export interface GatewayOptions {
  /** The app's folder, where it says its port. */
  home: string;
  token(): string;
  /** Its one channel has the id `channel`; `start` and `stop` are added here. */
  plugin: PluginDefinition;
  channel: string;
  log(words: string): void;
}

export class Gateway {
  readonly #options: GatewayOptions;
  #joined: JoinedPlugin | undefined;
  #standing: Standing = { kind: "connecting", code: "", message: "" };
  /** Whether the app has taken the plugin and has the channel switched on. */
  #started = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Whether messages are taken now. */
  get open(): boolean {
    return this.#started && this.#joined !== undefined;
  }

  /** Stays connected until `signal` is aborted. `ready` is called whenever messages are taken again. */
  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    const { channel, home, log, token } = this.#options;
    const definition = this.#definition(ready);
    const waits = backoff(Math.random, { firstMs: 1_000, maxMs: 60_000 });
    let said = "";
    const tell = (words: string) => {
      // Once, not at every attempt.
      if (words !== said) log(`the app: ${words}`);
      said = words;
    };
    // A client that was refused for good does not come back by itself; a person may have made a new token meanwhile.
    while (!signal.aborted) {
      let client: KataClient | undefined;
      const end = () => client?.close();
      try {
        client = new KataClient({ url: addressIn(home), token: token(), client: "kata-whatsapp-linked", topics: [], WebSocket: socketIn(home) });
        signal.addEventListener("abort", end);
        const closed = new Promise<string>((resolve) => client?.on("state", (state, reason) => {
          if (state !== "connected") this.#started = false;
          if (state === "waiting") tell(reason);
          if (state === "closed") resolve(reason);
        }));
        client.on("refused", (_, error) => tell(`the plugin is not taken: ${error.message}`));
        await client.connect();
        this.#joined = await client.register(definition);
        waits.reset();
        said = "";
        log(`connected; if the channel is off: kata sources enable channel:${channel}`);
        this.report(this.#standing);
        if (this.#started) ready();
        tell(await closed);
      } catch (error) {
        tell(error instanceof Error ? error.message : String(error));
      } finally {
        this.#joined = undefined;
        this.#started = false;
        signal.removeEventListener("abort", end);
        client?.close();
      }
      if (!signal.aborted) await systemClock.sleep(waits.next(), signal);
    }
  }

  /** Hands a message in. Rejects with `Away` where it has to be handed in again. */
  async inbound(message: InboundDraft): Promise<IngressAnswer | { outcome: "invalid"; reason: string }> {
    if (this.#joined === undefined) throw new Away("the app is not connected");
    try {
      return await this.#joined.receive(this.#options.channel, message);
    } catch (error) {
      if (error instanceof KataError && error.code === "invalid") return { outcome: "invalid", reason: error.message };
      throw new Away(error instanceof Error ? error.message : String(error));
    }
  }

  /** Says how the channel stands; said again to an app that comes back. */
  report(standing: Standing): void {
    this.#standing = standing;
    if (!this.open) return;
    const { kind, code, message } = standing;
    this.#joined?.report(this.#options.channel, kind === "needs_user" ? { kind, action: { kind: "relogin" } } : { kind }, { code, message });
  }

  #definition(ready: () => void): PluginDefinition {
    const { channel, plugin } = this.#options;
    const own = plugin.channels?.[channel];
    if (own === undefined) throw new Error(`the plugin has no channel “${channel}”`);
    return {
      ...plugin,
      channels: {
        [channel]: {
          ...own,
          start: () => {
            this.#started = true;
            // The answer to this call goes first.
            setTimeout(() => {
              this.report(this.#standing);
              ready();
            }, 0);
          },
          stop: () => void (this.#started = false),
        },
      },
    };
  }
}

function addressIn(home: string): string {
  const { port } = JSON.parse(readFileSync(join(home, "gateway.json"), "utf8")) as { port?: unknown };
  if (typeof port !== "number") throw new Error(`${join(home, "gateway.json")} names no port`);
  return `ws://127.0.0.1:${port}/ws`;
}

/** A socket to wherever the app is now: after a restart it may have another port. Node 20 has no WebSocket of its own. */
function socketIn(home: string): new (url: string) => SocketLike {
  return class {
    constructor(url: string) {
      let now = url;
      try {
        now = addressIn(home);
      } catch {
        // It is just starting; the old address is as good as none.
      }
      return new WebSocket(now, { handshakeTimeout: 10_000, maxPayload: 16 << 20 }) as unknown as SocketLike;
    }
  } as unknown as new (url: string) => SocketLike;
}
