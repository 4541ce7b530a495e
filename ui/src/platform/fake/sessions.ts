/** Sessions and transcripts of the fake. */
import type { Attachment, Message, MessageKind, SessionSummary, WorkspaceSummary } from "@/generated/protocol";
import { daysAgo, hoursAgo, minutesAgo } from "./clock";

export const WORKSPACES: WorkspaceSummary[] = [
  {
    id: "acme",
    name: "Acme",
    path: "~/.kata-agents/workspaces/acme",
    active: true,
    sessionCount: 18,
    statuses: [
      { id: "backlog", label: "Backlog", color: "foreground/50", closed: false },
      { id: "todo", label: "Todo", color: "info", closed: false },
      { id: "needs-review", label: "Needs review", color: "accent", closed: false },
      { id: "done", label: "Done", color: "success", closed: true },
      { id: "cancelled", label: "Cancelled", color: "foreground/40", closed: true },
    ],
    labels: [
      { id: "release", name: "Release", depth: 0, color: "accent", valueType: null },
      { id: "customer", name: "Customer", depth: 0, color: "info", valueType: null },
      { id: "northwind", name: "Northwind", depth: 1, color: "info", valueType: null },
      { id: "bug", name: "Bug", depth: 0, color: "destructive", valueType: null },
      { id: "priority", name: "Priority", depth: 0, color: "foreground/50", valueType: "number" },
    ],
  },
  {
    id: "home",
    name: "Home",
    path: "~/.kata-agents/workspaces/home",
    active: false,
    sessionCount: 2,
    statuses: [
      { id: "todo", label: "Todo", color: "info", closed: false },
      { id: "done", label: "Done", color: "success", closed: true },
    ],
    labels: [],
  },
];

type Row = Partial<SessionSummary> & Pick<SessionSummary, "id" | "name" | "preview" | "lastMessageAt">;

function session(row: Row): SessionSummary {
  return {
    workspace: "acme",
    createdAt: row.lastMessageAt - 3_600_000,
    flagged: false,
    status: "todo",
    labels: [],
    unread: false,
    mode: "ask",
    model: null,
    channel: null,
    messageCount: 8,
    usage: { inputTokens: 18_420, outputTokens: 2_310, totalTokens: 20_730, contextTokens: 14_200, costUsd: 0.09 },
    state: "idle",
    ...row,
  };
}

export const SESSIONS: SessionSummary[] = [
  session({ id: "261122-brave-otter", name: "Why does the nightly export time out?", preview: "The export job has failed three nights in a row", lastMessageAt: minutesAgo(4), flagged: true, labels: ["bug"], status: "needs-review" }),
  session({ id: "261122-quiet-heron", name: "Release notes for 2.4", preview: "Draft release notes from the merged pull requests", lastMessageAt: minutesAgo(38), labels: ["release"], unread: true }),
  session({ id: "261122-amber-finch", name: "Triage new issues", preview: "Look at the 14 issues opened since Friday", lastMessageAt: hoursAgo(2) }),
  session({ id: "261122-clear-lark", name: "Migrate the billing webhooks", preview: "Move from v1 signatures to v2", lastMessageAt: hoursAgo(5), status: "backlog", mode: "safe" }),
  session({ id: "261121-plain-wren", name: "Weekly report for Northwind", preview: "Summarise this week's tickets for the customer", lastMessageAt: daysAgo(1), labels: ["customer", "northwind"], status: "done" }),
  session({ id: "261121-kind-ibis", name: "Review the retry policy", preview: "Does our backoff have jitter everywhere?", lastMessageAt: daysAgo(1.2), flagged: true }),
  session({ id: "261120-swift-crane", name: "Flaky login test", preview: "test_login_redirect fails about once in forty runs", lastMessageAt: daysAgo(2.1), labels: ["bug"], status: "done" }),
  session({ id: "261119-mild-stork", name: null, preview: "How large is the events table and what grows it?", lastMessageAt: daysAgo(3.3) }),
  session({ id: "261118-calm-egret", name: "Onboarding checklist", preview: "Turn the wiki page into a checklist", lastMessageAt: daysAgo(4.4), status: "done" }),
  session({ id: "261117-keen-robin", name: "Compare queue libraries", preview: "We need at-least-once with a dead letter", lastMessageAt: daysAgo(5.6), status: "cancelled" }),
  session({ id: "261112-bold-tern", name: "Plan the database upgrade", preview: "From 15 to 17, with at most a minute of downtime", lastMessageAt: daysAgo(10), labels: ["release"] }),
  session({ id: "261122-channel-mara", name: "Mara Lindqvist", preview: "Can you check whether the staging deploy went through?", lastMessageAt: minutesAgo(1), unread: true, mode: "safe", channel: { adapter: "telegram", slug: "telegram", displayName: "Telegram" }, status: null }),
  session({ id: "261122-channel-ops", name: "#ops", preview: "The error rate is back to normal since 14:20.", lastMessageAt: minutesAgo(52), mode: "safe", channel: { adapter: "slack", slug: "slack", displayName: "Slack" }, status: null }),
  session({ id: "261121-channel-team", name: "Team chat › Releases", preview: "2.4 goes out on Thursday if the export fix lands.", lastMessageAt: hoursAgo(9), mode: "safe", channel: { adapter: "telegram", slug: "telegram", displayName: "Telegram" }, status: null }),
  session({ id: "261120-channel-jon", name: "jon@northwind.example", preview: "Re: Ticket 4411", lastMessageAt: daysAgo(2), mode: "safe", channel: { adapter: "gmail", slug: "gmail", displayName: "Gmail" }, status: null }),
  session({ id: "261122-home-plan", name: "Garden plan", preview: "What can be sown in November?", lastMessageAt: hoursAgo(7), workspace: "home" }),
];

