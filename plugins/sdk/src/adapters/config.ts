/** `config`: which accounts there are. */

import type { PluginContext } from "../context.ts";
import type { AccountId } from "../generated.ts";

/** One account of a channel. */
export interface AccountInfo {
  /** As drafts carry it. */
  id: AccountId;
  /** Name to show. */
  name: string;
}

/**
 * Which accounts the settings give. The settings themselves are described by the manifest's `settings` schema. May not call
 * the network and may not write: it is asked whenever the window draws a list.
 */
export interface ConfigAdapter {
  /** Accounts that are set up, the most used one first. */
  accounts(ctx: PluginContext): Promise<AccountInfo[]>;
}
