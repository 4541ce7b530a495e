/** `setup`: leads a person through the set-up. */

import type { PluginContext } from "../context.ts";
import type { AccountId } from "../generated.ts";

/** One page of the set-up. `error` says what was wrong with the answer before. */
export type SetupStep =
  /** Asks for a setting; the host checks it against the manifest's schema and stores it under `field`. */
  | { kind: "input"; field: string; title: string; help: string; error?: string }
  /** Asks for a secret; the host stores it under `secret` and never shows it to the plugin's log. */
  | { kind: "secret"; secret: string; title: string; help: string; error?: string }
  /** Sends the person to a provider. */
  | { kind: "oauth"; provider: string; title: string; help: string; error?: string }
  /** Shows a code to scan and asks again until the step changes. */
  | { kind: "qr"; text: string; title: string; help: string; error?: string }
  /** Lets the person choose. */
  | { kind: "choice"; field: string; title: string; options: { value: string; label: string }[]; error?: string }
  /** Finished. */
  | { kind: "done"; account: AccountId; name: string };

/** Leads a person through the set-up: a state machine whose state is the settings and secrets stored so far. */
export interface SetupAdapter {
  /**
   * The step to show now. Called again after each answer has been stored. May ask the platform whether it takes what was
   * stored; may not throw when the platform does not answer (the step's `error` says so), and may not store anything itself.
   */
  next(ctx: PluginContext): Promise<SetupStep>;
}