let nextRow = 1;

export function message(kind: MessageKind, content: string, more: Partial<Message> = {}): Message {
  const id = `msg-${nextRow++}`;
  return { id, kind, content, timestamp: Date.now(), turnId: null, intermediate: false, sender: null, tool: null, thinking: null, ...more };
}

const EXPORT_ANSWER = `The export times out because **one query lost its index**, not because the data grew.

| night | rows exported | duration | result |
|---|---:|---:|---|
| Thu | 1,204,118 | 6 m 12 s | ok |
| Fri | 1,206,440 | 30 m 00 s | timeout |
| Sat | 1,207,902 | 30 m 00 s | timeout |

Migration \`0142\` on Friday renamed \`created\` to \`created_at\`, and the partial index still names the old column:

\`\`\`sql
CREATE INDEX CONCURRENTLY events_export_idx
  ON events (account_id, created_at)
  WHERE exported_at IS NULL;
\`\`\`

With it the plan goes back to an index scan (estimated cost 48,120 → 913). I have **not** applied anything. Two things to decide:

1. Create the index now: about four minutes, no lock.
2. Raise the timeout to 45 minutes as a belt to the braces.`;

const FILES: Attachment[] = [
  { id: "picture", kind: "image", name: "error-rate.png", mime: "image/png", bytes: 48_211, missing: null },
  { id: "pulls.csv", kind: "file", name: "merged-pull-requests.csv", mime: "text/csv", bytes: 9_120, missing: null },
  { id: "film", kind: "video", name: "walkthrough.mp4", mime: "video/mp4", bytes: 0, missing: "it is larger than 16 MiB" },
];

export function transcriptOf(row: SessionSummary): Message[] {
  const at = row.lastMessageAt;
  if (row.channel !== null) return channelTranscript(row, at);
  if (row.id === "261122-brave-otter") return exportTranscript(at);
  return [
    message("user", row.preview ?? row.name ?? "Hello", { timestamp: at - 90_000, attachments: row.id === "261122-quiet-heron" ? FILES : [] }),
    message("assistant", "I looked through the repository and the tracker. The short version is below; say the word and I will go deeper on any of it.\n\n- The change is small and touches two files.\n- There is a test for the old behaviour that has to change with it.\n- Nobody else depends on the function.", { timestamp: at - 60_000, turnId: "turn-1" }),
    message("user", "Good. Write it down as a plan and stop there.", { timestamp: at - 30_000 }),
    message("assistant", "Done. The plan has three steps, and each can be undone on its own.", { timestamp: at, turnId: "turn-2" }),
  ];
}

