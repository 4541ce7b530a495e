import { compose, fromQuotedPrintable, renderBoth } from "@kata-agents/plugin-sdk/mail";
import { corpus } from "@kata-agents/plugin-sdk/testing/corpus";
import { expect, test } from "vitest";

const letter = { from: { address: "bot@kata.example", name: "Kata" }, to: [{ address: "ann@ann.example", name: null }], subject: "s", id: "x@kata.example", date: 0, automatic: "auto-replied" as const };

for (const { name, text } of corpus) {
  test(`${name}: as a mail shows it`, () => {
    const { plain, html } = renderBoth(text);
    expect(`${plain}\n=====\n${html}`).toMatchSnapshot();
    const open: string[] = [];
    for (const [, slash = "", tag = ""] of html.matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
      if (slash !== "") expect(open.pop()).toBe(tag);
      else if (!["br", "hr", "img"].includes(tag)) open.push(tag);
    }
    expect(open).toEqual([]);
    expect(html).not.toMatch(/<(script|style|iframe|object)|<[^>]*\son\w+=|(href|src)="(?!https?:|mailto:|tel:)/i);
    // What goes out has short lines of ASCII, and comes back as it was.
    const raw = [...compose({ ...letter, text })].join("");
    expect(raw).toMatch(/^[\x09\x0a\x0d\x20-\x7e]*$/);
    expect(raw.split("\r\n").every((line) => line.length <= 78)).toBe(true);
    const [, encoded = ""] = /text\/plain[^]*?\r\n\r\n([^]*?)\r\n--=_/.exec(raw) ?? [];
    expect(new TextDecoder().decode(fromQuotedPrintable(encoded)).replace(/\r\n/g, "\n")).toBe(plain.replace(/\r\n?/g, "\n"));
  });
}
