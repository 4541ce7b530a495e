/** From Meta's webhook to what the host takes in (developers.facebook.com, “Webhooks: messages”). Pure; everything in it is somebody else's word. */

import type { ButtonPress, ChannelNotice, DraftAttachment, InboundDraft, MediaKind } from "@kata-agents/plugin-sdk";

/** One thing that happened, in the order Meta tells it. */
export type Event =
  | { kind: "message"; draft: InboundDraft }
  | { kind: "press"; press: ButtonPress; draft: InboundDraft }
  | { kind: "notice"; notice: ChannelNotice }
  | { kind: "failed"; message: string; code: number | undefined };

type Fields = Record<string, unknown>;
const fields = (value: unknown): Fields => (typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {});
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.slice(0, 1_000).map(fields) : []);
const text = (value: unknown): string => (typeof value === "string" ? value : "");

const MEDIA: Readonly<Record<string, MediaKind>> = { image: "image", video: "video", audio: "audio", voice: "voice", document: "file", sticker: "image" };

/** Ids of buttons the host made; others are quick replies of a template. */
const OURS = /^[a-zA-Z0-9:-]{1,48}$/;

/** Everything in a webhook's body that is for this number. */
export function eventsOf(body: unknown, phone: string): Event[] {
  const events: Event[] = [];
  const root = fields(body);
  if (root["object"] !== "whatsapp_business_account") return events;
  for (const change of list(root["entry"]).flatMap((entry) => list(entry["changes"]))) {
    const value = fields(change["value"]);
    if (change["field"] !== "messages" || text(fields(value["metadata"])["phone_number_id"]) !== phone) continue;
    const names = new Map(list(value["contacts"]).map((contact) => [text(contact["wa_id"]), text(fields(contact["profile"])["name"])]));
    for (const message of list(value["messages"])) {
      const event = eventOf(message, phone, names);
      if (event !== undefined) events.push(event);
    }
    for (const status of list(value["statuses"])) {
      if (status["status"] !== "failed") continue;
      const [error] = list(status["errors"]);
      const code = error?.["code"];
      events.push({ kind: "failed", message: text(status["id"]), code: typeof code === "number" ? code : undefined });
    }
  }
  return events;
}

function eventOf(message: Fields, phone: string, names: ReadonlyMap<string, string>): Event | undefined {
  const [from, id, type] = [text(message["from"]), text(message["id"]), text(message["type"])];
  if (from === "" || id === "") return undefined;
  const name = names.get(from) || null;
  const sender = { id: from, name, isBot: false };
  const seconds = Number(text(message["timestamp"]));
  const at = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
  const place = { account: phone, conversation: from, chatType: "direct" as const, thread: null, sender };
  if (type === "reaction") {
    const { message_id, emoji } = fields(message["reaction"]);
    if (text(message_id) === "") return undefined;
    return { kind: "notice", notice: { ...place, messageId: text(message_id), what: { kind: "reaction", emoji: text(emoji), added: text(emoji) !== "" }, at } };
  }
  const attachment = attachmentOf(message, type);
  const words = wordsOf(message, type, attachment !== undefined);
  const answered = text(fields(message["context"])["id"]);
  const draft: InboundDraft = {
    ...place,
    messageId: id,
    conversationName: name,
    text: words,
    replyTo: answered === "" ? null : answered,
    mentionsBot: true,
    sentAt: at,
    ...(attachment === undefined ? {} : { attachments: [attachment] }),
  };
  const reply = fields(fields(message["interactive"])["button_reply"]);
  if (type === "interactive" && answered !== "" && OURS.test(text(reply["id"]))) {
    return { kind: "press", press: { ...place, messageId: answered, button: text(reply["id"]) }, draft };
  }
  return { kind: "message", draft };
}

function attachmentOf(message: Fields, type: string): DraftAttachment | undefined {
  const media = fields(message[type]);
  const kind = MEDIA[type];
  const id = text(media["id"]);
  if (kind === undefined || id === "") return undefined;
  const mime = text(media["mime_type"]).split(";")[0] || null;
  const voice = type === "audio" && media["voice"] === true;
  const end = (mime ?? "").split("/")[1]?.replace(/[^a-z0-9]/gi, "") || "bin";
  return { reference: id, kind: voice ? "voice" : kind, name: text(media["filename"]).slice(0, 200) || `${voice ? "voice" : type}.${end}`, mime };
}

/** What a message says in words. What cannot be read is named, so that the agent knows that there is something. */
function wordsOf(message: Fields, type: string, hasFile: boolean): string {
  const inner = fields(message[type]);
  switch (type) {
    case "text":
      return text(inner["body"]);
    case "button":
      return text(inner["text"]);
    case "interactive": {
      const reply = { ...fields(inner["button_reply"]), ...fields(inner["list_reply"]) };
      return [text(reply["title"]), text(reply["description"])].filter((one) => one !== "").join("\n") || "[form]";
    }
    case "location": {
      const { latitude, longitude, name, address } = inner;
      return `[location ${Number(latitude)}, ${Number(longitude)}${[name, address].map(text).filter((one) => one !== "").map((one) => ` · ${one}`).join("")}]`;
    }
    case "contacts":
      return list(message["contacts"])
        .slice(0, 10)
        .map((contact) => `[contact ${text(fields(contact["name"])["formatted_name"])}${list(contact["phones"]).map((phone) => ` ${text(phone["phone"])}`).join("")}]`)
        .join("\n");
    case "order":
      return "[order]";
    default:
      return hasFile ? text(inner["caption"]) : "[a message of a kind that WhatsApp does not give to programs]";
  }
}
