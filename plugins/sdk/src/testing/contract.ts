/** What a contract is made of: named cases that run anywhere, in vitest and in the host's own sandbox. */

/** One sentence that must hold. `run` throws where it does not. */
export interface ContractCase {
  /** The sentence. */
  readonly name: string;
  /** Checks it, with everything made anew. */
  run(): Promise<void>;
}

/** A sentence that does not hold. */
export class ContractError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ContractError";
  }
}

/** Throws `message` unless `holds`. */
export function expect(holds: boolean, message: string | (() => string)): asserts holds {
  if (!holds) throw new ContractError(typeof message === "string" ? message : message());
}

/** A value as a person reads it. */
export function shown(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return JSON.stringify(value) ?? String(value);
}

/** Runs every case in order; what `kata plugins check` does. */
export async function runContract(cases: readonly ContractCase[]): Promise<{ name: string; error?: string }[]> {
  const results: { name: string; error?: string }[] = [];
  for (const one of cases) {
    try {
      await one.run();
      results.push({ name: one.name });
    } catch (error) {
      results.push({ name: one.name, error: shown(error) });
    }
  }
  return results;
}
