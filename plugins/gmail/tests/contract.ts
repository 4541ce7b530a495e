// Run it with `kata plugins check`, or with vitest beside the other tests.
import { channelContract, type ContractCase, expect, FakeHost, type FakePlatform, type FakeRequest, json, load, Running, serviceContract, toolContract } from "@kata-agents/plugin-sdk/testing";
import plugin from "../index.ts";

const TOKEN = "ya29.secret-of-the-test";
const OWN = "me@gmail.example";
const accounts = { google: { accessToken: TOKEN, scopes: ["https://www.googleapis.com/auth/gmail.modify"], account: OWN } };
const config = { apiRoot: "https://gmail.example", label: "INBOX", session: "s1", channelLabel: "Kata", senderCheck: "authenticated", fromName: "", pollSeconds: 10, unitsPerMinute: 15_000 };

interface One {
  id: string;
  labels: string[];
  text: string;
  at: number;
}

const base64Url = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const fromBase64Url = (data: string) => atob(data.replaceAll("-", "+").replaceAll("_", "/"));

/** Gmail's API, in memory: one label, one thread. */
function gmail() {
  const mails: One[] = [{ id: "m0", labels: ["Label_7"], text: "the first one", at: 1_000 }];
  const sent: string[] = [];
  let history = 0;
  const records: { id: number; mail: One }[] = [];
  const resource = ({ id, labels, text, at }: One) => ({
    id,
    threadId: "t1",
    labelIds: labels,
    internalDate: String(at),
    snippet: text.slice(0, 20),
    payload: {
      mimeType: "text/plain",
      headers: [
        { name: "Authentication-Results", value: "mx.google.com; dmarc=pass header.from=ann.example" },
        { name: "From", value: "Ann <ann@ann.example>" },
        { name: "Message-ID", value: `<${id}@ann.example>` },
      ],
      body: { data: base64Url(text) },
    },
  });
  const answer = (request: FakeRequest): Response => {
    if (request.headers["authorization"] !== `Bearer ${TOKEN}`) return json({ error: { code: 401 } }, 401);
    const path = request.url.pathname.replace("/gmail/v1/users/me/", "");
    const query = request.url.searchParams;
    if (path === "profile") return json({ emailAddress: OWN, historyId: String(100 + history) });
    if (path === "labels") return json({ labels: [{ id: "INBOX", name: "INBOX", type: "system" }, { id: "Label_7", name: "Kata", type: "user" }] });
    if (path === "history") {
      const found = records.filter((one) => 100 + one.id > Number(query.get("startHistoryId")) && one.mail.labels.includes(query.get("labelId") ?? ""));
      return json({ history: found.map((one) => ({ id: String(100 + one.id), messagesAdded: [{ message: { id: one.mail.id, threadId: "t1", labelIds: one.mail.labels } }] })), historyId: String(100 + history) });
    }
    if (path === "messages") {
      const after = Number(/after:(\d+)/.exec(query.get("q") ?? "")?.[1] ?? 0) * 1000;
      return json({ messages: mails.filter((one) => one.at > after).map((one) => ({ id: one.id, threadId: "t1" })).reverse() });
    }
    if (path === "messages/send") {
      const raw = fromBase64Url(String(request.json()["raw"]));
      sent.push(/quoted-printable\r\n\r\n([^]*?)\r\n--/.exec(raw)?.[1] ?? "");
      return json({ id: `s${sent.length}`, threadId: "t1" });
    }
    if (path === "threads/t1") return json({ id: "t1", messages: mails.map(resource) });
    const mail = mails.find((one) => path === `messages/${one.id}`);
    return mail === undefined ? json({ error: { code: 404, errors: [{ reason: "notFound" }] } }, 404) : json(resource(mail));
  };
  const write = (text: string) => {
    history += 1;
    const mail = { id: `m${history}`, labels: ["INBOX", "Label_7"], text, at: Date.now() };
    mails.push(mail);
    records.push({ id: history, mail });
    return mail.id;
  };
  return { answer, write, sent: () => sent };
}

function platform(): FakePlatform {
  return {
    ...gmail(),
    route: { account: OWN, conversation: "t1" },
    tooFast: () => json({ error: { code: 429, errors: [{ reason: "rateLimitExceeded" }] } }, 429, { "retry-after": "3" }),
    unauthorized: () => json({ error: { code: 401, status: "UNAUTHENTICATED" } }, 401),
  };
}

const loaded = () => load(plugin);
const network = () => {
  const { answer } = gmail();
  return answer;
};

const told: ContractCase = {
  name: "gmail: a session is told of new mail once, and never its text",
  run: async () => {
    const server = gmail();
    const host = new FakeHost({ config, accounts, network: server.answer });
    await host.run(async () => {
      const service = (await loaded()).service("gmail");
      const running = new Running((signal) => service.start(host.serviceContext(signal)));
      await host.clock.advance(1_000);
      server.write("words of a person");
      await host.clock.advance(60_000);
      expect(host.submitted.length === 1, `the session was told ${host.submitted.length} times`);
      expect(!JSON.stringify(host.submitted).includes("words of a person"), "the text was told");
      await running.stopped(host);
    });
  },
};

export default [
  ...channelContract("gmail", async () => (await loaded()).channel("gmail"), { platform, config, accounts }),
  ...serviceContract("gmail", async () => (await loaded()).service("gmail"), {
    config,
    accounts,
    network: network(),
    after: { ms: 60_000, check: (host) => expect(host.states.join() === "connecting,running", `the states were ${host.states.join()}`) },
  }),
  ...toolContract<object>("search_emails", async () => (await loaded()).tool("search_emails"), { config, accounts, network: network(), examples: [{ args: { query: "first" }, gives: /ann@ann\.example/ }, { args: { label: "Nowhere" }, fails: true }] }),
  ...toolContract<object>("read_email", async () => (await loaded()).tool("read_email"), { config, accounts, network: network(), examples: [{ args: { id: "m0" }, gives: /the first one/ }, { args: { id: "gone" }, fails: true }] }),
  told,
];
