/** Rooms and people the account knows, and what is wrong with its settings. Reads only. */

import type { DirectoryEntry, PluginContext, SecurityWarning, Sender } from "@kata-agents/plugin-sdk";
import { part } from "./api.ts";
import { encryptedRooms } from "./encrypted.ts";
import { Rooms } from "./facts.ts";
import { Invites } from "./invites.ts";
import { fields, text, texts } from "./json.ts";
import { NotSignedIn, type Session, type SignedIn } from "./session.ts";
import { mayInvite, settingsOf } from "./settings.ts";

/** Rooms a directory names. */
const MAX = 200;

export function self(session: Session, ctx: PluginContext): Promise<Sender> {
  return session.call(ctx, async ({ api, userId }) => {
    const profile = await api.get(`/_matrix/client/v3/profile/${part(userId)}`, { signal: ctx.signal });
    return { id: userId, name: text(profile["displayname"]) ?? null, isBot: true };
  });
}

/** Rooms the account is in, of one kind. */
export function rooms(session: Session, kind: "direct" | "group", ctx: PluginContext): Promise<DirectoryEntry[]> {
  return session.call(ctx, async (signedIn) => {
    const all: DirectoryEntry[] = [];
    const known = new Rooms(ctx.state, signedIn.userId);
    for (const room of await joined(signedIn, ctx)) {
      const facts = await known.facts(room, signedIn.api, ctx.signal);
      const chatType = await known.chatType(room, facts);
      if (chatType === kind) all.push({ id: room, name: (await known.title(room, facts, signedIn.api, ctx.signal)) ?? room, chatType });
    }
    return all;
  });
}

export function members(session: Session, room: string, ctx: PluginContext): Promise<Sender[]> {
  return session.call(ctx, async ({ api, userId }) => {
    const answer = await api.get(`/_matrix/client/v3/rooms/${part(room)}/joined_members`, { signal: ctx.signal });
    const all = Object.entries(fields(answer["joined"])).slice(0, 1_000);
    return all.map(([id, profile]) => ({ id, name: text(fields(profile)["display_name"]) ?? null, isBot: id === userId }));
  });
}

async function joined({ api }: SignedIn, ctx: PluginContext): Promise<string[]> {
  return texts((await api.get("/_matrix/client/v3/joined_rooms", { signal: ctx.signal }))["joined_rooms"]).slice(0, MAX);
}

/** The audit. */
export async function warnings(session: Session, ctx: PluginContext): Promise<SecurityWarning[]> {
  const found: SecurityWarning[] = [];
  const add = (code: string, message: string) => void found.push({ code, message });
  const settings = settingsOf(ctx);
  const { named, invites, inviters, login } = settings;
  if (named !== undefined && insecure(named.homeserver ?? named.server)) add("plain_http", "The server is reached without encryption (http:), so the sign-in and every message can be read on the way.");
  if (invites === "all") add("invites_all", "Everybody's invitations are accepted, so anybody can pull the account into rooms. Who talks to the agent is still decided by pairing and policy.");
  if (invites !== "all" && invites !== "never" && inviters.length === 0) add("invites_nobody", "No invitations are accepted, because nobody is listed under “Who may invite”.");
  if (login === "token") add("pasted_token", "The access token was pasted: it does not end by itself, and signing out elsewhere with it ends it here.");
  const told = await encryptedRooms(ctx);
  try {
    await session.call(ctx, async (signedIn) => {
      const here = await joined(signedIn, ctx);
      const known = new Rooms(ctx.state, signedIn.userId);
      const secret: string[] = [];
      for (const room of here) {
        const facts = await known.facts(room, signedIn.api, ctx.signal);
        if (facts.encrypted) secret.push((await known.title(room, facts, signedIn.api, ctx.signal)) ?? room);
      }
      if (secret.length > 0) add("encrypted_rooms", `Encrypted rooms, in which this version reads nothing and writes nothing: ${shown(secret)}.${told.size > 0 ? " Who wrote there was told so." : ""}`);
    });
    const waiting = (await new Invites(ctx.state).list()).filter((invite) => !mayInvite(invite.inviter, settings));
    if (waiting.length > 0) add("invites_waiting", `Invitations that are not accepted wait, from ${shown([...new Set(waiting.map((invite) => invite.inviter))])}.`);
  } catch (error) {
    if (!(error instanceof NotSignedIn)) throw error;
    add(error.code, error.message);
  }
  return found;
}

function insecure(address: string): boolean {
  return address.startsWith("http:") && !/^http:\/\/(?:127\.|\[::1\]|localhost[:/]?)/.test(address);
}

function shown(names: readonly string[]): string {
  const some = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${some} and ${names.length - 10} more` : some;
}
