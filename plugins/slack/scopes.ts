/**
 * What the plugin needs at Slack: scopes and events, each with what it is for. The manifest to paste, the check of the
 * wizard and the audit are made of these lists, so they cannot say different things.
 *
 * Source: docs.slack.dev/reference/scopes and …/reference/app-manifest.
 */

/** Scopes of the bot token, each with what does not work without it. */
export const BOT_SCOPES = {
  "app_mentions:read": "hearing that it is mentioned",
  "channels:history": "reading public channels it is in",
  "channels:read": "names of public channels",
  "chat:write": "answering",
  "commands": "the slash command",
  "files:read": "fetching files",
  "files:write": "sending files",
  "groups:history": "reading private channels it is in",
  "groups:read": "names of private channels",
  "im:history": "direct messages",
  "im:read": "the list of direct messages",
  "im:write": "writing to a person first",
  "mpim:history": "group messages",
  "mpim:read": "names of group messages",
  "reactions:read": "seeing reactions",
  "reactions:write": "reacting",
  "users:read": "names of people",
} as const;

/** Without these the channel does not work at all. */
export const NEEDED = ["chat:write", "im:history"] as const;

/** Events the plugin reads. */
export const BOT_EVENTS = [
  "app_mention",
  "app_uninstalled",
  "message.channels",
  "message.groups",
  "message.im",
  "message.mpim",
  "reaction_added",
  "reaction_removed",
  "tokens_revoked",
] as const;

/** The scope of the app-level token. */
export const APP_SCOPE = "connections:write";

/** Scopes of the list that a token has not. */
export function missing(scopes: readonly string[], wanted: readonly string[] = Object.keys(BOT_SCOPES)): string[] {
  return wanted.filter((scope) => !scopes.includes(scope));
}

/** The app manifest to paste at api.slack.com/apps, as JSON. */
export function appManifest(command: string): string {
  const manifest = {
    display_information: { name: "Kata Agents", description: "An agent on a person's own machine" },
    features: {
      app_home: { home_tab_enabled: false, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
      bot_user: { display_name: "Kata", always_online: false },
      slash_commands: [{ command, description: "Ask the agent, or give it an order", usage_hint: "what to do, or stop, new, status", should_escape: true }],
    },
    oauth_config: { scopes: { bot: Object.keys(BOT_SCOPES) } },
    settings: {
      event_subscriptions: { bot_events: [...BOT_EVENTS] },
      interactivity: { is_enabled: true },
      org_deploy_enabled: false,
      socket_mode_enabled: true,
      token_rotation_enabled: false,
    },
  };
  return JSON.stringify(manifest, null, 2);
}
