// The plugins' own modules against Google as others wrote it, with every request and every answer held against Google's own description:
// `node --test modules.mjs` with KATA_GOOGLE naming the virtual environment that has google-api-python-client.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { registerHooks } from "node:module";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const PLUGINS = new URL("../../../plugins/", import.meta.url);
const SDK = "@kata-agents/plugin-sdk";
const place = (name) => new URL(name === SDK ? "sdk/src/index.ts" : `sdk/src/${name.slice(SDK.length + 1)}/index.ts`, PLUGINS).href;
registerHooks({ resolve: (name, context, next) => next(name.startsWith(SDK) ? place(name) : name, context) });
const [{ default: gmail }, { default: calendar }, { FakeHost, load, Running }] = await Promise.all(["gmail/index.ts", "calendar/index.ts", "sdk/src/testing/index.ts"].map((name) => import(new URL(name, PLUGINS).href)));

const minutes = (n) => new Date(Date.now() + n * 60_000).toISOString();

for (const backend of ["strict", "emulate"]) {
  describe(backend, () => {
    let child;
    let told;
    before(async () => {
      child = spawn(process.execPath, [new URL("fake.mjs", import.meta.url).pathname, "--discovery", process.env.KATA_GOOGLE, "--backend", backend], { stdio: ["pipe", "pipe", "inherit"] });
      told = JSON.parse((await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()).value);
    });
    after(() => child.stdin.end());

    const order = async (what, more = {}) => {
      const answer = await fetch(told.admin, { method: "POST", body: JSON.stringify({ do: what, ...more }) });
      const json = await answer.json();
      assert.ok(answer.ok, json.error);
      return json;
    };
    const log = async () => (await fetch(told.admin)).json();
    /** A host with real time and a real network. */
    const host = async (config, state) => {
      const { token } = await order("token");
      const made = new FakeHost({ config: { apiRoot: told.api, pollSeconds: 1, ...config }, accounts: { google: { accessToken: token, scopes: [] } }, ...(state === undefined ? {} : { state }) });
      made.renew = () => {};
      return made;
    };
    const call = async (plugin, kata, name, args) => {
      const result = await (await load(plugin)).tool(name).execute(args, kata.context());
      return JSON.parse(typeof result === "string" ? result : result.text);
    };
    const until = async (what, ask) => {
      for (let tries = 0; tries < 400; tries += 1) {
        const found = await ask();
        if (found) return found;
        await sleep(25);
      }
      throw new Error(`this did not happen: ${what}`);
    };
    const noProblems = async () => assert.deepEqual((await log()).problems, []);

    test("everything the tools of Gmail ask and get is as Google describes it, and an answer threads", async () => {
      const kata = await host({ channelLabel: "Kata" });
      const tool = (name, args) => call(gmail, kata, name, args);
      const mail = await order("mail", { subject: "Lunch?", text: "Shall we?", headers: { Cc: "Bo <bo@example.org>" }, files: [{ name: "menu.pdf", mime: "application/pdf", base64: btoa("%PDF-menu") }] });
      const found = await tool("search_emails", { query: "subject:Lunch" });
      assert.equal(found.emails[0].id, mail.id);
      const read = await tool("read_email", { id: mail.id });
      assert.equal(read.text, "Shall we?");
      const file = await tool("read_email", { id: mail.id, attachment: "menu.pdf" });
      assert.equal(Buffer.from(kata.media.get(file.media).bytes).toString(), "%PDF-menu");
      await tool("send_email", { to: ["Ünal <u@example.org>"], subject: "Grüße", text: "**Hi**", attachments: [file.media] });
      await tool("reply_email", { id: mail.id, text: "Yes.", all: true });
      await tool("create_draft", { replyTo: mail.id, text: "Perhaps." });
      await tool("modify_labels", { ids: [mail.id], add: ["Kata", "STARRED"], remove: ["UNREAD"] });
      await tool("modify_labels", { ids: Array.from({ length: 11 }, () => mail.id), remove: ["STARRED"] });
      const thread = await tool("read_email", { id: mail.id, thread: true });
      // The emulators date what is sent by its `Date`, whole seconds, so the order of the two is chance.
      assert.deepEqual(thread.emails.map((one) => one.text.trim()).sort(), ["Shall we?", "Yes."]);
      const { messages } = await order("folder");
      const [sent, reply] = ["u@example", "ana@example"].map((to) => messages.find((one) => new RegExp(`^To: .*${to}`, "m").test(one.source)));
      assert.match(sent.source, /^To: =\?utf-8\?B\?[^?]+\?= <u@example\.org>\r$/m);
      assert.match(sent.source, /filename="menu\.pdf"/);
      assert.equal(reply.threadId, mail.thread);
      assert.match(reply.source, new RegExp(`^In-Reply-To: <${mail.messageId}>\r$`, "m"));
      assert.match(reply.source, new RegExp(`^References: <${mail.messageId}>\r$`, "m"));
      assert.match(reply.source, /^Subject: Re: Lunch\?\r$/m);
      assert.match(reply.source, /^Cc: "Bo" <bo@example\.org>\r$/m);
      await noProblems();
    });

    test("the channel takes labelled mail in once over restarts and an expired history, and answers in the thread", async () => {
      let kata = await host({ channelLabel: "Kata" });
      const connect = async () => new Running(async (signal) => (await load(gmail)).channel().messaging.connect(kata.connectContext(signal)));
      let running = await connect();
      await until("it runs", () => kata.states.at(-1) === "running");
      const first = await order("mail", { subject: "One", labels: ["INBOX", "Label_7"] });
      await order("mail", { subject: "not labelled" });
      await order("mail", { subject: "from a machine", labels: ["Label_7"], headers: { "Auto-Submitted": "auto-replied" } });
      await order("mail", { subject: "forged", labels: ["Label_7"], genuine: false });
      await until("the first is there", () => kata.received.includes(first.id));
      const late = await order("mail", { subject: "Two" });
      await order("label", { id: late.id, add: ["Label_7"] });
      await until("what was labelled later is there", () => kata.received.includes(late.id));
      running.stop();
      await until("it ends", () => running.ended);
      const missed = [];
      for (const subject of ["Three", "Four"]) missed.push((await order("mail", { subject, labels: ["Label_7"] })).id);
      await order("forgetHistory");
      kata = await host({ channelLabel: "Kata" }, kata.state);
      running = await connect();
      await until("what came meanwhile is there", () => missed.every((id) => kata.received.includes(id)));
      const five = await order("mail", { subject: "Five", labels: ["Label_7"] });
      await until("and what comes then", () => kata.received.includes(five.id));
      assert.deepEqual(kata.drafts.map((one) => one.messageId), [...missed, five.id]);
      const draft = kata.drafts.at(-1);
      const message = { route: { channel: "gmail", account: draft.account, conversation: draft.conversation, thread: null, replyTo: draft.messageId }, text: "An **answer**", idempotencyKey: "k", attempt: 1 };
      await (await load(gmail)).channel().outbound.send(message, kata.context());
      running.stop();
      await until("it ends", () => running.ended);
      const reply = (await order("folder")).messages.find((one) => one.threadId === five.thread);
      assert.ok(reply, "the answer is in the folder SENT");
      assert.match(reply.source, /^Auto-Submitted: auto-replied\r$/m);
      await noProblems();
    });

    test("the calendar is kept in step by changes, read anew after 410, and everything asked and answered is as Google describes it", async () => {
      const kata = await host({ calendars: "primary", remindMinutes: 10, session: "s1", pollSeconds: 5 });
      const tool = (name, args) => call(calendar, kata, name, args);
      const titles = () => kata.state.get("mirror:me@gmail.example")?.events.map((one) => one.title);
      await order("event", { summary: "Soon", start: { dateTime: minutes(5) }, end: { dateTime: minutes(30) } });
      const service = (await load(calendar)).service();
      let running = new Running((signal) => service.start(kata.serviceContext(signal)));
      await until("it runs", () => kata.states.at(-1) === "running");
      await until("the session is reminded", () => kata.submitted.length === 1);
      const made = (await tool("create_event", { title: "Talk", start: "2027-01-15T14:00", minutes: 45, where: "Room", people: ["ana@example.org"], recurrence: "RRULE:FREQ=WEEKLY;COUNT=2", reminderMinutes: 5 })).made;
      assert.equal(made.start, "2027-01-15T14:00:00+01:00");
      const whole = (await tool("create_event", { title: "Away", start: "2027-01-16", end: "2027-01-17" })).made;
      const seen = await tool("check_schedule", { from: "2027-01-15", to: "2027-01-17" });
      assert.deepEqual(seen.events.map((one) => [one.id, one.title, one.start ?? one.firstDay]), [[made.id, "Talk", "2027-01-15T14:00:00+01:00"], [whole.id, "Away", "2027-01-16"]]);
      const moved = (await tool("update_event", { id: made.id, version: seen.events[0].version, start: "2027-01-15T15:00", addPeople: ["bo@example.org"] })).changed;
      assert.equal(moved.end, "2027-01-15T15:45:00+01:00");
      await assert.rejects(tool("update_event", { id: made.id, version: seen.events[0].version, title: "Mine" }), /`version`: somebody changed the event/);
      const free = await tool("find_free_time", { minutes: 60, from: "2027-01-15", to: "2027-01-15", people: ["ana@example.org"] });
      assert.deepEqual(free.free, [{ start: "2027-01-15T09:00:00+01:00", end: "2027-01-15T15:00:00+01:00" }, { start: "2027-01-15T15:45:00+01:00", end: "2027-01-15T18:00:00+01:00" }]);
      assert.deepEqual(free.unknown, ["ana@example.org"]);
      await tool("cancel_event", { id: made.id });
      await assert.rejects(tool("cancel_event", { id: made.id }), /there is no event/);
      const soon = await order("event", { summary: "Tea", start: { dateTime: minutes(90) }, end: { dateTime: minutes(120) } });
      running.stop();
      await until("it ends", () => running.ended);
      running = new Running((signal) => service.start(kata.serviceContext(signal)));
      await until("changes are there", () => titles()?.includes("Tea"));
      running.stop();
      await order("cancel", { id: soon.id });
      await order("forgetSync");
      running = new Running((signal) => service.start(kata.serviceContext(signal)));
      await until("what went while it was forgotten is gone", () => titles()?.join() === "Soon");
      running.stop();
      await noProblems();
      const lists = (await log()).calls.filter((one) => one.id === "calendar.events.list");
      assert.ok(lists.some((one) => one.status === 410) && lists.some((one) => one.query.includes("syncToken") && one.status === 200));
    });

    test("a token that ended, a sign-in that was taken back, too many requests: as they are at Google, and no tight loop", async () => {
      const kata = await host({ channelLabel: "Kata" });
      const running = new Running(async (signal) => (await load(gmail)).channel().messaging.connect(kata.connectContext(signal)));
      await until("it runs", () => kata.states.at(-1) === "running");
      const { token } = await order("token");
      await order("expire");
      const fresh = (await order("token")).token;
      kata.renew = () => kata.accounts.set("google", { accessToken: fresh, scopes: [] });
      const one = await order("mail", { labels: ["Label_7"] });
      await until("mail comes after a renewal", () => kata.received.includes(one.id));
      assert.equal(kata.refusedTokens.length, 1);
      assert.notEqual(token, fresh);
      await order("fault", { match: "history", status: 429, reason: "rateLimitExceeded", times: 3, retryAfter: 1 });
      await until("it says that it goes slower", () => kata.states.at(-1) === "degraded/rate_limited");
      const two = await order("mail", { labels: ["Label_7"] });
      await until("mail comes when the limit is over", () => kata.received.includes(two.id));
      await order("fault", { match: "history", cut: true, times: 2 });
      const three = await order("mail", { labels: ["Label_7"] });
      await until("mail comes after answers that were cut off", () => kata.received.includes(three.id));
      await order("revoke");
      kata.renew = () => kata.accounts.delete("google");
      await until("it waits for a person", () => kata.states.at(-1) === "needs_user/signed_out");
      const asked = (await log()).calls.length;
      await sleep(3_000);
      assert.equal((await log()).calls.length, asked);
      running.stop();
      await noProblems();
    });
  });
}
