/** One message from the server: its header and structure first, then of its parts only the text. */

import type { DraftAttachment, InboundDraft, Media, PluginContext } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";
import { ancestors, bareSubject, bytesOf, cutQuotes, decodeText, fromBase64, fromQuotedPrintable, judge, parseAddresses, parseHeaders, textOfHtml } from "@kata-agents/plugin-sdk/mail";
import type { Account } from "./account.ts";
import { type Fetched, Imap } from "./imap.ts";
import { layoutOf, type PartInfo } from "./structure.ts";
import type { Threads } from "./threads.ts";

/** Items of the first look at a message. */
export const FIRST_LOOK = "INTERNALDATE BODYSTRUCTURE BODY.PEEK[HEADER]";
/** Most encoded bytes of a text that are read, and most characters that are handed in. */
const TEXT_BYTES = 300_000;
const TEXT_CHARS = 100_000;
const MOST_FILES = 10;
/** Encoded bytes that are fetched of a file at once. */
const PIECE = 512 * 1024;
/** Longest id that is taken as it is; the host takes 256 bytes. */
const LONGEST_ID = 200;

/** What became of one. */
export type Taken = { draft: InboundDraft } | { left: string };

/** An id the host can take. Of one that is longer the end is kept: that is where hosts are. */
export const shortId = (id: string): string => (id.length <= LONGEST_ID ? id : id.slice(-LONGEST_ID));

/** Reads one message, and puts it into its thread. */
export async function readMessage(imap: Imap, account: Account, threads: Threads, uid: number, validity: string, fields: Fetched): Promise<Taken> {
  const headers = parseHeaders(textOf(fields, "BODY[HEADER]"));
  const verdict = judge(headers, account.rules);
  if (!verdict.ok) return { left: verdict.why };
  const layout = layoutOf(fields.get("BODYSTRUCTURE") ?? null);
  if (layout.report) return { left: "automatic" };
  const { sender } = verdict;
  const named = /<([^<>\s]+)>/.exec(headers.raw("message-id") ?? "")?.[1];
  const id = named === undefined ? `uid:${validity}:${uid}` : shortId(named);
  const before = ancestors(headers, named).map(shortId);
  const words = layout.text === undefined ? "" : await partText(imap, uid, layout.text);
  const files = layout.files.filter(isFile).slice(0, MOST_FILES);
  const subject = bareSubject(headers.text("subject") ?? "");
  const others = [...parseAddresses(headers.raw("to")), ...parseAddresses(headers.raw("cc"))].map((one) => one.address).filter((one) => one !== account.address);
  const thread = await threads.join({ id, ancestors: before, sender: sender.address, name: sender.name, others, subject });
  const begins = thread.root === id;
  const text = [begins ? subject : "", words.slice(0, TEXT_CHARS), words.length > TEXT_CHARS ? "[The rest of the message is left out.]" : ""].filter((one) => one !== "").join("\n\n");
  const date = Date.parse(headers.raw("date")?.replace(/\s*\([^)]*\)/g, "") ?? "");
  const draft: InboundDraft = {
    account: account.address,
    messageId: id,
    conversation: `<${thread.root}>`,
    conversationName: thread.subject === "" ? null : thread.subject.slice(0, 200),
    chatType: "direct",
    sender: { id: sender.address, name: sender.name, isBot: false },
    text: text === "" && files.length === 0 ? "[The message has no text.]" : text,
    replyTo: before.at(-1) ?? null,
    mentionsBot: true,
    sentAt: Number.isNaN(date) || date < 0 ? null : date,
    ...(files.length === 0 ? {} : { attachments: files.map((part) => attachmentOf(part, uid, validity)) }),
  };
  return { draft };
}

function textOf(fields: Fetched, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}

