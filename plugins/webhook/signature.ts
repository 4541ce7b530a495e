/**
 * Signatures of both directions: HMAC-SHA256, made and checked with `crypto.subtle`. Pure but for the key; what is done with a
 * request that passed is told in `inbound.ts`.
 *
 * `X-Kata-Signature: t=SECONDS,v1=HEX` is over `SECONDS.BODY`. `v1` may come more than once while a sender changes its secret.
 */

const encoder = new TextEncoder();

/** Header of our own scheme, in lower case. */
export const KATA_HEADER = "x-kata-signature";
/** GitHub's: `sha256=HEX` over the body (docs.github.com, “Validating webhook deliveries”). Meta's has the same form. */
export const HUB_HEADER = "x-hub-signature-256";

/** A header of our own scheme, taken apart. */
export interface KataSignature {
  /** Seconds since the epoch, as written. */
  time: string;
  /** Hexadecimal digests. */
  digests: string[];
}

async function key(secret: string, use: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, [use]);
}

function joined(time: string, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(`${time}.`);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

/** Lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[0-9a-f]{64}$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Takes a header apart; `undefined` where it is none of ours. */
export function parseKata(header: string | undefined): KataSignature | undefined {
  const parts = (header ?? "").split(",").map((part) => part.trim());
  const time = parts.find((part) => part.startsWith("t="))?.slice(2);
  const digests = parts.filter((part) => part.startsWith("v1=")).map((part) => part.slice(3));
  return time !== undefined && /^\d{1,12}$/.test(time) && digests.length > 0 && digests.length <= 4 ? { time, digests } : undefined;
}

/** Signs what we send. */
export async function signKata(secret: string, body: Uint8Array<ArrayBuffer>, nowMs: number): Promise<string> {
  const time = String(Math.floor(nowMs / 1000));
  const mac = await crypto.subtle.sign("HMAC", await key(secret, "sign"), joined(time, body));
  return `t=${time},v1=${hex(new Uint8Array(mac))}`;
}

/** Whether our own header fits the body, and its time is near enough. */
export async function verifyKata(header: string | undefined, secret: string, body: Uint8Array<ArrayBuffer>, nowMs: number, toleranceMs: number): Promise<boolean> {
  const signature = parseKata(header);
  if (signature === undefined || Math.abs(nowMs - Number(signature.time) * 1000) > toleranceMs) return false;
  const hmac = await key(secret, "verify");
  const whole = joined(signature.time, body);
  for (const digest of signature.digests) {
    const mac = unhex(digest);
    // `subtle.verify` compares in constant time.
    if (mac !== undefined && (await crypto.subtle.verify("HMAC", hmac, mac, whole))) return true;
  }
  return false;
}

/** Whether `sha256=HEX` fits the body. It has no time in it, so it says nothing about when it was made. */
export async function verifyHub(header: string | undefined, secret: string, body: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const mac = header?.startsWith("sha256=") === true ? unhex(header.slice(7)) : undefined;
  return mac !== undefined && (await crypto.subtle.verify("HMAC", await key(secret, "verify"), mac, body));
}
