import { FakeHost, type FakeRequest, load, Running, settle } from "@kata-agents/plugin-sdk/testing";
import { expect, test } from "vitest";
import plugin from "../index.ts";
import { readFeed } from "../read.ts";

const URL_A = "https://news.example/rss.xml";
const MINUTE = 60_000;

const rss = (...items: string[]) => `<?xml version="1.0"?><rss version="2.0"><channel><title>News &amp; more</title>${items.join("")}</channel></rss>`;
const item = (n: number, more = "") => `<item><guid>id-${n}</guid><title>Number ${n}</title><link>https://news.example/${n}</link>${more}</item>`;

interface Play {
  host: FakeHost;
  running: Running;
  tool(name: string, args: Record<string, unknown>): Promise<string>;
  status(): string;
}

async function play(config: Record<string, unknown>, answer: (request: FakeRequest) => Response, test: (play: Play) => Promise<void>, state?: Map<string, unknown>): Promise<FakeHost> {
  const host = new FakeHost({ config, network: answer, ...(state === undefined ? {} : { state }) });
  const loaded = await load(plugin);
  await host.run(async () => {
    const running = new Running((signal) => loaded.service().start(host.serviceContext(signal)));
    const tool = async (name: string, args: Record<string, unknown>) => {
      const result = await loaded.tool<Record<string, unknown>>(name).execute(args, host.context());
      return typeof result === "string" ? result : result.text;
    };
    const status = () => {
      const last = host.statuses.at(-1);
      return last === undefined ? "" : `${last.state} ${last.code ?? ""} ${last.message ?? ""}`.trim();
    };
    await settle();
    await test({ host, running, tool, status });
    running.stop();
    await settle();
  });
  return host;
}

test("RSS 2.0 is read with CDATA, markup, references and links that are none", () => {
  const feed = readFeed(
    rss(
      `<item><guid isPermaLink="false">1</guid><title><![CDATA[A <b>bold</b> title]]></title><link>/a</link><description>&lt;p&gt;x &amp;amp; y&lt;/p&gt;&#8230;</description><pubDate>Wed, 26 Nov 2025 09:00:00 GMT</pubDate></item>`,
      `<item><link>javascript:alert(1)</link><title>no address</title></item>`,
    ),
    URL_A,
  );
  expect(feed.title).toBe("News & more");
  expect(feed.entries).toEqual([
    { id: "1", title: "A bold title", link: "https://news.example/a", text: "x & y …", at: Date.UTC(2025, 10, 26, 9) },
    { id: "no address", title: "no address", link: "", text: "" },
  ]);
});

test("RSS 1.0, Atom and JSON Feed are read", () => {
  const rdf = `<rdf:RDF xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>R</title></channel><item rdf:about="https://e.example/1"><title>one</title><link>https://e.example/1</link><dc:date>2025-11-26T09:00:00Z</dc:date></item></rdf:RDF>`;
  const atom = `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><id>urn:1</id><title type="html">&lt;i&gt;one&lt;/i&gt;</title><link rel="edit" href="/e"/><link href="/one"/><updated>2025-11-26T09:00:00Z</updated><content type="xhtml"><div>some <b>text</b></div></content></entry></feed>`;
  const json = JSON.stringify({ version: "https://jsonfeed.org/version/1.1", title: "J", items: [{ id: 1, url: "https://e.example/1", title: "one", content_text: "text" }] });
  expect(readFeed(rdf, URL_A).entries[0]).toMatchObject({ id: "https://e.example/1", title: "one", at: Date.UTC(2025, 10, 26, 9) });
  expect(readFeed(atom, URL_A).entries[0]).toMatchObject({ id: "urn:1", title: "one", link: "https://news.example/one", text: "some text" });
  expect(readFeed(json, URL_A).entries[0]).toMatchObject({ id: "1", title: "one", text: "text" });
});

test("what is no feed, and what would fill the memory, is refused in words", () => {
  expect(() => readFeed("<html><body>hello</body></html>", URL_A)).toThrow("a web page");
  expect(() => readFeed("{ not json", URL_A)).toThrow("is none");
  expect(() => readFeed("hello", URL_A)).toThrow("no XML");
  expect(() => readFeed("<a>".repeat(100), URL_A)).toThrow("too deep");
  expect(() => readFeed(`<rss>${"<i/>".repeat(30_000)}</rss>`, URL_A)).toThrow("elements");
  const bomb = `<!DOCTYPE rss [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;">]>${rss("<item><guid>1</guid><title>&b;</title></item>")}`;
  expect(readFeed(bomb, URL_A).entries[0]?.title).toBe("&b;");
});

