import { outbound } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import { verifyKata } from "../signature.ts";
import { bench, SECRET } from "./support.ts";

const OUT = { config: { outUrl: "https://home.example/in" } };
const message = outbound("**hi**", { route: { channel: "webhook", account: "webhook", conversation: "kitchen", thread: "t", replyTo: "m1" }, idempotencyKey: "key-7" });

test("an answer is posted with its signature, its key and its place", () =>
  bench(OUT, async ({ host, loaded }) => {
    host.network.answerWith(() => Response.json({ id: "theirs" }));
    expect(await loaded.channel().outbound.send(message, host.context())).toEqual({ messageIds: ["theirs"] });
    const [request] = host.network.requests;
    expect(request?.json()).toEqual({ id: "key-7", account: "webhook", conversation: "kitchen", thread: "t", replyTo: "m1", text: "**hi**" });
    expect(request?.headers["idempotency-key"]).toBe("key-7");
    const bytes = new TextEncoder().encode(request?.body);
    expect(await verifyKata(request?.headers["x-kata-signature"], SECRET, bytes, Date.now(), 1_000)).toBe(true);
  }));

test("a status says whether it is tried again, when, and whether a person is needed", () =>
  bench(OUT, async ({ host, loaded }) => {
    for (const [status, headers, error] of [
      [429, { "retry-after": "7" }, { code: "rate_limited", retryAfterMs: 7_000, certain: true }],
      [503, { "retry-after": new Date(Date.now() + 90_000).toUTCString() }, { code: "rate_limited", certain: true }],
      [500, {}, { code: "unreachable", certain: false }],
      [502, {}, { code: "unreachable", certain: false }],
      [408, {}, { code: "unreachable", certain: false }],
      [401, {}, { code: "unauthorized", certain: true }],
      [403, {}, { code: "forbidden", certain: true }],
      [404, {}, { code: "not_found", certain: true }],
      [410, {}, { code: "not_found", certain: true }],
      [302, { location: "https://elsewhere.example/" }, { code: "invalid", certain: true }],
      [422, {}, { code: "invalid", certain: true }],
    ] as const) {
      host.network.answerWith(() => new Response(null, { status, headers }));
      await expect(loaded.channel().outbound.send(message, host.context()), String(status)).rejects.toMatchObject(error);
    }
  }));

test("a receiver that takes the connection and says nothing is given up, and the send is not certain", () =>
  bench(OUT, async ({ host, loaded }) => {
    host.network.answerWith(() => new Promise(() => undefined));
    const sending = loaded.channel().outbound.send(message, host.context());
    const failed = expect(sending).rejects.toMatchObject({ code: "unreachable", certain: false });
    await host.clock.advance(21_000);
    await failed;
  }));

test("files go along as base64, and those that do not fit are refused before anything leaves", () =>
  bench(OUT, async ({ host, loaded }) => {
    host.network.answerWith(() => new Response("ok"));
    const small = host.keep("a.txt", new TextEncoder().encode("grüße"), "text/plain");
    await loaded.channel().outbound.send({ ...message, attachments: [small] }, host.context());
    expect(host.network.requests[0]?.json()["attachments"]).toEqual([{ name: "a.txt", mime: "text/plain", kind: "file", base64: "Z3LDvMOfZQ==" }]);
    const large = host.keep("b.bin", new Uint8Array(900_001));
    await expect(loaded.channel().outbound.send({ ...message, attachments: [large] }, host.context())).rejects.toMatchObject({ code: "invalid", certain: true });
    expect(host.network.requests.length).toBe(1);
  }));

test("the set-up asks for the secret, then for the address, and the audit names what is weak", () =>
  bench({ config: { signature: "github" } }, async ({ host, loaded }) => {
    const { setup, security } = loaded.channel();
    host.secrets.clear();
    expect(await setup?.next(host.context())).toMatchObject({ kind: "secret", secret: "signingSecret" });
    host.secrets.set("signingSecret", "short");
    expect(await setup?.next(host.context())).toMatchObject({ kind: "input", field: "outUrl" });
    host.config = { ...host.config, outUrl: "http://home.example/in" };
    expect(await setup?.next(host.context())).toMatchObject({ kind: "done" });
    expect((await security?.warnings?.(host.context()))?.map((w) => w.code)).toEqual(["short_secret", "no_time", "plain_http"]);
  }));

test("a thousand messages each way: none lost, none doubled, order kept, through failures", () =>
  bench(OUT, async ({ host, loaded, post }) => {
    let fail = 0;
    host.door = () => {
      fail += 1;
      if (fail % 7 === 0) throw new Error("the disk is full");
      return { outcome: "admitted" };
    };
    const taken: string[] = [];
    const got = new Set<string>();
    host.network.answerWith((request) => {
      fail += 1;
      const key = request.headers["idempotency-key"] ?? "";
      if (fail % 5 === 0) return new Response(null, { status: 429, headers: { "retry-after": "1" } });
      // Takes it, and the answer is lost.
      if (!got.has(key)) taken.push(key);
      got.add(key);
      return new Response(null, { status: fail % 11 === 0 ? 502 : 204 });
    });
    const stored: string[] = [];
    for (let index = 0; index < 1_000; index += 1) {
      while ((await post({ ...hello, id: `m${index}` })).status === 503);
      stored.push(`m${index}`);
      for (;;) {
        try {
          await loaded.channel().outbound.send({ ...message, idempotencyKey: `k${index}` }, host.context());
          break;
        } catch (error) {
          expect(error).toMatchObject({ name: "SendError" });
        }
      }
    }
    expect(host.received).toEqual(stored);
    expect(taken).toEqual(Array.from({ length: 1_000 }, (_, index) => `k${index}`));
  }));

const hello = { conversation: "kitchen", sender: "ann", text: "hello" };
