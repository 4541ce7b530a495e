/** Sends over the Cloud API: texts, files, buttons, reactions, read and typing marks. */

import { type Media, type OutboundMessage, type PluginContext, type Receipt, type ReplyRoute, SendError } from "@kata-agents/plugin-sdk";
import { PartialSends } from "@kata-agents/plugin-sdk/sending";
import { graph, graphCode, isRefused, sendError } from "./cloud-api.ts";
import { type Cloud, cloudOf } from "./cloud-settings.ts";
import { BODY_MAX, partsOf } from "./render.ts";

/** Most bytes of a file both ways; WhatsApp takes more of some kinds, a plugin's memory does not. */
export const FILES_MAX = 5_000_000;
/** Most buttons under a message, and the longest words on one. */
export const BUTTONS_MAX = 3;
const LABEL_MAX = 20;
/** Longest variable of a template. */
const VARIABLE_MAX = 1_000;

/** What the channel is told of a refused token, and of one that works again. */
export interface TokenWatch {
  refused: string | undefined;
}

async function must(ctx: PluginContext): Promise<Cloud> {
  const cloud = await cloudOf(ctx);
  if ("field" in cloud) throw new SendError({ code: "unauthorized", message: cloud.message, certain: true });
  return cloud;
}

/** Sends one message, as many of WhatsApp's as it takes. */
export async function send(message: OutboundMessage, ctx: PluginContext, watch: TokenWatch): Promise<Receipt> {
  const cloud = await must(ctx);
  const payloads = plan(message);
  if (payloads.length === 0) throw new SendError({ code: "invalid", message: "there is nothing to send", certain: true });
  const partial = new PartialSends(ctx.state);
  const sent = payloads.length > 1 ? await partial.read(message.idempotencyKey) : [];
  for (const [index, payload] of payloads.entries()) {
    if (index < sent.length) continue;
    try {
      sent.push(await post(cloud, message.route.conversation, "file" in payload ? await uploaded(cloud, payload.file, payload.caption, ctx) : payload.body, message.text, ctx));
      watch.refused = undefined;
    } catch (error) {
      if (isRefused(error)) watch.refused = cloud.token;
      throw sendError(error);
    }
    if (index < payloads.length - 1) await partial.write(message.idempotencyKey, sent);
  }
  if (payloads.length > 1) await partial.forget(message.idempotencyKey);
  return { messageIds: sent };
}

type Payload = { body: Record<string, unknown> } | { file: Media; caption: string };

/** Files first, the first with the text as its caption where that fits; else texts; buttons under the last one. */
function plan(message: OutboundMessage): Payload[] {
  const files = [...(message.attachments ?? [])];
  const buttons = (message.buttons ?? []).slice(0, BUTTONS_MAX);
  const texts = message.text.trim() === "" ? [] : partsOf(message.text);
  const captioned = files.length > 0 && buttons.length === 0 && texts.length === 1 && (texts[0] ?? "").length <= BODY_MAX && files[0]?.kind !== "audio" && files[0]?.kind !== "voice";
  const payloads: Payload[] = files.map((file, index) => ({ file, caption: captioned && index === 0 ? (texts[0] ?? "") : "" }));
  if (captioned) return payloads;
  for (const text of texts) payloads.push({ body: { type: "text", text: { body: text, preview_url: true } } });
  if (buttons.length > 0) {
    const last = texts.at(-1);
    const fits = last !== undefined && last.length <= BODY_MAX;
    if (fits) payloads.pop();
    const reply = buttons.map(({ id, label }) => ({ type: "reply", reply: { id, title: label.length > LABEL_MAX ? `${label.slice(0, LABEL_MAX - 1)}…` : label } }));
    payloads.push({ body: { type: "interactive", interactive: { type: "button", body: { text: fits ? last : "…" }, action: { buttons: reply } } } });
  }
  return payloads;
}

async function uploaded(cloud: Cloud, file: Media, caption: string, ctx: PluginContext): Promise<Record<string, unknown>> {
  if (file.bytes > FILES_MAX) throw new SendError({ code: "invalid", message: `the file has more than ${FILES_MAX} bytes`, certain: true });
  const form = new FormData();
  form.append("messaging_product", "whatsapp");
  form.append("type", file.mime);
  form.append("file", new File([await ctx.media.read(file.id)], file.name, { type: file.mime }));
  const { id } = await graph(cloud, `${cloud.phone}/media`, { body: form, signal: ctx.signal });
  const kind = file.kind === "voice" ? "audio" : file.kind === "file" ? "document" : file.kind;
  // WhatsApp shows only these as pictures; others are sent as files.
  const type = kind === "image" && !/^image\/(jpeg|png)$/.test(file.mime) ? "document" : kind;
  return { type, [type]: { id, ...(caption === "" || type === "audio" ? {} : { caption }), ...(type === "document" ? { filename: file.name } : {}) } };
}

async function post(cloud: Cloud, to: string, payload: Record<string, unknown>, text: string, ctx: PluginContext): Promise<string> {
  const message = (body: Record<string, unknown>) => ({ messaging_product: "whatsapp", recipient_type: "individual", to, ...body });
  const ask = (body: Record<string, unknown>) => graph(cloud, `${cloud.phone}/messages`, { body: message(body), signal: ctx.signal });
  let answer: Record<string, unknown>;
  try {
    answer = await ask(payload);
  } catch (error) {
    // Outside the 24 hours only a template gets through.
    if (graphCode(error) !== 131_047 || cloud.template === undefined || text === "") throw error;
    const { name, language } = cloud.template;
    const words = text.replace(/\s+/g, " ").slice(0, VARIABLE_MAX);
    const components = [{ type: "body", parameters: [{ type: "text", text: words }] }];
    answer = await ask({ type: "template", template: { name, language: { code: language }, components } });
  }
  const { messages } = answer;
  const id = Array.isArray(messages) ? (messages[0] as { id?: unknown } | undefined)?.id : undefined;
  if (typeof id !== "string" || id === "") throw new SendError({ code: "unreachable", message: "WhatsApp: the answer names no message", certain: false });
  return id;
}

/** Marks the answered message as read and shows that somebody writes: 25 seconds, or until the answer is there. */
export async function typing(route: ReplyRoute, ctx: PluginContext): Promise<void> {
  const cloud = await cloudOf(ctx);
  if ("field" in cloud || !route.replyTo) return;
  const body = { messaging_product: "whatsapp", status: "read", message_id: route.replyTo, typing_indicator: { type: "text" } };
  await graph(cloud, `${cloud.phone}/messages`, { body, signal: ctx.signal, timeoutMs: 5_000 });
}

/** Sets or takes back the bot's reaction. */
export async function react(messageId: string, emoji: string | null, route: ReplyRoute, ctx: PluginContext): Promise<void> {
  const cloud = await must(ctx);
  const body = { messaging_product: "whatsapp", recipient_type: "individual", to: route.conversation, type: "reaction", reaction: { message_id: messageId, emoji: emoji ?? "" } };
  try {
    await graph(cloud, `${cloud.phone}/messages`, { body, signal: ctx.signal });
  } catch (error) {
    throw sendError(error);
  }
}
