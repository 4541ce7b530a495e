/**
 * Slash commands and buttons. Discord waits three seconds for a first answer, so when the host needs longer a deferring answer goes
 * first and the words follow; nobody but the one who pressed sees them.
 */

import type { ButtonPress, ConnectContext, IngressAnswer, PressAnswer } from "@kata-agents/plugin-sdk";
import type { Me } from "./inbound.ts";
import { senderOf } from "./inbound.ts";
import { pause, type Rest, text } from "./rest.ts";
import type { Interaction } from "./types.ts";
import type { Place, World } from "./world.ts";

/** Kinds of interactions, and of first answers to them. */
const Kind = { command: 2, component: 3 } as const;
const Answer = { message: 4, deferredMessage: 5, deferredUpdate: 6, update: 7 } as const;
const EPHEMERAL = 64;
/** How long the host gets before a deferring answer. */
const PATIENCE_MS = 1_800;
/** What stands before a button's id. */
const PREFIX = "k:";

/** A button's id as Discord keeps it. */
export function customId(button: string): string {
  return PREFIX + button;
}

/** The orders the host knows, as slash commands. */
export const COMMANDS = [
  { name: "new", description: "Begin a new conversation with the agent here." },
  { name: "stop", description: "Stop what the agent is doing here." },
  { name: "status", description: "Say what the agent is doing here." },
  {
    name: "approve",
    description: "Let the agent do what it asked for.",
    options: [
      { type: 3, name: "code", description: "The code in the question.", required: true },
      {
        type: 3,
        name: "how",
        description: "Once, for this session, or always.",
        choices: ["once", "session", "always"].map((how) => ({ name: how, value: how })),
      },
    ],
  },
  { name: "deny", description: "Refuse what the agent asked for.", options: [{ type: 3, name: "code", description: "The code in the question.", required: true }] },
] as const;

/** What an interaction is dealt with by. */
export interface Desk {
  ctx: ConnectContext;
  rest: Rest;
  world: World;
  me: Me;
}

/** Deals with one interaction; never throws. */
export async function interact(desk: Desk, interaction: Interaction): Promise<void> {
  try {
    if (interaction.type === Kind.command) await order(desk, interaction);
    else if (interaction.type === Kind.component) await press(desk, interaction);
  } catch (error) {
    desk.ctx.logger.warn(`an interaction was not answered: ${text(error)}`);
  }
}

async function press(desk: Desk, interaction: Interaction): Promise<void> {
  const { ctx, me } = desk;
  const id = interaction.data?.custom_id ?? "";
  const user = interaction.member?.user ?? interaction.user;
  if (!id.startsWith(PREFIX) || user === undefined || interaction.message === undefined || interaction.channel_id === undefined) {
    return respond(desk, interaction, { type: Answer.deferredUpdate });
  }
  const { message, channel_id } = interaction;
  const taken = placed(desk, interaction, channel_id).then((place): Promise<PressAnswer> => {
    const what: ButtonPress = {
      account: me.id,
      conversation: place.conversation,
      chatType: place.chatType,
      thread: place.thread,
      sender: senderOf(user, interaction.member?.nick),
      messageId: message.id,
      button: id.slice(PREFIX.length),
    };
    return ctx.press(what);
  });
  const early = await soon(taken, ctx.signal);
  if (early === "failed") return respond(desk, interaction, whisper("That could not be taken. Press again."));
  if (early !== undefined) {
    if (!early.done) return respond(desk, interaction, whisper(early.text));
    await respond(desk, interaction, { type: Answer.update, data: { components: [] } });
    return follow(desk, interaction, early.text);
  }
  await respond(desk, interaction, { type: Answer.deferredUpdate });
  const late = await taken.catch(() => undefined);
  if (late?.done) await edit(desk, interaction, { components: [] });
  await follow(desk, interaction, late?.text ?? "That could not be taken. Press again.");
}

