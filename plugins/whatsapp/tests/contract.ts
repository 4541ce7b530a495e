// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, type FakePlatform, load } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";
import { CONFIG, graphError, Meta, PHONE, SECRETS, textMessage, webhook } from "./meta.ts";

let meta = new Meta();

function platform(): FakePlatform {
  meta = new Meta();
  const own = meta;
  let written = 0;
  return {
    route: { account: PHONE, conversation: "15551234567" },
    answer: own.answer,
    write(text) {
      written += 1;
      void own.deliver(webhook([textMessage(`wamid.in${written}`, text)]));
      return `wamid.in${written}`;
    },
    sent: () => own.sent.map((body) => String((body["text"] as { body?: unknown } | undefined)?.body)),
    tooFast: () => graphError(130_429, 429),
    unauthorized: () => graphError(190, 401),
  };
}

export default channelContract("whatsapp", async () => meta.watched(await load(plugin)), { platform, config: CONFIG, secrets: SECRETS });