test("the first look takes what is there as known; what is new goes to the session once, oldest first, also after a restart", async () => {
  let items = [item(1)];
  const answer = () => new Response(rss(...items), { headers: { etag: '"1"' } });
  const config = { feeds: [URL_A], everyMinutes: 1, session: "260101-a-b" };
  const host = await play(config, answer, async ({ host }) => {
    await host.clock.advance(2 * MINUTE);
    expect(host.submitted).toEqual([]);
    items = [item(3), item(2), item(1)];
    await host.clock.advance(2 * MINUTE);
    expect(host.submitted).toHaveLength(1);
    const { text } = host.submitted[0] ?? { text: "" };
    expect(text.indexOf("Number 2")).toBeLessThan(text.indexOf("Number 3"));
    expect(text).not.toContain("Number 1");
    expect(text).toContain("data from outside");
    expect(host.jobs.busy).toBeGreaterThan(0);
  });
  items = [item(4), ...items];
  const again = await play(config, answer, ({ host }) => host.clock.advance(2 * MINUTE).then(() => undefined), host.state);
  expect(again.submitted).toHaveLength(1);
  expect(again.submitted[0]?.text).toContain("Number 4");
  expect(again.submitted[0]?.text).not.toContain("Number 3");
});

test("a submission that fails is tried again under its key, and nothing is lost", async () => {
  let items = [item(1)];
  await play({ feeds: [URL_A], everyMinutes: 1, session: "260101-a-b" }, () => new Response(rss(...items)), async ({ host }) => {
    await host.clock.advance(2 * MINUTE);
    items = [item(2), item(1)];
    const submit = host.submitted.push.bind(host.submitted);
    let fails = 2;
    const keys: (string | undefined)[] = [];
    host.submitted.push = (...args) => {
      keys.push(...args.map((one) => one.idempotencyKey));
      if (fails-- > 0) throw new Error("the disk is full");
      return submit(...args);
    };
    await host.clock.advance(4 * MINUTE);
    expect(host.submitted).toHaveLength(1);
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(3);
  });
});

test("a feed that has not changed is asked with its marks and answers 304", async () => {
  await play(
    { feeds: [URL_A], everyMinutes: 1 },
    ({ headers }) => (headers["if-none-match"] === '"7"' && headers["if-modified-since"] === "yesterday" ? new Response(null, { status: 304 }) : new Response(rss(item(1)), { headers: { etag: '"7"', "last-modified": "yesterday" } })),
    async ({ host, status, tool }) => {
      await host.clock.advance(3 * MINUTE);
      expect(host.network.requests.length).toBeGreaterThan(1);
      expect(host.network.requests.at(-1)?.headers["if-none-match"]).toBe('"7"');
      expect(status()).toBe("running");
      expect(await tool("list_feed_entries", {})).toContain('"title":"Number 1"');
    },
  );
});

test("one feed that fails is named and leaves the others alone; a server that wants to be left alone is", async () => {
  const other = "https://busy.example/atom";
  await play(
    { feeds: [URL_A, other], everyMinutes: 1 },
    ({ url }) => (url.host === "busy.example" ? new Response("", { status: url.host === "busy.example" && asked++ > 0 ? 429 : 200, headers: { "retry-after": "3600" } }) : new Response(rss(item(1)))),
    async ({ host, status, tool }) => {
      await host.clock.advance(10 * MINUTE);
      expect(status()).toContain("degraded source_fails busy.example");
      expect(await tool("list_feed_entries", {})).toContain("Number 1");
      expect(host.jobs.errors).toEqual([]);
    },
  );
});
let asked = 0;

test("a server's Retry-After is kept", async () => {
  let calls = 0;
  await play(
    { feeds: [URL_A], everyMinutes: 1 },
    () => (calls++ === 0 ? new Response(rss(item(1))) : new Response("", { status: 429, headers: { "retry-after": "3600" } })),
    async ({ host }) => {
      await host.clock.advance(30 * MINUTE);
      expect(calls).toBe(2);
      await host.clock.advance(40 * MINUTE);
      expect(calls).toBe(3);
    },
  );
});

test("new files of the watched folder are entries, and can be read", async () => {
  await play({ folder: "inbox" }, () => new Response(""), async ({ host, tool, status }) => {
    const put = (name: string, text: string) => host.files.workspace.set(name, new TextEncoder().encode(text));
    put("inbox/old.txt", "old");
    await host.clock.advance(MINUTE);
    put("inbox/sub/new.txt", "what is new");
    put("inbox/.hidden", "no");
    put("other/x.txt", "no");
    await host.clock.advance(MINUTE);
    const listed = await tool("list_feed_entries", { source: "inbox" });
    expect(listed).toContain("inbox/sub/new.txt");
    expect(listed).not.toContain("hidden");
    const id = listed.split("\n").map((line) => JSON.parse(line) as { id: string; title: string }).find((one) => one.title === "new.txt")?.id ?? "";
    expect(await tool("read_feed_entry", { id })).toContain("what is new");
    expect(status()).toBe("running");
  });
});

test("without anything to watch a person is asked, and a session that is gone is said", async () => {
  await play({}, () => new Response(""), async ({ status }) => expect(status()).toContain("needs_user nothing_to_watch"));
  let items = [item(1)];
  await play({ feeds: [URL_A], everyMinutes: 1, session: "gone" }, () => new Response(rss(...items)), async ({ host, status }) => {
    await host.clock.advance(2 * MINUTE);
    items = [item(2), ...items];
    host.submitted.push = () => {
      throw Object.assign(new Error("there is no session"), { code: "not_found" });
    };
    await host.clock.advance(2 * MINUTE);
    expect(status()).toContain("needs_user session_gone");
  });
});
