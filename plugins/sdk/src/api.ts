/** What `register(api)` is given. Everything registered is owned by the host and disposed by the host. */

import type { Channel } from "./channel.ts";
import type { PluginContext } from "./context.ts";
import type { HookHandler, HookOptions } from "./hooks.ts";
import type { HookName } from "./generated.ts";
import type { Route } from "./route.ts";

/** A JSON Schema (2020-12) object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a tool gives back: text for the model, at most 256 KiB. A thrown error is an answer with `isError` too. */
export type ToolResult = string | { text: string; isError?: boolean };

/** A tool the model can call. `Args` is what `parameters` describes: the host checks arguments before it calls. */
export interface Tool<Args = unknown> {
  /** Unique among all tools; declared in the manifest's `contributes.tools`. */
  name: string;
  /** What it does and when to use it, for the model. */
  description: string;
  /** Schema of the arguments; an object. */
  parameters: JsonSchema;
  /** True only if it changes nothing anywhere; such a tool runs without asking in every mode. */
  readOnly?: boolean;
  /**
   * Does it. May take 60 seconds; `ctx.signal` is aborted when the person stops the turn. May not assume that a person
   * watches, and may not tell the model more than the task needs: the answer goes to whoever runs the model.
   */
  execute(args: Args, ctx: PluginContext): ToolResult | Promise<ToolResult>;
}

/** When a planned piece of work runs. */
export type When =
  /**
   * Every so many seconds, from 5 to 86,400, counted from the start of one run to the start of the next. The host spreads the first
   * runs, and stretches the interval, up to `idle` seconds, while nobody needs the service or the machine saves power.
   */
  | { every: number; idle?: number }
  /**
   * At the times of a cron line (minute hour day month weekday, as Vixie cron reads it; `@hourly`, `@daily`, `@weekly`, `@monthly`)
   * in a time zone of the IANA database; without one in the zone of this machine. A time that a clock change leaves out runs when the
   * clock goes on, one that comes twice runs once.
   */
  | { cron: string; timeZone?: string }
  /** Once, at that time (milliseconds since 1970). One in the past runs at once. */
  | { at: number };

/** A planned piece of work. */
export interface Job {
  /** Unique in its service; a job planned again under the same id takes the place of the one before. */
  id: string;
  /** When it runs. */
  when: When;
  /**
   * What happens with times that passed while the machine slept or the app did not run: `once` runs once as soon as it can
   * (default), `skip` waits for the next one.
   */
  missed?: "once" | "skip";
  /**
   * Does it; never twice at a time. A throw is shown, and counts as a fault of the service after five in a row; until then the next
   * time comes as planned. `due` is the time it was meant for.
   */
  run(ctx: PluginContext, due: number): void | Promise<void>;
}

/** Given to a service's `start`. */
export interface ServiceContext extends PluginContext {
  /**
   * Plans work. Prefer it to timers: the host knows of it, shows it, catches up after sleep and saves power. It ends with the
   * service. Throws a `TypeError` that names the field. At most 32 jobs.
   */
  schedule(job: Job): void;
  /** Takes a planned job away; one that is not there is no error. */
  unschedule(id: string): void;
  /** Something came that a person may be waiting for: intervals go back to what the service declared. */
  busy(): void;
}

/**
 * Work that runs as long as the plugin is up. It appears among the sources, where a person can switch it off, and is
 * started again with a growing delay when it fails.
 */
export interface Service {
  /** Declared in the manifest's `contributes.services`. */
  id: string;
  /**
   * Runs until `ctx.signal` is aborted, or resolves at once and goes on by timers. A throw is retried with a growing
   * delay. May not wait for anything without `ctx.signal`: what a person has to mend is said with `ctx.status`.
   */
  start(ctx: ServiceContext): void | Promise<void>;
  /** Releases what `start` took: five seconds, then the thread is ended. Timers and requests are ended by the host. */
  stop?(ctx: PluginContext): void | Promise<void>;
}

/** A slash command in the chat, a verb in the CLI (`kata run NAME`), an entry in the palette. */
export interface Command {
  /** Without the slash; declared in the manifest's `contributes.commands`. */
  name: string;
  /** What it does, in one line; shown in the palette. */
  description: string;
  /** `args` is everything after the name, untouched. What it returns is shown to the person; the model does not see it. */
  run(args: string, ctx: PluginContext): string | void | Promise<string | void>;
}

/**
 * The door to the host, given to `register` and valid until `register` has ended. Each method throws a `TypeError` that
 * names the field when what is registered does not fit, is not declared in the manifest, or needs a capability that was
 * not granted; the plugin is then not loaded, and the version before goes on.
 */
export interface KataPluginApi {
  /** Offers a tool to the model. */
  registerTool<Args = unknown>(tool: Tool<Args>): void;
  /**
   * Listens to an event. Reading message text (`message_received`, `message_sending`, `before_agent_start`,
   * `after_tool_call`, `plan_submitted`) needs the capability `hooks:conversation`, `before_tool_call` needs `hooks:gate`.
   */
  registerHook<E extends HookName>(event: E, handler: HookHandler<E>, options?: HookOptions): void;
  /** Offers a chat platform. */
  registerChannel(channel: Channel): void;
  /** Offers work in the background. */
  registerService(service: Service): void;
  /** Offers a slash command. */
  registerCommand(command: Command): void;
  /** Takes HTTP requests at the gateway. Needs the capability `route:PATH`. */
  registerRoute(route: Route): void;
}

/** A plugin's default export. `register` runs exactly once per generation; it only registers, it starts nothing. */
export type PluginModule =
  | ((api: KataPluginApi) => void | Promise<void>)
  | { register(api: KataPluginApi): void | Promise<void>; dispose?(): void | Promise<void> };
