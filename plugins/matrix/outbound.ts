/**
 * Writes: messages, files, edits, redactions, reactions, typing, previews. The transaction id of each event is made of the
 * host's idempotency key, so that the server answers a second send of it with the first one's event.
 */

import { SendError } from "@kata-agents/plugin-sdk";
import type { Media, OutboundMessage, PlatformMessageId, PluginContext, Receipt, ReplyRoute, StreamPreview } from "@kata-agents/plugin-sdk";
import { MatrixError, part } from "./api.ts";
import { eventsOf, relationOf } from "./events.ts";
import { sendError } from "./failures.ts";
import { type Fields, fields, text } from "./json.ts";
import { upload } from "./media.ts";
import { type Members, NOBODY, type People } from "./people.ts";
import { contentOf, editOf, render, type Rendered } from "./render.ts";
import type { Session, SignedIn } from "./session.ts";
import { settingsOf } from "./settings.ts";

/** How long one typing signal lasts; the host repeats it before. */
export const TYPING_MS = 20_000;

export class Outbound {
  readonly #session: Session;
  readonly #people: People;
  /** Rooms in which the bot seems to be typing. */
  readonly #typing = new Set<string>();
  /** Edits so far: each has a transaction id of its own, because a second one under the first one's would be dropped. */
  #edits = 0;

  constructor(session: Session, people: People) {
    this.#session = session;
    this.#people = people;
  }

  /** Sends text, then files, each an event of its own. */
  send(message: OutboundMessage, ctx: PluginContext): Promise<Receipt> {
    return this.#do(message.route, ctx, async (signedIn) => {
      const { route, idempotencyKey: key } = message;
      const { msgtype } = settingsOf(ctx);
      const parts = await this.#render(message.text, route, signedIn, ctx);
      const files = message.attachments ?? [];
      if (parts.length === 0 && files.length === 0) throw new SendError({ code: "invalid", message: "there is nothing to send", certain: true });
      const ids: string[] = [];
      const put = async (content: Fields, name: string) => void ids.push(await event(signedIn, route.conversation, "m.room.message", content, `${key}-${name}`, ctx));
      const preview = message.replaces ?? undefined;
      for (const [index, one] of parts.entries()) {
        if (index === 0 && preview !== undefined) {
          await event(signedIn, route.conversation, "m.room.message", editOf(one, msgtype, preview), `${key}-0`, ctx);
          ids.push(preview);
        } else await put(contentOf(one, msgtype, relatesTo(route, index === 0)), String(index));
      }
      if (preview !== undefined && parts.length === 0) await redact(signedIn, route.conversation, preview, ctx);
      for (const [index, file] of files.entries()) {
        await put(await this.#file(file, route, parts.length === 0 && index === 0, signedIn, ctx), `file-${index}`);
      }
      await this.#still(signedIn, route.conversation, ctx);
      return { messageIds: ids };
    });
  }

  edit(id: PlatformMessageId, message: OutboundMessage, ctx: PluginContext): Promise<void> {
    return this.#do(message.route, ctx, async (signedIn) => {
      const [one, ...more] = await this.#render(message.text, message.route, signedIn, ctx);
      if (one === undefined || more.length > 0) throw new SendError({ code: "invalid", message: "an edited message must fit into one", certain: true });
      await event(signedIn, message.route.conversation, "m.room.message", editOf(one, settingsOf(ctx).msgtype, id), this.#once(`${message.idempotencyKey}-edit`), ctx);
    });
  }

  /** Shows what is written so far: a message first, then edits of it. */
  stream(preview: StreamPreview, ctx: PluginContext): Promise<PlatformMessageId | undefined> {
    return this.#do(preview.route, ctx, async (signedIn) => {
      const { route, key } = preview;
      const { msgtype } = settingsOf(ctx);
      const [one] = render(preview.text);
      if (one === undefined) return preview.messageId ?? undefined;
      if (preview.messageId === null || preview.messageId === undefined) {
        return event(signedIn, route.conversation, "m.room.message", contentOf(one, msgtype, relatesTo(route, true)), `${key}-preview`, ctx);
      }
      await event(signedIn, route.conversation, "m.room.message", editOf(one, msgtype, preview.messageId), this.#once(`${key}-preview`), ctx);
      return preview.messageId;
    });
  }

  delete(id: PlatformMessageId, route: ReplyRoute, ctx: PluginContext): Promise<void> {
    return this.#do(route, ctx, (signedIn) => redact(signedIn, route.conversation, id, ctx));
  }

  /** The bot has one reaction to a message; another one takes its place. */
  react(id: PlatformMessageId, emoji: string | null, route: ReplyRoute, ctx: PluginContext): Promise<void> {
    return this.#do(route, ctx, async (signedIn) => {
      const room = route.conversation;
      const mine = await reactions(signedIn, room, id, ctx);
      for (const one of mine) if (one.key !== emoji) await redact(signedIn, room, one.event, ctx);
      if (emoji === null || mine.some((one) => one.key === emoji)) return;
      const relates = { rel_type: "m.annotation", event_id: id, key: emoji };
      try {
        await event(signedIn, room, "m.reaction", { "m.relates_to": relates }, `react-${id}-${emoji}-${mine.length}-${Date.now()}`, ctx);
      } catch (error) {
        if (!(error instanceof MatrixError) || error.errcode !== "M_DUPLICATE_ANNOTATION") throw error;
      }
    });
  }

  typing(route: ReplyRoute, ctx: PluginContext): Promise<void> {
    return this.#do(route, ctx, async (signedIn) => {
      this.#typing.add(route.conversation);
      await typing(signedIn, route.conversation, true, ctx);
    });
  }

  async #file(file: Media, route: ReplyRoute, first: boolean, signedIn: SignedIn, ctx: PluginContext): Promise<Fields> {
    const url = await upload(file, signedIn, ctx);
    const kinds = { image: "m.image", audio: "m.audio", voice: "m.audio", video: "m.video", file: "m.file" } as const;
    const relates = relatesTo(route, first);
    return {
      msgtype: kinds[file.kind],
      body: file.name,
      filename: file.name,
      url,
      info: { mimetype: file.mime, size: file.bytes },
      "m.mentions": {},
      ...(file.kind === "voice" ? { "org.matrix.msc3245.voice": {} } : {}),
      ...(relates === undefined ? {} : { "m.relates_to": relates }),
    };
  }

  async #render(markdown: string, route: ReplyRoute, signedIn: SignedIn, ctx: PluginContext): Promise<Rendered[]> {
    const members: Members = markdown.includes("@") ? await this.#people.of(route.conversation, signedIn, ctx.signal) : NOBODY;
    return render(markdown, members);
  }

  #once(key: string): string {
    this.#edits += 1;
    return `${key}-${Date.now()}-${this.#edits}`;
  }

  /** The typing signal does not end by itself when the message comes. */
  async #still(signedIn: SignedIn, room: string, ctx: PluginContext): Promise<void> {
    if (!this.#typing.delete(room)) return;
    await typing(signedIn, room, false, ctx).catch(() => undefined);
  }

  async #do<T>(route: ReplyRoute, ctx: PluginContext, work: (signedIn: SignedIn) => Promise<T>): Promise<T> {
    try {
      if (fields(await ctx.state.get(`room:${route.conversation}`))["encrypted"] === true) {
        throw new SendError({ code: "forbidden", message: "the room is encrypted, and this version writes to unencrypted rooms only", certain: true });
      }
      return await this.#session.send(ctx, work);
    } catch (error) {
      throw sendError(error);
    }
  }
}

