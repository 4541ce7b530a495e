// A person with a phone: Chromium at 390×844 in front of a real `kata serve`, behind a line that can be cut. Every step asserts; the
// pictures are left in SHOTS. Started by phone.rs, which gives KATA (the program), PROXY (a free port, named in `gateway.hosts`),
// GATEWAY (the engine's port) and AWAY (seconds without a network).
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import net from "node:net";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const { KATA, PROXY, GATEWAY, SHOTS, CHROMIUM = "/usr/bin/chromium" } = process.env;
const AWAY_MS = Number(process.env.AWAY ?? "60") * 1000;
const run = promisify(execFile);
mkdirSync(SHOTS, { recursive: true });

const kata = (...args) => JSON.parse(execFileSync(KATA, ["--json", ...args], { encoding: "utf8" }));
const say = (words) => console.log(`phone: ${words}`);

/** The line between phone and engine. */
function line() {
  const open = new Set();
  let whole = true;
  const server = net.createServer((near) => {
    if (!whole) return near.destroy();
    const far = net.connect(Number(GATEWAY), "127.0.0.1");
    for (const [a, b] of [[near, far], [far, near]]) {
      open.add(a);
      a.on("data", (bytes) => whole && b.write(bytes));
      a.on("close", () => (open.delete(a), b.destroy()));
      a.on("error", () => b.destroy());
    }
  });
  return {
    listen: () => new Promise((done) => server.listen(Number(PROXY), "127.0.0.1", done)),
    cut() {
      whole = false;
      for (const socket of open) socket.destroy();
    },
    mend() {
      whole = true;
    },
    close: () => server.close(),
  };
}

/** Remembers the numbers of all events that any socket of the page was given, and whether it was told to ask anew. */
function watchFrames() {
  const Native = window.WebSocket;
  window.seen = { seqs: [], resyncs: 0, welcomes: 0 };
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.type === "event") window.seen.seqs.push(frame.seq);
        if (frame.type === "resync") window.seen.resyncs += 1;
        if (frame.type === "welcome") window.seen.welcomes += 1;
      });
    }
  };
}

