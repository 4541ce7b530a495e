import { expect, test } from "vitest";
import { DIRECT, GENERAL } from "./platform.ts";
import { bench } from "./support.ts";

const HOUR = 3_600_000;

test("a connection that breaks is resumed at the session's own address, and nothing is lost or doubled", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    const first = discord.write("one");
    await came(first);
    host.sockets.dropAll();
    const second = discord.write("two");
    await came(second);
    expect(host.sockets.last?.url.href).toBe("wss://resume.discord.gg/?v=10&encoding=json");
    expect([discord.identifies, discord.resumes]).toEqual([1, 1]);
    expect(host.drafts.map((draft) => draft.messageId)).toEqual([first, second]);
    await running.stopped(host);
  });
});

test("a restart resumes the session and gets what was written meanwhile", async () => {
  let id = "";
  const first = await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("before"));
    await running.stopped(host);
    expect(host.sockets.connections.at(-1)?.goodbye?.code).toBe(4900);
    id = discord.write("while it was down");
  });
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(id);
    expect([discord.identifies, discord.resumes]).toEqual([1, 1]);
    expect(host.received).toEqual([id]);
    await running.stopped(host);
  }, { before: first });
});

test("a session that Discord has given up is begun anew, and the history of known conversations is read, oldest first, in its channel", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("direct"));
    await came(discord.say(GENERAL, "in the channel"));
    host.sockets.dropAll();
    discord.sessions.clear();
    // Nobody hears these.
    const ids = ["a", "b", "c"].flatMap((text) => [DIRECT, GENERAL].map((channel) => unheard(discord, channel, text)));
    await came(ids.at(-1) ?? "");
    const texts = (conversation: string) => host.drafts.filter((draft) => draft.conversation === conversation).map((draft) => draft.text);
    expect(texts(DIRECT)).toEqual(["direct", "a", "b", "c"]);
    expect(texts(GENERAL)).toEqual(["in the channel", "a", "b", "c"]);
    expect(host.drafts.filter((draft) => draft.conversation === DIRECT).every((draft) => draft.chatType === "direct")).toBe(true);
    expect(host.drafts.at(-1)).toMatchObject({ chatType: "channel", conversationName: "#general (Home)" });
    await running.stopped(host);
  });
});

test("what was written in a channel nobody had written in before is read too, when the session is lost", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("elsewhere"));
    host.sockets.dropAll();
    discord.sessions.clear();
    const id = unheard(discord, GENERAL, "the first word here");
    await came(id);
    expect(host.received.filter((one) => one === id)).toHaveLength(1);
    await running.stopped(host);
  });
});

test("of a long absence two hundred messages of a conversation are read, and none older than a day", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("known"));
    host.sockets.dropAll();
    discord.sessions.clear();
    const ids = Array.from({ length: 250 }, (_, n) => unheard(discord, DIRECT, `m${n}`));
    await came(ids[199] ?? "");
    await host.clock.advance(10_000);
    expect(host.received.slice(1)).toEqual(ids.slice(0, 200));
    await running.stopped(host);
  });
});

test("a history that cannot be read is read later, and nothing newer hides it", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("known"));
    host.sockets.dropAll();
    discord.sessions.clear();
    const missed = unheard(discord, DIRECT, "missed");
    discord.override = (_, route) => (route === "GET /channels/:id/messages" ? new Response("oh", { status: 502 }) : undefined);
    await host.clock.until(() => discord.identifies === 2, 120_000);
    await host.clock.advance(20_000);
    await came(discord.write("live"));
    expect(host.received).not.toContain(missed);
    discord.override = undefined;
    await came(missed);
    await running.stopped(host);
  });
});

test("an event is acknowledged by no beat and no resume before the host has it", async () => {
  await bench(async ({ host, discord, up }) => {
    const running = await up();
    let full = true;
    host.door = () => {
      if (full) throw new Error("the disk is full");
      return { outcome: "admitted" };
    };
    const before = discord.sessions.get("session-1")?.length ?? 0;
    const id = discord.write("keep me");
    await host.clock.advance(45_000);
    const beat = host.sockets.last?.frames.findLast((frame) => frame["op"] === 1);
    expect(beat?.["d"]).toBe(before);
    expect(host.states.at(-1)).toBe("degraded/not_stored");
    host.sockets.dropAll();
    await host.clock.until(() => discord.resumes === 1, 60_000);
    const resume = host.sockets.last?.frames.find((frame) => frame["op"] === 6);
    expect(resume?.["d"]).toMatchObject({ seq: before });
    full = false;
    await host.clock.until(() => host.states.at(-1) === "running", 60_000);
    expect(host.received).toEqual([id]);
    await running.stopped(host);
  });
});

test("a half-open connection is given up after a beat without an answer, and resumed", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    host.sockets.last?.goSilent(Number.POSITIVE_INFINITY);
    const id = discord.write("nobody hears this at first");
    await came(id);
    expect([discord.identifies, discord.resumes]).toEqual([1, 1]);
    await running.stopped(host);
  });
});

test("a refused token waits for a person, loses nothing and goes on with a new one", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    await came(discord.write("one"));
    host.secrets.set("botToken", "wrong");
    host.sockets.last?.close(4004);
    await host.clock.until(() => host.states.at(-1) === "needs_user/token_refused", 60_000);
    expect(host.statuses.at(-1)).toMatchObject({ action: { kind: "configure", field: "botToken" } });
    expect(host.statuses.at(-1)?.message).toContain("Reset Token");
    const asked = discord.calls.length;
    await host.clock.advance(HOUR);
    expect(discord.calls.length - asked).toBeLessThan(3);
    const id = unheard(discord, DIRECT, "meanwhile");
    host.secrets.set("botToken", "bot-token-of-the-test");
    await came(id);
    expect(host.states.at(-1)).toBe("running");
    await running.stopped(host);
  });
});

