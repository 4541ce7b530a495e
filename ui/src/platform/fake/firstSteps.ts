/** What other programs left, copies, and what the audit finds. */
import type { Backup, Finding, ImportCandidate, ImportItem } from "@/generated/protocol";
import { daysAgo, minutesAgo } from "./clock";
import type { Table } from "./operations";
import type { World } from "./world";

type FirstOperations = Pick<Table, "import.find" | "import.run" | "backup.list" | "backup.create" | "security.audit">;

const item = (id: string, label: string, detail: string, more: Partial<ImportItem> = {}): ImportItem => ({ id, label, detail, importable: true, proposed: true, reason: null, ...more });
const ONE_AT_A_TIME = "It stays off. Stop this bot in OpenClaw before you switch it on here: two programs on one bot take messages from each other.";
const FIRST_COPY = "/home/mara/.kata-agents/backups/kata-1795700000000-first-open.tar.gz";

const OPENCLAW: ImportCandidate = {
  from: "openclaw",
  path: "/home/mara/.openclaw/openclaw.json",
  title: "OpenClaw",
  items: [
    item("channel:telegram", "Telegram (Primary bot)", "Set up with its botToken; listed people may write.", { reason: ONE_AT_A_TIME }),
    item("people:telegram", "Telegram (Primary bot): people", "3 may write: 123456789, 42, 555000111."),
    item("approvers:telegram", "Telegram (Primary bot): people who may approve", "1 may allow what the agent asks for: 555000111.", { proposed: false, reason: "Whoever is on this list can let the agent run commands on this machine." }),
    item("channel:discord", "Discord", "Set up without a token; strangers get a code that you approve.", { reason: `“channels.discord.token” is made by a program (“discord/bot”), which is not run from here; type it in instead. ${ONE_AT_A_TIME}` }),
    item("model:anthropic/claude-opus-4-6", "anthropic/claude-opus-4-6", "A model, as “anthropic”.", { reason: "It does not answer before you choose it." }),
    item("key:anthropic", "Key of anthropic", "Copied into this machine's secret store.", { proposed: false, reason: "Whoever has the key pays for what is asked with it; it is used when you choose the model." }),
    item("channel:signal", "signal", "A channel.", { importable: false, proposed: false, reason: "There is no plugin for it here." }),
    item("other:cron", "Automations", "“cron” of its configuration.", { importable: false, proposed: false, reason: "Planned work is a service of a plugin here." }),
  ],
};

const EARLIER: ImportCandidate = {
  from: "kata-electron",
  path: "/home/mara/.kata-agents",
  title: "The earlier Kata Agents",
  items: [
    ["workspaces", "2 workspaces", "With statuses, labels, skills and permissions."],
    ["sessions", "213 sessions", "Both programs can read them."],
    ["sources", "4 sources", "Each shows how it stands under Sources."],
    ["backup", "A copy from before", FIRST_COPY],
  ].map(([id = "", label = "", detail = ""]) => item(id, label, detail, { importable: false, proposed: false, reason: "It is opened where it lies; there is nothing to do." })),
};

const FINDINGS: Finding[] = [
  { code: "channel.open", severity: "critical", about: "telegram", message: "Everybody who finds the bot can give the agent orders.", mend: "`kata channels policy telegram --policy pairing`: strangers get a code, and you decide about each" },
  { code: "secrets.in_file", severity: "warning", about: "/home/mara/.kata-agents/secrets.enc", message: "Secrets are in a file whose key lies beside it: whoever can read your files can read them.", mend: "unlock or set up the system's keychain and start again" },
  { code: "model.key_in_environment", severity: "info", about: "anthropic", message: "Its key is in the variable ANTHROPIC_API_KEY: every program you start the same way can read it.", mend: "`kata models set anthropic … --key-stdin` keeps it in the secret store" },
];

function taken(world: World): ImportCandidate {
  const done = (each: ImportItem): ImportItem => (world.imported.has(each.id) ? { ...each, importable: false, proposed: false, reason: "It is here already." } : each);
  return { ...OPENCLAW, items: OPENCLAW.items.map(done) };
}

export const FIRST_OPERATIONS: FirstOperations = {
  "import.find": (world) => (world.options.empty === true ? [] : [EARLIER, taken(world)]),
  "import.run": (world, { items }) => {
    const all = taken(world).items;
    const done = all.filter((each) => each.importable && items.includes(each.id));
    for (const each of done) world.imported.add(each.id);
    const left = all.filter((each) => !done.includes(each)).map((each) => (each.importable ? { ...each, reason: "It was not chosen." } : each));
    return { done, left, backup: done.length > 0 ? "/home/mara/.kata-agents/backups/kata-1795700100000-import.tar.gz" : null };
  },
  "backup.list": (world) => world.backups,
  "backup.create": (world) => {
    const backup: Backup = { path: `/home/mara/.kata-agents/backups/kata-${Date.now()}-asked.tar.gz`, bytes: 2_100_000, at: Date.now(), why: "asked" };
    world.backups = [backup, ...world.backups];
    return backup;
  },
  "security.audit": (world) => (world.options.empty === true ? [] : FINDINGS),
};

export const BACKUPS: Backup[] = [
  { path: "/home/mara/.kata-agents/backups/kata-1795690000000-asked.tar.gz", bytes: 2_040_000, at: minutesAgo(90), why: "asked" },
  { path: FIRST_COPY, bytes: 1_400_000, at: daysAgo(12), why: "first-open" },
];
