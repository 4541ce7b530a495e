// Run it with `kata plugins check`. It runs in the same sandbox as the plugin itself.
import { expect, load, serviceContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

export default serviceContract("{{id}}", async () => (await load(plugin)).service("{{id}}"), {
  config: { url: "https://page.example/", everySeconds: 60 },
  network: () => new Response(null, { status: 200 }),
  after: {
    ms: 150_000,
    check: (host) => {
      expect(host.network.requests.length === 3, `it looked ${host.network.requests.length} times in 150 s, not 3 times`);
      expect(host.states.join() === "running", `the states were ${host.states.join()}`);
    },
  },
});
