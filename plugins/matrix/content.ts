/** What a message says: readable text, files, whether it means the bot. Pure. */

import type { DraftAttachment, MediaKind } from "@kata-agents/plugin-sdk";
import { type Fields, fields, number, text } from "./json.ts";
import { mentionsOf, type RoomEvent } from "./events.ts";

/** Name of a user in the room, where it is known. */
export type NameOf = (user: string) => string | undefined;

const FILE_KINDS: Readonly<Record<string, MediaKind>> = { "m.image": "image", "m.audio": "audio", "m.video": "video", "m.file": "file" };
const MATRIX_TO = "https://matrix.to/#/";

/** Whether the room event is one that says something: a message or a sticker. */
export function speaks(event: RoomEvent): boolean {
  return (event.type === "m.room.message" || event.type === "m.sticker") && !event.redacted;
}

/** Text for the agent. A file's name is no text; its caption is. */
export function textOf(event: Pick<RoomEvent, "type" | "content" | "sender">, nameOf: NameOf, answers: boolean): string {
  const { content } = event;
  const body = text(content["body"]) ?? "";
  if (event.type === "m.sticker") return `[sticker${body === "" ? "" : ` ${body}`}]`;
  const msgtype = text(content["msgtype"]) ?? "";
  if (msgtype in FILE_KINDS) return attachmentsOf(event).length > 0 && !captioned(content) ? "" : readable(body, content, nameOf);
  if (msgtype === "m.location") return `[location ${text(content["geo_uri"]) ?? body}]`;
  if (msgtype === "m.key.verification.request") return "";
  const words = readable(answers ? withoutFallback(body) : body, content, nameOf);
  return msgtype === "m.emote" ? `* ${nameOf(event.sender) ?? event.sender} ${words}` : words;
}

/** Since v1.10 a body beside another `filename` is a caption. */
function captioned(content: Fields): boolean {
  const name = text(content["filename"]);
  return name !== undefined && name !== content["body"];
}

/** Files of a message; in an unencrypted room there is one at most. */
export function attachmentsOf({ type, content }: Pick<RoomEvent, "type" | "content">): DraftAttachment[] {
  const msgtype = text(content["msgtype"]) ?? "";
  const url = text(content["url"]);
  const kind = type === "m.sticker" ? "image" : FILE_KINDS[msgtype];
  if (kind === undefined || url === undefined || mxc(url) === undefined) return [];
  const info = fields(content["info"]);
  const name = text(content["filename"]) ?? text(content["body"]) ?? "file";
  const voice = kind === "audio" && content["org.matrix.msc3245.voice"] !== undefined;
  return [{ reference: url, kind: voice ? "voice" : kind, name: clip(name, 200), mime: text(info["mimetype"]) ?? null, bytes: whole(info["size"]) }];
}

function whole(value: unknown): number | null {
  const count = number(value);
  return count !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : null;
}

/** Server and id of a `mxc:` address. */
export function mxc(address: string): { server: string; id: string } | undefined {
  const match = /^mxc:\/\/([A-Za-z0-9.:[\]-]{1,255})\/([A-Za-z0-9_-]{1,255})$/.exec(address);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { server: match[1], id: match[2] };
}

/** The quotation that old clients put before an answer: lines that begin with `>`, then an empty one. */
export function withoutFallback(body: string): string {
  if (!body.startsWith("> ")) return body;
  const lines = body.split("\n");
  let at = 0;
  while (at < lines.length && (lines[at] ?? "").startsWith(">")) at += 1;
  return (lines[at] ?? "") === "" && at < lines.length ? lines.slice(at + 1).join("\n") : body;
}

/** Mentions as a reader sees them: links to users become `@Name`, ids of people whose names are known too. */
function readable(body: string, content: Fields, nameOf: NameOf): string {
  let words = body;
  if (words.includes(MATRIX_TO)) words = words.replace(/\[([^\][]{1,255})\]\(https:\/\/matrix\.to\/#\/(?:@|%40)[^)\s]{1,300}\)/g, (_, name: string) => `@${name.replace(/^@/, "")}`);
  for (const user of mentionsOf(content) ?? []) {
    const name = nameOf(user);
    if (name !== undefined && user.startsWith("@")) words = words.split(user).join(`@${name}`);
  }
  return words;
}

/** Who the bot is in a room. */
export interface Me {
  id: string;
  name: string | undefined;
}

/**
 * Whether a message means the bot. What its client says (`m.mentions`) counts; where it says nothing, a pill, the bot's id, or
 * its name as a word.
 */
export function addresses(content: Fields, me: Me, answers = false): boolean {
  const mentions = mentionsOf(content);
  if (mentions !== undefined) return mentions.includes(me.id);
  // Who is quoted is not addressed by it.
  const body = answers ? withoutFallback(text(content["body"]) ?? "") : (text(content["body"]) ?? "");
  const html = text(content["formatted_body"]) ?? "";
  if (html.includes(`${MATRIX_TO}${me.id}"`) || html.includes(`${MATRIX_TO}${encodeURIComponent(me.id)}"`)) return true;
  const local = me.id.slice(1, me.id.indexOf(":"));
  const names = [...(me.name === undefined ? [] : [me.name]), ...(local.length > 1 ? [local] : [])];
  return [me.id, ...names, ...names.map((name) => `@${name}`)].some((word) => asWord(body, word));
}

/** Whether `word` stands in `body` with no letter or digit beside it, in whatever case. */
function asWord(body: string, word: string): boolean {
  const [where, what] = [body.toLowerCase(), word.toLowerCase()];
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + 1)) {
    const [before, after] = [where.charAt(at - 1), where.charAt(at + what.length)];
    const handle = what.startsWith("@");
    // A full stop or colon may end a sentence, or go on into a server's name; only the latter has a letter behind it.
    const goesOn = (after === ":" || after === ".") && part(where.charAt(at + what.length + 1)) && handle;
    if (!handle && before === "@") continue;
    if (!part(before) && !part(after) && !goesOn) return true;
  }
  return false;
}

function part(char: string): boolean {
  return char !== "" && /[\p{L}\p{N}_]/u.test(char);
}

/** At most `max` code units, without half a character at the end. */
export function clip(words: string, max: number): string {
  if (words.length <= max) return words;
  const last = words.charCodeAt(max - 1);
  return words.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}