/** How an event refers to what it answers. In a thread every event names one, for clients that know no threads. */
export function relatesTo(route: ReplyRoute, first: boolean): Fields | undefined {
  const answered = route.replyTo ?? undefined;
  const reply = answered === undefined ? {} : { "m.in_reply_to": { event_id: answered } };
  if (route.thread !== undefined && route.thread !== null) {
    return { rel_type: "m.thread", event_id: route.thread, is_falling_back: true, "m.in_reply_to": { event_id: answered ?? route.thread } };
  }
  return first && answered !== undefined ? reply : undefined;
}

async function event({ api }: SignedIn, room: string, type: string, content: Fields, txn: string, ctx: PluginContext): Promise<string> {
  const answer = await api.put(`/_matrix/client/v3/rooms/${part(room)}/send/${type}/${part(txn)}`, content, { signal: ctx.signal });
  const id = text(answer["event_id"]);
  if (id === undefined) throw new SendError({ code: "unreachable", message: "Matrix: the answer names no event", certain: false });
  return id;
}

/** Takes an event back; one that is gone already is no error. */
async function redact({ api }: SignedIn, room: string, id: string, ctx: PluginContext): Promise<void> {
  try {
    await api.put(`/_matrix/client/v3/rooms/${part(room)}/redact/${part(id)}/${part(`redact-${id}`)}`, {}, { signal: ctx.signal });
  } catch (error) {
    if (!(error instanceof MatrixError) || error.status !== 404) throw error;
  }
}

async function typing({ api, userId }: SignedIn, room: string, on: boolean, ctx: PluginContext): Promise<void> {
  const body = on ? { typing: true, timeout: TYPING_MS } : { typing: false };
  await api.put(`/_matrix/client/v3/rooms/${part(room)}/typing/${part(userId)}`, body, { signal: ctx.signal, timeoutMs: 5_000 });
}

/** The bot's own reactions to a message. */
async function reactions({ api, userId }: SignedIn, room: string, id: string, ctx: PluginContext): Promise<{ event: string; key: string }[]> {
  const path = `/_matrix/client/v1/rooms/${part(room)}/relations/${part(id)}/m.annotation/m.reaction`;
  const answer = await api.get(path, { query: { limit: "100" }, signal: ctx.signal });
  return eventsOf(answer["chunk"]).flatMap((one) => {
    const { reaction } = relationOf(one.content);
    return one.sender === userId && !one.redacted && reaction !== undefined ? [{ event: one.id, key: reaction.key }] : [];
  });
}
