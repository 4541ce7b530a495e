// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { APP, BOT, FakeSlack, ROOT } from "./platform.ts";

export default channelContract("slack", async () => (await load(plugin)).channel("slack"), {
  platform: () => new FakeSlack(),
  config: { apiRoot: ROOT, replyInThread: true, command: "/kata" },
  secrets: { botToken: BOT, appToken: APP },
});
