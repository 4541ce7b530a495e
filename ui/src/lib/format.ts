/** Numbers as a person reads them. */
export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  if (n < 1_000_000) return `${(n / 1_000).toFixed(0)} kB`;
  return `${(n / 1_000_000).toFixed(1)} MB`;
}

/** Memory, as its limits are written: in MiB. */
export const mebibytes = (n: number): string => `${(n / 1_048_576).toFixed(n >= 10_485_760 || n === 0 ? 0 : 1)} MiB`;

export function count(n: number): string {
  if (n < 1_000) return String(n);
  if (n < 1_000_000) return `${(n / 1_000).toFixed(n < 10_000 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(1)}M`;
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString()} ${n === 1 ? one : many}`;

/** JSON as text, cut where it would be too much to show. */
export function jsonText(value: unknown, max = 20_000): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return text.length > max ? `${text.slice(0, max)}\n… ${text.length - max} characters more` : text;
}

/** A result that is JSON is shown as JSON, anything else as it is. */
export function prettyResult(text: string): string {
  if (!/^\s*[[{]/.test(text)) return jsonText(text);
  try {
    return jsonText(JSON.parse(text) as unknown);
  } catch {
    return jsonText(text);
  }
}
