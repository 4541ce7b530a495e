/** How long to wait after a failure. */

/** Bounds of a wait. */
export interface BackoffOptions {
  /** Wait after the first failure, in milliseconds; default 500. */
  firstMs?: number;
  /** Longest wait, in milliseconds; default 60 000. */
  maxMs?: number;
}

/** Waits that grow with each failure in a row. */
export interface Backoff {
  /** Failures in a row. */
  readonly failures: number;
  /** Counts a failure and says how long to wait, in milliseconds; `atLeastMs` is what the platform asked for. */
  next(atLeastMs?: number): number;
  /** It works again. */
  reset(): void;
}

/**
 * Doubles the wait with each failure. Each is a random part between a half and all of it, so that programs that fell over
 * together do not come back together. `random` gives 0 to 1, as `Math.random` does.
 */
export function backoff(random: () => number, { firstMs = 500, maxMs = 60_000 }: BackoffOptions = {}): Backoff {
  let failures = 0;
  return {
    get failures() {
      return failures;
    },
    next(atLeastMs = 0) {
      const whole = Math.min(firstMs * 2 ** Math.min(failures, 30), maxMs);
      failures += 1;
      return Math.max(atLeastMs, Math.round(whole / 2 + (whole / 2) * random()));
    },
    reset() {
      failures = 0;
    },
  };
}
