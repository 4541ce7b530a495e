/** Set-up, accounts and the platform behind a channel, answered from memory. */
import type { SecretState, SetupStep } from "@/generated/protocol";
import { OperationError } from "../types";
import type { Table } from "./operations";
import { PICTURE } from "./picture";
import { status } from "./sources";
import type { World } from "./world";

type ChannelOperations = Pick<
  Table,
  "channel.setup" | "channel.probe" | "channel.audit" | "channel.directory" | "channel.logout" | "account.add" | "account.remove" | "session.attachment"
>;

const MANIFEST = JSON.stringify({ display_information: { name: "Kata" }, settings: { socket_mode_enabled: true }, oauth_config: { scopes: { bot: ["chat:write", "im:history", "app_mentions:read"] } } }, null, 2);

/** What each channel asks, in order; a step whose answer is there is passed. */
const STEPS: Record<string, SetupStep[]> = {
  telegram: [{ kind: "secret", secret: "botToken", title: "Bot token", help: "Write to **@BotFather**, send `/newbot`, and paste the token it gives you." }],
  slack: [
    { kind: "secret", secret: "appToken", title: "Make the app", help: "At **api.slack.com/apps** choose *Create New App → From a manifest* and paste this. Then make an app-level token with `connections:write`.", copy: MANIFEST },
    { kind: "secret", secret: "botToken", title: "Install it", help: "Under *Install App* install it to your workspace and paste the **Bot User OAuth Token**." },
  ],
  matrix: [
    { kind: "input", field: "homeserver", title: "Homeserver", help: "Where the account lives, for instance `https://matrix.org`." },
    { kind: "choice", field: "login", title: "How to sign in", help: "", options: [{ value: "password", label: "With the account's password" }, { value: "sso", label: "In the browser" }] },
    { kind: "secret", secret: "password", title: "Password", help: "It is used once and not kept." },
  ],
  whatsapp: [{ kind: "qr", text: "2@fake-pairing-code,of-no-account,for-a-picture==", title: "Link this computer", help: "On the phone: *Settings → Linked devices → Link a device*." }],
};

const channelOf = (id: string) => id.replace(/^channel:/, "").replace(/@.*$/, "");
const nameOf = (step: SetupStep) => (step.kind === "secret" ? step.secret : step.kind === "input" || step.kind === "choice" ? step.field : null);

function next(world: World, id: string): SetupStep {
  const secrets = world.secrets.get(id) ?? [];
  const open = (STEPS[channelOf(id)] ?? []).find((step) => !secrets.some((secret) => secret.name === nameOf(step) && secret.set));
  return open ?? { kind: "done", account: "42", name: "@kata_bot" };
}

export const CHANNEL_OPERATIONS: ChannelOperations = {
  "channel.setup": (world, { id, answer }) => {
    world.source(id);
    if (answer == null) return next(world, id);
    if (answer.value.includes("wrong")) return { ...next(world, id), error: "The platform refuses it. Copy it again." };
    const kept: SecretState[] = [...(world.secrets.get(id) ?? []).filter((secret) => secret.name !== answer.name), { name: answer.name, set: true }];
    world.secrets.set(id, kept);
    return next(world, id);
  },
  "channel.probe": (world, { id }) => (world.source(id).enabled ? { ok: true, latencyMs: 84, message: "The platform answers." } : { ok: false, latencyMs: 0, message: "There is no token yet." }),
  "channel.audit": (world, { id }) =>
    channelOf(world.source(id).id) === "slack" ? [{ code: "missing_scope", message: "The bot cannot read channels: the scope channels:history is missing." }] : [],
  "channel.directory": () => ({ me: { id: "42", name: "Kata", isBot: true }, peers: null, groups: [{ id: "-100442", name: "Releases", chatType: "group" }] }),
  "channel.logout": (world, { id }) => world.source(id),
  "account.add": (world, { channel, name, workspace }) => {
    const first = world.source(`channel:${channel}`);
    const id = `channel:${channel}@${name}`;
    if (world.sources.some((row) => row.id === id)) throw new OperationError({ code: "conflict", message: `There is an account “${name}” already.` });
    const source = { ...first, id, name: `${first.name} · ${name}`, tagline: "Not set up yet", workspace: workspace ?? null, enabled: false, lastActivity: null, status: status({ kind: "stopped" }, "Switched off.", Date.now()) };
    world.sources.push(source);
    world.secrets.set(id, [{ name: "botToken", set: false }]);
    return source;
  },
  "account.remove": (world, { id }) => {
    if (!id.includes("@")) throw new OperationError({ code: "conflict", message: "The first account cannot be removed.", hint: "Switch the channel off." });
    world.sources.splice(world.sources.findIndex((row) => row.id === id), 1);
    return {};
  },
  "session.attachment": (_world, { attachment }) => {
    if (attachment === "picture") return { name: "error-rate.png", mime: "image/png", data: PICTURE };
    return { name: attachment, mime: "text/plain", data: btoa("A file of the fake.\n") };
  },
};
