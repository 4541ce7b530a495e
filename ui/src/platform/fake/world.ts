/** What the fake remembers, and how it tells the window. */
import type {
  AlwaysRule,
  Approval,
  ApprovalDecision,
  ApprovalOutcome,
  Backup,
  ChannelPolicyState,
  Elicitation,
  ElicitationAnswer,
  Fact,
  Health,
  HygieneRules,
  Letter,
  Message,
  NumberedFact,
  OauthAccount,
  OauthProvider,
  OauthSignIn,
  PairingRequest,
  PauseState,
  Plan,
  PlanOutcome,
  PluginId,
  PluginSigner,
  PluginSummary,
  ProviderSummary,
  RouteKey,
  RoutingTable,
  SecretState,
  SessionEvent,
  SessionId,
  SessionSummary,
  SourceDocument,
  SourceSummary,
  SystemStatus,
  ToolTry,
  Trace,
  TraceRules,
  UpdateState,
  WorkspaceSwitch,
} from "@/generated/protocol";
import { Listeners, OperationError } from "../types";
import { BACKGROUND, CHECKS, CRASH, CRASHES, PANIC } from "./life";
import { APPROVALS } from "./approvals";
import { START } from "./clock";
import { QUESTIONS } from "./elicitations";
import { BACKUPS } from "./firstSteps";
import { ACCOUNTS, PROVIDERS } from "./oauth";
import { TRACE_RULES } from "./observe";
import { extraOf, PLUGINS, type PluginExtra, pluginExtras, SIGNERS } from "./plugins";
import { CLAUDE, OLLAMA, PAIRING, TRACES } from "./rest";
import { KEYS, TABLE } from "./routing";
import { bigTranscript, manySessions, SESSIONS, transcriptOf, WORKSPACES } from "./sessions";
import { EVERY_STATE } from "./sourceStates";
import { WRITTEN } from "./settings";
import { SOURCES, status } from "./sources";
import { FAILED_UPDATE, UPDATES } from "./updates";
import { HYGIENE, LETTERS } from "./upkeep";
import { handIn } from "./plans";
import { waitingOf } from "./waiting";

/** Facts after which something else may wait for the person. */
const WAITS: ReadonlySet<Fact["topic"]> = new Set(["approvals_changed", "elicitations_changed", "pairing_requested", "pairing_changed", "source_changed", "plugin_changed", "letters_changed"]);

export interface FakeOptions {
  /** No model yet, so that the first run shows. */
  firstRun?: boolean;
  /** A very long list and a very long transcript. */
  big?: boolean;
  /** Milliseconds between two words of an answer. */
  stepMs?: number;
  /** Milliseconds before an answer to a question. */
  latencyMs?: number;
  /** No sessions and no sources. */
  empty?: boolean;
  /** The engine cannot be started at first. */
  engineFails?: boolean;
  /** A source in every state there is, and nothing else. */
  states?: boolean;
  /** It was started with a port. */
  portGiven?: boolean;
  /** It ended unexpectedly, plugins are off, channels are paused, and an update was put back. */
  troubled?: boolean;
  /** Nothing answers. */
  away?: boolean;
  /** A browser that has no place yet. */
  needsToken?: boolean;
  /** A device that may not come in any longer. */
  shutOut?: boolean;
  /** An agent has handed in a plan. */
  planned?: boolean;
}

