/** The one state type in words a person understands, with the action that mends it. Every panel reads it from here. */
import type { RunState, Status, UserAction } from "@/generated/protocol";
import { sentence } from "./sentence";
import { until } from "./time";
import { wordsOfName } from "./words";

export type Tone = "good" | "warn" | "bad" | "busy" | "idle";

export interface StatusWords {
  tone: Tone;
  /** Two or three words for the badge. */
  label: string;
  /** A sentence for the detail; empty where the label says it all. */
  sentence: string;
}

export function toneOf(state: RunState): Tone {
  switch (state.kind) {
    case "running":
      return "good";
    case "starting":
    case "connecting":
    case "stopping":
      return "busy";
    case "degraded":
    case "backoff":
    case "needs_user":
      return "warn";
    case "failed":
    case "quarantined":
      return "bad";
    case "stopped":
      return "idle";
  }
}

/** Stopped until somebody uses it: its tools are on offer all the same. */
export const isAsleep = ({ state, code }: Status): boolean => state.kind === "stopped" && code === "sleeping";

export function statusWords(status: Status, now: number): StatusWords {
  return { tone: toneOf(status.state), label: isAsleep(status) ? "Asleep" : labelOf(status.state, now), sentence: sentence(status.message) };
}

function labelOf(state: RunState, now: number): string {
  switch (state.kind) {
    case "stopped":
      return "Off";
    case "starting":
      return "Starting";
    case "connecting":
      return "Connecting";
    case "running":
      return "Running";
    case "degraded":
      return "Running, with a problem";
    case "backoff":
      return state.until > now ? `Tries again ${until(state.until, now)}` : "Trying again";
    case "needs_user":
      return NEEDS[state.action.kind];
    case "failed":
      return "Failed";
    case "quarantined":
      return state.until > now ? `Held back for ${until(state.until, now).replace("in ", "")}` : "Held back";
    case "stopping":
      return "Stopping";
  }
}

const NEEDS: Record<UserAction["kind"], string> = {
  configure: "Needs setting up",
  trust: "Needs your trust",
  relogin: "Needs signing in",
  pair: "Somebody waits",
  add_model: "Needs a model",
};

/** What mends a state, as far as a click can; where none can, where the reason stands. */
export type Mend = { kind: "restart"; label: string } | { kind: "log"; label: string } | { kind: "action"; action: UserAction; label: string };

export function mendOf(state: RunState, name: string): Mend | null {
  switch (state.kind) {
    case "needs_user":
      return { kind: "action", action: state.action, label: actionLabel(state.action, name) };
    case "backoff":
      return { kind: "restart", label: "Try now" };
    case "failed":
      return state.recoverable ? { kind: "restart", label: `Restart ${name}` } : { kind: "log", label: "See the log" };
    case "quarantined":
      return { kind: "restart", label: `Restart ${name}` };
    case "degraded":
      return { kind: "restart", label: `Restart ${name}` };
    default:
      return null;
  }
}

function actionLabel(action: UserAction, name: string): string {
  switch (action.kind) {
    case "configure":
      return action.field === "" ? `Set up ${name}` : `Fill in ${wordsOfName(action.field)}`;
    case "trust":
      return `Review ${name}`;
    case "relogin":
      return `Reconnect ${name}`;
    case "pair":
      return "See who waits";
    case "add_model":
      return "Add a model";
  }
}
