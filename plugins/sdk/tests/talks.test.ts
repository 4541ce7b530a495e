/** The cases of buttons and previews: a channel that does both passes, and each mistake is found by the sentence that names it. */

import type { Channel, ConnectContext, OutboundMessage } from "@kata-agents/plugin-sdk";
import { channelContract, json, runContract } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";

const CLAIMS = "buttons and previews are claimed exactly where there is something that does them";
const PRESS = "a press is handed in as the button says, and the buttons are gone when the question is settled";
const STREAM = "an answer that was shown while it was written is one message in the end";

/** What readers see. */
class Board {
  messages = new Map<string, { text: string; buttons: readonly string[] }>();
  pressed: string | undefined;
  next = 1;

  put(id: string | null | undefined, text: string, message?: OutboundMessage): string {
    const key = id ?? String(this.next++);
    this.messages.set(key, { text, buttons: message?.buttons?.map((button) => button.id) ?? [] });
    return key;
  }
}

/** How this channel goes wrong. */
interface Mistakes {
  keepsButtons?: boolean;
  otherButton?: boolean;
  sendsBeside?: boolean;
  streamsBeside?: boolean;
  claims?: boolean;
}

function channel(board: () => Board, wrong: Mistakes): Channel {
  return {
    id: "chat",
    meta: { label: "Chat" },
    capabilities: { buttons: 5, edit: true, delete: wrong.claims === true, stream: "edit", streamIntervalMs: 500 } as never,
    outbound: {
      send: async (message) => ({ messageIds: [board().put(wrong.sendsBeside ? null : message.replaces, message.text, message)] }),
      edit: async (id, message) => void board().put(id, message.text, wrong.keepsButtons ? ({ buttons: [{ id: "left" }] } as never) : message),
      stream: async (preview) => board().put(wrong.streamsBeside ? null : preview.messageId, preview.text),
    },
    messaging: {
      async connect(ctx: ConnectContext) {
        while (!ctx.signal.aborted) {
          const button = board().pressed;
          if (button !== undefined) {
            board().pressed = undefined;
            const at = { account: "me", conversation: "room", chatType: "group", sender: { id: "u1", name: "Ada", isBot: false } } as const;
            const messageId = [...board().messages.keys()].at(-1) ?? "";
            await ctx.press({ ...at, messageId, button: wrong.otherButton ? "something" : button });
          }
          await new Promise<void>((resolve) => void setTimeout(resolve, 100));
        }
      },
    },
  };
}

async function found(wrong: Mistakes): Promise<string[]> {
  let board = new Board();
  const cases = channelContract("chat", () => channel(() => board, wrong), {
    platform: () => {
      board = new Board();
      return {
        route: { account: "me", conversation: "room" },
        write: () => "1",
        sent: () => [...board.messages.values()].map((message) => message.text),
        answer: () => json({}),
        press: (button) => void (board.pressed = button),
        buttons: () => [...board.messages.values()].flatMap((message) => message.buttons),
        readers: () => [...board.messages.values()].map((message) => message.text),
      };
    },
  });
  const talks = [CLAIMS, PRESS, STREAM];
  const results = await runContract(cases.filter((one) => talks.some((sentence) => one.name.endsWith(sentence))));
  expect(results).toHaveLength(talks.length);
  return results.filter((result) => result.error !== undefined).map((result) => result.name.replace("chat: ", ""));
}

test("a channel that takes its buttons away and shows one message passes", async () => expect(await found({})).toEqual([]));

const mistakes: [string, Mistakes, string[]][] = [
  ["leaves the buttons", { keepsButtons: true }, [PRESS]],
  ["hands in another button", { otherButton: true }, [PRESS]],
  ["sends the answer beside its preview", { sendsBeside: true }, [STREAM]],
  ["shows each preview by itself", { streamsBeside: true }, [STREAM]],
  ["claims what it cannot", { claims: true }, [CLAIMS]],
];
test.each(mistakes)("one that %s is found", async (_, wrong, sentences) => expect(await found(wrong)).toEqual(sentences));
