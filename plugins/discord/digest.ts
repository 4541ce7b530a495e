/**
 * A short name for a text, made at once: for nonces and to tell two tokens apart. Four lanes of multiply-and-xor with a final mix,
 * 96 bits kept. Not for keeping secrets: nobody gains anything by finding a second text.
 */

const SEEDS = [0x9e3779b9, 0x85ebca6b, 0xc2b2ae35] as const;

/** 24 hexadecimal characters. */
export function digest(text: string): string {
  return SEEDS.map((seed) => lane(text, seed)).join("");
}

function lane(text: string, seed: number): string {
  let hash = seed ^ text.length;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x5bd1e995 ^ (seed << 1));
    hash = (hash << 13) | (hash >>> 19);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
