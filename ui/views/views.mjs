/**
 * Every view of the built window in Chromium, on the engine in memory: light and dark, at the smallest size, a usual one, that at 200 %
 * zoom, and as wide as a phone. Leaves pictures in target/screenshots/views and fails where axe-core finds something serious, where
 * words are cut off, controls lie over each other or are out of reach, where the keyboard does not reach a control or the focus is not
 * to be seen, and where a dialog lets the focus out or does not give it back. `cargo xtask views` builds and runs it; KATA_VIEWS=name,name
 * takes some views, KATA_SIZES=phone,1440 some sizes, KATA_THEMES=light one theme.
 */
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { afterTabbing, CONTROL_SELECTOR, focusNow, layoutFaults, numberStops } from "./checks.mjs";
import { chromiumHere, serve } from "./serve.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const out = join(root, "target/screenshots/views");
/** `brief` views are taken where it says so; the keyboard is tried where there is least room. */
const SIZES = [
  { name: "800", width: 800, height: 600, brief: "dark", keyboard: true },
  { name: "1440", width: 1440, height: 900, brief: "light" },
  { name: "zoomed", width: 720, height: 450, narrow: true, brief: null },
  { name: "phone", width: 390, height: 844, narrow: true, brief: "light", keyboard: true, hasTouch: true },
];
const SERIOUS = new Set(["serious", "critical"]);

const part = (name) => process.env[name]?.split(",");
const THEMES = part("KATA_THEMES") ?? ["light", "dark"];
const wanted = part("KATA_VIEWS");
const sizes = SIZES.filter(({ name }) => part("KATA_SIZES")?.includes(name) ?? true);
const routes = JSON.parse(await readFile(join(here, "routes.json"), "utf8")).filter(({ name }) => wanted?.includes(name) ?? true);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
await mkdir(out, { recursive: true });
const server = await serve(join(root, "target/views-ui"));
const base = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({ executablePath: process.env.KATA_CHROMIUM ?? chromiumHere(), args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"] });

/** A test id, or `text=…` for what a menu or a button says. */
const target = (page, click) => (click.startsWith("text=") ? page.getByText(click.slice(5), { exact: true }).first() : page.getByTestId(click).first());

const still = (page) => page.waitForFunction(() => document.getAnimations().every((each) => each.playState !== "running" || each.effect.getComputedTiming().iterations === Infinity));

async function open(page, { hash, query, keys, inspect, clicks = [] }) {
  await page.goto(`${base}?platform=fake&latencyMs=0&stepMs=0${query === undefined ? "" : `&${query}`}${hash}`);
  await page.waitForFunction(() => document.querySelector("main, nav, [role=alert]") !== null);
  await page.waitForFunction(() => document.querySelector("[aria-label=Loading], [aria-busy=true]:not([role=log])") === null);
  if (inspect === true && (await page.locator("[data-testid=session-details][aria-pressed=false]").count()) > 0) await page.getByTestId("session-details").click();
  for (const click of clicks) await target(page, click).click();
  if (keys !== undefined) {
    // From the content, to which the focus comes back.
    await page.keyboard.press("Control+3");
    await page.keyboard.press(keys);
    // The palette is a box of no size around what is shown.
    await page.waitForSelector("[role=dialog]", { state: "attached" });
  }
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => document.querySelector("[data-unread], [aria-label=Loading]") === null);
  await still(page);
}

async function judged(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, impact, help, nodes }) => ({ impact, line: `${impact} ${id}: ${help}\n    ${nodes.slice(0, 4).map((node) => `${node.target.join(" ")}  ${node.failureSummary.split("\n")[1]?.trim() ?? ""}`).join("\n    ")}` }));
}

/** Tab through everything: each control is reached, the focus is seen on each, a dialog keeps it and gives it back. */
async function byKeyboard(page, opened, pastSidebar) {
  const total = await page.evaluate(numberStops, pastSidebar);
  const menu = (await page.locator("[role=menu]").count()) > 0;
  const found = new Set();
  const seen = new Set();
  for (let i = 0; !menu && i < total + 40 && seen.size < total; i += 1) {
    await page.keyboard.press("Tab");
    const { stop, faults } = await page.evaluate(focusNow);
    if (stop !== null) seen.add(stop);
    for (const fault of faults) found.add(fault);
  }
  const faults = menu ? [] : await page.evaluate(afterTabbing, [...seen]);
  if (opened) {
    await page.keyboard.press("Escape");
    const comes = (what) => page.waitForFunction(what, undefined, { timeout: 2_000 }).then(() => true, () => false);
    if (!(await comes(() => document.querySelector("[role=dialog], [role=alertdialog], [role=menu]") === null))) faults.push("Escape does not close it");
    else if (!(await comes(() => document.activeElement !== null && document.activeElement !== document.body))) faults.push("the focus is nowhere after it was closed");
  }
  return [...found, ...faults];
}

const faults = [];
const fault = (line) => {
  faults.push(line);
  console.error(line);
};
let pictures = 0;
for (const theme of THEMES) {
  for (const { name, brief, keyboard, ...viewport } of sizes) {
    // The sidebar is the same in every view: once is enough.
    let walked = false;
    const context = await browser.newContext({ viewport: { width: viewport.width, height: viewport.height }, hasTouch: viewport.hasTouch === true, colorScheme: theme, reducedMotion: "reduce" });
    // Nothing of one view (an open inspector, a filter) is in the next one.
    await context.addInitScript(() => location.protocol === "http:" && localStorage.clear());
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    for (const route of routes) {
      const elsewhere = route.at !== undefined && (route.at === "phone") !== (viewport.narrow === true);
      if (elsewhere || (route.brief === true && brief !== theme)) continue;
      const at = `${route.name} ${theme} ${name}`;
      try {
        await page.goto("about:blank");
        await open(page, route);
        pictures += 1;
        await page.screenshot({ path: join(out, `${route.name}-${theme}-${name}.png`) });
        for (const { impact, line } of await judged(page)) {
          if (SERIOUS.has(impact)) fault(`${at}: ${line}`);
          else console.log(`  (${at}: ${line})`);
        }
        for (const line of await page.evaluate(layoutFaults, CONTROL_SELECTOR)) fault(`${at}: ${line}`);
        if (theme === "light" && keyboard === true && route.brief !== true) {
          const opened = (await page.locator("[role=dialog], [role=alertdialog], [role=menu]").count()) > 0;
          for (const line of await byKeyboard(page, opened, walked)) fault(`${at}: ${line}`);
          walked = true;
        }
      } catch (error) {
        fault(`${at}: ${error.message.split("\n")[0]}`);
      }
      for (const error of errors.splice(0)) fault(`${at}: ${error}`);
    }
    await context.close();
  }
}
await browser.close();
server.close();
console.log(`${routes.length} views, ${pictures} pictures in target/screenshots/views; ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
