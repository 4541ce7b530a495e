/** Files both ways: which method sends one, which may stand in one album, and how one of a person is fetched. */

import { type DraftAttachment, type Media, type PluginContext, SendError } from "@kata-agents/plugin-sdk";
import { ApiError, type BotApi, isTrouble, type Upload } from "./api.ts";

/** What a bot may fetch from Telegram's own server (https://core.telegram.org/bots/api#getfile). */
export const DOWNLOAD_MAX = 20 * 1024 * 1024;
/** A larger picture is sent as a file (https://core.telegram.org/bots/api#sendphoto). */
const PHOTO_MAX = 10 * 1024 * 1024;
/** Files of one album. */
const ALBUM_MAX = 10;

/** How a file is sent. */
export type Shape = "photo" | "video" | "audio" | "voice" | "document";

const METHODS: Readonly<Record<Shape, string>> = {
  photo: "sendPhoto",
  video: "sendVideo",
  audio: "sendAudio",
  voice: "sendVoice",
  document: "sendDocument",
};

/** Files that go out in one call: one, or an album. */
export interface Parcel {
  shape: Shape;
  files: readonly Media[];
}

/** Puts files into as few calls as Telegram allows, in their order: pictures and films share an album, other kinds do not. */
export function parcelsOf(files: readonly Media[]): Parcel[] {
  const parcels: { shape: Shape; files: Media[]; album: string }[] = [];
  for (const file of files) {
    const shape = shapeOf(file);
    const album = shape === "video" ? "photo" : shape;
    const last = parcels.at(-1);
    if (last !== undefined && shape !== "voice" && last.album === album && last.files.length < ALBUM_MAX) last.files.push(file);
    else parcels.push({ shape, files: [file], album });
  }
  return parcels;
}

function shapeOf({ kind, mime, bytes }: Media): Shape {
  if (/^image\/(?:jpeg|png|webp)$/.test(mime) && bytes <= PHOTO_MAX) return "photo";
  if (mime === "video/mp4") return "video";
  if (kind === "voice" && /^audio\/(?:ogg|mpeg|mp4|x-m4a)/.test(mime)) return "voice";
  if (/^audio\/(?:mpeg|mp4|x-m4a)$/.test(mime)) return "audio";
  return "document";
}

/** The call that sends a parcel. */
export async function callOf({ shape, files }: Parcel, ctx: PluginContext): Promise<{ method: string; params: Record<string, unknown>; uploads: Upload[] }> {
  const uploads: Upload[] = [];
  for (const [index, file] of files.entries()) uploads.push({ field: `file${index}`, name: file.name, mime: file.mime, bytes: await readFile(file, ctx) });
  if (files.length === 1) return { method: METHODS[shape], params: { [shape]: "attach://file0" }, uploads };
  const media = files.map((file, index) => ({ type: shapeOf(file), media: `attach://file${index}` }));
  return { method: "sendMediaGroup", params: { media }, uploads };
}

async function readFile(file: Media, ctx: PluginContext): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await ctx.media.read(file.id);
  } catch {
    throw new SendError({ code: "invalid", message: `the file ${file.name} is no longer there`, certain: true });
  }
}

/** Fetches a file that a person sent. */
export async function download(api: BotApi, attachment: DraftAttachment, ctx: PluginContext): Promise<Media> {
  const { reference, name, kind, bytes } = attachment;
  if ((bytes ?? 0) > DOWNLOAD_MAX) throw tooLarge(name);
  let path: string | undefined;
  try {
    path = (await api.call<{ file_path?: string }>("getFile", { file_id: reference }, { signal: ctx.signal })).file_path;
  } catch (error) {
    if (!isTrouble(error)) throw error;
    if (error instanceof ApiError && error.description.includes("file is too big")) throw tooLarge(name);
    throw downloadError(error);
  }
  if (path === undefined) throw new SendError({ code: "not_found", message: `Telegram no longer has the file ${name}`, certain: true });
  try {
    return await ctx.media.fetch(api.fileUrl(path), { name, maxBytes: DOWNLOAD_MAX, ...(kind === undefined ? {} : { kind }) });
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    if (code === "too_large") throw tooLarge(name);
    // The words of the network layer hold the address, and the address holds the token.
    const message = api.clean(error instanceof Error ? error.message : String(error));
    throw new SendError({ code: code === "not_found" ? "not_found" : "unreachable", message: `Telegram: ${message}`, certain: true });
  }
}

function tooLarge(name: string): SendError {
  return new SendError({ code: "invalid", message: `${name} is larger than the 20 MB a bot may fetch`, certain: true });
}

function downloadError(error: unknown): SendError {
  if (!(error instanceof ApiError)) return new SendError({ code: "unreachable", message: error instanceof Error ? error.message : "no answer", certain: true });
  const message = `Telegram: ${error.description}`;
  if (error.code === 429) return new SendError({ code: "rate_limited", message, retryAfterMs: (error.retryAfter ?? 1) * 1000, certain: true });
  if (error.code === 401) return new SendError({ code: "unauthorized", message, certain: true });
  return new SendError({ code: error.code >= 500 ? "unreachable" : "not_found", message, certain: true });
}
