/** Fetches a file of a message. Discord's addresses expire after a day, so the message is asked for a fresh one first. */

import type { DraftAttachment, Media, PluginContext } from "@kata-agents/plugin-sdk";
import { SendError } from "@kata-agents/plugin-sdk";
import { sendError } from "./outbound.ts";
import type { Rest } from "./rest.ts";
import type { Message } from "./types.ts";

export async function download(rest: Rest, file: DraftAttachment, ctx: PluginContext): Promise<Media> {
  const [channel, message, id] = /^(\d+)\/(\d+)\/(\d+)$/.exec(file.reference)?.slice(1) ?? [];
  if (id === undefined) throw new SendError({ code: "not_found", message: "the file is not one of Discord's", certain: true });
  const found = await rest
    .get<Message>(`/channels/${channel}/messages/${message}`, { signal: ctx.signal })
    .then((of) => of.attachments?.find((one) => one.id === id))
    .catch((error: unknown) => {
      throw sendError(error);
    });
  if (found === undefined) throw new SendError({ code: "not_found", message: `the file “${file.name}” was taken back`, certain: true });
  try {
    return await ctx.media.fetch(found.url, { name: file.name, ...(file.kind === undefined ? {} : { kind: file.kind }) });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const gone = code === "not_found" || code === "forbidden" || code === "too_large";
    const message = `the file “${file.name}” could not be fetched (${typeof code === "string" ? code : "failed"})`;
    throw new SendError({ code: code === "too_large" ? "invalid" : gone ? "not_found" : "unreachable", message, certain: true });
  }
}
