import { corpus } from "@kata-agents/plugin-sdk/testing/corpus";
import { expect, test } from "vitest";
import { contentOf, editOf, PART_MAX, render, sizeOf } from "../render.ts";

/** Elements the specification lets a client show (m.room.message msgtypes, v1.15). */
const ALLOWED = new Set("del h1 h2 h3 h4 h5 h6 blockquote p a ul ol sup sub li b i u strong em s code hr br div table thead tbody tr th td caption pre span img details summary".split(" "));

for (const { name, text } of corpus) {
  test(`${name}: as Matrix shows it`, () => {
    const events = render(text);
    expect(events.map(({ body, html }) => `${body}\n=====\n${html ?? "(no markup)"}`).join("\n##### next event\n")).toMatchSnapshot();
    for (const event of events) {
      expect(event.body.trim()).not.toBe("");
      expect(sizeOf(contentOf(event, "m.notice"))).toBeLessThan(64_000);
      expect(sizeOf(editOf(event, "m.notice", "$e"))).toBeLessThan(64_000);
      expect(new TextEncoder().encode(event.html ?? "").length).toBeLessThanOrEqual(PART_MAX);
      const open: string[] = [];
      for (const [, slash = "", tag = ""] of (event.html ?? "").matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
        expect(ALLOWED).toContain(tag);
        if (slash !== "") expect(open.pop()).toBe(tag);
        else if (tag !== "br" && tag !== "hr") open.push(tag);
      }
      expect(open).toEqual([]);
    }
  });
}
