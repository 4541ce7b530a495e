/** A plugin as its author writes it, and how the gateway's calls reach it. */
import { SendFailed } from "./errors.js";
/** Arguments of a tool, typed: `tool<{ city: string }>({ … })`. */
export function tool(definition) {
    return definition;
}
/** What is sent with `register`. */
export function registration(plugin) {
    const tools = Object.entries(plugin.tools ?? {}).map(([name, each]) => ({
        name,
        description: each.description,
        parameters: each.parameters,
        readOnly: each.readOnly ?? false,
        timeoutMs: each.timeoutMs ?? null,
    }));
    const hooks = Object.entries(plugin.hooks ?? {}).flatMap(([event, hook]) => hook === undefined ? [] : [{ event: event, priority: hook.priority ?? 0, timeoutMs: hook.timeoutMs ?? null }]);
    const channels = Object.entries(plugin.channels ?? {}).map(([id, each]) => ({
        id,
        name: each.name,
        capabilities: (each.capabilities ?? null),
    }));
    const { id, name, version, description = "" } = plugin;
    return { id, name, version, description, tools, hooks, channels };
}
/** Runs a call. Rejects with whatever the plugin throws. */
export async function run(plugin, kind, raw, context) {
    const params = raw;
    switch (kind) {
        case "tool": {
            const found = plugin.tools?.[params.name ?? ""];
            if (found === undefined)
                throw new Error(`there is no tool “${params.name}”`);
            return { text: await found.run(params.params, { ...context, session: params.session ?? "" }) };
        }
        case "hook": {
            // The table of hooks is typed by event; which one this is, is known only here.
            const hooks = plugin.hooks;
            return (await hooks?.[params.event ?? ""]?.run(params.input, context)) ?? null;
        }
        case "send":
            return channel(plugin, params).send(params.message, context);
        case "start":
            await channel(plugin, params).start?.({ cursor: params.cursor ?? null }, context);
            return null;
        case "stop":
            await channel(plugin, params).stop?.(context);
            return null;
    }
}
function channel(plugin, params) {
    const found = plugin.channels?.[params.channel ?? ""];
    if (found === undefined)
        throw new Error(`there is no channel “${params.channel}”`);
    return found;
}
/** What was thrown, for the wire. */
export function failure(thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof SendFailed) {
        const details = { code: thrown.code, certain: thrown.certain, retryAfterMs: thrown.retryAfterMs };
        return { code: "upstream", message, hint: null, details };
    }
    return { code: "upstream", message, hint: null, details: null };
}
