/** Answers of the agent into the thread they belong to: to whoever wrote the message that is answered, and to nobody else. */

import { type OutboundMessage, type PluginContext, type Receipt, SendError } from "@kata-agents/plugin-sdk";
import type { Enclosure } from "@kata-agents/plugin-sdk/mail";
import { FILES_MAX, sendError } from "./channel.ts";
import { answerTo, checkSize, written } from "./letters.ts";
import type { Mail } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import { settingsOf } from "./settings.ts";

/** Sends. */
export async function send(message: OutboundMessage, ctx: PluginContext, box: Mailbox): Promise<Receipt> {
  const settings = settingsOf(ctx);
  let raw: Iterable<string>;
  try {
    const own = await box.address(ctx);
    const answered = answeredOf(await box.thread(ctx, message.route.conversation), message.route.replyTo ?? undefined, own);
    if (answered === undefined) throw wrong("not_found", "the thread has no message of anybody else");
    const { thread: _, ...answer } = answerTo(answered, own, { all: false, replyTo: false });
    raw = await written({ ...answer, text: message.text, files: await enclosures(message, ctx), automatic: "auto-replied" }, { box, ctx, settings, key: message.idempotencyKey });
  } catch (error) {
    // Nothing was written anywhere so far.
    throw sendError(error, true);
  }
  try {
    const { id } = await box.send(ctx, raw, message.route.conversation, false);
    return { messageIds: [id] };
  } catch (error) {
    throw sendError(error);
  }
}

/** The message that is answered: the one that is named, else the newest of somebody else. */
function answeredOf(thread: readonly Mail[], named: string | undefined, own: string): Mail | undefined {
  const exact = thread.find((one) => one.id === named);
  if (exact !== undefined) return exact;
  return thread.findLast((one) => !one.labels.includes("SENT") && !one.labels.includes("DRAFT") && !(one.headers.raw("from") ?? "").toLowerCase().includes(`<${own}>`));
}

async function enclosures({ attachments = [] }: OutboundMessage, ctx: PluginContext): Promise<Enclosure[]> {
  const large = checkSize(attachments, attachments.reduce((sum, one) => sum + one.bytes, 0), FILES_MAX);
  if (large !== undefined) throw wrong("invalid", large);
  const files: Enclosure[] = [];
  for (const { id, name, mime } of attachments) {
    const bytes = await ctx.media.read(id).catch(() => {
      throw wrong("invalid", `the file ${name} is no longer there`);
    });
    files.push({ name, mime, bytes });
  }
  return files;
}

const wrong = (code: "invalid" | "not_found", message: string) => new SendError({ code, message, certain: true });
