/** What a plugin registers, without a host. */

import type { Command, KataPluginApi, PluginModule, Service, Tool } from "../api.ts";
import type { Channel } from "../channel.ts";
import type { HookHandler, HookOptions } from "../hooks.ts";
import type { HookName } from "../generated.ts";
import type { Route } from "../route.ts";

/** One registered hook. */
export interface LoadedHook {
  /** Event. */
  event: HookName;
  /** Its handler; the caller knows the event. */
  handler: (event: unknown, ctx: unknown) => unknown;
  /** As registered. */
  options: HookOptions;
}

/** Everything one `register` registered. */
export class Loaded {
  /** Tools, in order. */
  readonly tools: Tool[] = [];
  /** Hooks, in order. */
  readonly hooks: LoadedHook[] = [];
  /** Channels, in order. */
  readonly channels: Channel[] = [];
  /** Services, in order. */
  readonly services: Service[] = [];
  /** Commands, in order. */
  readonly commands: Command[] = [];
  /** Routes, in order. */
  readonly routes: Route[] = [];

  /** The tool of that name; the only one when no name is given. */
  tool<Args = unknown>(name?: string): Tool<Args> {
    return one("tool", this.tools, (tool) => tool.name, name) as Tool<Args>;
  }
  /** The channel of that id; the only one when none is given. */
  channel(id?: string): Channel {
    return one("channel", this.channels, (channel) => channel.id, id);
  }
  /** The service of that id; the only one when none is given. */
  service(id?: string): Service {
    return one("service", this.services, (service) => service.id, id);
  }
  /** The command of that name; the only one when no name is given. */
  command(name?: string): Command {
    return one("command", this.commands, (command) => command.name, name);
  }
  /** The first handler of an event. */
  hook<E extends HookName>(event: E): HookHandler<E> {
    return one("hook", this.hooks, (hook) => hook.event, event).handler as HookHandler<E>;
  }
}

function one<T>(what: string, all: readonly T[], nameOf: (item: T) => string, name: string | undefined): T {
  const found = name === undefined && all.length === 1 ? all[0] : all.find((item) => nameOf(item) === name);
  if (found !== undefined) return found;
  const names = all.map(nameOf).join(", ") || "none";
  throw new Error(`the plugin registers no ${what} ${name === undefined ? "by itself; say which" : `“${name}”`} (it registers: ${names})`);
}

/** Runs a plugin's `register`, as the host does, and gives what it registered. */
export async function load(plugin: PluginModule): Promise<Loaded> {
  const loaded = new Loaded();
  const api: KataPluginApi = {
    registerTool: (tool) => void loaded.tools.push(tool as Tool),
    registerHook: (event, handler, options = {}) =>
      void loaded.hooks.push({ event, handler: handler as LoadedHook["handler"], options }),
    registerChannel: (channel) => void loaded.channels.push(channel),
    registerService: (service) => void loaded.services.push(service),
    registerCommand: (command) => void loaded.commands.push(command),
    registerRoute: (route) => void loaded.routes.push(route),
  };
  await (typeof plugin === "function" ? plugin(api) : plugin.register(api));
  return loaded;
}
