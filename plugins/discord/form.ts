/**
 * Files as `multipart/form-data`: `payload_json` and `files[n]`. Written by hand and not by `FormData`, which would hold each file
 * three times over.
 */

export interface Upload {
  name: string;
  mime: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The body and its type. `boundary` must not stand in a file. */
export function encode(json: unknown, files: readonly Upload[], boundary: string): { body: Uint8Array<ArrayBuffer>; type: string } {
  const text = new TextEncoder();
  const head = (name: string, more: string) => text.encode(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`);
  const parts: Uint8Array[] = [head("payload_json", "\r\nContent-Type: application/json"), text.encode(JSON.stringify(json)), text.encode("\r\n")];
  for (const [index, file] of files.entries()) {
    const mime = /^[\w.+-]+\/[\w.+-]+$/.test(file.mime) ? file.mime : "application/octet-stream";
    parts.push(head(`files[${index}]`, `; filename="${quote(file.name)}"\r\nContent-Type: ${mime}`), file.bytes, text.encode("\r\n"));
  }
  parts.push(text.encode(`--${boundary}--\r\n`));
  const body = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return { body, type: `multipart/form-data; boundary=${boundary}` };
}

function quote(name: string): string {
  return name.replace(/[\r\n]/g, " ").replaceAll("\\", "_").replaceAll('"', "%22");
}
