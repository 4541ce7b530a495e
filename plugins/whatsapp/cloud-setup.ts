/** What a person meets before the channel runs by the Cloud API, and whether the number answers. */

import type { AuthState, ConnectContext, PluginContext, Probe, SecurityWarning, SetupStep, StatusReport } from "@kata-agents/plugin-sdk";
import { backoff, type Clock, messageOf } from "@kata-agents/plugin-sdk/sending";
import { graph, graphCode, isRefused } from "./cloud-api.ts";
import type { TokenWatch } from "./cloud-outbound.ts";
import type { Door } from "./cloud-route.ts";
import { cloudOf, missing, type Missing } from "./cloud-settings.ts";

/** Between two looks at whether something has changed. */
const LOOK_MS = 10_000;
/** Between two questions to Meta whether the token still works. */
const CHECK_MS = 600_000;

const TERMS =
  "**Meta's terms of the Business Platform forbid general-purpose AI assistants since 2026-01-15.** A number that answers for your business is allowed; an assistant for everything is not, and Meta may close the account.";

const STEPS: Readonly<Record<Missing["field"], { title: string; help: string }>> = {
  phoneNumberId: { title: "Phone number ID", help: `${TERMS}\n\nAt developers.facebook.com make an app of type Business and add WhatsApp. Copy the **phone number ID** from WhatsApp → API setup.` },
  accessToken: { title: "Access token", help: "Business settings → System users → Generate token, for the app, with `whatsapp_business_messaging`. The token of the API setup page runs out after a day." },
  appSecret: { title: "App secret", help: "App settings → Basic → App secret. With it the plugin knows that a message is from Meta." },
  verifyToken: {
    title: "Verify token",
    help: "Any text of your own. Give it, and your tunnel's address with `/hooks/whatsapp/cloud` behind it, to WhatsApp → Configuration → Webhook, and subscribe to `messages`. How to make a tunnel: docs/channels/whatsapp.md.",
  },
};

function stepOf({ field }: Missing, error?: string): SetupStep {
  const words = error === undefined ? STEPS[field] : { ...STEPS[field], error };
  return field === "phoneNumberId" ? { kind: "input", field, ...words } : { kind: "secret", secret: field, ...words };
}

/** The number's names, from Meta. */
async function look(ctx: PluginContext): Promise<{ phone: string; name: string }> {
  const cloud = await cloudOf(ctx);
  if ("field" in cloud) throw new Error(cloud.message);
  const answer = await graph(cloud, `${cloud.phone}?fields=display_phone_number,verified_name,quality_rating`, { signal: ctx.signal, timeoutMs: 9_000 });
  const words = (value: unknown) => (typeof value === "string" ? value : "");
  return { phone: cloud.phone, name: [words(answer["verified_name"]), words(answer["display_phone_number"])].filter((one) => one !== "").join(" ") || cloud.phone };
}

export async function nextStep(ctx: PluginContext): Promise<SetupStep> {
  const first = await missing(ctx);
  if (first !== undefined && (first.field === "phoneNumberId" || first.field === "accessToken")) return stepOf(first);
  try {
    const { phone, name } = await look(ctx);
    return first === undefined ? { kind: "done", account: phone, name } : stepOf(first);
  } catch (error) {
    if (isRefused(error)) return stepOf({ field: "accessToken", message: "" }, "Meta refuses the token.");
    if (graphCode(error) === 100) return stepOf({ field: "phoneNumberId", message: "" }, "Meta knows no such number, or the token is not for it.");
    return stepOf({ field: "accessToken", message: "" }, "Meta does not answer, so the token could not be tried. Try again.");
  }
}

export async function validate(ctx: PluginContext): Promise<AuthState> {
  const first = await missing(ctx);
  if (first !== undefined) return { ok: false, code: `${first.field}_missing`, message: first.message, action: { kind: "configure", field: first.field } };
  try {
    const { phone, name } = await look(ctx);
    return { ok: true, account: phone, name };
  } catch (error) {
    if (!isRefused(error)) throw error;
    return { ok: false, code: "token_refused", message: "Meta refuses the access token.", action: { kind: "configure", field: "accessToken" } };
  }
}

export async function probe(ctx: PluginContext): Promise<Probe> {
  const start = Date.now();
  try {
    const state = await validate(ctx);
    return { ok: state.ok, latencyMs: Date.now() - start, message: state.ok ? `WhatsApp answers for ${state.name}.` : state.message };
  } catch (error) {
    return { ok: false, latencyMs: Date.now() - start, message: `WhatsApp does not answer as it should (${messageOf(error)}).` };
  }
}

export async function warnings(): Promise<SecurityWarning[]> {
  return [
    { code: "terms", message: "Meta's terms forbid general-purpose AI assistants on the Business Platform since 2026-01-15; the account may be closed." },
    { code: "tunnel", message: "Messages come through a public address: let the tunnel pass /hooks/whatsapp/ and nothing else." },
  ];
}

const REFUSED: StatusReport = {
  state: "needs_user",
  code: "token_refused",
  message: "Meta refuses the access token: it is wrong, has run out or was taken back.",
  action: { kind: "configure", field: "accessToken" },
};

/** Is up as long as the host wants it; messages come by the route meanwhile. Looks now and then whether the token still works. */
export async function stayUp(ctx: ConnectContext, door: Door, watch: TokenWatch, clock: Clock, random: () => number): Promise<void> {
  door.connected = ctx;
  const waits = backoff(random, { firstMs: 1_000, maxMs: 60_000 });
  let checked: { token: string; at: number } | undefined;
  ctx.status({ state: "connecting" });
  try {
    while (!ctx.signal.aborted) {
      const first = await missing(ctx);
      const cloud = await cloudOf(ctx);
      if (first !== undefined || "field" in cloud) {
        const { field, message } = first ?? (cloud as Missing);
        ctx.status({ state: "needs_user", code: `${field}_missing`, message, action: { kind: "configure", field } });
      } else if (watch.refused === cloud.token) ctx.status(REFUSED);
      else if (checked?.token === cloud.token && clock.now() - checked.at < CHECK_MS) ctx.status({ state: "running" });
      else {
        try {
          await look(ctx);
          checked = { token: cloud.token, at: clock.now() };
          waits.reset();
          ctx.status({ state: "running" });
        } catch (error) {
          if (ctx.signal.aborted) return;
          if (isRefused(error)) watch.refused = cloud.token;
          else {
            const ms = waits.next();
            ctx.status({ state: "degraded", code: "unreachable", message: "WhatsApp does not answer; trying again. Messages that come meanwhile are taken." });
            await clock.sleep(ms, ctx.signal);
          }
          continue;
        }
      }
      await clock.sleep(LOOK_MS, ctx.signal);
    }
  } finally {
    if (door.connected === ctx) door.connected = undefined;
  }
}