/** The text a person wrote, out of one part. */
async function partText(imap: Imap, uid: number, part: PartInfo): Promise<string> {
  const fetched = await imap.fetch([uid], `BODY.PEEK[${part.section}]<0.${TEXT_BYTES}>`);
  const raw = textOf(fetched.get(uid) ?? new Map(), `BODY[${part.section}]`);
  const text = decodeText(decoded(raw, part.encoding), part.charset).replaceAll("\u0000", "");
  return cutQuotes(part.type === "text/html" ? textOfHtml(text, true) : text);
}

function decoded(raw: string, encoding: string): Uint8Array<ArrayBuffer> {
  if (encoding === "base64") return fromBase64(raw);
  return encoding === "quoted-printable" ? fromQuotedPrintable(raw) : bytesOf(raw);
}

/** Signatures of machines are no files, and pictures without a name are a signature's decoration. */
function isFile(part: PartInfo): boolean {
  if (/^application\/(pkcs7-signature|x-pkcs7-signature|pgp-signature|pgp-encrypted|ms-tnef)$/.test(part.type)) return false;
  return part.disposition === "attachment" || part.name !== undefined || part.type === "text/calendar";
}

interface Reference {
  v: string;
  u: number;
  s: string;
  e: string;
}

function attachmentOf(part: PartInfo, uid: number, validity: string): DraftAttachment {
  const reference: Reference = { v: validity, u: uid, s: part.section, e: part.encoding };
  const kind = part.type.startsWith("image/") ? "image" : part.type.startsWith("audio/") ? "audio" : part.type.startsWith("video/") ? "video" : "file";
  return {
    reference: JSON.stringify(reference),
    kind,
    name: (part.name ?? (part.type === "text/calendar" ? "invitation.ics" : "file")).slice(0, 200),
    mime: part.type,
    bytes: part.encoding === "base64" ? Math.floor((part.bytes * 3) / 4) : part.bytes,
  };
}

const gone = (message: string) => new SendError({ code: "not_found", message, certain: true });

/** Fetches a file in pieces, over a connection of its own. */
export async function download(attachment: DraftAttachment, account: Account, ctx: PluginContext, most: number): Promise<Media> {
  const { v, u, s, e } = JSON.parse(attachment.reference) as Reference;
  if ((attachment.bytes ?? 0) > most * 1.1) throw new SendError({ code: "invalid", message: `the file has more than ${most} bytes`, certain: true });
  const imap = await Imap.open(account.imap, account.user, account.password, ctx.signal);
  try {
    const { validity } = await imap.select(account.mailbox);
    if (validity !== v) throw gone("the mailbox was made anew, and the message cannot be found in it");
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let total = 0;
    let rest = "";
    for (let at = 0; ; at += PIECE) {
      const fetched = (await imap.fetch([u], `BODY.PEEK[${s}]<${at}.${PIECE}>`)).get(u);
      if (fetched === undefined) throw gone("the message is no longer in the mailbox");
      const raw = textOf(fetched, `BODY[${s}]`);
      const last = raw.length < PIECE;
      // What is torn at the end of a piece waits for the next one.
      const all = rest + (e === "base64" ? raw.replace(/[^A-Za-z0-9+/]/g, "") : raw);
      const end = last || e !== "base64" ? (last || e !== "quoted-printable" ? all.length : Math.max(0, all.lastIndexOf("\n") + 1)) : all.length - (all.length % 4);
      rest = all.slice(end);
      const piece = decoded(all.slice(0, end), e);
      total += piece.length;
      if (total > most) throw new SendError({ code: "invalid", message: `the file has more than ${most} bytes`, certain: true });
      pieces.push(piece);
      if (last) break;
    }
    const bytes = new Uint8Array(total);
    let at = 0;
    for (const piece of pieces.splice(0)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return await ctx.media.put(bytes, { name: attachment.name, ...(attachment.mime ? { mime: attachment.mime } : {}), ...(attachment.kind ? { kind: attachment.kind } : {}) });
  } finally {
    await imap.logout();
  }
}
