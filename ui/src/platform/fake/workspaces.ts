/** Workspaces, skills, preferences, and what stands beside a session. */
import type { FileHit, Json, Label, Preferences, Skill, UsageRow, WorkflowStatus, WorkspaceSettings, WorkspaceSummary } from "@/generated/protocol";
import { OperationError } from "../types";
import { daysAgo } from "./clock";
import type { Table } from "./operations";
import { WORKSPACES } from "./sessions";
import type { World } from "./world";

type WorkspaceOperations = Pick<
  Table,
  Extract<keyof Table, `workspace.${string}` | `skill.${string}` | `preference.${string}`> | "session.notes" | "session.export" | "session.git" | "file.find" | "usage.get"
>;

interface StatusFile {
  id: string;
  label: string;
  color?: unknown;
  category?: string;
}
interface LabelFile {
  id: string;
  name: string;
  color?: unknown;
  valueType?: string | null;
  children?: LabelFile[];
}
interface Space {
  summary: WorkspaceSummary;
  mode: WorkspaceSettings["mode"];
  model: string | null;
  folder: string | null;
  skills: Map<string, string>;
}
interface Kept {
  spaces: Space[];
  preferences: Preferences;
  notes: Map<string, string>;
}

const REPORT = `---
name: Weekly report
description: When somebody asks for the report of the week, or for what was done.
---

# Weekly report

1. Read the sessions of the last seven days that carry the label **Release**.
2. Three parts: done, stuck, next. No more than twelve lines.
3. Name people where something waits for them.
`;
const TRIAGE = `---
name: Ticket triage
description: Sorts a new ticket of a customer by product, urgency and owner.
---

Ask for the account before anything else.
`;
const BROKEN = "Draft a kind answer.\n";

const worlds = new WeakMap<World, Kept>();
function kept(world: World): Kept {
  const known = worlds.get(world);
  if (known !== undefined) return known;
  const skills = world.options.empty === true ? [] : ([["weekly-report", REPORT], ["ticket-triage", TRIAGE], ["answer-draft", BROKEN]] as const);
  const fresh: Kept = {
    spaces: WORKSPACES.map((summary, i) => ({ summary: { ...summary }, mode: "ask", model: null, folder: i === 0 ? "/home/mara/acme" : null, skills: new Map(i === 0 ? skills : []) })),
    preferences: world.options.empty === true ? { name: null, timezone: null, language: null, city: null, country: null, notes: null } : { name: "Mara Lindqvist", timezone: "Europe/Stockholm", language: "English", city: "Malmö", country: "Sweden", notes: "Short answers, please. Times in 24 hours." },
    notes: new Map([["261122-brave-otter", "Jonas knows the history of this job.\nAsk him before the index goes to production."]]),
  };
  worlds.set(world, fresh);
  return fresh;
}

const missing = (what: string, id: string) => new OperationError({ code: "not_found", message: `There is no ${what} “${id}”.` });
const invalid = (message: string) => new OperationError({ code: "invalid", message, hint: "nothing was changed" });

function space(world: World, id: string): Space {
  const found = kept(world).spaces.find(({ summary }) => summary.id === id);
  if (found === undefined) throw missing("workspace", id);
  return found;
}

function settings({ summary, mode, model, folder }: Space): WorkspaceSettings {
  const statuses: StatusFile[] = summary.statuses.map(({ id, label, color, closed }) => ({ id, label, color, category: closed ? "closed" : "open" }));
  return { id: summary.id, name: summary.name, mode, model, workingDirectory: folder, statuses: statuses as unknown as Json, labels: tree(summary.labels) as unknown as Json };
}

/** The flat list as the tree the file has: a label belongs to the last one before it that stands one step higher. */
function tree(flat: readonly Label[]): LabelFile[] {
  const roots: LabelFile[] = [];
  const open: LabelFile[] = [];
  for (const { id, name, color, valueType, depth } of flat) {
    const label: LabelFile = { id, name, color, valueType };
    const above = open[depth - 1];
    if (above === undefined) roots.push(label);
    else above.children = [...(above.children ?? []), label];
    open[depth] = label;
    open.length = depth + 1;
  }
  return roots;
}

function flatten(labels: readonly LabelFile[], depth = 0): Label[] {
  return labels.flatMap(({ id, name, color, valueType, children }) => [{ id, name, depth, color: (color ?? null) as Label["color"], valueType: valueType ?? null }, ...flatten(children ?? [], depth + 1)]);
}

function change(world: World, one: Space, summary: Partial<WorkspaceSummary>): void {
  one.summary = { ...one.summary, ...summary };
  world.publish({ topic: "workspaces_changed" });
}

function skillOf(workspace: string, slug: string, text: string): Skill {
  const name = /^name:\s*(.+)$/m.exec(text)?.[1];
  const description = /^description:\s*(.+)$/m.exec(text)?.[1];
  const fine = text.startsWith("---\n") && name !== undefined && description !== undefined;
  return { slug, workspace, name: fine ? name : slug, description: fine ? description : "", path: `/home/mara/.kata-agents/workspaces/${workspace}/skills/${slug}`, error: fine ? null : "SKILL.md begins with a line “---”, then “name:” and “description:”, then “---” again" };
}

const FILES: FileHit[] = [
  { path: "README.md", folder: false },
  { path: "jobs", folder: true },
  { path: "jobs/nightly-export.ts", folder: false },
  { path: "jobs/nightly-export.test.ts", folder: false },
  { path: "migrations/0041_events_index.sql", folder: false },
  { path: "docs/runbook.md", folder: false },
];

const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);

