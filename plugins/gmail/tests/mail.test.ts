import { bytesOf, compose, parseHeaders, rawOf, utf8 } from "@kata-agents/plugin-sdk/mail";
import { FakeHost } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { mailOf } from "../mail.ts";
import { base64UrlOf, bytesOfBase64Url } from "../pieces.ts";
import { b64 } from "./platform.ts";

const base64Url = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
const ofRaw = (raw: string) => btoa(raw).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const header = (name: string, value: string) => ({ name, value });
const message = (payload: object) => ({ id: "a", threadId: "t", labelIds: ["INBOX"], internalDate: "1700000000000", snippet: "s", payload });

test("of the forms of a text the plain one counts, and history and signature are cut for who answers", () => {
  const mail = mailOf(
    message({
      mimeType: "multipart/alternative",
      headers: [header("Subject", "=?utf-8?B?w5xiZXI=?= alles"), header("From", "Änne <a@x.example>")],
      parts: [
        { mimeType: "text/plain", filename: "", body: { data: b64("Yes!\n\n-- \nAnn\n\nOn Monday Bo wrote:\n> well?") } },
        { mimeType: "text/html", filename: "", body: { data: b64("<p>No</p>") } },
      ],
    }),
  );
  expect(mail?.words).toBe("Yes!");
  expect(mail?.text).toContain("> well?");
  expect(mail?.headers.text("subject")).toBe("Über alles");
  expect(mail?.headers.text("from")).toBe("Änne <a@x.example>");
});

test("HTML alone is read as text, parts within parts are followed, and a text in another charset is readable", () => {
  const html = mailOf(message({ mimeType: "multipart/related", parts: [{ mimeType: "text/html", filename: "", body: { data: b64("<style>x</style><p>Hello <b>you</b></p><div class=gmail_quote>old</div>") } }] }));
  expect([html?.text, html?.words]).toEqual(["Hello you\n\nold", "Hello you"]);
  const latin = mailOf(message({ mimeType: "text/plain", headers: [header("Content-Type", 'text/plain; charset="iso-8859-15"')], body: { data: base64Url(new Uint8Array([0xa4, 0x20, 0xe9])) } }));
  expect(latin?.text).toBe("€ é");
});

test("files are named with their part, decorations and signatures are none, and an invitation is one", () => {
  const mail = mailOf(
    message({
      mimeType: "multipart/mixed",
      parts: [
        { mimeType: "text/plain", filename: "", body: { data: b64("hi") } },
        { partId: "1", mimeType: "image/png", filename: "", body: { attachmentId: "x", size: 3 } },
        { partId: "2", mimeType: "application/pkcs7-signature", filename: "smime.p7s", body: { attachmentId: "y", size: 3 } },
        { partId: "3", mimeType: "text/calendar", filename: "", body: { data: b64("BEGIN:VCALENDAR"), size: 15 } },
        { partId: "4", mimeType: "text/plain", filename: "notes.txt", body: { attachmentId: "z", size: 9 } },
      ],
    }),
  );
  expect(mail?.files.map(({ part, name }) => [part, name])).toEqual([["3", "invitation.ics"], ["4", "notes.txt"]]);
  expect(mail?.text).toBe("hi");
});

test("whatever nonsense comes for a message is read or left out, and never throws", () => {
  for (const value of [{}, { id: 1 }, message({ parts: "no" }), message({ parts: [null, 3, { body: 4 }], headers: [{ name: 1 }] }), { ...message({}), labelIds: "x", internalDate: "soon" }]) {
    expect(() => mailOf(value as Record<string, unknown>)).not.toThrow();
  }
  let deep: object = { mimeType: "text/plain", body: { data: b64("deep") } };
  for (let n = 0; n < 5_000; n += 1) deep = { mimeType: "multipart/mixed", parts: [deep] };
  expect(mailOf(message(deep))?.text).toBe("");
});

test("what is as long as a file is encoded and decoded piece by piece, with pauses, to the same bytes", () => {
  const host = new FakeHost();
  return host.run(async () => {
    const bytes = Uint8Array.from({ length: 1_000_003 }, (_, at) => (at * 7919) % 251);
    const letter = { from: { address: "me@x.example", name: null }, to: [{ address: "a@x.example", name: null }], subject: "x", text: "x", id: "own@x.example", date: 0, files: [{ name: "a.bin", mime: "x/y", bytes }] };
    const raw = [...compose(letter)].join("");
    const body = /base64\r\n\r\n([^]*?)\r\n--=_kata_m_/.exec(raw)?.[1] ?? "";
    expect(body.split("\r\n").every((line, at, all) => line.length === 76 || at === all.length - 1)).toBe(true);
    let encoded: string | undefined;
    let pauses = host.clock.pending;
    void base64UrlOf(compose(letter)).then((pieces) => (encoded = pieces.map((piece) => new TextDecoder().decode(piece)).join("")));
    await host.clock.until(() => ((pauses += host.clock.pending), encoded !== undefined));
    expect(encoded).toBe(ofRaw(raw));
    expect(pauses).toBeGreaterThan(5);
    let decoded: Uint8Array | undefined;
    void bytesOfBase64Url(encoded ?? "").then((found) => (decoded = found));
    await host.clock.until(() => decoded !== undefined);
    expect(decoded === undefined ? "" : rawOf(decoded)).toBe(raw);
    for (const short of ["", "a", "ab", "abc", "abcd"]) expect(rawOf(await bytesOfBase64Url((await base64UrlOf([short])).map((piece) => rawOf(piece)).join("")))).toBe(short);
  });
});

test("long headers are folded, and unfolded they are what was given", () => {
  const people = Array.from({ length: 30 }, (_, n) => ({ address: `person${n}@a-long-domain.example`, name: n % 2 ? `Nummer ${n}, die größte` : `Plain ${n}` }));
  const references = Array.from({ length: 40 }, (_, n) => `id-${n}@somewhere.example`);
  const raw = [...compose({ from: { address: "me@x.example", name: "Me" }, to: people, subject: "a long subject of plain words ".repeat(8).trim(), text: "x", id: "own@x.example", date: 0, inReplyTo: "id-39@somewhere.example", references })].join("");
  const lines = raw.split("\r\n\r\n")[0]?.split("\r\n") ?? [];
  // RFC 2047, 2: a line with an encoded word has 76 characters at most.
  expect(lines.filter((line) => line.length > 76)).toEqual([]);
  const headers = parseHeaders(raw);
  expect(headers.text("subject")).toBe("a long subject of plain words ".repeat(8).trim());
  expect(headers.raw("date")).toBe("Thu, 1 Jan 1970 00:00:00 +0000");
  const named = headers.raw("references")?.split(/\s+/) ?? [];
  expect([named.length, named[0], named.at(-1)]).toEqual([20, "<id-0@somewhere.example>", "<id-39@somewhere.example>"]);
  expect(headers.text("to")?.match(/Nummer 1, die größte/)).not.toBeNull();
  expect(bytesOf(raw).every((byte) => byte < 128)).toBe(true);
  expect(utf8(raw).length).toBe(raw.length);
});
