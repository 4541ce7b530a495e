/** What a person meets before the channel runs: the sign-in, the label, whether Gmail answers, and what is risky. */

import type { AuthState, PluginContext, Probe, SecurityWarning, SetupOption, SetupStep } from "@kata-agents/plugin-sdk";
import { GoogleError, SignInNeeded } from "@kata-agents/plugin-sdk/google";
import type { Mailbox } from "./mailbox.ts";
import { settingsOf } from "./settings.ts";

/** Labels that can be chosen. */
const MOST_OPTIONS = 100;
const TITLE = "Conversation label";
const HELP =
  "Make a label in Gmail, such as `Kata`, and a filter that puts mail for the agent under it. Mail with this label goes to the agent, and it answers in the thread.";

export async function nextStep(ctx: PluginContext, box: Mailbox): Promise<SetupStep> {
  const { channelLabel } = settingsOf(ctx);
  const ask = (error: string): SetupStep => ({ kind: "input", field: "channelLabel", title: TITLE, help: HELP, error });
  try {
    const { address } = await box.profile(ctx);
    if (channelLabel !== "" && (await box.label(ctx, channelLabel)) !== undefined) return { kind: "done", account: address, name: address };
    const options = (await box.labels(ctx, true)).filter((one) => !one.system || one.id === "STARRED").slice(0, MOST_OPTIONS);
    const error = channelLabel === "" ? null : `There is no label “${channelLabel}” in this account.`;
    if (options.length === 0) return { kind: "input", field: "channelLabel", title: TITLE, help: HELP, error: error ?? "This account has no label of its own yet: make one in Gmail first." };
    return { kind: "choice", field: "channelLabel", title: TITLE, help: HELP, options: options.map(({ name }): SetupOption => ({ value: name, label: name })), error };
  } catch (error) {
    if (error instanceof SignInNeeded) return ask("Sign in at Google first: the button “Sign in” beside Gmail, or `kata sources login service:gmail:gmail`.");
    return ask(`${sentence(error)} Then go on here.`);
  }
}

function sentence(error: unknown): string {
  if (error instanceof SignInNeeded) return "Nobody is signed in at Google.";
  if (error instanceof GoogleError) return `Google answers with ${error.status}${error.reason === "" ? "" : ` (${error.reason})`}.`;
  return "Google does not answer.";
}

export async function validate(ctx: PluginContext, box: Mailbox): Promise<AuthState> {
  try {
    const { address } = await box.profile(ctx);
    return { ok: true, account: address, name: address };
  } catch (error) {
    if (!(error instanceof SignInNeeded)) throw error;
    return { ok: false, code: "signed_out", message: error.message, action: { kind: "relogin" } };
  }
}

export async function probe(ctx: PluginContext, box: Mailbox): Promise<Probe> {
  const start = Date.now();
  try {
    const { address } = await box.profile(ctx);
    return { ok: true, latencyMs: Date.now() - start, message: `Gmail answers for ${address}.` };
  } catch (error) {
    return { ok: false, latencyMs: Math.max(0, Date.now() - start), message: sentence(error) };
  }
}

export async function warnings(ctx: PluginContext): Promise<SecurityWarning[]> {
  const { senderCheck, channelLabel } = settingsOf(ctx);
  const found: SecurityWarning[] = [];
  if (senderCheck === "none") found.push({ code: "senders_unchecked", message: "Senders are not checked: whoever writes an allowed address into From is taken for that person." });
  if (channelLabel.toUpperCase() === "INBOX") found.push({ code: "whole_inbox", message: "The whole inbox is the agent's conversation: everybody who writes to you reaches the channel's policy. A label of its own is safer." });
  return found;
}
