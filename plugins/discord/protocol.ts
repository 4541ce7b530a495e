/**
 * Numbers of the gateway, version 10, and what they mean to a person. Source: docs.discord.com/developers, “Opcodes and Status
 * Codes” and “Gateway”.
 */

import type { StatusReport } from "@kata-agents/plugin-sdk";

export const Op = { dispatch: 0, heartbeat: 1, identify: 2, resume: 6, reconnect: 7, invalidSession: 9, hello: 10, ack: 11 } as const;

/** What the bot asks to hear of. */
export const Intent = {
  guilds: 1 << 0,
  guildMessages: 1 << 9,
  guildReactions: 1 << 10,
  directMessages: 1 << 12,
  directReactions: 1 << 13,
  messageContent: 1 << 15,
} as const;

/** Flags of an application that say that a privileged intent is switched on (the second of each pair: for a small bot). */
export const AppFlag = {
  presence: (1 << 12) | (1 << 13),
  members: (1 << 14) | (1 << 15),
  messageContent: (1 << 18) | (1 << 19),
} as const;

/** The code this side closes with where it wants to resume: 1000 and 1001 would end the session. */
export const CLOSE_TO_RESUME = 4900;

/** Longest frame this side may send, in bytes. */
export const FRAME_MAX = 4096;

/** Intents of a bot that reads everything, or only what is addressed to it. */
export function intentsFor(reads: "all" | "addressed"): number {
  const { messageContent, ...always } = Intent;
  const sum = Object.values(always).reduce((all, one) => all | one, 0);
  return reads === "all" ? sum | messageContent : sum;
}

/** After these the session is gone, and a new one is begun. */
const NEW_SESSION = new Set([4003, 4007, 4009]);

/** What the end of a connection means: go on with the session, begin a new one, or wait for a person. */
export type Verdict = { then: "resume" } | { then: "identify" } | { then: "person"; report: StatusReport };

/** What a close code of the server means. */
export function verdictOf(code: number): Verdict {
  const report = FATAL[code];
  if (report !== undefined) return { then: "person", report };
  return { then: NEW_SESSION.has(code) ? "identify" : "resume" };
}

const TOKEN = { kind: "configure", field: "botToken" } as const;

export const TOKEN_MISSING: StatusReport = {
  state: "needs_user",
  code: "token_missing",
  message: "Paste the bot's token: discord.com/developers/applications → your application → Bot → Reset Token.",
  action: TOKEN,
};

export const TOKEN_REFUSED: StatusReport = {
  state: "needs_user",
  code: "token_refused",
  message: "Discord refuses the token. Make a new one (discord.com/developers/applications → your application → Bot → Reset Token) and paste it.",
  action: TOKEN,
};

export const INTENT_OFF: StatusReport = {
  state: "needs_user",
  code: "message_content_intent",
  message:
    "Discord does not let this bot read messages. Switch on “Message Content Intent” (discord.com/developers/applications → your application → Bot → Privileged Gateway Intents); it is looked for every half minute. Or set “What it reads in servers” to “addressed”.",
  action: { kind: "configure", field: "reads" },
};

const wrong = (code: number, message: string): StatusReport => ({ state: "needs_user", code: `gateway_${code}`, message, action: TOKEN });

const FATAL: Readonly<Record<number, StatusReport>> = {
  4004: TOKEN_REFUSED,
  4010: wrong(4010, "Discord refuses how this bot connects (invalid shard). Report it as a fault of the plugin, with this code: 4010."),
  4011: wrong(4011, "This bot is in too many servers for one connection. Make a bot of its own for Kata and paste its token."),
  4012: wrong(4012, "Discord no longer speaks version 10 of its gateway. Update Kata."),
  4013: wrong(4013, "Discord refuses what this bot asks to hear (invalid intents). Update Kata, or report it with this code: 4013."),
  4014: INTENT_OFF,
};
