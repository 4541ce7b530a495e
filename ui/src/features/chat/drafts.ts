/** What was typed and not sent, per session. Survives a reload; the oldest go when there are too many. */
const KEY = "kata.drafts";
const KEPT = 50;

type Drafts = Record<string, string>;

function read(): Drafts {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Drafts) : {};
  } catch {
    return {};
  }
}

export function draftOf(session: string): string {
  const text = read()[session];
  return typeof text === "string" ? text : "";
}

export function keepDraft(session: string, text: string): void {
  const { [session]: _before, ...rest } = read();
  const entries = Object.entries(text === "" ? rest : { ...rest, [session]: text });
  localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(entries.slice(-KEPT))));
}

/** Drafts that a link wrote, until they are sent or emptied. */
const LINKED = "kata.drafts.linked";

/** Whether a link wrote a session's draft, and whether it was cut. */
export function linkedDraft(session: string): { cut: boolean } | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(LINKED) ?? "null");
    const linked = value as { session?: unknown; cut?: unknown } | null;
    return linked?.session === session ? { cut: linked.cut === true } : null;
  } catch {
    return null;
  }
}

export function keepLinkedDraft(session: string, text: string, cut: boolean): void {
  keepDraft(session, text);
  sessionStorage.setItem(LINKED, JSON.stringify({ session, cut }));
}

export function forgetLink(): void {
  sessionStorage.removeItem(LINKED);
}
