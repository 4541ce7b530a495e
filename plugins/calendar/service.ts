/** The service: keeps the next weeks in step, and tells a session before an event begins. */

import type { PluginContext, Service } from "@kata-agents/plugin-sdk";
import { backoff, type Clock } from "@kata-agents/plugin-sdk/sending";
import type { Agenda, Calendar } from "./agenda.ts";
import { forgetOthers, inStep, type Mirrored } from "./mirror.ts";
import { remind, reminders } from "./reminders.ts";
import { type Settings, settingsOf } from "./settings.ts";
import { CalendarMissing, NotTold, troubleOf } from "./standing.ts";
import { isKnown } from "./zones.ts";

export interface Needs {
  agenda(settings: Settings): Agenda;
  clock: Clock;
}

export function calendarService({ agenda: agendaOf, clock }: Needs): Service {
  return {
    id: "calendar",
    async start(ctx) {
      const settings = settingsOf(ctx);
      const agenda = agendaOf(settings);
      agenda.forget();
      const waits = backoff(Math.random, { firstMs: 2_000, maxMs: 300_000 });
      const zone = isKnown(settings.timeZone) ? settings.timeZone : undefined;
      let mirrors: Mirrored[] = [];
      let notBefore = 0;
      let looking = false;

      const tell = async (now: PluginContext): Promise<void> => {
        if (settings.session === "" || mirrors.length === 0) return;
        // By this machine's clock, since it is this machine's schedule.
        const next = await remind(now, reminders(mirrors, settings.remindMinutes, zone), settings.session, clock.now());
        if (next === undefined) ctx.unschedule("remind");
        else ctx.schedule({ id: "remind", when: { at: next }, run: guarded(tell) });
      };

      /** Failures become states; what only a person can mend ends the looking, and the host starts the service anew when that is done. */
      const guarded = (work: (now: PluginContext) => Promise<void>) => async (now: PluginContext) => {
        try {
          await work(now);
        } catch (error) {
          if (ctx.signal.aborted || now.signal.aborted) return;
          const trouble = troubleOf(error);
          if (trouble === undefined) throw error;
          ctx.status(trouble.report);
          if (trouble.waitMs === undefined) {
            ctx.unschedule("look");
            ctx.unschedule("remind");
            return;
          }
          notBefore = clock.now() + waits.next(trouble.waitMs);
          if (error instanceof NotTold) ctx.schedule({ id: "remind", when: { at: notBefore }, run: guarded(tell) });
        }
      };

      const look = guarded(async (now) => {
        if (looking || clock.now() < notBefore) return;
        looking = true;
        try {
          const calendars = await followed(now, agenda, settings);
          const fresh: Mirrored[] = [];
          for (const one of calendars) fresh.push(await inStep(now, agenda, one));
          await forgetOthers(now.state, calendars.map((one) => one.id));
          if (mirrors.length > 0 && JSON.stringify(fresh) !== JSON.stringify(mirrors)) {
            ctx.busy();
            await now.emit("changed", { events: fresh.reduce((sum, one) => sum + one.events.length, 0) });
          }
          mirrors = fresh;
          await tell(now);
          waits.reset();
          ctx.status({ state: "running", message: `In step with ${calendars.map((one) => one.name).join(", ")}.`.slice(0, 200) });
        } finally {
          looking = false;
        }
      });

      ctx.status({ state: "connecting" });
      ctx.schedule({ id: "look", when: { every: settings.pollSeconds, idle: Math.min(3_600, settings.pollSeconds * 10) }, run: look });
      // At once, and not here: the service after this one begins when `start` has ended, whether or not Google answers.
      ctx.schedule({ id: "first-look", when: { at: clock.now() }, run: look });
    },
  };
}

/** The calendars of the settings. */
async function followed(ctx: PluginContext, agenda: Agenda, settings: Settings): Promise<Calendar[]> {
  const all: Calendar[] = [];
  for (const name of settings.calendars) {
    const calendar = await agenda.calendar(ctx, name);
    if (calendar === undefined) throw new CalendarMissing(name);
    if (!all.some((one) => one.id === calendar.id)) all.push(calendar);
  }
  return all;
}
