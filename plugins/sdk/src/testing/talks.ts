/** Cases of what a channel does besides messages: buttons, and an answer that is shown while it is written. */

import type { Channel } from "../channel.ts";
import { settle } from "./clock.ts";
import { expect, shown } from "./contract.ts";
import { type FakeHost, outbound, type Running } from "./host.ts";
import type { Add } from "./looks.ts";

/** What these cases need of the bench. */
export interface Talks {
  readonly channel: Channel;
  readonly host: FakeHost;
  readonly platform: {
    readonly route: { account: string; conversation: string };
    press?(button: string): void;
    buttons?(): readonly string[];
    readers?(): readonly string[];
  };
  connect(): Running;
}

/** The host's own time until something must have come through. */
const PATIENCE_MS = 120_000;
/** As the host makes one for a question. */
const BUTTON = "approve:K7Q2XY:once";

/** The cases; a channel without the ability, or a platform that does not script it, passes by doing nothing. */
export function talks<T extends Talks>(add: Add<T>): void {
  add("buttons and previews are claimed exactly where there is something that does them", async ({ channel }) => {
    const { stream, delete: removes, reactions } = channel.capabilities;
    expect(!stream || stream === "none" || channel.outbound.stream !== undefined, "capabilities.stream is set and there is no outbound.stream");
    expect(!removes || channel.outbound.delete !== undefined, "capabilities.delete is set and there is no outbound.delete");
    expect(!reactions || channel.outbound.react !== undefined, "capabilities.reactions is set and there is no outbound.react");
  });

  add("a press is handed in as the button says, and the buttons are gone when the question is settled", async (bench) => {
    const { channel, host, platform } = bench;
    if (!channel.capabilities.buttons || platform.press === undefined || platform.buttons === undefined) return;
    const running = bench.connect();
    await settle();
    await host.clock.advance(1_000);
    const buttons = [
      { id: BUTTON, label: "Once", style: "primary" as const },
      { id: "approve:K7Q2XY:deny", label: "Deny", style: "danger" as const },
    ];
    const message = outbound("may it run?", { route: { channel: channel.id, ...platform.route }, buttons });
    const receipt = await channel.outbound.send(message, host.context());
    const question = receipt.messageIds.at(-1);
    expect(platform.buttons().length === 2, () => `readers see the buttons ${shown(platform.buttons?.())}`);
    host.pressed = () => ({ text: "K7Q2XY is approved (once).", done: true });
    platform.press(BUTTON);
    const came = await host.clock.until(() => host.presses.length > 0, PATIENCE_MS);
    expect(came, () => `the press was not handed in; log: ${host.said()}`);
    const [press] = host.presses;
    expect(press?.button === BUTTON, () => `press.button is ${shown(press?.button)}`);
    expect(press?.messageId === question, () => `press.messageId is ${shown(press?.messageId)}, the question ${shown(question)}`);
    for (const field of ["account", "conversation"] as const) {
      expect(press?.[field] === platform.route[field], () => `press.${field} is ${shown(press?.[field])}, the question went to ${shown(platform.route[field])}`);
    }
    expect(typeof press?.sender.id === "string" && press.sender.id !== "", "press.sender.id is empty or no text");
    if (channel.outbound.edit !== undefined && question !== undefined) {
      // What the host does next, wherever the question was answered.
      await channel.outbound.edit(question, { ...message, text: "Approved: by Ada.", buttons: [] }, host.context());
    }
    const gone = await host.clock.until(() => platform.buttons?.().length === 0, PATIENCE_MS);
    expect(gone, () => `the question is settled and readers still see ${shown(platform.buttons?.())}`);
    await running.stopped(host);
  });

  add("an answer that was shown while it was written is one message in the end", async (bench) => {
    const { channel, host, platform } = bench;
    const { stream } = channel.outbound;
    if (stream === undefined || platform.readers === undefined) return;
    const route = { ...outbound("", { route: { channel: channel.id, ...platform.route } }).route };
    let messageId: string | null = null;
    for (const text of ["The ans", "The answer is"]) {
      const id: string | null | undefined = await stream.call(channel.outbound, { route, text, key: "preview:1", messageId }, host.context());
      expect(id === null || id === undefined || (typeof id === "string" && id !== ""), () => `outbound.stream gave ${shown(id)}`);
      expect(messageId === null || id === messageId || !id, "the second preview must stand where the first one did");
      messageId = id ?? messageId;
      await host.clock.advance(channel.capabilities.streamIntervalMs ?? 1_000);
    }
    const final = outbound("The answer is 42.", { route, replaces: messageId, idempotencyKey: "key-2" });
    const receipt = await channel.outbound.send(final, host.context());
    expect(receipt.messageIds.length === 1, () => `the receipt names ${shown(receipt.messageIds)}`);
    const readers = platform.readers();
    expect(readers.length === 1 && readers[0]?.includes("42") === true, () => `readers see ${shown(readers)}`);
  });
}
