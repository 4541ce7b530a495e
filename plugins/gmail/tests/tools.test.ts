import { utf8 } from "@kata-agents/plugin-sdk/mail";
import { outbound } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import manifest from "../kata-plugin.json" with { type: "json" };
import { header, OWN, type Stored, wrong } from "./platform.ts";
import { bench, type Bench, methodOf } from "./support.ts";

const call = async ({ host, loaded }: Bench, name: string, args: object): Promise<Record<string, unknown>> => {
  const result = await loaded.tool<object>(name).execute(args, host.context());
  return JSON.parse(typeof result === "string" ? result : result.text) as Record<string, unknown>;
};
const fails = async (now: Bench, name: string, args: object): Promise<string> => {
  try {
    await call(now, name, args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error(`${name} did not fail`);
};
/** A part of a message that was sent, decoded. */
const words = (one: Stored | undefined): string =>
  new TextDecoder().decode(
    Uint8Array.from(
      (/text\/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n([^]*?)\r\n--/.exec(one?.raw ?? "")?.[1] ?? "")
        .replace(/=\r\n/g, "")
        .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
        .split("")
        .map((char) => char.charCodeAt(0)),
    ),
  );

test("the plugin registers what its manifest names, and only what reads runs without asking", () =>
  bench(async ({ loaded }) => {
    expect(loaded.tools.map((tool) => tool.name).sort()).toEqual(manifest.contributes.tools);
    expect(loaded.tools.filter((tool) => tool.readOnly === true).map((tool) => tool.name)).toEqual(["search_emails", "read_email"]);
  }));

test("a new e-mail says who it is from, and nothing of it can break its headers", () =>
  bench(async (now) => {
    const { gmail } = now;
    const told = await call(now, "send_email", {
      to: ["Ana Ünal <ana@example.org>", "bo@example.org"],
      cc: ["carl@example.org"],
      subject: "Plätze\r\nBcc: eve@evil.example",
      text: "**Hello** Ana,\n\nsee you at 10 °C.",
    });
    const [one] = gmail.sent;
    expect(told).toMatchObject({ sent: one?.id, to: ["ana@example.org", "bo@example.org"] });
    expect(header(one, "From")).toBe(`<${OWN}>`);
    expect(header(one, "To")).toBe(`=?utf-8?B?${btoa(String.fromCharCode(...utf8("Ana Ünal")))}?= <ana@example.org>, <bo@example.org>`);
    expect(header(one, "Cc")).toBe("<carl@example.org>");
    expect(header(one, "Bcc")).toBeUndefined();
    expect(header(one, "Message-ID")).toMatch(/^<kata\.[0-9a-f]{32}@gmail\.example>$/);
    expect(header(one, "Auto-Submitted")).toBeUndefined();
    expect(words(one)).toBe("Hello Ana,\r\n\r\nsee you at 10 °C.");
    expect(one?.raw).toContain("<strong>Hello</strong>");
    expect(one?.raw?.split("\r\n").every((line) => line.length <= 998)).toBe(true);
  }));

test("an answer stays in its thread: thread id, In-Reply-To, References, the same subject; Reply-To counts, and all means all but oneself", () =>
  bench(async (now) => {
    const { gmail } = now;
    const mail = gmail.arrives("shall we?", { subject: "AW: Re: Lunch", thread: "t9", header: [["References", "<root@x> <two@x>"], ["In-Reply-To", "<two@x>"], ["Cc", `Carl <carl@x.example>, ${OWN}`], ["Reply-To", "ann@home.example"]] });
    await call(now, "reply_email", { id: mail.id, text: "Yes." });
    await call(now, "reply_email", { id: mail.id, text: "Yes.", all: true });
    const [one, all] = gmail.sent;
    expect(one?.thread).toBe("t9");
    expect([header(one, "To"), header(one, "Cc"), header(one, "Subject")]).toEqual(["<ann@home.example>", undefined, "Re: Lunch"]);
    expect([header(one, "In-Reply-To"), header(one, "References")]).toEqual([`<${mail.id}@ann.example>`, `<root@x> <two@x> <${mail.id}@ann.example>`]);
    expect([header(all, "To"), header(all, "Cc")]).toEqual(["<ann@home.example>", '"Carl" <carl@x.example>']);
  }));

test("an answer to one's own e-mail goes on to whom it was sent", () =>
  bench(async (now) => {
    const mail = now.gmail.arrives("first", { labels: ["SENT"], headers: [["From", OWN], ["To", "ana@example.org"], ["Subject", "Plans"], ["Message-ID", "<own@x>"]] });
    expect(await call(now, "reply_email", { id: mail.id, text: "One more thing." })).toMatchObject({ to: ["ana@example.org"] });
  }));

test("the channel answers whoever wrote the message that is answered, and nobody else, as a machine", () =>
  bench(async ({ host, gmail, loaded }) => {
    const first = gmail.arrives("hello", { subject: "Plans", thread: "t1", header: [["Cc", "carl@x.example"], ["Reply-To", "trap@evil.example"]] });
    gmail.arrives("from Carl", { thread: "t1", headers: [["From", "carl@x.example"], ["Subject", "Re: Plans"], ["Message-ID", "<c@x>"], ["References", `<${first.id}@ann.example>`]] });
    const route = { channel: "gmail", account: OWN, conversation: "t1" };
    await loaded.channel().outbound.send(outbound("to Ann", { route: { ...route, replyTo: first.id } }), host.context());
    const receipt = await loaded.channel().outbound.send(outbound("to the last", { route, idempotencyKey: "key-2" }), host.context());
    const [one, two] = gmail.sent;
    expect([header(one, "To"), header(two, "To")]).toEqual(['"Ann Lee" <ann@ann.example>', "<carl@x.example>"]);
    expect([one?.thread, header(one, "Auto-Submitted"), header(two, "In-Reply-To"), header(two, "Subject")]).toEqual(["t1", "auto-replied", "<c@x>", "Re: Plans"]);
    expect(receipt.messageIds).toEqual([two?.id]);
    await expect(loaded.channel().outbound.send(outbound("x", { route: { ...route, conversation: "gone" } }), host.context())).rejects.toMatchObject({ code: "not_found", certain: true });
    gmail.fault = (_, method) => (method === "send" ? wrong(500, "backendError") : undefined);
    await expect(loaded.channel().outbound.send(outbound("x", { route }), host.context())).rejects.toMatchObject({ code: "unreachable", certain: false });
    gmail.fault = (_, method) => (method === "thread" ? wrong(500, "backendError") : undefined);
    await expect(loaded.channel().outbound.send(outbound("x", { route }), host.context())).rejects.toMatchObject({ code: "unreachable", certain: true });
  }));

test("files come in by the host's keep and go out again, also from the workspace; too many bytes are refused before anything is sent", () =>
  bench(async (now) => {
    const { host, gmail, loaded } = now;
    const bytes = new Uint8Array([0x25, 0x50, 0x44, 0x46, 1, 2, 250]);
    const mail = gmail.arrives("see the file", { files: [{ name: "Plan Ü.pdf", mime: "application/pdf", bytes }, { name: "notes.txt", mime: "text/plain", bytes: utf8("milk") }] });
    const read = await call(now, "read_email", { id: mail.id });
    expect(read["attachments"]).toEqual([{ part: "1", name: "Plan Ü.pdf", mime: "application/pdf", bytes: 7 }, { part: "2", name: "notes.txt", mime: "text/plain", bytes: 4 }]);
    const file = await call(now, "read_email", { id: mail.id, attachment: "1" });
    expect(await call(now, "read_email", { id: mail.id, attachment: "notes.txt" })).toMatchObject({ text: "milk" });
    expect([...(host.media.get(String(file["media"]))?.bytes ?? [])]).toEqual([...bytes]);
    host.files.workspace.set("out/report.md", utf8("# Done"));
    await call(now, "send_email", { to: ["ana@example.org"], subject: "Files", text: "Here.", attachments: [String(file["media"])], files: ["out/report.md"] });
    const raw = gmail.sent[0]?.raw ?? "";
    expect(raw).toContain("filename*=utf-8''Plan%20%C3%9C.pdf");
    expect(raw).toContain('Content-Type: text/markdown; name="report.md"');
    expect(raw).toContain(btoa("# Done"));
    expect(await fails(now, "send_email", { to: ["ana@example.org"], subject: "x", text: "x", files: ["nowhere.txt"] })).toContain("`files`: “nowhere.txt” cannot be read (not_found)");
    const large = host.keep("large.bin", new Uint8Array(3_000_001));
    expect(await fails(now, "send_email", { to: ["ana@example.org"], subject: "x", text: "x", attachments: [large.id] })).toContain("3000001 bytes");
    expect(gmail.sent).toHaveLength(1);
    // The same file, as the host fetches it for a draft.
    const media = await loaded.channel().messaging?.download?.({ reference: JSON.stringify({ m: mail.id, p: "1" }), name: "Plan Ü.pdf", kind: "file" }, host.context());
    expect(media).toMatchObject({ name: "Plan Ü.pdf", bytes: 7 });
    await expect(loaded.channel().messaging?.download?.({ reference: JSON.stringify({ m: mail.id, p: "9" }), name: "x" }, host.context())).rejects.toMatchObject({ code: "not_found" });
  }));

test("labels are changed by name, and a label or an e-mail that is not there is named", () =>
  bench(async (now) => {
    const { gmail, host } = now;
    const mail = gmail.arrives("hello");
    expect(await call(now, "modify_labels", { ids: [mail.id], add: ["kata", "STARRED"], remove: ["Unread", "inbox"] })).toMatchObject({ changed: 1 });
    expect(mail.labels.sort()).toEqual(["Label_7", "STARRED"]);
    expect(await fails(now, "modify_labels", { ids: [mail.id], add: ["Nowhere"] })).toBe("There is no label “Nowhere”. There are: INBOX, SENT, UNREAD, STARRED, Kata.");
    expect(await fails(now, "modify_labels", { ids: [mail.id] })).toContain("`add`, `remove`");
    expect(await fails(now, "read_email", { id: "gone" })).toContain("`id`: there is no e-mail “gone”");
    expect(await fails(now, "send_email", { to: ["nobody at all"], subject: "x", text: "x" })).toContain("`to`: “nobody at all” is no address");
    const many = Array.from({ length: 12 }, (_, n) => gmail.arrives(`n ${n}`).id);
    await call(now, "modify_labels", { ids: many, remove: ["UNREAD"] });
    expect(host.network.requests.filter((one) => methodOf(one) === "batchModify")).toHaveLength(1);
  }));

test("a draft is kept and not sent, in the thread it answers", () =>
  bench(async (now) => {
    const { gmail } = now;
    const mail = gmail.arrives("hello", { subject: "Plans", thread: "t3" });
    expect(await call(now, "create_draft", { replyTo: mail.id, text: "Perhaps." })).toMatchObject({ thread: "t3" });
    expect([gmail.sent, gmail.drafts.length, header(gmail.drafts[0], "Subject"), header(gmail.drafts[0], "To")]).toEqual([[], 1, "Re: Plans", '"Ann Lee" <ann@ann.example>']);
    expect(await fails(now, "create_draft", { text: "x", to: ["ana@example.org"] })).toContain("`subject`");
    expect(await fails(now, "create_draft", { text: "x", subject: "x" })).toContain("`to`");
  }));

test("the search gives pages of beginnings, and says that they are data", () =>
  bench(async (now) => {
    for (let n = 0; n < 5; n += 1) now.gmail.arrives(`number ${n}`, { subject: `S${n}`, at: Date.now() - (10 - n) * 1000 });
    const first = await call(now, "search_emails", { limit: 3, label: "Kata" });
    expect((first["emails"] as { subject: string }[]).map((one) => one.subject)).toEqual(["S4", "S3", "S2"]);
    expect(first["note"]).toContain("data");
    const second = await call(now, "search_emails", { limit: 3, label: "Kata", page: first["nextPage"] });
    expect((second["emails"] as { subject: string }[]).map((one) => one.subject)).toEqual(["S1", "S0"]);
  }));

test.each([
  ["too fast", () => wrong(429, "rateLimitExceeded", "slow", { "retry-after": "60" }), "send_email", /go slower\. Nothing was changed/],
  ["a scope that is missing", () => wrong(403, "insufficientPermissions"), "search_emails", /sign in again and to leave every box ticked/],
  ["a refusal", () => wrong(400, "invalidArgument", "Invalid To header"), "send_email", /Google does not take it\. Google says: Invalid To header/],
  ["a failure after a send", () => wrong(500, "backendError"), "send_email", /may have happened all the same\. Look before you try again/],
] as const)("%s is told to the model with what to do", (_, answer: () => Response, tool, message) =>
  bench(async (now) => {
    now.gmail.fault = (_request, method) => (method === "profile" ? undefined : answer());
    let error = "";
    void fails(now, tool, tool === "send_email" ? { to: ["ana@example.org"], subject: "x", text: "x" } : {}).then((told) => (error = told));
    await now.host.clock.until(() => error !== "", 60_000);
    expect(error).toMatch(message);
  }));

test("a search waits a little where Google is busy, and a send is never made twice", () =>
  bench(async (now) => {
    now.gmail.arrives("hello");
    let failures = 2;
    now.gmail.fault = (_, method) => (method === "messages" && (failures -= 1) >= 0 ? wrong(503, "backendError") : undefined);
    let found: unknown;
    void call(now, "search_emails", {}).then((answer) => (found = answer));
    await now.host.clock.until(() => found !== undefined, 20_000);
    expect(found).toMatchObject({ emails: [{ from: "Ann Lee <ann@ann.example>" }] });
    now.gmail.fault = (_, method) => (method === "send" ? Promise.reject(new Error("the connection broke")) : undefined);
    expect(await fails(now, "send_email", { to: ["ana@example.org"], subject: "x", text: "x" })).toContain("nobody knows whether it happened");
    expect(now.host.network.requests.filter((one) => methodOf(one) === "send")).toHaveLength(1);
    now.host.accounts.clear();
    expect(await fails(now, "send_email", { to: ["ana@example.org"], subject: "x", text: "x" })).toContain("nobody is signed in at Google");
  }));
