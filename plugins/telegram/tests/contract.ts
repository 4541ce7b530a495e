// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, type FakePlatform, json, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const TOKEN = "42:secret-of-the-test";

/** Telegram's Bot API, in memory: one private chat. Updates stay until a later one is asked for. */
function platform(): FakePlatform {
  let updates: { update_id: number; message: Record<string, unknown> }[] = [];
  let written = 0;
  const sent: string[] = [];
  const ok = (result: unknown) => json({ ok: true, result });
  return {
    route: { account: "42", conversation: "7" },
    write(text) {
      written += 1;
      const from = { id: 7, is_bot: false, first_name: "Ann" };
      const message = { message_id: written, date: 1, chat: { id: 7, type: "private", first_name: "Ann" }, from, text };
      updates.push({ update_id: 100 + written, message });
      return `7:${written}`;
    },
    sent: () => sent,
    answer(request) {
      if (!request.url.pathname.startsWith(`/bot${TOKEN}/`)) return json({ ok: false, error_code: 401, description: "Unauthorized" }, 401);
      const params = request.json();
      switch (request.url.pathname.split("/").at(-1)) {
        case "getMe":
          return ok({ id: 42, is_bot: true, first_name: "Kata", username: "kata_bot" });
        case "getUpdates": {
          const offset = Number(params["offset"] ?? 0);
          updates = updates.filter((update) => update.update_id >= offset);
          // A real poll waits for news; here time passes only when the plugin waits, so it gets an empty list a second later.
          if (updates.length > 0) return ok(updates);
          return new Promise((resolve) => setTimeout(() => resolve(ok(updates)), 1_000));
        }
        case "sendMessage":
          sent.push(String(params["text"]));
          return ok({ message_id: 1000 + sent.length, date: 1, chat: { id: 7, type: "private" } });
        default:
          return ok(true);
      }
    },
    tooFast: () => json({ ok: false, error_code: 429, description: "Too Many Requests", parameters: { retry_after: 3 } }, 429),
    unauthorized: () => json({ ok: false, error_code: 401, description: "Unauthorized" }, 401),
  };
}

export default channelContract("telegram", async () => (await load(plugin)).channel("telegram"), {
  platform,
  config: { apiRoot: "https://telegram.example", pollSeconds: 25 },
  secrets: { botToken: TOKEN },
});
