/** Files: up to the server's store, and from it. Since v1.11 a download needs the sign-in; older servers have the older path. */

import { SendError } from "@kata-agents/plugin-sdk";
import type { DraftAttachment, Media, PluginContext } from "@kata-agents/plugin-sdk";
import { MatrixError } from "./api.ts";
import { mxc } from "./content.ts";
import { speaks } from "./discovery.ts";
import { sendError } from "./failures.ts";
import { text } from "./json.ts";
import type { Session, SignedIn } from "./session.ts";

/** Longest a file may take up or down. */
const TIMEOUT_MS = 120_000;

/** Puts a file into the server's store and gives its `mxc:` address. */
export async function upload(file: Media, { api }: SignedIn, ctx: PluginContext): Promise<string> {
  const data = await ctx.media.read(file.id);
  const ask = { query: { filename: file.name }, bytes: { data, mime: file.mime }, signal: ctx.signal, timeoutMs: TIMEOUT_MS };
  try {
    const url = text((await api.request("POST", "/_matrix/media/v3/upload", ask))["content_uri"]);
    if (url !== undefined && mxc(url) !== undefined) return url;
  } catch (error) {
    if (error instanceof MatrixError && error.status === 413) {
      throw new SendError({ code: "invalid", message: `Matrix: the server takes no file as large as “${file.name}”`, certain: true });
    }
    throw error;
  }
  throw new SendError({ code: "unreachable", message: "Matrix: the upload's answer names no file", certain: true });
}

/** Fetches one file of a draft. */
export async function download(session: Session, attachment: DraftAttachment, ctx: PluginContext): Promise<Media> {
  const place = mxc(attachment.reference);
  if (place === undefined) throw new SendError({ code: "not_found", message: "the file's address is not one of Matrix's", certain: true });
  try {
    const { api, server } = await session.signedIn(ctx);
    const root = speaks(server.versions, 11) ? "/_matrix/client/v1/media/download" : "/_matrix/media/v3/download";
    const url = `${api.base}${root}/${encodeURIComponent(place.server)}/${place.id}`;
    const options = { headers: { authorization: `Bearer ${api.token ?? ""}` }, name: attachment.name, ...(attachment.kind === undefined ? {} : { kind: attachment.kind }) };
    return await ctx.media.fetch(url, options);
  } catch (error) {
    throw mediaError(error);
  }
}

function mediaError(error: unknown): SendError {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "not_found") return new SendError({ code: "not_found", message: "Matrix: the file is gone", certain: true });
  if (code === "forbidden") return new SendError({ code: "forbidden", message: "Matrix: the file may not be fetched", certain: true });
  if (code === "too_large") return new SendError({ code: "invalid", message: "Matrix: the file is too large", certain: true });
  if (code === "failed") return new SendError({ code: "unreachable", message: "Matrix: the file could not be fetched", certain: true });
  return sendError(error);
}