const cable = line();
await cable.listen();
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
const phone = await browser.newContext({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
await phone.addInitScript(watchFrames);
const page = await phone.newPage();
page.setDefaultTimeout(60_000);
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
const at = (id) => page.locator(`[data-testid="${id}"]`);
const shot = (name) => page.screenshot({ path: `${SHOTS}/phone-${name}.png` });
async function fits(where) {
  const [wide, high] = await page.evaluate(() => [document.scrollingElement.scrollWidth, document.scrollingElement.scrollHeight]);
  assert.ok(wide <= 390 && high <= 844, `${where} is ${wide}×${high}`);
  // Nothing in sight stands out on the right, but for what scrolls by itself. What only a screen reader sees is a pixel wide.
  const out = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, textarea, h1, p")]
      .filter((each) => each.checkVisibility() && each.closest("pre, [role=dialog]") === null)
      .filter((each) => { const box = each.getBoundingClientRect(); return box.width > 1 && (box.right > 390.5 || box.left < -0.5); })
      .map((each) => each.outerHTML.slice(0, 200)),
  );
  assert.deepEqual(out, [], `${where}: beyond the edge`);
}

try {
  // Paired by what the code holds.
  const offer = kata("devices", "pair", "--name", "Test phone", "--no-wait");
  assert.match(offer.url, new RegExp(`^http://127\\.0\\.0\\.1:${PROXY}/#/pair/[0-9A-Z]{10}$`));
  const code = offer.url.split("/").at(-1);
  await page.goto(offer.url);
  await at("phone-sessions").waitFor();
  assert.ok(!page.url().includes(code), "the code is out of the address");
  await shot("list-empty");
  await fits("the list");
  let [device] = kata("devices", "list");
  assert.deepEqual([device.name, device.keyed, device.scope, device.connected], ["Test phone", true, "approve", true]);
  assert.ok(kata("gateway").clients.some((client) => client.device === device.id));
  say("paired");

  // The code is used up: another browser gets nowhere with it.
  const other = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  await other.goto(offer.url);
  const alert = other.locator('[data-testid="connect"]');
  await alert.getByText("The code is not right").waitFor();
  await other.screenshot({ path: `${SHOTS}/phone-wrong-code.png` });
  await other.close();

  // The key stays when the page is loaded anew.
  await page.reload();
  await at("phone-sessions").waitFor();

  // A chat with the demo agent.
  await at("new-session").tap();
  await at("composer").waitFor();
  await shot("new");
  const seen = await at("composer").boundingBox();
  assert.ok(seen.y + seen.height <= 844 && seen.width > 250, "the composer is in sight");
  await at("composer").fill("hello from the phone");
  await at("send").tap();
  await page.getByText("hello from the phone").first().waitFor();
  const session = () => kata("sessions", "list").sessions[0].id;
  const id = await page.evaluate(() => decodeURIComponent(location.hash.split("/").at(-1)));
  assert.equal(session(), id);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="stop"]').length === 0);
  await shot("chat");
  await fits("the chat");
  // With the keyboard of the phone up (half of the screen), the composer still is in sight.
  await page.setViewportSize({ width: 390, height: 460 });
  await at("composer").tap();
  const low = await at("composer").boundingBox();
  assert.ok(low.y > 0 && low.y + low.height <= 460, `above the keyboard: ${JSON.stringify(low)}`);
  await shot("keyboard");
  await page.setViewportSize({ width: 390, height: 844 });
  say("chatted");

  // A tool is approved. A new session only reads; from here on it asks.
  await at("permission-menu").tap();
  await at("permission-ask").tap();
  await at("permission-ask").waitFor({ state: "detached" });
  await at("composer").fill('/tool bash {"command":"touch made-by-phone"}');
  await at("send").tap();
  const once = at("approve-once");
  await once.waitFor();
  await shot("approval");
  await fits("the approval");
  for (const decision of ["once", "deny"]) {
    const box = await at(`approve-${decision}`).boundingBox();
    assert.ok(box.height >= 44 && box.width >= 44, `${decision} is ${box.width}×${box.height}`);
  }
  await once.tap();
  await once.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.querySelectorAll('[data-testid="stop"]').length === 0);
  assert.equal(kata("approvals", "list").length, 0);
  await shot("approved");
  await at("phone-back").tap();
  await page.getByText("hello from the phone").first().waitFor();
  await shot("list");
  await fits("the list with a session");
  await at("phone-waiting").tap();
  await page.getByText("Nothing waits for you").waitFor();
  await fits("what waits");
  await shot("waiting");
  await at("phone-more").tap();
  await page.waitForTimeout(300);
  await shot("drawer");
  await at("nav-settings").tap();
  await page.goto(`${new URL(page.url()).origin}/#/settings/gateway`);
  await at(`device-${device.id}`).waitFor();
  await fits("the gateway's page");
  await shot("gateway");
  assert.ok(await at("pair-device").isDisabled(), "a device that may approve pairs no others");
  await page.goto(`${new URL(page.url()).origin}/#/sessions/all/${encodeURIComponent(id)}`);
  await at("composer").waitFor();
  say("approved");

  // No network for a minute; three messages meanwhile.
  const before = await page.evaluate(() => ({ ...window.seen, seqs: [...window.seen.seqs] }));
  cable.cut();
  const cutAt = Date.now();
  await at("try-now").waitFor();
  await shot("offline");
  await fits("offline");
  for (const n of [1, 2, 3]) await run(KATA, ["chat", id, "-m", `while you were away ${n}`]);
  await new Promise((done) => setTimeout(done, Math.max(0, AWAY_MS - (Date.now() - cutAt))));
  assert.ok(await at("try-now").isVisible(), "still away");
  cable.mend();
  for (const n of [1, 2, 3]) {
    const found = page.getByText(`while you were away ${n}`, { exact: true });
    await found.first().waitFor();
    assert.equal(await found.count(), 1, `message ${n} stands there once`);
  }
  await at("try-now").waitFor({ state: "detached" });
  const after = await page.evaluate(() => window.seen);
  assert.equal(after.welcomes, before.welcomes + 1, "one connection came back");
  assert.equal(after.resyncs, before.resyncs, "nothing was missed for good");
  assert.ok(after.seqs.length > before.seqs.length + 3, "what was missed came");
  after.seqs.forEach((seq, i) => assert.ok(i === 0 || seq === after.seqs[i - 1] + 1, `event ${seq} after ${after.seqs[i - 1]}: no gap, none twice`));
  await shot("back");
  say(`away for ${Math.round((Date.now() - cutAt) / 1000)} s, got ${after.seqs.length - before.seqs.length} events it missed`);

  // Shut out: at once.
  await page.evaluate(() => {
    window.outAt = 0;
    new MutationObserver(() => {
      if (window.outAt === 0 && document.querySelector('[data-testid="shut-out"]') !== null) window.outAt = Date.now();
    }).observe(document.body, { childList: true, subtree: true });
  });
  const began = Date.now();
  kata("devices", "revoke", "Test phone");
  await at("shut-out").waitFor();
  const took = (await page.evaluate(() => window.outAt)) - began;
  assert.ok(took <= 1_000, `out after ${took} ms, the command included`);
  await shot("shut-out");
  await fits("shut out");
  assert.deepEqual(kata("devices", "list"), []);
  await page.reload();
  await at("connect-code").waitFor();
  say(`shut out ${took} ms after the command began`);

  // Again, by hand, with the right to look only.
  await at("connect-code").fill("00000-00000");
  await at("connect-pair").tap();
  await page.getByText("The code is not right").waitFor();
  const look = kata("devices", "pair", "--name", "Looker", "--scope", "read", "--no-wait");
  await at("connect-code").fill(look.code.toLowerCase());
  await at("connect-pair").tap();
  // Where it was before.
  await at("read-only").waitFor();
  assert.ok(await at("send").isDisabled());
  await shot("read-only");

  // At 800×600 it is the window as it was.
  const desk = await browser.newContext({ viewport: { width: 800, height: 600 } });
  const wide = await desk.newPage();
  const third = kata("devices", "pair", "--name", "Desk", "--no-wait");
  await wide.goto(third.url);
  await wide.locator('[data-testid="nav-sources"]').waitFor();
  assert.equal(await wide.locator('[data-testid="phone-sessions"]').count(), 0);
  await wide.screenshot({ path: `${SHOTS}/phone-800x600.png` });
  assert.deepEqual(errors, [], "no error in the page");
  const log = execFileSync(KATA, ["logs", "-n", "2000", "--level", "debug"], { encoding: "utf8" });
  for (const secret of [code, look.code, look.code.replace("-", ""), third.code]) assert.ok(!log.includes(secret), "no code is in the log");
  say("done");
} catch (error) {
  await shot("failed").catch(() => undefined);
  throw error;
} finally {
  await browser.close();
  cable.cut();
  cable.close();
}
process.exit(0);
