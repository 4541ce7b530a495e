/** One message of WhatsApp as the app takes it. Pure. What it cannot carry (files) is named in words, so that nobody answers past it. */

import { getContentType, isJidBroadcast, isJidGroup, isJidNewsletter, jidNormalizedUser, normalizeMessageContent, type proto, type WAMessage } from "baileys";
import type { InboundDraft } from "./client.ts";

/** Longest text that is handed in; the app takes 256 KiB. */
const LONGEST = 100_000;

/** Whose device this is. */
export interface Own {
  /** Number and, where there is one, hidden id, both without a device. */
  ids: readonly string[];
  account: string;
}

const FILES: Readonly<Record<string, string>> = {
  imageMessage: "a picture",
  videoMessage: "a video",
  audioMessage: "a voice message or a sound",
  documentMessage: "a file",
  stickerMessage: "a sticker",
  contactMessage: "a contact",
  contactsArrayMessage: "contacts",
  locationMessage: "a place",
  liveLocationMessage: "a place that moves",
  pollCreationMessage: "a poll",
  pollCreationMessageV3: "a poll",
};

/** Nothing for what is no message of somebody else to this device: own ones, status, broadcasts, reactions, receipts. */
export function draftOf(message: WAMessage, own: Own): InboundDraft | undefined {
  const { id, remoteJid, fromMe, participant } = message.key;
  if (!id || !remoteJid || fromMe === true || isJidBroadcast(remoteJid) || isJidNewsletter(remoteJid)) return undefined;
  const group = isJidGroup(remoteJid) === true;
  const sender = jidNormalizedUser(group ? (participant ?? "") : remoteJid);
  if (sender === "" || own.ids.includes(sender)) return undefined;
  const content = normalizeMessageContent(message.message);
  const text = textOf(content);
  if (text === undefined) return undefined;
  const context = contextOf(content);
  const mentioned = (context?.mentionedJid ?? []).some((jid) => own.ids.includes(jidNormalizedUser(jid)));
  const answersUs = context?.participant != null && own.ids.includes(jidNormalizedUser(context.participant));
  const seconds = Number(message.messageTimestamp ?? 0);
  return {
    account: own.account,
    // Ids are unique within a conversation only.
    messageId: `${jidNormalizedUser(remoteJid)}:${id}`,
    conversation: jidNormalizedUser(remoteJid),
    chatType: group ? "group" : "direct",
    sender: { id: sender, name: message.pushName?.slice(0, 200) || null },
    text: text.slice(0, LONGEST),
    replyTo: context?.stanzaId ? `${jidNormalizedUser(remoteJid)}:${context.stanzaId}` : null,
    mentionsBot: !group || mentioned || answersUs,
    ...(seconds > 0 ? { sentAt: seconds * 1000 } : {}),
  };
}

function textOf(content: proto.IMessage | undefined): string | undefined {
  if (content === undefined) return undefined;
  const plain = content.conversation ?? content.extendedTextMessage?.text;
  if (plain) return plain;
  const kind = getContentType(content);
  const file = kind === undefined ? undefined : FILES[kind];
  if (file === undefined) return undefined;
  const caption = (content.imageMessage ?? content.videoMessage ?? content.documentMessage)?.caption?.trim();
  const note = `[The person sent ${file}, which this channel cannot pass on.]`;
  return caption ? `${caption}\n\n${note}` : note;
}

function contextOf(content: proto.IMessage | undefined): proto.IContextInfo | null | undefined {
  if (content === undefined) return undefined;
  const kind = getContentType(content);
  const part = kind === undefined ? undefined : content[kind];
  return typeof part === "object" && part !== null && "contextInfo" in part ? (part as { contextInfo?: proto.IContextInfo | null }).contextInfo : undefined;
}
