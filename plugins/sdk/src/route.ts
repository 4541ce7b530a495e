/** HTTP requests from outside: a webhook that a service calls. */

import type { PluginContext } from "./context.ts";

/** One request, whole. The host has read it: at most 1 MiB, within ten seconds. */
export interface RouteRequest {
  /** `GET`, `POST`, … */
  readonly method: string;
  /** Path below the plugin's own, as it was registered. */
  readonly path: string;
  /** What stood behind the `?`, undecoded; empty without one. */
  readonly query: string;
  /** Headers by lower-case name; a header that came twice is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text; where it is not UTF-8, with replacement characters. */
  readonly body: string;
  /** The body exactly as it came: what a signature is over. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What the caller is told. */
export interface RouteResponse {
  /** Default 200. */
  status?: number;
  /** Names and values; the host sets length and date itself and drops `set-cookie`. */
  headers?: Readonly<Record<string, string>>;
  /** Text. */
  body?: string;
}

/**
 * A path of the gateway that belongs to the plugin: `/hooks/PLUGIN/PATH`. The gateway listens on this machine only;
 * whoever wants calls from outside puts a tunnel or a proxy in front of it.
 */
export interface Route {
  /** Declared in the manifest's `contributes.routes`; needs the capability `route:PATH`. Letters, digits, `-`, `_`, `/`. */
  path: string;
  /** Methods it takes; default `["POST"]`. */
  methods?: readonly string[];
  /**
   * Whether the request is from whom it should be: checks the signature with `crypto.subtle`. Called before `handle`;
   * anything but `true`, a throw too, is answered with 401. May not do anything besides looking.
   */
  verify(request: RouteRequest, ctx: PluginContext): boolean | Promise<boolean>;
  /** Takes the request; answers plain values, or a web `Response` with a text. A throw is answered with 500 and counted as the plugin's fault. */
  handle(request: RouteRequest, ctx: PluginContext): RouteResponse | Response | void | Promise<RouteResponse | Response | void>;
}
