/** Bytes and texts of mail. A raw header or line is held as a text of bytes: one character for each, 0 to 255. */

/** Bytes as a text of bytes. */
export function rawOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** A text of bytes as bytes. */
export function bytesOf(raw: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at) & 255;
  return bytes;
}

/** UTF-8. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Decodes base64; what is none of it is passed over, as RFC 2045 asks. */
export function fromBase64(raw: string): Uint8Array<ArrayBuffer> {
  const clean = raw.replace(/[^A-Za-z0-9+/]/g, "");
  const whole = clean.slice(0, clean.length - (clean.length % 4 === 1 ? 1 : 0));
  try {
    return bytesOf(atob(whole + "=".repeat((4 - (whole.length % 4)) % 4)));
  } catch {
    return new Uint8Array();
  }
}

/** Encodes base64. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(rawOf(bytes));
}

/** Decodes quoted-printable (RFC 2045, 6.7). A `=` that means nothing stands for itself. */
export function fromQuotedPrintable(raw: string): Uint8Array<ArrayBuffer> {
  const text = raw
    .replace(/[ \t]+(?=\r?\n|$)/g, "")
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return bytesOf(text);
}

/** Encodes quoted-printable, lines of at most 76 characters. */
export function toQuotedPrintable(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  return lines
    .map((line) => {
      let out = "";
      let length = 0;
      const bytes = utf8(line);
      for (const [at, byte] of bytes.entries()) {
        const last = at === bytes.length - 1;
        const plain = (byte >= 33 && byte <= 126 && byte !== 61) || ((byte === 32 || byte === 9) && !last);
        const piece = plain ? String.fromCharCode(byte) : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
        if (length + piece.length > 75) {
          out += "=\r\n";
          length = 0;
        }
        out += piece;
        length += piece.length;
      }
      return out;
    })
    .join("\r\n");
}
