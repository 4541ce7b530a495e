// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, type FakePlatform, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { CONFIG, fromAnn, MailServers, PASSWORD } from "./servers.ts";

function platform(): FakePlatform {
  const servers = new MailServers();
  let written = 0;
  return {
    route: { account: CONFIG.address, conversation: "ann@ann.example" },
    answer: () => new Response(null, { status: 404 }),
    tcp: servers.serve,
    write(text) {
      written += 1;
      servers.deliver(fromAnn(`m${written}@ann.example`, text));
      return `m${written}@ann.example`;
    },
    sent: () => servers.submitted.map(({ raw }) => raw),
  };
}

export default channelContract("email", async () => (await load(plugin)).channel("email"), {
  platform,
  config: CONFIG,
  secrets: { password: PASSWORD },
});
