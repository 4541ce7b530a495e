/**
 * The planned work of a service, driven by the fake clock. Intervals and single times run by themselves; a cron line does not (the
 * host reads those): a test runs such a job with `run`.
 */

import type { Job } from "../api.ts";
import type { PluginContext } from "../context.ts";

/** Jobs a service has planned. */
export class FakeJobs {
  readonly #jobs = new Map<string, { job: Job; context: PluginContext; timer: ReturnType<typeof setTimeout> | undefined; running: boolean }>();
  /** What jobs threw, oldest first. */
  readonly errors: { id: string; error: unknown }[] = [];
  /** How often the service said that it is busy. */
  busy = 0;

  /** Every planned job, in the order of planning. */
  get planned(): readonly Job[] {
    return [...this.#jobs.values()].map((one) => one.job);
  }

  /** Plans one, as `ctx.schedule` does. */
  schedule(job: Job, context: PluginContext): void {
    if (!job.id) throw new TypeError("schedule: `id` is missing");
    if ("every" in job.when && !(job.when.every >= 5 && job.when.every <= 86_400)) {
      throw new TypeError(`schedule: \`when.every\` of “${job.id}” must be from 5 to 86,400 seconds`);
    }
    this.unschedule(job.id);
    if (this.#jobs.size >= 32) throw new TypeError("schedule: a service plans at most 32 jobs");
    const one = { job, context, timer: undefined, running: false };
    this.#jobs.set(job.id, one);
    if ("every" in job.when) this.#after(job.id, job.when.every * 1000);
    if ("at" in job.when) this.#after(job.id, Math.max(0, job.when.at - Date.now()));
    context.signal.addEventListener("abort", () => this.unschedule(job.id));
  }

  /** Takes one away. */
  unschedule(id: string): void {
    clearTimeout(this.#jobs.get(id)?.timer);
    this.#jobs.delete(id);
  }

  /** Runs one now, whatever its time; resolves when it has ended, and throws what it threw. */
  async run(id: string): Promise<void> {
    const one = this.#jobs.get(id);
    if (!one) throw new Error(`no job “${id}” is planned`);
    if (one.running) throw new Error(`“${id}” runs already`);
    one.running = true;
    try {
      await one.job.run(one.context, Date.now());
    } finally {
      one.running = false;
    }
  }

  #after(id: string, ms: number): void {
    const one = this.#jobs.get(id);
    if (!one) return;
    one.timer = setTimeout(() => {
      const { job } = one;
      if ("every" in job.when) this.#after(id, job.when.every * 1000);
      // Never twice at a time: a run that takes longer than its interval leaves a time out.
      if (!one.running) {
        void this.run(id)
          .catch((error: unknown) => void this.errors.push({ id, error }))
          .finally(() => {
            if ("at" in job.when && this.#jobs.get(id) === one) this.#jobs.delete(id);
          });
      }
    }, ms);
  }
}
