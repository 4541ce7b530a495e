import type { OutboundMessage, PluginContext, Route } from "@kata-agents/plugin-sdk";
import { FakeHost, type Loaded, json, load, outbound, Running } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import plugin from "../index.ts";
import { call, CONFIG, graphError, Meta, PHONE, SECRETS, signed, textMessage, TOKEN, webhook } from "./meta.ts";

interface Bench {
  host: FakeHost;
  meta: Meta;
  loaded: Loaded;
  route: Route;
  ctx: PluginContext;
  running: Running;
}

async function bench(check: (bench: Bench) => Promise<void>, config: Record<string, unknown> = {}): Promise<void> {
  const meta = new Meta();
  const host = new FakeHost({ config: { ...CONFIG, ...config }, secrets: SECRETS, network: meta.answer });
  const loaded = await load(plugin);
  const [route] = loaded.routes;
  if (route === undefined) throw new Error("no route");
  await host.run(async () => {
    const running = new Running((signal) => loaded.channel().messaging?.connect(host.connectContext(signal)));
    await host.clock.advance(0);
    await check({ host, meta, loaded, route, ctx: host.context(), running });
    await running.stopped(host);
  });
}

const to = (text: string, more: Partial<OutboundMessage> = {}) =>
  outbound(text, { ...more, route: { channel: "whatsapp", account: PHONE, conversation: "15551234567", replyTo: "wamid.in1" } });

test("the verify challenge is answered for the right token and for no other", () =>
  bench(async ({ route, ctx }) => {
    const ask = async (query: string) => {
      const request = { method: "GET", path: "cloud", query, headers: {}, body: "", bytes: new Uint8Array() };
      return (await route.verify(request, ctx)) ? ((await route.handle(request, ctx)) as { body?: string }).body : 401;
    };
    expect(await ask("hub.mode=subscribe&hub.verify_token=verify-of-the-test&hub.challenge=1158201444")).toBe("1158201444");
    for (const query of ["", "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1", "hub.mode=subscribe&hub.challenge=1", "hub.verify_token=verify-of-the-test"]) expect(await ask(query)).toBe(401);
  }));

test("an event is taken only with Meta's signature over the raw body", () =>
  bench(async ({ host, route, ctx }) => {
    const body = JSON.stringify(webhook([textMessage("wamid.a", "grüße")]));
    expect(await call(route, ctx, body, "")).toBe(401);
    expect(await call(route, ctx, body, await signed(body, "another secret"))).toBe(401);
    expect(await call(route, ctx, body.replace("grüße", "grüsse"), await signed(body))).toBe(401);
    expect(host.drafts).toEqual([]);
    expect(await call(route, ctx, body)).toBe(200);
    expect(host.drafts).toMatchObject([{ account: PHONE, messageId: "wamid.a", conversation: "15551234567", conversationName: "Ann", sender: { id: "15551234567", name: "Ann" }, text: "grüße", sentAt: 1_700_000_000_000 }]);
  }));

test("several messages in one call keep their order, and a call that could not be stored comes again whole", () =>
  bench(async ({ host, route, ctx }) => {
    const body = JSON.stringify(webhook(["a", "b", "c"].map((id) => textMessage(id, id))));
    host.door = (draft) => {
      if (draft.messageId === "b") throw new Error("the disk is full");
      return { outcome: "admitted" };
    };
    expect(await call(route, ctx, body)).toBe(503);
    host.door = () => ({ outcome: "admitted" });
    expect(await call(route, ctx, body)).toBe(200);
    expect(host.received).toEqual(["a", "b", "c"]);
  }));

test("every kind of message says something, files are named and not fetched, and another number's events are passed over", () =>
  bench(async ({ host, route, ctx }) => {
    const of = (type: string, inner: unknown, id: string) => ({ from: "15551234567", id, timestamp: "1700000000", type, [type]: inner });
    const messages = [
      of("image", { id: "m1", mime_type: "image/jpeg", caption: "look" }, "1"),
      of("audio", { id: "m2", mime_type: "audio/ogg; codecs=opus", voice: true }, "2"),
      of("document", { id: "m3", mime_type: "application/pdf", filename: "bill.pdf" }, "3"),
      of("location", { latitude: 1.5, longitude: 2, name: "Home" }, "4"),
      of("button", { text: "Yes" }, "5"),
      of("interactive", { type: "list_reply", list_reply: { id: "x", title: "Tea", description: "green" } }, "6"),
      of("unknown", {}, "7"),
      { ...textMessage("8", "quoted"), context: { id: "wamid.before" } },
      of("contacts", undefined, "9"),
    ];
    expect(await call(route, ctx, JSON.stringify(webhook(messages)))).toBe(200);
    const other = JSON.stringify(webhook([textMessage("10", "not ours")])).replaceAll(PHONE, "999999999");
    expect(await call(route, ctx, other)).toBe(200);
    expect(host.drafts.map(({ text, attachments, replyTo }) => [text, attachments?.map((one) => `${one.reference} ${one.kind} ${one.name}`).join() ?? "", replyTo])).toEqual([
      ["look", "m1 image image.jpeg", null],
      ["", "m2 voice voice.ogg", null],
      ["", "m3 file bill.pdf", null],
      ["[location 1.5, 2 · Home]", "", null],
      ["Yes", "", null],
      ["Tea\ngreen", "", null],
      ["[a message of a kind that WhatsApp does not give to programs]", "", null],
      ["quoted", "", "wamid.before"],
      ["", "", null],
    ]);
  }));

