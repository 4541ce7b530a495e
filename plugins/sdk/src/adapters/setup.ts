/** `setup`: leads a person through the set-up. */

import type { PluginContext } from "../context.ts";
import type { SetupStep } from "../generated.ts";

/** Leads a person through the set-up: a state machine whose state is the settings and secrets stored so far. */
export interface SetupAdapter {
  /**
   * The step to show now. Called again after each answer has been stored. May ask the platform whether it takes what was
   * stored; may not throw when the platform does not answer (the step's `error` says so), and may not store anything itself
   * but what a sign-in gives it (`ctx.secrets.set`), and may forget what it exchanged for that (`ctx.secrets.delete`).
   */
  next(ctx: PluginContext): Promise<SetupStep>;
}
