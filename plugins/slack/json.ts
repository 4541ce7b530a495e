/** Reads what Slack sends: each reader gives nothing where the shape is another one. */

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

export function list(value: unknown): readonly Fields[] {
  if (!Array.isArray(value)) return [];
  return value.map((one: unknown) => fields(one)).filter((one): one is Fields => one !== undefined);
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A field of a field, as text. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  let at: unknown = value;
  for (const name of path) at = fields(at)?.[name];
  return text(at);
}
