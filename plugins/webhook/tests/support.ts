/** The plugin over the kit's host, with its route in the hand of the test. */

import type { RouteRequest, RouteResponse } from "@kata-agents/plugin-sdk";
import { FakeHost, type FakeHostOptions, type Loaded, load, Running } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { signKata } from "../signature.ts";

export const SECRET = "a secret of more than sixteen letters";

export interface Bench {
  host: FakeHost;
  loaded: Loaded;
  running: Running;
  /** Signs and posts, as a sender does; `signed` gives other headers. */
  post(body: unknown, signed?: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }>;
}

export async function bench(options: FakeHostOptions, check: (bench: Bench) => Promise<void>): Promise<void> {
  const host = new FakeHost({ secrets: { signingSecret: SECRET }, ...options });
  const loaded = await load(plugin);
  await host.run(async () => {
    const running = new Running((signal) => loaded.channel().messaging?.connect(host.connectContext(signal)));
    await host.clock.advance(0);
    await check({
      host,
      loaded,
      running,
      async post(body, signed) {
        const text = typeof body === "string" ? body : JSON.stringify(body);
        const bytes = new TextEncoder().encode(text);
        const headers = signed ?? { "x-kata-signature": await signKata(SECRET, bytes, Date.now()) };
        const request: RouteRequest = { method: "POST", path: "in", query: "", headers, body: text, bytes };
        const [route] = loaded.routes;
        if (route === undefined) throw new Error("no route");
        if (!(await route.verify(request, host.context()))) return { status: 401, body: {} };
        const answer = (await route.handle(request, host.context())) as RouteResponse;
        return { status: answer.status ?? 200, body: JSON.parse(answer.body ?? "{}") as Record<string, unknown> };
      },
    });
    await running.stopped(host);
  });
}
