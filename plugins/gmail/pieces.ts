/**
 * Large bytes in pieces: a plugin may not work longer than a tenth of a second without a pause, so what is as long as a file is encoded
 * and decoded bit by bit. Small things take no pause.
 */

import { utf8 } from "@kata-agents/plugin-sdk/mail";

/** Characters of one step; a multiple of 3 and of 4. */
const STEP = 48 * 1024;
/** Work after which a pause comes, characters. */
const PAUSE_AFTER = 3 * STEP;

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 0));

/** A text of bytes in pieces as base64url without its end marks, in pieces of ASCII. */
export async function base64UrlOf(pieces: Iterable<string>): Promise<Uint8Array<ArrayBuffer>[]> {
  const out: Uint8Array<ArrayBuffer>[] = [];
  let carry = "";
  let since = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += STEP) {
      const part = carry + piece.slice(at, at + STEP);
      const whole = part.length - (part.length % 3);
      out.push(utf8(safe(btoa(part.slice(0, whole)))));
      carry = part.slice(whole);
      since += part.length;
      if (since < PAUSE_AFTER) continue;
      since = 0;
      await pause();
    }
  }
  out.push(utf8(safe(btoa(carry)).replace(/=+$/, "")));
  return out;
}

const safe = (base64: string): string => base64.replaceAll("+", "-").replaceAll("/", "_");

/** base64url as bytes; throws what `atob` throws for what is none. */
export async function bytesOfBase64Url(data: string): Promise<Uint8Array<ArrayBuffer>> {
  const end = data.replace(/=+$/, "").length;
  const bytes = new Uint8Array(Math.floor((end * 3) / 4));
  let to = 0;
  for (let at = 0; at < end; at += STEP) {
    const part = data.slice(at, Math.min(at + STEP, end)).replaceAll("-", "+").replaceAll("_", "/");
    const raw = atob(part + "=".repeat((4 - (part.length % 4)) % 4));
    for (let from = 0; from < raw.length; from += 1) bytes[to + from] = raw.charCodeAt(from);
    to += raw.length;
    if ((at / STEP) % 3 === 2) await pause();
  }
  return bytes;
}

/** A pause before work on something of this length. */
export async function pauseFor(length: number): Promise<void> {
  if (length > PAUSE_AFTER) await pause();
}
