/** The settings as this plugin reads them. */

import type { ChatType, PluginContext } from "@kata-agents/plugin-sdk";

/** Settings with their defaults. */
export interface Settings {
  outUrl: string | undefined;
  signature: "kata" | "github";
  toleranceMs: number;
  mapping: string;
  chatType: ChatType;
  answerInResponse: boolean;
}

/** Reads them. */
export function settingsOf(ctx: PluginContext): Settings {
  const { outUrl, signature, toleranceSeconds, mapping, chatType, answerInResponse } = ctx.config;
  return {
    outUrl: typeof outUrl === "string" && outUrl !== "" ? outUrl : undefined,
    signature: signature === "github" ? "github" : "kata",
    toleranceMs: (typeof toleranceSeconds === "number" ? toleranceSeconds : 300) * 1000,
    mapping: typeof mapping === "string" ? mapping : "",
    chatType: chatType === "group" ? "group" : "direct",
    answerInResponse: answerInResponse === true,
  };
}

/** The shared secret, or nothing while there is none. */
export async function secretOf(ctx: PluginContext): Promise<string | undefined> {
  const secret = (await ctx.secrets.get("signingSecret"))?.trim();
  return secret === "" ? undefined : secret;
}