export class World {
  readonly facts = new Listeners<NumberedFact>();
  readonly options: FakeOptions;
  readonly sessions: Map<SessionId, SessionSummary>;
  readonly transcripts = new Map<SessionId, Message[]>();
  readonly settings = new Map<string, unknown>();
  /** What stands in settings.json, by path. */
  readonly settingsFile = new Map<string, unknown>(WRITTEN);
  readonly secrets = new Map<string, SecretState[]>();
  readonly traces: Trace[];
  readonly answers = new Map<string, (decision: ApprovalDecision) => void>();
  /** By call and by code: the answer that counted. */
  readonly outcomes = new Map<string, ApprovalOutcome>();
  readonly policies = new Map<string, ChannelPolicyState>();
  approvals: Approval[];
  plans: Plan[] = [];
  /** By plan: the answer that counted. */
  readonly planOutcomes = new Map<string, PlanOutcome>();
  always: AlwaysRule[];
  table: RoutingTable;
  keys: RouteKey[];
  letters: Letter[];
  updates: UpdateState = UPDATES;
  hygiene: HygieneRules = HYGIENE;
  traceRules: Required<TraceRules> = TRACE_RULES;
  readonly stops = new Set<SessionId>();
  readonly imported = new Set<string>();
  backups: Backup[];
  sources: SourceSummary[];
  readonly documents = new Map<string, SourceDocument>();
  readonly switches = new Map<string, WorkspaceSwitch[]>();
  readonly tried: Pick<ToolTry, "name" | "params">[] = [];
  elicitations: Elicitation[];
  readonly replies: ElicitationAnswer[] = [];
  providers: OauthProvider[] = PROVIDERS;
  accounts: OauthAccount[];
  readonly signIns = new Map<string, OauthSignIn>();
  plugins: PluginSummary[];
  signers: PluginSigner[];
  readonly extras: Map<PluginId, PluginExtra> = pluginExtras();
  models: ProviderSummary[];
  pairing: PairingRequest[];
  notices: SystemStatus["notices"];
  background = BACKGROUND;
  crashes = CRASHES;
  checks = CHECKS;
  safeMode: SystemStatus["safeMode"] = null;
  #seq = 0;

  constructor(options: FakeOptions) {
    this.options = options;
    const rows = options.empty ? [] : options.big ? [...SESSIONS, ...manySessions()] : SESSIONS;
    this.sessions = new Map(rows.map((row) => [row.id, { ...row }]));
    this.approvals = options.empty ? [] : [...APPROVALS];
    for (const { session } of this.approvals) {
      const row = this.sessions.get(session);
      if (row !== undefined) this.sessions.set(session, { ...row, state: "awaiting_approval" });
    }
    this.table = options.empty ? {} : TABLE;
    this.keys = options.empty ? [] : KEYS;
    this.letters = options.empty ? [] : LETTERS;
    this.sources = options.empty ? [] : (options.states ? EVERY_STATE : SOURCES).map((row) => ({ ...row }));
    this.elicitations = options.empty || options.states ? [] : [...QUESTIONS];
    this.plugins = options.empty ? [] : PLUGINS.map((plugin) => ({ ...plugin }));
    this.signers = options.empty ? [] : SIGNERS;
    this.models = options.firstRun ? [] : [CLAUDE, OLLAMA];
    this.notices = options.empty
      ? []
      : [{ id: "torn-session", at: START - 60_000, message: "The last line of one transcript was cut off and has been set aside.", hint: "Nothing to do; the rest of the session is intact." }];
    this.traces = options.empty ? [] : [...TRACES];
    this.always = options.empty ? [] : [{ tool: "bash", prefix: ["cargo", "check"], folder: null }, { tool: "write", prefix: [], folder: "/home/mara/acme/handbook" }];
    this.accounts = ACCOUNTS.filter(({ source }) => this.sources.some(({ id }) => id === source));
    this.backups = options.empty ? [] : [...BACKUPS];
    this.pairing = options.empty ? [] : [...PAIRING];
    this.pause = { paused: options.troubled === true, until: options.troubled === true ? START + 30 * 60_000 : null };
    if (options.planned) handIn(this, "261122-quiet-heron", "Tidy up the release notes", "turn-plan");
    if (options.troubled) {
      this.crashes = [CRASH, PANIC];
      this.safeMode = { reason: "it ended unexpectedly 3 times within 5 minutes", suspects: ["indexer"], since: START };
      this.updates = FAILED_UPDATE;
    }
    if (options.big) this.transcripts.set("261122-quiet-heron", bigTranscript());
  }

  /** All channels. */
  pause: PauseState;

