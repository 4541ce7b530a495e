/** Set-up, accounts and the platform behind a channel, answered from memory. */
import type { SetupStep } from "@/generated/protocol";
import { OperationError } from "../types";
import type { Table } from "./operations";
import type { World } from "./world";

type ChannelOperations = Pick<
  Table,
  "channel.setup" | "channel.probe" | "channel.audit" | "channel.directory" | "channel.logout" | "account.add" | "account.remove" | "session.attachment"
>;

function step(world: World, id: string): SetupStep {
  const set = world.secrets.get(id)?.some((secret) => secret.name === "botToken" && secret.set) ?? false;
  if (set) return { kind: "done", account: "42", name: "@kata_bot" };
  return { kind: "secret", secret: "botToken", title: "Bot token", help: "Write to **@BotFather**, send `/newbot`, and paste the token it gives you." };
}

export const CHANNEL_OPERATIONS: ChannelOperations = {
  "channel.setup": (world, { id, answer }) => {
    if (answer != null) world.secrets.set(id, [{ name: answer.name, set: answer.value.trim() !== "" }]);
    return step(world, world.source(id).id);
  },
  "channel.probe": (world, { id }) => ({ ok: world.source(id).enabled, latencyMs: 84, message: world.source(id).enabled ? "The platform answers." : "The channel is switched off." }),
  "channel.audit": () => [],
  "channel.directory": () => ({ me: { id: "42", name: "Kata", isBot: true }, peers: null, groups: [{ id: "-100442", name: "Releases", chatType: "group" }] }),
  "channel.logout": (world, { id }) => world.source(id),
  "account.add": (world, { channel, name, workspace }) => {
    const first = world.source(`channel:${channel}`);
    const source = { ...first, id: `channel:${channel}@${name}`, name: `${first.name} · ${name}`, workspace: workspace ?? null, enabled: false };
    if (world.sources.some((row) => row.id === source.id)) throw new OperationError({ code: "conflict", message: `There is an account “${name}” already.` });
    world.sources.push(source);
    return source;
  },
  "account.remove": (world, { id }) => {
    if (!id.includes("@")) throw new OperationError({ code: "conflict", message: "The first account cannot be removed.", hint: "Switch the channel off." });
    world.sources.splice(world.sources.findIndex((row) => row.id === id), 1);
    return {};
  },
  "session.attachment": (_world, { attachment }) => {
    throw new OperationError({ code: "not_found", message: `There is no attachment “${attachment}”.` });
  },
};