async function order(desk: Desk, interaction: Interaction): Promise<void> {
  const { ctx, me } = desk;
  const { data, channel_id } = interaction;
  const user = interaction.member?.user ?? interaction.user;
  if (data?.name === undefined || channel_id === undefined || user === undefined) return;
  const words = [`/${data.name}`, ...(data.options ?? []).map((option) => String(option.value ?? ""))].join(" ").trim();
  const taken = placed(desk, interaction, channel_id).then((place) =>
    ctx.receive({
      account: me.id,
      // No message of Discord's, so nothing can quote it.
      messageId: `i${interaction.id}`,
      conversation: place.conversation,
      conversationName: place.name,
      chatType: place.chatType,
      thread: place.thread,
      sender: senderOf(user, interaction.member?.nick),
      text: words,
      mentionsBot: true,
    }),
  );
  const early = await soon(taken, ctx.signal);
  if (early !== undefined) return respond(desk, interaction, whisper(said(words, early)));
  await respond(desk, interaction, { type: Answer.deferredMessage, data: { flags: EPHEMERAL } });
  await edit(desk, interaction, { content: said(words, await taken.catch(() => "failed" as const)) });
}

function said(words: string, answer: IngressAnswer | "failed"): string {
  const name = words.split(" ")[0] ?? words;
  if (answer === "failed") return `\`${name}\` could not be taken. Try again.`;
  if (answer.outcome !== "refused") return `\`${name}\` was taken.`;
  return answer.code === "pairing_required" ? "You are not known here yet: see the code the bot sends." : `\`${name}\` was not taken (${answer.code}).`;
}

/** The outcome within the time Discord leaves, `failed`, or nothing yet. */
async function soon<T>(taken: Promise<T>, signal: AbortSignal): Promise<T | "failed" | undefined> {
  const outcome = taken.catch(() => "failed" as const);
  return Promise.race([outcome, pause(PATIENCE_MS, signal).then(() => undefined)]);
}

function placed({ world, rest, me }: Desk, interaction: Interaction, channel: string): Promise<Place> {
  if (interaction.channel !== undefined) {
    const { guild_id } = interaction;
    world.takeChannel({ ...interaction.channel, id: channel, ...(guild_id === undefined ? {} : { guild_id }) });
  }
  return world.placeOf(channel, interaction.guild_id, interaction.user, rest, me.id);
}

function whisper(content: string): unknown {
  return { type: Answer.message, data: { content: content.slice(0, 2_000), flags: EPHEMERAL, allowed_mentions: { parse: [] } } };
}

async function respond({ rest, ctx }: Desk, { id, token }: Interaction, json: unknown): Promise<void> {
  await rest.call("POST", `/interactions/${id}/${token}/callback`, { json, interaction: true, signal: ctx.signal });
}

async function follow({ rest, ctx }: Desk, { application_id, token }: Interaction, content: string): Promise<void> {
  const json = { content: content.slice(0, 2_000), flags: EPHEMERAL, allowed_mentions: { parse: [] } };
  await rest.call("POST", `/webhooks/${application_id}/${token}`, { json, interaction: true, signal: ctx.signal });
}

async function edit({ rest, ctx }: Desk, { application_id, token }: Interaction, json: unknown): Promise<void> {
  await rest.call("PATCH", `/webhooks/${application_id}/${token}/messages/@original`, { json, interaction: true, signal: ctx.signal });
}

/** Makes Discord know our commands. Those of others that use the same bot stay. */
export async function registerCommands(rest: Rest, application: string, signal: AbortSignal): Promise<void> {
  const path = `/applications/${application}/commands`;
  const there = await rest.get<{ name: string; description?: string; options?: unknown[] }[]>(path, { signal });
  for (const command of COMMANDS) {
    const same = there.some((one) => one.name === command.name && one.description === command.description);
    if (!same) await rest.call("POST", path, { json: { type: 1, ...command }, signal });
  }
}
