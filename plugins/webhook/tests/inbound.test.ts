import { expect, test } from "vitest";
import { signKata } from "../signature.ts";
import { bench, SECRET } from "./support.ts";

const OUT = { config: { outUrl: "https://home.example/in" } };
const hello = { id: "1", conversation: "kitchen", sender: { id: "ann", name: "Ann" }, text: "hello" };
const bytes = (body: unknown) => new TextEncoder().encode(JSON.stringify(body));

test("a signed request becomes a message and is told so only when it is on the disk", () =>
  bench(OUT, async ({ host, post }) => {
    expect(await post(hello)).toEqual({ status: 202, body: { id: "1", outcome: "admitted" } });
    expect(host.drafts).toMatchObject([{ messageId: "1", conversation: "kitchen", sender: { id: "ann", name: "Ann" }, text: "hello", chatType: "direct", mentionsBot: true }]);
    host.door = () => {
      throw new Error("the disk is full");
    };
    expect((await post({ ...hello, id: "2" })).status).toBe(503);
  }));

test("a signature that is wrong, missing, of another body or of another time is refused", () =>
  bench(OUT, async ({ host, post }) => {
    const signed = async (of: unknown, at: number, secret = SECRET) => ({ "x-kata-signature": await signKata(secret, bytes(of), at) });
    for (const headers of [
      {},
      { "x-kata-signature": "" },
      { "x-kata-signature": "t=1,v1=zz" },
      await signed(hello, Date.now(), "another secret"),
      await signed({ ...hello, text: "other" }, Date.now()),
      await signed(hello, Date.now() - 301_000),
      await signed(hello, Date.now() + 301_000),
    ]) {
      expect((await post(hello, headers as Record<string, string>)).status).toBe(401);
    }
    expect(host.drafts).toEqual([]);
    expect((await post(hello, await signed(hello, Date.now() - 299_000))).status).toBe(202);
  }));

test("the same signed request is not taken twice, and one that was not stored may come again", () =>
  bench(OUT, async ({ host, post }) => {
    const headers = { "x-kata-signature": await signKata(SECRET, bytes(hello), Date.now()) };
    host.door = () => {
      throw new Error("the disk is full");
    };
    expect((await post(hello, headers)).status).toBe(503);
    host.door = () => ({ outcome: "admitted" });
    expect((await post(hello, headers)).status).toBe(202);
    expect((await post(hello, headers)).status).toBe(409);
    expect(host.drafts.length).toBe(2);
  }));

test("while a sender changes its secret either of two signatures will do", () =>
  bench(OUT, async ({ post }) => {
    const good = await signKata(SECRET, bytes(hello), Date.now());
    const [time, v1] = good.split(",");
    expect((await post(hello, { "x-kata-signature": `${time},v1=${"0".repeat(64)},${v1}` })).status).toBe(202);
  }));

test("signatures as GitHub makes them are taken where the setting says so, and those alone", () =>
  bench({ config: { ...OUT.config, signature: "github", mapping: "conversation=repository.full_name, sender=sender.login, text=comment.body" } }, async ({ host, post }) => {
    // Made with: printf %s BODY | openssl dgst -sha256 -hmac 'a secret of more than sixteen letters'
    const body = '{"repository":{"full_name":"a/b"},"sender":{"login":"ann"},"comment":{"body":"please look"}}';
    const digest = "4b80afbc59d72b8ec4c009ed72c284c332dac28718095bbe36811df1e979a002";
    expect((await post(body)).status).toBe(401);
    expect((await post(body, { "x-hub-signature-256": `sha256=${digest}`, "x-github-delivery": "d-1" })).status).toBe(202);
    expect(host.drafts).toMatchObject([{ messageId: "d-1", conversation: "a/b", sender: { id: "ann" }, text: "please look" }]);
    expect((await post(`${body} `, { "x-hub-signature-256": `sha256=${digest}` })).status).toBe(401);
  }));

test("what does not fit is refused by the name of its field, and never by its value", () =>
  bench(OUT, async ({ host, post }) => {
    const text = "private words";
    for (const [body, words] of [
      ["no json", "the body is no JSON"],
      [[], "the body must be a JSON object"],
      [{ text }, "sender: is missing"],
      [{ sender: {}, text }, "sender.id: is missing"],
      [{ sender: "a" }, "text: is missing"],
      [{ sender: "a", text: { deep: text } }, "text: a text is expected"],
      [{ sender: "x".repeat(201), text }, "sender: at most 200 characters"],
      [{ sender: "a", text: "ü".repeat(200_000) }, "text: at most 256 KiB"],
      [{ sender: "a", text, attachments: [{ url: "file:///etc/passwd" }] }, "attachments.0.url: an http or https address is expected"],
      [{ sender: "a", text, attachments: Array(11).fill("https://a.example/x") }, "attachments: at most 10"],
    ] as const) {
      const said = await post(body);
      expect(said).toEqual({ status: 400, body: { error: words } });
      expect(JSON.stringify(said)).not.toContain(text);
    }
    expect(host.drafts).toEqual([]);
  }));

test("files are named by their address and fetched only afterwards", () =>
  bench(OUT, async ({ host, loaded, post }) => {
    await post({ sender: "cam", attachments: [{ url: "https://home.example/snap%20shot.jpg", mime: "image/jpeg" }] });
    expect(host.drafts[0]?.attachments).toEqual([{ reference: "https://home.example/snap%20shot.jpg", name: "snap shot.jpg", mime: "image/jpeg" }]);
    host.network.answerWith(() => new Response("jpeg", { headers: { "content-type": "image/jpeg" } }));
    const media = await loaded.channel().messaging?.download?.({ reference: "https://home.example/snap%20shot.jpg", name: "snap shot.jpg" }, host.context());
    expect(media).toMatchObject({ name: "snap shot.jpg", mime: "image/jpeg", bytes: 4 });
  }));

test("a mapping with a mistake is named, and a fixed text is taken as it is", async () => {
  await bench({ config: { ...OUT.config, mapping: "txt=a" } }, async ({ host, post }) => {
    expect(host.states.at(-1)).toBe("needs_user/mapping_wrong");
    expect(await post(hello)).toMatchObject({ status: 400 });
  });
  await bench({ config: { ...OUT.config, mapping: "sender='doorbell', text=event.what" } }, async ({ host, post }) => {
    await post({ event: { what: 7 } });
    expect(host.drafts).toMatchObject([{ sender: { id: "doorbell" }, conversation: "doorbell", text: "7" }]);
  });
});

test("a request that waits gets the answer, and one that waits too long is answered by the outbox", () =>
  bench({ config: { answerInResponse: true } }, async ({ host, loaded, post }) => {
    const message = { route: { channel: "webhook", account: "webhook", conversation: "kitchen", replyTo: "1" }, text: "done", idempotencyKey: "k", attempt: 1 };
    const first = post(hello);
    await host.clock.advance(2_000);
    expect(await loaded.channel().outbound.send(message, host.context())).toEqual({ messageIds: ["k"] });
    expect(await first).toEqual({ status: 200, body: { id: "1", outcome: "admitted", text: "done" } });
    const second = post({ ...hello, id: "2" });
    await host.clock.advance(26_000);
    expect((await second).status).toBe(202);
    await expect(loaded.channel().outbound.send({ ...message, route: { ...message.route, replyTo: "2" } }, host.context())).rejects.toMatchObject({ code: "unauthorized", certain: true });
  }));

test("while the channel is down nothing is taken", () =>
  bench(OUT, async ({ host, running, post }) => {
    await running.stopped(host);
    expect((await post(hello)).status).toBe(503);
  }));