test("a send that is refused for its token makes the whole channel wait for a person at once", async () => {
  await bench(async ({ host, discord, channel, up }) => {
    const running = await up();
    discord.override = () => discord.unauthorized();
    const message = { route: { channel: "discord", account: "1", conversation: DIRECT }, text: "hi", idempotencyKey: "k", attempt: 1 };
    await expect(channel.outbound.send(message, host.context())).rejects.toMatchObject({ code: "unauthorized", certain: true });
    await host.clock.until(() => host.states.at(-1) === "needs_user/token_refused", 1_000);
    expect(host.states.at(-1)).toBe("needs_user/token_refused");
    await running.stopped(host);
  });
});

test("4014 says which switch to turn, and goes on by itself when it was turned", async () => {
  await bench(async ({ host, discord, connect }) => {
    discord.flags = 0;
    discord.refuse = 4014;
    const running = connect();
    await host.clock.until(() => host.states.at(-1) === "needs_user/message_content_intent", 60_000);
    expect(host.statuses.at(-1)?.message).toContain("Message Content Intent");
    await host.clock.advance(2 * HOUR);
    expect(host.sockets.connections).toHaveLength(1);
    discord.flags = 1 << 19;
    discord.refuse = undefined;
    await host.clock.until(() => host.states.at(-1) === "running", 60_000);
    expect(host.states.at(-1)).toBe("running");
    await running.stopped(host);
  });
});

test("messages that come without their text are noticed, and the state says what to do", async () => {
  await bench(async ({ host, discord, up, came }) => {
    const running = await up();
    discord.say(GENERAL, "");
    await host.clock.until(() => host.states.at(-1) === "degraded/message_content_missing", 5_000);
    expect(host.states.at(-1)).toBe("degraded/message_content_missing");
    await came(discord.write("direct messages come all the same"));
    expect(host.drafts).toHaveLength(1);
    await running.stopped(host);
  });
});

test("a budget of identifies that is used up waits for its reset, and says so", async () => {
  await bench(async ({ host, discord, connect }) => {
    discord.remaining = 0;
    const running = connect();
    await host.clock.advance(20 * 60_000);
    expect(host.states).toContain("degraded/identify_budget");
    expect(host.sockets.connections).toHaveLength(0);
    discord.remaining = 1_000;
    await host.clock.until(() => host.states.at(-1) === "running", HOUR);
    expect(host.states.at(-1)).toBe("running");
    await running.stopped(host);
  });
});

test("a server that throws everybody out again and again is asked ever more rarely", async () => {
  await bench(async ({ host, discord, up }) => {
    const running = await up();
    const storm = setInterval(() => host.sockets.last?.send({ op: 7 }), 500);
    await host.clock.advance(10 * 60_000);
    expect(host.sockets.connections.length).toBeLessThan(60);
    expect(discord.identifies).toBe(1);
    clearInterval(storm);
    await host.clock.until(() => host.states.at(-1) === "running", 120_000);
    await running.stopped(host);
  });
});

test("twelve hours with broken lines, lost sessions and restarts: none lost, none doubled, in order", async () => {
  const written: string[] = [];
  let life = await bench(async () => {});
  const got: string[] = [];
  for (let shift = 0; shift < 4; shift += 1) {
    life = await bench(async ({ host, discord, up, came }) => {
      host.door = (draft) => {
        const known = got.includes(draft.messageId);
        if (!known) got.push(draft.messageId);
        return { outcome: known ? "duplicate" : "admitted" };
      };
      const running = await up();
      for (let step = 0; step < 18; step += 1) {
        written.push(discord.write(`${shift}/${step}`));
        await host.clock.advance(10 * 60_000);
        if (step % 5 === 1) host.sockets.last?.send({ op: 7 });
        if (step % 5 === 2) host.sockets.dropAll();
        if (step % 5 === 3) host.sockets.last?.goSilent(Number.POSITIVE_INFINITY);
        if (step === 9) host.sockets.last?.send({ op: 9, d: true });
      }
      if (shift === 2) {
        host.sockets.dropAll();
        discord.sessions.clear();
      }
      written.push(discord.sessions.size === 0 ? unheard(discord, DIRECT, "unheard") : discord.write("last"));
      if (shift % 2 === 0) await came(written.at(-1) ?? "");
      await running.stopped(host);
    }, { before: life });
  }
  await bench(async ({ host, up, came }) => {
    host.door = (draft) => {
      if (!got.includes(draft.messageId)) got.push(draft.messageId);
      return { outcome: "admitted" };
    };
    const running = await up();
    if (!got.includes(written.at(-1) ?? "")) await came(written.at(-1) ?? "");
    await running.stopped(host);
  }, { before: life });
  expect(got).toEqual(written);
  expect(life.discord.identifies).toBe(2);
});

function unheard(discord: { messages: { push(one: never): unknown }; id(): string }, channel: string, content: string): string {
  const id = discord.id();
  const author = { id: "1000000000000000001", username: "ada", global_name: "Ada" };
  discord.messages.push({ id, channel_id: channel, type: 0, content, author, mentions: [], attachments: [] } as never);
  return id;
}