  publish(fact: Fact): void {
    this.#seq += 1;
    this.facts.emit({ seq: this.#seq, fact });
    if (!WAITS.has(fact.topic)) return;
    this.publish({ topic: "attention_changed" });
    this.publish({ topic: "health_changed", health: this.health() });
  }

  say(id: SessionId, event: SessionEvent): void {
    this.publish({ topic: "session", id, event });
  }

  session(id: SessionId): SessionSummary {
    const row = this.sessions.get(id);
    if (row === undefined) throw new OperationError({ code: "not_found", message: `There is no session ${id}.`, hint: "It may have been removed." });
    return row;
  }

  change(id: SessionId, change: Partial<SessionSummary>): SessionSummary {
    const row = { ...this.session(id), ...change };
    this.sessions.set(id, row);
    this.publish({ topic: "session_changed", session: row });
    this.publish({ topic: "health_changed", health: this.health() });
    return row;
  }

  transcript(id: SessionId): Message[] {
    const known = this.transcripts.get(id);
    if (known !== undefined) return known;
    const rows = transcriptOf(this.session(id));
    this.transcripts.set(id, rows);
    return rows;
  }

  keep(id: SessionId, row: Message): void {
    const rows = this.transcript(id);
    const at = rows.findIndex((other) => other.id === row.id);
    if (at === -1) rows.push(row);
    else rows[at] = row;
    this.say(id, { kind: "message", message: row });
  }

  extra(id: PluginId): PluginExtra {
    const known = this.extras.get(id) ?? extraOf(id);
    this.extras.set(id, known);
    return known;
  }

  source(id: string): SourceSummary {
    const row = this.sources.find((other) => other.id === id);
    if (row === undefined) throw new OperationError({ code: "not_found", message: `There is no source ${id}.` });
    return row;
  }

  changeSource(id: string, change: Partial<SourceSummary>): SourceSummary {
    const row = { ...this.source(id), ...change };
    this.sources = this.sources.map((other) => (other.id === id ? row : other));
    this.publish({ topic: "source_changed", source: row });
    this.publish({ topic: "health_changed", health: this.health() });
    return row;
  }

  switchesOf(id: string): WorkspaceSwitch[] {
    return this.switches.get(id) ?? WORKSPACES.map((row) => ({ workspace: row.id, enabled: true }));
  }

  switchIn(id: string, workspace: string, enabled: boolean): SourceSummary {
    this.switches.set(id, this.switchesOf(id).map((row) => (row.workspace === workspace ? { workspace, enabled } : row)));
    return this.changeSource(id, {});
  }

  /** Brings a source up the way a real one comes up: step by step. */
  bringUp(id: string): SourceSummary {
    const step = this.options.stepMs ?? 30;
    const row = this.changeSource(id, { enabled: true, status: status({ kind: "starting" }, "Loading.", Date.now()) });
    setTimeout(() => this.changeSource(id, { status: status({ kind: "connecting" }, "Signing in.", Date.now()) }), step * 20);
    setTimeout(() => this.changeSource(id, { status: status({ kind: "running" }, "Connected.", Date.now()) }), step * 60);
    return row;
  }

  health(): Health {
    const kinds = this.sources.filter((row) => row.enabled).map((row) => row.status.state.kind);
    const count = (...wanted: string[]) => kinds.filter((kind) => wanted.includes(kind)).length;
    const running = count("running", "degraded");
    const needsUser = count("needs_user");
    const waiting = waitingOf(this).length;
    const failing = count("failed", "backoff", "quarantined");
    const busySessions = [...this.sessions.values()].filter((row) => row.state !== "idle" && row.state !== "failed").length;
    const parts = [running > 0 ? `${running} running` : "", failing > 0 ? `${failing} with a problem` : "", waiting > 0 ? `${waiting} need${waiting === 1 ? "s" : ""} you` : ""];
    if (this.pause.paused) parts.unshift("paused");
    return { running, needsUser, failing, busySessions, waiting, paused: this.pause.paused, line: parts.filter((part) => part !== "").join(" · ") || "Ready" };
  }

  model(): ProviderSummary | null {
    return this.models.find((model) => model.default) ?? null;
  }

  system(): SystemStatus {
    return {
      version: "0.1.0",
      home: "~/.kata-agents",
      gatewayPort: 18790,
      startedAt: START - 26 * 3_600_000,
      readyAfterMs: 184,
      health: this.health(),
      model: this.model(),
      secretStore: "Keyring of this desktop (secret-service)",
      notices: this.notices,
      ledger: { accepted: 1_482, delivered: 1_466, refused: 11, dead: 1, pending: 4 },
      pause: this.pause,
      safeMode: this.safeMode,
    };
  }
}
