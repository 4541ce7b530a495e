// Run it with `kata plugins check`, or with vitest beside the other tests.
import { load, serviceContract, toolContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const surroundings = { config: { broker: "mqtt://broker.example", username: "ann" }, secrets: { password: "secret-of-the-test" } };

export default [
  ...serviceContract("mqtt", async () => (await load(plugin)).service(), surroundings),
  ...toolContract("read_mqtt", async () => (await load(plugin)).tool("read_mqtt"), {
    ...surroundings,
    examples: [
      { args: {}, gives: /No value of such a topic/ },
      { args: { filter: "a#" }, fails: true },
    ],
  }),
  ...toolContract("publish_mqtt", async () => (await load(plugin)).tool("publish_mqtt"), {
    ...surroundings,
    examples: [
      { args: { topic: "home/lamp", payload: "ON" }, fails: true },
      { args: { topic: "home/+", payload: "ON" }, fails: true },
    ],
  }),
];