function usage(days: number): UsageRow[] {
  const span = Math.min(days, 24);
  return Array.from({ length: span }, (_, i) => span - 1 - i)
    .filter((ago) => ago % 6 !== 5)
    .flatMap((ago): UsageRow[] => {
      const day = midnight(daysAgo(ago));
      const n = 3 + ((ago * 7) % 11);
      const big = { day, model: "Claude Sonnet 4.5", input: n * 14_200, output: n * 1_870, turns: n };
      return ago % 3 === 0 ? [big, { day, model: "qwen3:14b on this machine", input: n * 2_100, output: n * 640, turns: Math.ceil(n / 3) }] : [big];
    });
}

export const WORKSPACE_OPERATIONS: WorkspaceOperations = {
  "workspace.list": (world) => kept(world).spaces.map(({ summary }) => summary),
  "workspace.get": (world, { id }) => settings(space(world, id)),
  "workspace.create": (world, { name }) => {
    if (name.trim() === "") throw invalid("name: has 1 to 100 characters and no line breaks");
    const id = name.trim().toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    const first = WORKSPACES[1];
    const summary: WorkspaceSummary = { id, name: name.trim(), path: `~/.kata-agents/workspaces/${id}`, active: false, sessionCount: 0, statuses: first?.statuses ?? [], labels: [] };
    kept(world).spaces.push({ summary, mode: "safe", model: null, folder: null, skills: new Map() });
    world.publish({ topic: "workspaces_changed" });
    return summary;
  },
  "workspace.update": (world, { id, name, mode, model, workingDirectory, statuses, labels }) => {
    const one = space(world, id);
    if (name != null && name.trim() === "") throw invalid("name: has 1 to 100 characters and no line breaks");
    if (workingDirectory != null && workingDirectory !== "" && !/^[~/]/.test(workingDirectory)) throw invalid(`workingDirectory “${workingDirectory}” is not absolute; write the whole path.`);
    const list = statuses as unknown as StatusFile[] | null | undefined;
    const lost = list == null ? undefined : [...world.sessions.values()].find((row) => row.workspace === id && !list.some((status) => status.id === (row.status ?? "todo")));
    if (lost !== undefined) throw new OperationError({ code: "conflict", message: `statuses: session “${lost.id}” carries “${lost.status ?? "todo"}”`, hint: "give those sessions another status first; nothing was changed" });
    if (mode != null) one.mode = mode;
    if (model != null) one.model = model === "" ? null : model;
    if (workingDirectory != null) one.folder = workingDirectory === "" ? null : workingDirectory;
    change(world, one, {
      ...(name == null ? {} : { name: name.trim() }),
      ...(list == null ? {} : { statuses: list.map(({ id: status, label, color, category }): WorkflowStatus => ({ id: status, label, color: (color ?? null) as WorkflowStatus["color"], closed: category === "closed" })) }),
      ...(labels == null ? {} : { labels: flatten(labels as unknown as LabelFile[]) }),
    });
    return settings(one);
  },
  "workspace.activate": (world, { id }) => {
    const wanted = space(world, id);
    for (const one of kept(world).spaces) one.summary = { ...one.summary, active: one === wanted };
    world.publish({ topic: "workspaces_changed" });
    return wanted.summary;
  },
  "skill.list": (world, { id }) => [...space(world, id).skills].map(([slug, text]) => skillOf(id, slug, text)).toSorted((a, b) => a.slug.localeCompare(b.slug)),
  "skill.get": (world, { workspace, slug }) => {
    const text = space(world, workspace).skills.get(slug);
    if (text === undefined) throw missing("skill", slug);
    return { skill: skillOf(workspace, slug, text), text };
  },
  "skill.write": (world, { workspace, slug, text }) => {
    if (!/^[a-z0-9][a-z0-9-]*$/.test(slug)) throw invalid("slug: has 1 to 64 small letters, digits and “-”, and begins with a letter or digit");
    const skill = skillOf(workspace, slug, text);
    if (skill.error !== null) throw invalid(`text: ${skill.error}`);
    space(world, workspace).skills.set(slug, text);
    world.publish({ topic: "workspaces_changed" });
    return { skill, text };
  },
  "skill.remove": (world, { workspace, slug }) => {
    if (!space(world, workspace).skills.delete(slug)) throw missing("skill", slug);
    world.publish({ topic: "workspaces_changed" });
    return {};
  },
  "preference.get": (world) => kept(world).preferences,
  "preference.set": (world, given) => {
    if (given.timezone != null && given.timezone !== "" && !given.timezone.includes("/")) throw invalid(`timezone: there is no time zone “${given.timezone}”`);
    const all = kept(world);
    const next = Object.entries(given).filter(([, value]) => value != null).map(([key, value]) => [key, value === "" ? null : value] as const);
    all.preferences = { ...all.preferences, ...Object.fromEntries(next) };
    world.publish({ topic: "workspaces_changed" });
    return all.preferences;
  },
  "session.notes": (world, { id, text }) => {
    world.session(id);
    if (text != null) kept(world).notes.set(id, text);
    return { id, text: kept(world).notes.get(id) ?? "" };
  },
  "session.export": (world, { id, format }) => {
    const rows = world.transcript(id);
    const name = (world.session(id).name ?? id).toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    if (format === "json") return { name: `${name}.json`, text: JSON.stringify(rows, null, 2) };
    return { name: `${name}.md`, text: `# ${world.session(id).name ?? id}\n${rows.map((row) => `\n## ${row.kind}\n\n${row.content}\n`).join("")}` };
  },
  "session.git": (world, { id }) => (world.session(id).channel === null ? { branch: "fix/nightly-export", changed: 3 } : { branch: null, changed: 0 }),
  "file.find": (world, { session, query }) => {
    world.session(session);
    return FILES.filter(({ path }) => path.toLowerCase().includes(query.toLowerCase()));
  },
  "usage.get": (world, { days }) => (world.options.empty === true ? [] : usage(days)),
};
