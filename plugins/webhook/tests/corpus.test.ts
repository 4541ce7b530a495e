import { corpus } from "@kata-agents/plugin-sdk/testing/corpus";
import { outbound } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { bench } from "./support.ts";

test("every document leaves as it was written: receivers are given Markdown", () =>
  bench({ config: { outUrl: "https://home.example/in" } }, async ({ host, loaded }) => {
    host.network.answerWith(() => new Response(null, { status: 204 }));
    for (const { text } of corpus) {
      await loaded.channel().outbound.send(outbound(text), host.context());
      expect(host.network.requests.at(-1)?.json()["text"]).toBe(text);
    }
  }));
