/**
 * From the server a person names to the address of its API: `/.well-known/matrix/client`, then `/_matrix/client/versions`.
 * Only the host of an address that a person typed in, or chose, is reachable, so an API elsewhere is not simply followed: the
 * set-up shows it and asks.
 */

import { Api, MatrixError, NetworkError } from "./api.ts";
import { fields, text, texts } from "./json.ts";

/** What a server is found to be. */
export interface Server {
  /** Address of the API. */
  base: string;
  /** Versions of the specification, as the server lists them. */
  versions: readonly string[];
}

/** What the settings say of the server. */
export interface Named {
  server: string;
  homeserver: string | undefined;
}

/** The API is somewhere else, at `base`, which a person has to accept first. */
export class Elsewhere extends Error {
  readonly base: string;

  constructor(base: string) {
    super(`the server says that its API is at ${base}`);
    this.name = "Elsewhere";
    this.base = base;
  }
}

/** What is there is no Matrix server, or none this plugin can talk to. */
export class NotMatrix extends Error {}

/** Finds the API. Throws `Elsewhere`, `NotMatrix`, or `NetworkError` where nothing answers. */
export async function discover({ server, homeserver }: Named, signal: AbortSignal): Promise<Server> {
  if (homeserver !== undefined) return look(homeserver, signal);
  const told = await wellKnown(server, signal);
  if (told !== undefined && origin(told) !== origin(server)) throw new Elsewhere(told);
  return look(told ?? server, signal);
}

/** What `/.well-known/matrix/client` says; nothing where there is no such file, which is allowed. */
async function wellKnown(server: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await new Api(server).get("/.well-known/matrix/client", { signal, timeoutMs: 10_000 });
    const base = text(fields(answer["m.homeserver"])["base_url"]);
    if (base === undefined) return undefined;
    if (origin(base) === undefined) throw new NotMatrix("the server's /.well-known/matrix/client names no usable address");
    return base.replace(/\/+$/, "");
  } catch (error) {
    // A page that is no JSON stands where most servers without the file have one.
    if (error instanceof MatrixError || (error instanceof NetworkError && error.message.includes("no JSON"))) return undefined;
    throw error;
  }
}

async function look(base: string, signal: AbortSignal): Promise<Server> {
  try {
    const answer = await new Api(base).get("/_matrix/client/versions", { signal, timeoutMs: 10_000 });
    const versions = texts(answer["versions"]);
    if (versions.length === 0) throw new NotMatrix(`what answers at ${base} is no Matrix server`);
    return { base: base.replace(/\/+$/, ""), versions };
  } catch (error) {
    const odd = (error instanceof MatrixError && error.status < 500 && error.errcode === "") || (error instanceof NetworkError && error.message.includes("no JSON"));
    throw odd ? new NotMatrix(`what answers at ${base} is no Matrix server`) : error;
  }
}

/** Scheme, host and port of an `http:` or `https:` address. */
function origin(address: string): string | undefined {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "http:" ? url.origin : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a server speaks at least `v1.minor`. */
export function speaks(versions: readonly string[], minor: number): boolean {
  return versions.some((version) => {
    const match = /^v1\.(\d+)$/.exec(version);
    return match !== null && Number(match[1]) >= minor;
  });
}
