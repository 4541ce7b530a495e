import { definePlugin, type PluginContext, type ServiceContext } from "@kata-agents/plugin-sdk";

/** Looks once and remembers what it saw. */
async function look(url: string, ctx: PluginContext): Promise<void> {
  try {
    const response = await fetch(url, { method: "HEAD", signal: ctx.signal });
    await ctx.state.set("last", { at: Date.now(), status: response.status });
    if (response.ok) ctx.status({ state: "running", message: `The page answers (${response.status}).` });
    else ctx.status({ state: "degraded", code: `http_${response.status}`, message: `The page answers with ${response.status}.` });
  } catch (error) {
    if (ctx.signal.aborted) return;
    await ctx.state.set("last", { at: Date.now(), status: 0 });
    ctx.status({ state: "degraded", code: "unreachable", message: "The page does not answer." });
    ctx.logger.warn(`no answer: ${error instanceof Error ? error.name : "unknown"}`);
  }
}

async function start(ctx: ServiceContext): Promise<void> {
  const url = ctx.config["url"];
  if (typeof url !== "string" || url === "") {
    // What only a person can mend is said, not thrown. The service is started anew when the setting changes.
    ctx.status({ state: "needs_user", code: "no_url", message: "There is no page to look at.", action: { kind: "configure", field: "url" } });
    return;
  }
  const seconds = Number(ctx.config["everySeconds"] ?? 300);
  await look(url, ctx);
  ctx.schedule({ id: "look", when: { every: seconds, idle: seconds * 4 }, run: (job) => look(url, job) });
}

export default definePlugin((api) => {
  api.registerService({ id: "{{id}}", start });

  api.registerCommand({
    name: "{{id}}",
    description: "Says what the last look at the page gave.",
    async run(_args, ctx) {
      const last = await ctx.state.get("last");
      if (typeof last !== "object" || last === null) return "It has not looked yet.";
      const { at, status } = last as { at?: unknown; status?: unknown };
      return `${new Date(Number(at)).toISOString()}: ${status === 0 ? "no answer" : `HTTP ${String(status)}`}`;
    },
  });
});