test("a button of ours is a press, a reaction is a notice, and a failed delivery is told with its reason", () =>
  bench(async ({ host, route, ctx }) => {
    const press = { from: "15551234567", id: "p", timestamp: "1", type: "interactive", context: { id: "wamid.q" }, interactive: { type: "button_reply", button_reply: { id: "once:ABC", title: "Once" } } };
    const reaction = { from: "15551234567", id: "r", timestamp: "1", type: "reaction", reaction: { message_id: "wamid.q", emoji: "👍" } };
    const statuses = [{ id: "wamid.z", status: "failed", errors: [{ code: 131_047 }] }, { id: "wamid.y", status: "read" }];
    expect(await call(route, ctx, JSON.stringify(webhook([press, reaction], { statuses })))).toBe(200);
    expect(host.presses).toMatchObject([{ messageId: "wamid.q", button: "once:ABC", sender: { id: "15551234567" } }]);
    expect(host.notices).toMatchObject([{ messageId: "wamid.q", what: { kind: "reaction", emoji: "👍", added: true } }]);
    expect(host.drafts).toEqual([]);
    expect(host.said()).toContain("131047): more than 24 hours");
  }));

test("text, buttons, reactions, read and typing marks are what the Cloud API takes", () =>
  bench(async ({ host, meta, loaded, ctx }) => {
    const channel = loaded.channel();
    expect(await channel.outbound.send(to("**hi** _there_"), ctx)).toEqual({ messageIds: ["wamid.1"] });
    await channel.outbound.send(to("Shall I?", { buttons: [{ id: "once:A", label: "Once", style: "primary" }, { id: "no:A", label: "A label that is far too long", style: "danger" }] }), ctx);
    await channel.outbound.react?.("wamid.in1", "👀", to("").route, ctx);
    await channel.heartbeat?.typing(to("").route, ctx);
    expect(meta.sent).toMatchObject([
      { messaging_product: "whatsapp", recipient_type: "individual", to: "15551234567", type: "text", text: { body: "*hi* _there_" } },
      { type: "interactive", interactive: { type: "button", body: { text: "Shall I?" }, action: { buttons: [{ reply: { id: "once:A", title: "Once" } }, { reply: { id: "no:A", title: "A label that is far…" } }] } } },
      { type: "reaction", reaction: { message_id: "wamid.in1", emoji: "👀" } },
    ]);
    expect(host.network.requests.at(-1)?.json()).toEqual({ messaging_product: "whatsapp", status: "read", message_id: "wamid.in1", typing_indicator: { type: "text" } });
  }));

test("a picture is uploaded and sent with the text as its caption, and a file is fetched with the token", () =>
  bench(async ({ host, meta, loaded, ctx }) => {
    const uploads: string[] = [];
    host.network.answerWith((request) => {
      if (request.url.pathname.endsWith("/media")) {
        uploads.push(request.body);
        return json({ id: "media-9" });
      }
      if (request.url.pathname.endsWith("/m1")) return json({ url: "https://lookaside.fbsbx.com/x", mime_type: "image/jpeg" });
      if (request.url.hostname === "lookaside.fbsbx.com") {
        return request.headers["authorization"] === `Bearer ${TOKEN}` ? new Response("jpeg", { headers: { "content-type": "image/jpeg" } }) : new Response(null, { status: 404 });
      }
      return meta.answer(request);
    });
    const picture = host.keep("cat.png", new TextEncoder().encode("png"), "image/png", "image");
    await loaded.channel().outbound.send(to("a cat", { attachments: [picture] }), ctx);
    expect(uploads[0]).toMatch(/name="messaging_product"[^]*whatsapp[^]*filename="cat.png"[^]*png/);
    expect(meta.sent).toMatchObject([{ type: "image", image: { id: "media-9", caption: "a cat" } }]);
    expect(await loaded.channel().messaging?.download?.({ reference: "m1", name: "look.jpeg", kind: "image" }, ctx)).toMatchObject({ name: "look.jpeg", bytes: 4 });
  }));

