import { expect, test } from "vitest";

const sources = {
  ...import.meta.glob("../*.ts", { query: "?raw", import: "default", eager: true }),
  ...import.meta.glob("../../email/*.ts", { query: "?raw", import: "default", eager: true }),
  ...import.meta.glob("../../calendar/*.ts", { query: "?raw", import: "default", eager: true }),
};

test.each([
  ["google.ts", "../../calendar/google.ts"],
  ["bytes.ts", "../../email/bytes.ts"],
  ["charset.ts", "../../email/charset.ts"],
  ["headers.ts", "../../email/headers.ts"],
  ["html.ts", "../../email/html.ts"],
  ["quote.ts", "../../email/quote.ts"],
  ["judge.ts", "../../email/inbound.ts"],
])("%s is the very file of %s: a plugin's modules lie in its own folder, and what is mended here is mended there", (here, there) => {
  expect(sources[`../${here}`]).toBe(sources[there]);
  expect(sources[there]).not.toBeUndefined();
});
