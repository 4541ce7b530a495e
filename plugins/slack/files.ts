/**
 * Files both ways. Up: Slack gives an address, takes the bytes there, and then shares the file in the conversation. Down:
 * the file's address is asked for anew, because it is told to members only, and the host fetches it with the token.
 *
 * Source: docs.slack.dev/messaging/working-with-files, …/methods/files.getUploadURLExternal, …/files.completeUploadExternal.
 */

import type { DraftAttachment, Media, PluginContext } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";
import { messageOf, request } from "@kata-agents/plugin-sdk/sending";
import { type SlackApi, sendError } from "./api.ts";
import { type Fields, fields, list, number, text } from "./json.ts";

/** Longest file; Slack takes more, the host does not. */
export const FILE_MAX = 16 * 1024 * 1024;

/** Puts bytes at Slack; nobody sees them yet. Gives the file's id. */
export async function upload(api: SlackApi, media: Media, ctx: PluginContext): Promise<string> {
  const bytes = await ctx.media.read(media.id);
  if (bytes.length === 0) throw new SendError({ code: "invalid", message: "Slack takes no empty files", certain: true });
  const place = await api.call("files.getUploadURLExternal", { filename: media.name, length: bytes.length }, { signal: ctx.signal });
  const url = text(place["upload_url"]);
  const id = text(place["file_id"]);
  if (url === undefined || id === undefined) throw new SendError({ code: "unreachable", message: "Slack gave no place for the file", certain: true });
  try {
    await request(url, { what: "upload", method: "POST", headers: { "content-type": "application/octet-stream" }, body: bytes, signal: ctx.signal, timeoutMs: 120_000 });
  } catch (error) {
    // What was put there and not shared is seen by nobody, so it may be put there again.
    throw new SendError({ code: "unreachable", message: `Slack did not take the file: ${messageOf(error)}`, certain: true });
  }
  return id;
}

/** Shows uploaded files in a conversation, as one message. Gives the message's `ts` where Slack says it. */
export async function share(api: SlackApi, files: readonly { id: string; title: string }[], target: { channel: string; thread_ts: string | undefined }, ctx: PluginContext): Promise<string | undefined> {
  const answer = await api.call("files.completeUploadExternal", { files, channel_id: target.channel, thread_ts: target.thread_ts }, { signal: ctx.signal, timeoutMs: 30_000 });
  for (const file of list(answer["files"])) {
    const shares = fields(file["shares"]);
    for (const kind of ["private", "public"]) {
      const ts = text(list(fields(shares?.[kind])?.[target.channel])[0]?.["ts"]);
      if (ts !== undefined) return ts;
    }
  }
  return undefined;
}

/** Fetches a file that a person sent. */
export async function download(api: SlackApi, root: string, attachment: DraftAttachment, ctx: PluginContext): Promise<Media> {
  let file: Fields | undefined;
  try {
    file = fields((await api.call("files.info", { file: attachment.reference }, { signal: ctx.signal }))["file"]);
  } catch (error) {
    throw sendError(error);
  }
  const url = text(file?.["url_private_download"]) ?? text(file?.["url_private"]);
  if (file === undefined || url === undefined) throw new SendError({ code: "not_found", message: "Slack has no such file any more", certain: true });
  if (file["is_external"] === true || !isSlacks(url, root)) {
    throw new SendError({ code: "forbidden", message: "the file lies outside Slack, where the token is not sent", certain: true });
  }
  const media = await fetched(api, url, attachment, number(file["size"]), ctx);
  // Without `files:read` Slack answers with its sign-in page.
  if (media.mime.startsWith("text/html") && text(file["mimetype"])?.startsWith("text/html") === false) {
    throw new SendError({ code: "forbidden", message: "the bot token lacks the scope “files:read”", certain: true });
  }
  return media;
}

async function fetched(api: SlackApi, url: string, attachment: DraftAttachment, size: number | undefined, ctx: PluginContext): Promise<Media> {
  if (size !== undefined && size > FILE_MAX) throw new SendError({ code: "forbidden", message: `the file is longer than ${FILE_MAX >> 20} MiB`, certain: true });
  try {
    const kind = attachment.kind === undefined ? {} : { kind: attachment.kind };
    return await ctx.media.fetch(url, { headers: { authorization: api.authorization }, name: attachment.name, maxBytes: FILE_MAX, ...kind });
  } catch (error) {
    const code = fields(error)?.["code"];
    const known = code === "not_found" || code === "forbidden" ? code : code === "too_large" ? "forbidden" : "unreachable";
    throw new SendError({ code: known, message: `the file could not be fetched: ${messageOf(error)}`, certain: true });
  }
}

/** Whether an address may be sent the token: Slack's own, or that of the API where it is another one. */
function isSlacks(url: string, root: string): boolean {
  const { protocol, hostname, host } = new URL(url);
  const api = new URL(root);
  if (host === api.host && protocol === api.protocol) return true;
  return protocol === "https:" && (hostname === "slack.com" || hostname.endsWith(".slack.com"));
}
