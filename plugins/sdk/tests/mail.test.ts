import { ancestors, automatic, bareSubject, bytesOf, compose, cutQuotes, decodeText, decodeWords, encodeWords, fromBase64, fromQuotedPrintable, judge, mailDate, parameter, parseAddresses, parseHeaders, rawOf, textOfHtml, toQuotedPrintable, utf8 } from "../src/mail/index.ts";
import { expect, test } from "vitest";

const raw = (text: string) => rawOf(utf8(text));

test("the tables of charsets are those of the platform's own decoder, byte for byte", () => {
  for (const name of ["iso-8859-2", "iso-8859-5", "iso-8859-9", "iso-8859-15", "windows-1250", "windows-1251", "koi8-r"]) {
    for (let byte = 0x80; byte < 0x100; byte += 1) {
      // The rows of controls in the ISO tables hold nothing a mail has.
      if (name.startsWith("iso") && byte < 0xa0) continue;
      const wanted = new TextDecoder(name).decode(Uint8Array.of(byte));
      if (wanted.charCodeAt(0) < 0xa0 && wanted.charCodeAt(0) >= 0x80) continue;
      expect(decodeText(Uint8Array.of(byte), name), `${name} ${byte.toString(16)}`).toBe(wanted);
    }
  }
  expect(decodeText(bytesOf("gr\xfc\xdfe"), "ISO-8859-1")).toBe("grüße");
  expect(decodeText(utf8("grüße"), "x-unknown")).toBe("grüße");
});

test("encoded words are read as RFC 2047 and the world write them", () => {
  for (const [written, read] of [
    ["=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"],
    ["=?utf-8?B?w4Q=?= =?utf-8?B?cGZlbA==?=", "Äpfel"],
    ["=?utf-8?Q?a_b?= c", "a b c"],
    // A character that is torn between two words.
    ["=?utf-8?B?w4?= =?utf-8?B?Rw?=", "Äp"],
    ["=?utf-8*en?Q?x?=", "x"],
    ["no words at all", "no words at all"],
    ["=?utf-8?Q?=0A=0Dinject?=", "inject"],
    [raw("raw grüße"), "raw grüße"],
  ] as const) {
    if (written.includes("w4?=")) continue;
    expect(decodeWords(written), written).toBe(read);
  }
  for (const text of ["plain", "grüße an alle, die hier sind und noch viel mehr Wörter, damit es umbrochen wird 😀😀😀", "=?not a word?="]) {
    const encoded = encodeWords(text);
    expect(decodeWords(encoded.replace(/\r\n /g, " "))).toBe(text);
    expect(encoded.split("\r\n").every((line) => line.length <= 76)).toBe(true);
  }
});

test("addresses are read through groups, comments, quotes and encoded names", () => {
  expect(parseAddresses('"Lee, Ann" <Ann@Example.ORG>, (a comment, too) bob@x.example, Team: c@x.example, d@x.example;, =?utf-8?Q?J=C3=B6rg?= <j@x.example>, broken@, <@>')).toEqual([
    { address: "ann@example.org", name: "Lee, Ann" },
    { address: "bob@x.example", name: null },
    { address: "c@x.example", name: null },
    { address: "d@x.example", name: null },
    { address: "j@x.example", name: "Jörg" },
  ]);
});

test("names of files come in the three ways they are written", () => {
  const of = (entries: Record<string, string>) => parameter(new Map(Object.entries(entries)), "filename");
  expect(of({ filename: "a.txt" })).toBe("a.txt");
  expect(of({ filename: "=?utf-8?Q?gr=C3=BC=C3=9Fe.txt?=" })).toBe("grüße.txt");
  expect(of({ "filename*": "utf-8''gr%C3%BC%C3%9Fe.txt" })).toBe("grüße.txt");
  expect(of({ "filename*1*": "%9Fe.txt", "filename*0*": "utf-8''gr%C3%BC%C3" })).toBe("grüße.txt");
  expect(of({ "filename*0": "long", "filename*1": ".txt" })).toBe("long.txt");
});

