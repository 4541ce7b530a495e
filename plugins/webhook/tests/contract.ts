// Run it with `kata plugins check`, or with vitest beside the other tests.
import type { Channel, PluginContext, Route } from "@kata-agents/plugin-sdk";
import { channelContract, type FakePlatform, json, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { signKata } from "../signature.ts";

const SECRET = "secret-of-the-test";

/** The route of the plugin that is up, and the context its host gives it. */
let up: { route: Route; ctx: PluginContext } | undefined;
/** Calls nobody was there for. */
let waiting: (() => void)[] = [];

/** A service that calls the webhook, again every five seconds until the call is taken, and that takes answers. */
function service(): FakePlatform {
  let written = 0;
  waiting = [];
  const texts: string[] = [];
  const deliver = async (body: Record<string, unknown>): Promise<void> => {
    if (up === undefined) return void waiting.push(() => void deliver(body));
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const headers = { "x-kata-signature": await signKata(SECRET, bytes, Date.now()) };
    const request = { method: "POST", path: "in", query: "", headers, body: JSON.stringify(body), bytes };
    const status = (await up?.route.verify(request, up.ctx)) === true && up !== undefined ? ((await up.route.handle(request, up.ctx)) as { status: number }).status : 503;
    if (status >= 500) setTimeout(() => void deliver(body), 5_000);
  };
  return {
    route: { account: "webhook", conversation: "kitchen" },
    write(text) {
      written += 1;
      void deliver({ id: `m${written}`, conversation: "kitchen", sender: { id: "ann", name: "Ann" }, text });
      return `m${written}`;
    },
    sent: () => texts,
    answer(request) {
      if (request.method === "OPTIONS") return new Response(null, { status: 204 });
      texts.push(String(request.json()["text"]));
      return json({ id: `out-${texts.length}` });
    },
    tooFast: () => new Response("", { status: 429, headers: { "retry-after": "3" } }),
    unauthorized: () => new Response("", { status: 401 }),
  };
}

async function make(): Promise<Channel> {
  const loaded = await load(plugin);
  const channel = loaded.channel();
  const [route] = loaded.routes;
  const { messaging } = channel;
  if (route === undefined || messaging === undefined) throw new Error("the plugin has no route");
  return {
    ...channel,
    messaging: {
      ...messaging,
      connect: async (ctx) => {
        up = { route, ctx };
        queueMicrotask(() => waiting.splice(0).forEach((call) => call()));
        await messaging.connect(ctx).finally(() => (up = undefined));
      },
    },
  };
}

export default channelContract("webhook", make, {
  platform: service,
  config: { outUrl: "https://home.example/kata", signature: "kata", toleranceSeconds: 300, mapping: "", chatType: "direct", answerInResponse: false },
  secrets: { signingSecret: SECRET },
});
