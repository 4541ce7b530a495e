/** Discord's ids: decimal text of 64 bits, of which the upper 42 are milliseconds since 2015. */

const EPOCH = 1_420_070_400_000;

/** Whether a text is an id. */
export function isSnowflake(text: unknown): text is string {
  return typeof text === "string" && /^\d{1,20}$/.test(text);
}

/** Whether `a` was made after `b`. Both are ids, so the longer one is the greater. */
export function after(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** When an id was made, in milliseconds since the epoch of Unix. */
export function timeOf(id: string): number {
  return Number(BigInt(id) >> 22n) + EPOCH;
}

/** The least id of a time. */
export function idAt(ms: number): string {
  return String(BigInt(Math.max(0, Math.floor(ms) - EPOCH)) << 22n);
}