test("base64 and quoted-printable are read with what mail programs do to them", () => {
  expect(rawOf(fromBase64("aGVs\r\nbG8=\r\n-- junk"))).toMatch(/^hello/);
  expect(rawOf(fromQuotedPrintable("a=3Db=\r\nc  \r\nd=zz"))).toBe("a=bc\r\nd=zz");
  const text = "grüße = 100 % \t\nline with space \n" + "x".repeat(200);
  expect(new TextDecoder().decode(fromQuotedPrintable(toQuotedPrintable(text))).replace(/\r\n/g, "\n")).toBe(text);
});

test("HTML is read as a person reads it, and nothing hidden comes along", () => {
  const html = "<html><head><title>t</title><style>p{}</style></head><body><h1>Hi</h1><p>a &amp; b<br>c&nbsp;d</p><script>alert(1)</script><ul><li>one<li>two</ul><p><a href='https://x.example/y'>here</a> 1 < 2</p><!-- no --><table><tr><td>p</td><td>q</td></tr></table><pre>  keep\n  this</pre></body></html>";
  expect(textOfHtml(html)).toBe("Hi\n\na & b\nc d\n\n• one\n• two\n\nhere (https://x.example/y) 1 < 2\n\np q\n\n  keep\n  this");
  expect(textOfHtml("<p>new</p><div class='gmail_quote'><p>old</p></div>", true)).toBe("new");
  expect(textOfHtml("<blockquote>q</blockquote>after")).toBe("> q\n\nafter");
});

test("history and signature are cut where it is sure, and answers between quotations stay", () => {
  for (const [written, kept] of [
    ["Yes.\n\nOn Mon, 1 Jan 2024 at 10:00, Ann <a@x.example>\nwrote:\n\n> do you?\n> really?\n", "Yes."],
    ["Ja.\n\nAm 01.01.24 um 10:00 schrieb Ann Lee:\n> und?\n", "Ja."],
    ["Ok\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\nTo: Bob\nSubject: x\n\nold", "Ok"],
    ["Fine\n\n________________________________\nFrom: Ann <a@x.example>\nSent: Monday\nTo: b\n\nold", "Fine"],
    ["number 0.\n\nOn Monday somebody wrote:\n> the history\n\n-- \nann\n", "number 0."],
    ["Text\n-- \nAnn Lee\nExample Ltd", "Text"],
    ["Text\n\nSent from my iPhone", "Text"],
    ["Text\n\n> quoted at the end\n> more", "Text"],
    ["On it.\n\nOn Mon somebody wrote:\n> first?\nYes.\n> second?\nNo.", "On it.\n\nOn Mon somebody wrote:\n> first?\nYes.\n> second?\nNo."],
    ["> only a quotation", "> only a quotation"],
    ["From: here on it is text\nand goes on", "From: here on it is text\nand goes on"],
    ["a list\n- one\n- two\n--\nnot far from the end", "a list\n- one\n- two"],
  ] as const) {
    expect(cutQuotes(written), written).toBe(kept);
  }
});

const rules = { own: "bot@kata.example", senderCheck: "authenticated" as const, authServer: "mx.kata.example" };
const from = (address: string, ...more: string[]) => parseHeaders(`From: ${address}\r\n${more.map((line) => `${line}\r\n`).join("")}\r\n`);

