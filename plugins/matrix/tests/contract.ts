// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, type FakePlatform, json, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { Homeserver, ME, ROOM, TOKEN } from "./homeserver.ts";

function platform(): FakePlatform {
  const server = new Homeserver();
  let invited = false;
  return {
    route: { account: ME, conversation: ROOM },
    // As people do it: an invitation to a direct chat, and the message right behind it, before the bot has come.
    write(text) {
      if (!invited) {
        server.joinedAt.clear();
        server.invite(ROOM);
      }
      invited = true;
      return server.say(text);
    },
    sent: () => server.bodies,
    answer: (request) => server.answer(request),
    tooFast: () => json({ errcode: "M_LIMIT_EXCEEDED", error: "Too Many Requests", retry_after_ms: 3_000 }, 429, { "retry-after": "3" }),
    unauthorized: () => json({ errcode: "M_UNKNOWN_TOKEN", error: "Unrecognised access token" }, 401),
  };
}

export default channelContract("matrix", async () => (await load(plugin)).channel("matrix"), {
  platform,
  config: { server: "https://matrix.example", login: "token", deviceName: "Kata Agents", invites: "all", pollSeconds: 30, notices: true, receipts: true },
  secrets: { accessToken: TOKEN },
});
