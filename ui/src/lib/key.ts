/** A key that makes a repeated submit the same submit. Works where `crypto.randomUUID` is missing (plain http). */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