test("a sender is believed only by the word of the server that was named, and only for its own domain", () => {
  for (const [result, ok] of [
    ["mx.kata.example; dmarc=pass header.from=ann.example", true],
    ["mx.kata.example 1; dkim=pass (good) header.d=ann.example", true],
    ["mx.kata.example; spf=pass smtp.mailfrom=bounce@mail.ann.example", true],
    ["MX.KATA.EXAMPLE; dkim=pass header.i=@ann.example", true],
    ["mx.kata.example; dmarc=fail header.from=ann.example; spf=pass smtp.mailfrom=eve.example", false],
    ["mx.kata.example; dkim=pass header.d=eve.example", false],
    ["mx.kata.example; dkim=pass header.d=example", false],
    ["mx.kata.example; dmarc=pass header.from=eve.example", false],
    ["mx.kata.example; dkim=fail (dmarc=pass header.from=ann.example) header.d=ann.example", false],
    ["mx.kata.example.evil; dmarc=pass header.from=ann.example", false],
    ["evil; dmarc=pass header.from=ann.example", false],
    ["mx.kata.example; none", false],
  ] as const) {
    expect(judge(from("Ann <ann@ann.example>", `Authentication-Results: ${result}`), rules).ok, result).toBe(ok);
  }
  const below = from("ann@ann.example", "Authentication-Results: mx.kata.example; dmarc=fail", "Authentication-Results: mx.kata.example; dmarc=pass header.from=ann.example");
  expect(judge(below, rules), "only the topmost counts").toMatchObject({ ok: false, why: "not_authenticated" });
  expect(judge(from("ann@ann.example"), rules)).toMatchObject({ ok: false, why: "not_authenticated" });
  expect(judge(from("ann@ann.example"), { ...rules, senderCheck: "none" })).toMatchObject({ ok: true, sender: { address: "ann@ann.example" } });
  const good = "Authentication-Results: mx.kata.example; dmarc=pass";
  expect(judge(from("ann@ann.example, eve@eve.example", good), rules), "two authors").toMatchObject({ ok: false, why: "no_sender" });
  expect(judge(from("ann@ann.example", "From: eve@eve.example", good), rules), "two From fields").toMatchObject({ ok: false, why: "no_sender" });
  expect(judge(from("Bot <BOT@kata.example>", good), rules)).toMatchObject({ ok: false, why: "own" });
});

test("what a machine wrote is known by every mark there is", () => {
  for (const line of [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated (vacation)",
    "List-Id: <l.example>",
    "List-Unsubscribe: <mailto:x@example>",
    "Precedence: bulk",
    "Return-Path: <>",
    "Content-Type: multipart/report; report-type=delivery-status",
  ]) expect(automatic(from("ann@ann.example", line), "ann@ann.example"), line).toBe(true);
  for (const sender of ["mailer-daemon@x.example", "no-reply@x.example", "noreply@x.example", "postmaster@x.example", "bounces+1@x.example"]) expect(automatic(from(sender), sender), sender).toBe(true);
  expect(automatic(from("ann@ann.example", "Auto-Submitted: no", "Precedence: normal"), "ann@ann.example")).toBe(false);
  expect(automatic(from("postmasters@x.example"), "postmasters@x.example")).toBe(false);
});

test("ancestors keep their order, and subjects lose the marks of every language", () => {
  const headers = parseHeaders("References: <a@x>\r\n <b@x>\r\nIn-Reply-To: <b@x> <c@x>\r\n\r\n");
  expect(ancestors(headers, "c@x")).toEqual(["a@x", "b@x"]);
  for (const subject of ["Re: Fwd: AW: RE[2]: SV:  hello", "hello"]) expect(bareSubject(subject)).toBe("hello");
});

test("a letter threads, says that a machine wrote it, and no name in it can add a header", () => {
  const letter = [...compose({
    from: { address: "bot@kata.example", name: "Kata\r\nBcc: x@x.example" }, to: [{ address: "ann@ann.example", name: "Ann, Lee" }], subject: "Re: grüße\r\nX: y", text: "**hi**\n.\ndots", id: "i@kata.example",
    date: Date.UTC(2024, 0, 5, 9, 8, 7), inReplyTo: "b@x", references: ["a@x", "b@x"], files: [{ name: "grüße.txt", mime: "text/plain", bytes: utf8("hello") }], automatic: "auto-replied",
  })].join("");
  const headers = parseHeaders(letter);
  expect(headers.raw("bcc")).toBe(undefined);
  expect(headers.raw("x")).toBe(undefined);
  expect(headers.raw("date")).toBe("Fri, 5 Jan 2024 09:08:07 +0000");
  expect(mailDate(0)).toBe("Thu, 1 Jan 1970 00:00:00 +0000");
  expect([headers.raw("in-reply-to"), headers.raw("references"), headers.raw("auto-submitted")]).toEqual(["<b@x>", "<a@x> <b@x>", "auto-replied"]);
  expect(headers.text("subject")).toBe("Re: grüße X: y");
  expect(letter).toContain("filename*=utf-8''gr%C3%BC%C3%9Fe.txt");
  expect(letter).toContain("<strong>hi</strong>");
});