function exportTranscript(at: number): Message[] {
  const turnId = "turn-1";
  return [
    message("user", "The export job has failed three nights in a row. Find out why, but do not change anything yet.", { timestamp: at - 240_000 }),
    message("assistant", "I will look at the job's log first, then at what changed on Friday.", {
      timestamp: at - 230_000,
      turnId,
      intermediate: true,
      thinking: "Three nights in a row, starting on Friday. A deploy went out Friday afternoon. Look at the log for where it stops, then compare the query plan before and after the migration.",
    }),
    message("tool", "", {
      timestamp: at - 220_000,
      turnId,
      tool: { callId: "call-1", name: "logs_search", input: { job: "nightly-export", since: "2026-11-19", level: "warn" }, result: "3 entries\n2026-11-20 02:30:00 WARN export cancelled: statement timeout\n2026-11-21 02:30:00 WARN export cancelled: statement timeout\n2026-11-22 02:30:00 WARN export cancelled: statement timeout", status: "completed", durationMs: 412 },
    }),
    message("tool", "", {
      timestamp: at - 200_000,
      turnId,
      tool: { callId: "call-2", name: "postgres_explain", input: { query: "SELECT * FROM events WHERE account_id = $1 AND exported_at IS NULL ORDER BY created_at", analyze: false }, result: "Sort  (cost=48120.11..48131.70 rows=4636)\n  Sort Key: created_at\n  ->  Seq Scan on events  (cost=0.00..47837.90 rows=4636)", status: "completed", durationMs: 1_874 },
    }),
    message("tool", "", {
      timestamp: at - 190_000,
      turnId,
      tool: { callId: "call-3", name: "shell", input: { command: "psql -c 'select count(*) from events'" }, result: "The mode “ask” held this call back and the person declined it.", status: "error", durationMs: null },
    }),
    message("assistant", EXPORT_ANSWER, { timestamp: at - 150_000, turnId }),
    message("user", "Create the index on staging.", { timestamp: at - 60_000 }),
    message("error", "The model answered 529: overloaded.", { timestamp: at, turnId: "turn-2" }),
  ];
}

function channelTranscript(row: SessionSummary, at: number): Message[] {
  const sender = row.name?.startsWith("#") || row.name?.includes("›") ? "Jonas Weber" : row.name;
  return [
    message("user", row.preview ?? "Hello", { timestamp: at - 70_000, sender }),
    message("tool", "", { timestamp: at - 50_000, turnId: "turn-1", tool: { callId: `call-${row.id}`, name: "deploys_latest", input: { environment: "staging" }, result: '{"version":"2.4.0-rc.2","state":"succeeded","finishedAt":"2026-11-22T08:11:40Z"}', status: "completed", durationMs: 230 } }),
    message("assistant", "Yes: **2.4.0-rc.2** went to staging at 08:11 and is healthy. Nothing failed on the way.", { timestamp: at - 40_000, turnId: "turn-1" }),
    message("user", "Thanks! Ping me when production is done.", { timestamp: at - 20_000, sender: sender === row.name ? sender : "Aiko Tanaka" }),
    message("assistant", "Will do. Production is planned for 16:00.", { timestamp: at, turnId: "turn-2" }),
  ];
}

/** A transcript of 10,000 rows, to look for stutter (`?big`). */
export function bigTranscript(): Message[] {
  return Array.from({ length: 10_000 }, (_, i) =>
    i % 2 === 0
      ? message("user", `Question ${i / 2 + 1}: what does row ${i} say?`, { timestamp: daysAgo(30) + i * 60_000 })
      : message("assistant", `Row ${i} says that **${i} × 7 = ${i * 7}**.\n\n\`\`\`ts\nconst row = ${i};\n\`\`\`\n\nAnd ${"some more words ".repeat(i % 17)}.`, { timestamp: daysAgo(30) + i * 60_000, turnId: `turn-${i}` }),
  );
}

/** A thousand rows more for the list (`?big`). */
export function manySessions(): SessionSummary[] {
  return Array.from({ length: 5_000 }, (_, i) =>
    session({ id: `26${String(1_000 + i)}-many`, name: `Session number ${i + 1}`, preview: "One of many", lastMessageAt: daysAgo(12 + i / 40) }),
  );
}
