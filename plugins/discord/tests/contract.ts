// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { Discord, TOKEN } from "./platform.ts";

export default channelContract("discord", async () => (await load(plugin)).channel("discord"), {
  platform: () => new Discord(),
  config: { apiRoot: "https://discord.example/api", reads: "all", slashCommands: true },
  secrets: { botToken: TOKEN },
});
