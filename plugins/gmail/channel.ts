/** The channel: mail with one label goes to the agent, answers go into its thread. Reading; sending is in `outbound.ts`. */

import { type ConnectContext, type DraftAttachment, type InboundDraft, type Media, type PluginContext, SendError } from "@kata-agents/plugin-sdk";
import { GoogleError, isObject, SignInNeeded, text } from "@kata-agents/plugin-sdk/google";
import { ancestors, bareSubject, judge, type Rules } from "@kata-agents/plugin-sdk/mail";
import { backoff, type Clock } from "@kata-agents/plugin-sdk/sending";
import { Follower } from "./follow.ts";
import type { FilePart, Mail } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import { settingsOf } from "./settings.ts";
import { LabelMissing, NotStored, troubleOf } from "./standing.ts";

/** Most bytes of all files of a message, either way: they come as base64 in JSON, and a plugin has 32 MiB for everything. */
export const FILES_MAX = 3_000_000;
const MOST_FILES = 10;
/** Whose `Authentication-Results` count: Gmail's own. */
export const AUTH_SERVER = "mx.google.com";

/** Reads as long as the channel is connected. */
export async function connect(ctx: ConnectContext, box: Mailbox, clock: Clock): Promise<void> {
  const settings = settingsOf(ctx);
  const follower = new Follower(box, "follow:channel", true);
  const waits = backoff(Math.random, { firstMs: 1_000, maxMs: 60_000 });
  ctx.status({ state: "connecting" });
  while (!ctx.signal.aborted) {
    try {
      if (settings.channelLabel === "") throw new LabelMissing("channelLabel", "");
      const label = await box.label(ctx, settings.channelLabel);
      if (label === undefined) throw new LabelMissing("channelLabel", settings.channelLabel);
      await follower.look(ctx, label.id, async (mail, address) => {
        const taken = draftOf(mail, { own: address, senderCheck: settings.senderCheck, authServer: AUTH_SERVER });
        if ("left" in taken) return ctx.logger.debug(`a message is left out: ${taken.left}`);
        await ctx.receive(taken.draft).catch(() => {
          throw new NotStored();
        });
      });
      waits.reset();
      ctx.status({ state: "running", message: `Takes in “${label.name}”.` });
      await clock.sleep(settings.pollSeconds * 1000, ctx.signal);
    } catch (error) {
      if (ctx.signal.aborted) return;
      const trouble = troubleOf(error);
      if (trouble === undefined) throw error;
      ctx.status(trouble.report);
      // Only a person can mend it, and the host connects anew when that is done.
      if (trouble.waitMs === undefined) return aborted(ctx.signal);
      await clock.sleep(waits.next(trouble.waitMs), ctx.signal);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve());
  });

/** What a message says to the agent, or why it is left out. */
export function draftOf(mail: Mail, rules: Rules): { draft: InboundDraft } | { left: string } {
  const verdict = judge(mail.headers, rules);
  if (!verdict.ok) return { left: verdict.why };
  const { sender } = verdict;
  const subject = bareSubject(mail.headers.text("subject") ?? "");
  const begins = ancestors(mail.headers, undefined).length === 0;
  const words = [begins ? subject : "", mail.words].filter((one) => one !== "").join("\n\n");
  const files = mail.files.slice(0, MOST_FILES);
  return {
    draft: {
      account: rules.own,
      messageId: mail.id,
      conversation: mail.thread,
      conversationName: subject === "" ? null : subject.slice(0, 200),
      chatType: "direct",
      sender: { id: sender.address, name: sender.name, isBot: false },
      text: words === "" && files.length === 0 ? "[The message has no text.]" : words,
      replyTo: null,
      mentionsBot: true,
      sentAt: mail.at === 0 ? null : mail.at,
      ...(files.length === 0 ? {} : { attachments: files.map((file) => attachmentOf(mail.id, file)) }),
    },
  };
}

export function kindOf(mime: string): "image" | "audio" | "video" | "file" {
  const kind = mime.split("/")[0];
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}

function attachmentOf(message: string, { part, name, mime, bytes }: FilePart): DraftAttachment {
  return { reference: JSON.stringify({ m: message, p: part }), kind: kindOf(mime), name, mime, bytes };
}

const gone = (message: string) => new SendError({ code: "not_found", message, certain: true });

/** Fetches a file of a message. */
export async function download(attachment: DraftAttachment, ctx: PluginContext, box: Mailbox): Promise<Media> {
  const reference: unknown = JSON.parse(attachment.reference);
  const message = isObject(reference) ? text(reference["m"]) : undefined;
  if (!isObject(reference) || message === undefined) throw gone("the file's reference cannot be read");
  const large = new SendError({ code: "invalid", message: `${attachment.name} has more than ${FILES_MAX} bytes`, certain: true });
  if ((attachment.bytes ?? 0) > FILES_MAX) throw large;
  try {
    const mail = await box.read(ctx, message);
    const file = mail?.files.find((one) => one.part === reference["p"]);
    if (file === undefined) throw gone("the message or its file is no longer in the mailbox");
    if (file.bytes > FILES_MAX) throw large;
    return await ctx.media.put(await box.file(ctx, message, file), { name: file.name, mime: file.mime, kind: kindOf(file.mime) });
  } catch (error) {
    throw sendError(error, true);
  }
}

/** What a failure means for a send or a download. `reads`: it changes nothing, so it is always certain. */
export function sendError(error: unknown, reads = false): unknown {
  if (error instanceof SendError) return error;
  if (error instanceof SignInNeeded) return new SendError({ code: "unauthorized", message: error.message, certain: true });
  if (!(error instanceof GoogleError)) {
    const sent = (error as { sent?: unknown } | null)?.sent;
    return new SendError({ code: "unreachable", message: sent === undefined ? "Gmail: it failed in the plugin" : "Gmail cannot be reached", certain: reads || sent === false });
  }
  const message = `Gmail: ${error.message}`;
  switch (error.meaning) {
    case "limited":
      return new SendError({ code: "rate_limited", message, retryAfterMs: error.retryAfterMs ?? 5_000, certain: true });
    case "scope":
      return new SendError({ code: "unauthorized", message, certain: true });
    case "forbidden":
      return new SendError({ code: "forbidden", message, certain: true });
    case "missing":
    case "gone":
      return new SendError({ code: "not_found", message, certain: true });
    case "server":
      return new SendError({ code: "unreachable", message, certain: reads });
    default:
      return new SendError({ code: "invalid", message, certain: true });
  }
}
