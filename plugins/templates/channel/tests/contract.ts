// Run it with `kata plugins check`. It runs in the same sandbox as the plugin itself.
import { channelContract, type FakePlatform, json, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

/** The chat server, in memory. */
function platform(): FakePlatform {
  const written: { id: number; room: string; direct: boolean; from: string; name: string; text: string }[] = [];
  const sent = new Map<string, { room: string; text: string }>();
  return {
    route: { account: "me", conversation: "lobby" },
    write(text) {
      const id = written.length + 1;
      written.push({ id, room: "lobby", direct: true, from: "ann", name: "Ann", text });
      return String(id);
    },
    sent: () => [...sent.values()].map((message) => message.text),
    answer(request) {
      if (request.headers["authorization"] !== "Bearer secret-of-the-test") return json({ error: "who are you?" }, 401);
      if (request.method === "GET") {
        const after = Number(request.url.searchParams.get("after"));
        return json(written.filter((message) => message.id > after));
      }
      const { room, text, key } = request.json();
      sent.set(String(key), { room: String(room), text: String(text) });
      return json({ id: 1000 + [...sent.keys()].indexOf(String(key)) });
    },
    tooFast: () => json({ error: "slow down" }, 429, { "retry-after": "3" }),
    unauthorized: () => json({ error: "who are you?" }, 401),
  };
}

export default channelContract("{{id}}", async () => (await load(plugin)).channel("{{id}}"), {
  platform,
  config: { url: "http://chat.example" },
  secrets: { token: "secret-of-the-test" },
});