test("each of Meta's errors is what it means: wait, a person, or for good with the reason", () =>
  bench(async ({ host, loaded, ctx }) => {
    for (const [code, status, error] of [
      [131_056, 400, { code: "rate_limited", retryAfterMs: 6_000, certain: true }],
      [130_429, 429, { code: "rate_limited", retryAfterMs: 2_000, certain: true }],
      [80_007, 429, { code: "rate_limited", certain: true }],
      [190, 401, { code: "unauthorized", certain: true }],
      [131_047, 400, { code: "invalid", certain: true, message: expect.stringContaining("24 hours") }],
      [131_026, 400, { code: "not_found", certain: true }],
      [131_030, 400, { code: "forbidden", certain: true }],
      [131_000, 500, { code: "unreachable", certain: false }],
      [100, 400, { code: "invalid", certain: true }],
      [99_999, 400, { code: "invalid", certain: true }],
    ] as const) {
      host.network.answerWith(() => graphError(code, status));
      await expect(loaded.channel().outbound.send(to("hi"), ctx), String(code)).rejects.toMatchObject(error);
    }
    host.network.answerWith(() => graphError(131_056, 400, { "retry-after": "9" }));
    await expect(loaded.channel().outbound.send(to("hi"), ctx)).rejects.toMatchObject({ retryAfterMs: 9_000 });
    host.network.answerWith(() => new Response("bad gateway", { status: 502 }));
    await expect(loaded.channel().outbound.send(to("hi"), ctx)).rejects.toMatchObject({ code: "unreachable", certain: false });
  }));

test("after 24 hours the words go into the template, where there is one", () =>
  bench(
    async ({ host, meta, loaded, ctx }) => {
      host.network.answerWith((request) => (request.body.includes('"type":"text","text":{"body"') ? graphError(131_047) : meta.answer(request)));
      expect(await loaded.channel().outbound.send(to("line one\n\nline two"), ctx)).toEqual({ messageIds: ["wamid.1"] });
      expect(meta.sent).toMatchObject([{ type: "template", template: { name: "news", language: { code: "de" }, components: [{ type: "body", parameters: [{ type: "text", text: "line one line two" }] }] } }]);
    },
    { template: "news", templateLanguage: "de" },
  ));

test("a token that is revoked while running waits for a person, and one that is pasted is taken up", () =>
  bench(async ({ host, meta, loaded, ctx }) => {
    expect(host.states).toEqual(["connecting", "running"]);
    host.network.answerWith(() => graphError(190, 401));
    await expect(loaded.channel().outbound.send(to("hi"), ctx)).rejects.toMatchObject({ code: "unauthorized" });
    await host.clock.advance(11_000);
    expect(host.states.at(-1)).toBe("needs_user/token_refused");
    const asked = host.network.requests.length;
    await host.clock.advance(3_600_000);
    expect(host.network.requests.length, "a refused token is not tried again").toBe(asked);
    host.network.answerWith((request) => (request.headers["authorization"] === "Bearer new" ? json({ id: PHONE, verified_name: "Kata" }) : meta.answer(request)));
    host.secrets.set("accessToken", "new");
    await host.clock.advance(11_000);
    expect(host.states.at(-1)).toBe("running");
  }));

test("a long text comes in parts, and trying again goes on where it stopped", () =>
  bench(async ({ host, meta, loaded, ctx }) => {
    const text = Array.from({ length: 300 }, (_, index) => `Paragraph ${index} of a text that is long.`).join("\n\n");
    let posts = 0;
    host.network.answerWith((request) => {
      posts += 1;
      return posts === 2 ? graphError(131_056) : meta.answer(request);
    });
    await expect(loaded.channel().outbound.send(to(text), ctx)).rejects.toMatchObject({ code: "rate_limited" });
    const { messageIds } = await loaded.channel().outbound.send(to(text), ctx);
    expect(messageIds).toEqual(meta.sent.map((_, index) => `wamid.${index + 1}`));
    const bodies = meta.sent.map((body) => (body["text"] as { body: string }).body);
    expect(bodies.every((body) => body.length <= 4_096)).toBe(true);
    expect(bodies.join("\n\n")).toBe(text);
  }));

test("the set-up names the terms first, asks for each part, and ends with the number's name", () =>
  bench(async ({ host, loaded }) => {
    const { setup } = loaded.channel();
    host.secrets.clear();
    host.config = { ...host.config, phoneNumberId: "" };
    expect(await setup?.next(host.context())).toMatchObject({ kind: "input", field: "phoneNumberId", help: expect.stringContaining("forbid general-purpose AI assistants") });
    host.config = { ...host.config, phoneNumberId: PHONE };
    expect(await setup?.next(host.context())).toMatchObject({ kind: "secret", secret: "accessToken" });
    host.secrets.set("accessToken", "wrong");
    expect(await setup?.next(host.context())).toMatchObject({ secret: "accessToken", error: "Meta refuses the token." });
    host.secrets.set("accessToken", TOKEN);
    expect(await setup?.next(host.context())).toMatchObject({ secret: "appSecret" });
    host.secrets.set("appSecret", "s");
    expect(await setup?.next(host.context())).toMatchObject({ secret: "verifyToken" });
    host.secrets.set("verifyToken", "v");
    expect(await setup?.next(host.context())).toEqual({ kind: "done", account: PHONE, name: "Kata +1 555 000 0001" });
  }));
