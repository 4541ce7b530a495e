/** `auth`: signs in and checks the sign-in. */

import type { PluginContext, UserAction } from "../context.ts";
import type { AccountId } from "../generated.ts";

/** Whether the platform accepts the sign-in. */
export type AuthState =
  /** Accepted; `account` as drafts will carry it. */
  | { ok: true; account: AccountId; name: string }
  /** Not accepted; `message` is one sentence for a person. */
  | { ok: false; code: string; message: string; action: UserAction };

/**
 * Signs in and checks the sign-in. No method may send a message, keep a secret anywhere but where the host keeps it, or try
 * again by itself: a refused sign-in waits for a person.
 */
export interface AuthAdapter {
  /** Asks the platform. Throws only if the platform cannot be reached. */
  validate(ctx: PluginContext): Promise<AuthState>;
  /** Signs in, where that is more than storing a secret. */
  login?(ctx: PluginContext): Promise<AuthState>;
  /** Signs out at the platform. */
  logout?(ctx: PluginContext): Promise<void>;
}
