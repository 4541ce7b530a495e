/** A channel: ten parts, of which only `outbound` must be there. A part that is there is an ability. */

import type { AuthAdapter } from "./adapters/auth.ts";
import type { ConfigAdapter } from "./adapters/config.ts";
import type { DirectoryAdapter } from "./adapters/directory.ts";
import type { HeartbeatAdapter } from "./adapters/heartbeat.ts";
import type { MessagingAdapter } from "./adapters/messaging.ts";
import type { OutboundAdapter } from "./adapters/outbound.ts";
import type { SecurityAdapter } from "./adapters/security.ts";
import type { SetupAdapter } from "./adapters/setup.ts";
import type { StatusAdapter } from "./adapters/status.ts";
import type { ThreadingAdapter } from "./adapters/threading.ts";
import type { ChannelCapabilities, ChannelId } from "./generated.ts";

/** A channel as a plugin registers it. */
export interface Channel {
  /** Declared in the manifest's `contributes.channels`. */
  id: ChannelId;
  /** How it is shown. */
  meta: { label: string; icon?: string };
  /** What the platform can do; data, read without calling the plugin. */
  capabilities: ChannelCapabilities;
  /** Writes to the platform. */
  outbound: OutboundAdapter;
  /** Reads from the platform. */
  messaging?: MessagingAdapter;
  /** Signs in and checks the sign-in. */
  auth?: AuthAdapter;
  /** Which accounts there are. */
  config?: ConfigAdapter;
  /** Leads a person through the set-up. */
  setup?: SetupAdapter;
  /** Shows that somebody is writing. */
  heartbeat?: HeartbeatAdapter;
  /** Knows people and groups. */
  directory?: DirectoryAdapter;
  /** Knows the platform's dangers. */
  security?: SecurityAdapter;
  /** Knows how threads work there. */
  threading?: ThreadingAdapter;
  /** Looks whether the platform answers. */
  status?: StatusAdapter;
}
