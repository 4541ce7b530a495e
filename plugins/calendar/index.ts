/** Google Calendar: a service that keeps the next weeks in step and reminds, and tools for the agent. Wiring only. */

import { definePlugin } from "@kata-agents/plugin-sdk";
import { systemClock } from "@kata-agents/plugin-sdk/sending";
import { Agenda } from "./agenda.ts";
import { mirrored } from "./mirror.ts";
import { calendarService } from "./service.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { registerTools } from "./tools.ts";
import { shown } from "./zones.ts";

export default definePlugin((api) => {
  // One for all parts, so that they share the budget of requests.
  let kept: { key: string; agenda: Agenda } | undefined;
  const agendaOf = (settings: Settings): Agenda => {
    const key = `${settings.apiRoot} ${settings.requestsPerMinute}`;
    if (kept?.key !== key) kept = { key, agenda: new Agenda(settings, systemClock) };
    return kept.agenda;
  };

  api.registerService(calendarService({ agenda: agendaOf, clock: systemClock }));

  api.registerCommand({
    name: "calendar",
    description: "Lists the next events, as the service knows them.",
    run: async (_args, ctx) => {
      const known = await ctx.state.get("mirrors");
      const lines: { start: number; line: string }[] = [];
      for (const id of Array.isArray(known) ? known : []) {
        const mirror = typeof id === "string" ? await mirrored(ctx.state, id) : undefined;
        for (const one of mirror?.events ?? []) {
          if (one.end < Date.now()) continue;
          const zone = settingsOf(ctx).timeZone || (mirror?.timeZone ?? "UTC");
          lines.push({ start: one.start, line: `${one.days === undefined ? shown(zone, one.start).slice(0, 16).replace("T", " ") : one.days.first}  ${one.title}` });
        }
      }
      lines.sort((a, b) => a.start - b.start);
      return lines.length === 0 ? "Nothing is known of the next weeks." : lines.slice(0, 20).map(({ line }) => line).join("\n");
    },
  });

  registerTools(api, agendaOf);
});
