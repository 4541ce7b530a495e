/** What a person meets before the channel runs: the secret, the address for answers, and whether they fit. */

import type { PluginContext, Probe, SecurityWarning, SetupStep, StatusReport } from "@kata-agents/plugin-sdk";
import { ACCOUNT, BadRequest, parseMapping } from "./mapping.ts";
import { secretOf, settingsOf } from "./settings.ts";
import { signKata } from "./signature.ts";

/** Shortest secret that is taken without a warning, characters. */
const SHORT = 16;

/** What is wrong with the settings, in words; nothing when they can be used. */
export function mistake(ctx: PluginContext): string | undefined {
  const { mapping } = settingsOf(ctx);
  try {
    parseMapping(mapping);
    return undefined;
  } catch (error) {
    if (error instanceof BadRequest) return error.message;
    throw error;
  }
}

/** How the channel stands: everything there is to know without a request. */
export async function standing(ctx: PluginContext): Promise<StatusReport> {
  const configure = (field: string) => ({ kind: "configure", field }) as const;
  if ((await secretOf(ctx)) === undefined) {
    return { state: "needs_user", code: "secret_missing", message: "Set the secret that requests are signed with.", action: configure("signingSecret") };
  }
  const wrong = mistake(ctx);
  if (wrong !== undefined) return { state: "needs_user", code: "mapping_wrong", message: wrong, action: configure("mapping") };
  const { outUrl, answerInResponse } = settingsOf(ctx);
  if (outUrl === undefined && !answerInResponse) {
    return { state: "needs_user", code: "address_missing", message: "Set the address for answers, or let them be given in the response.", action: configure("outUrl") };
  }
  return { state: "running" };
}

export async function nextStep(ctx: PluginContext): Promise<SetupStep> {
  if ((await secretOf(ctx)) === undefined) {
    return {
      kind: "secret",
      secret: "signingSecret",
      title: "Signing secret",
      help: "A long random text that only the two sides know, such as the output of `openssl rand -hex 32`. Requests to `/hooks/webhook/in` must be signed with it, and answers are.",
    };
  }
  const { outUrl, answerInResponse } = settingsOf(ctx);
  if (outUrl === undefined && !answerInResponse) {
    return {
      kind: "input",
      field: "outUrl",
      title: "Address for answers",
      help: "Answers are posted to this address as JSON, signed with the same secret. Typing it in allows the plugin this one host.",
    };
  }
  const wrong = mistake(ctx);
  if (wrong !== undefined) return { kind: "input", field: "mapping", title: "Mapping", help: "Where the fields are found in foreign JSON.", error: wrong };
  const secret = "Receivers and senders must have the very same text.";
  if ((await look(ctx)) === "refused") return { kind: "secret", secret: "signingSecret", title: "Signing secret", help: secret, error: "The address for answers refuses our signature (401)." };
  return { kind: "done", account: ACCOUNT, name: "Webhook" };
}

/** Longest wait for one look. */
const LOOK_MS = 9_000;

/** Whether the receiver is there: a signed OPTIONS request, which is no message. What it answers says only whether it refuses us. */
async function look(ctx: PluginContext): Promise<"there" | "refused" | "away" | "none"> {
  const { outUrl } = settingsOf(ctx);
  const secret = await secretOf(ctx);
  if (outUrl === undefined || secret === undefined) return "none";
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), LOOK_MS);
  try {
    const headers = { "x-kata-signature": await signKata(secret, new Uint8Array(), Date.now()) };
    const response = await fetch(outUrl, { method: "OPTIONS", redirect: "manual", headers, signal: abort.signal });
    await response.body?.cancel();
    return response.status === 401 ? "refused" : "there";
  } catch {
    return "away";
  } finally {
    clearTimeout(timer);
  }
}

export async function probe(ctx: PluginContext): Promise<Probe> {
  const { state, message } = await standing(ctx);
  if (state !== "running") return { ok: false, latencyMs: 0, message: message ?? "" };
  const start = Date.now();
  const found = await look(ctx);
  const latencyMs = Date.now() - start;
  if (found === "away") return { ok: false, latencyMs, message: "The address for answers does not answer." };
  if (found === "refused") return { ok: false, latencyMs, message: "The address for answers refuses our signature (401)." };
  return { ok: true, latencyMs, message: "Requests are taken at /hooks/webhook/in." };
}

export async function warnings(ctx: PluginContext): Promise<SecurityWarning[]> {
  const found: SecurityWarning[] = [];
  const secret = await secretOf(ctx);
  const { outUrl, signature } = settingsOf(ctx);
  if (secret !== undefined && secret.length < SHORT) {
    found.push({ code: "short_secret", message: `The signing secret has ${secret.length} characters; one that can be guessed lets anybody in.` });
  }
  if (signature === "github") {
    found.push({ code: "no_time", message: "Signatures of the form “github” have no time in them: a request that was listened in on can be sent again; only its id is checked." });
  }
  if (outUrl?.startsWith("http://") === true && !/^http:\/\/(localhost|127\.|\[::1\])/.test(outUrl)) {
    found.push({ code: "plain_http", message: "Answers leave over plain http: whoever is on the way can read them." });
  }
  return found;
}
