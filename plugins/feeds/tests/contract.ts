// Run it with `kata plugins check`, or with vitest beside the other tests.
import { load, serviceContract, toolContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const feed = `<rss><channel><title>T</title><item><guid>1</guid><title>one</title></item></channel></rss>`;
const config = { feeds: ["https://news.example/rss"], everyMinutes: 1 };

export default [
  ...serviceContract("feeds", async () => (await load(plugin)).service(), {
    config,
    network: () => new Response(feed),
    after: {
      ms: 120_000,
      check: (host) => {
        if (host.statuses.at(-1)?.state !== "running") throw new Error("it does not run");
      },
    },
  }),
  ...toolContract("list_feed_entries", async () => (await load(plugin)).tool("list_feed_entries"), { config, examples: [{ args: {}, gives: "There are no such entries." }] }),
  ...toolContract("read_feed_entry", async () => (await load(plugin)).tool("read_feed_entry"), { config, examples: [{ args: { id: "nothing" }, fails: true }] }),
];
