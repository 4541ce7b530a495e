/**
 * Every view of the built window in Chromium, on the engine in memory: light and dark, at the smallest size, a usual one, and that at 200 % zoom. Leaves
 * pictures in target/screenshots/views and fails where axe-core finds something serious, where the page is wider than the window,
 * or where a control cannot be reached by Tab. `cargo xtask views` builds and runs it; KATA_VIEWS=name,name takes a part.
 */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const dist = join(root, "target/views-ui");
const out = join(root, "target/screenshots/views");
/** The smallest, a usual one, and the usual one at 200 % zoom. */
const SIZES = [{ width: 800, height: 600 }, { width: 1440, height: 900 }, { width: 720, height: 450 }];
const THEMES = ["light", "dark"];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2" };

function serve() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname)).replace(/^[/\\]+/, "");
    try {
      const file = await readFile(join(dist, path === "" ? "index.html" : path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/html" }).end(file);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** The first Chromium on the path. */
function chromiumHere() {
  const found = (process.env.PATH ?? "").split(":").flatMap((folder) => ["chromium", "google-chrome"].map((name) => join(folder, name)));
  return found.find((path) => existsSync(path));
}

const wanted = process.env.KATA_VIEWS?.split(",");
const routes = JSON.parse(await readFile(join(here, "routes.json"), "utf8")).filter(({ name }) => wanted === undefined || wanted.includes(name));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
await mkdir(out, { recursive: true });
const server = await serve();
const base = `http://127.0.0.1:${server.address().port}/`;
const browser = await chromium.launch({ executablePath: process.env.KATA_CHROMIUM ?? chromiumHere(), args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"] });
const faults = [];

async function open(page, { hash, query, keys, inspect }) {
  await page.goto(`${base}?platform=fake&latencyMs=0&stepMs=0${query === undefined ? "" : `&${query}`}${hash}`);
  await page.waitForFunction(() => document.querySelector("main, nav, [role=alert]") !== null);
  await page.waitForFunction(() => document.querySelector("[aria-label=Loading], [aria-busy=true]:not([role=log])") === null);
  if (inspect === true && (await page.locator("[data-testid=session-details][aria-pressed=false]").count()) > 0) await page.getByTestId("session-details").click();
  if (keys !== undefined) {
    await page.keyboard.press(keys);
    // The palette is a box of no size around what is shown.
    await page.waitForSelector("[role=dialog]", { state: "attached" });
  }
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => document.getAnimations().every((each) => each.playState !== "running" || each.effect.getComputedTiming().iterations === Infinity));
}

/** What can be clicked and is not reached by Tab. A list that moves by arrows counts as one stop, as do radio groups and tabs. */
async function unreached(page) {
  const total = await page.evaluate(() => {
    const can = "button, a[href], input, select, textarea, [role=switch], [tabindex='0']:not([role=tablist])";
    const controls = [...(document.querySelector("[role=dialog]") ?? document).querySelectorAll(can)].filter((each) => {
      const shown = each.checkVisibility({ checkVisibilityCSS: true }) && !each.disabled && each.closest("[inert],[aria-hidden=true]") === null;
      return shown && each.getAttribute("tabindex") !== "-1" && !(each.type === "radio" && !each.checked);
    });
    controls.forEach((each, i) => each.setAttribute("data-stop", String(i)));
    document.body.setAttribute("tabindex", "-1");
    if (document.querySelector("[role=dialog]") === null) document.body.focus();
    return controls.length;
  });
  const seen = new Set();
  for (let i = 0; i < total + 40 && seen.size < total; i += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => document.activeElement?.getAttribute("data-stop") ?? null);
    if (at !== null) seen.add(at);
  }
  return page.evaluate((reached) => [...document.querySelectorAll("[data-stop]")].filter((each) => each.isConnected && !reached.includes(each.getAttribute("data-stop")) && each.checkVisibility()).map((each) => each.getAttribute("aria-label") ?? each.textContent.trim().slice(0, 40) ?? each.outerHTML.slice(0, 80)), [...seen]);
}

for (const theme of THEMES) {
  for (const size of SIZES) {
    const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: "reduce" });
    // Nothing of one view (an open inspector, a filter) is in the next one.
    await context.addInitScript(() => location.protocol === "http:" && localStorage.clear());
    const page = await context.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    for (const route of routes) {
      const at = `${route.name} ${theme} ${size.width}×${size.height}`;
      try {
        await page.goto("about:blank");
        await open(page, route);
        await page.screenshot({ path: join(out, `${route.name}-${theme}-${size.width}.png`) });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        for (const { id, impact, help, nodes } of violations) {
          const line = `${at}: ${impact} ${id}: ${help}\n    ${nodes.slice(0, 4).map((node) => `${node.target.join(" ")}  ${node.failureSummary.split("\n")[1]?.trim() ?? ""}`).join("\n    ")}`;
          if (impact === "serious" || impact === "critical") faults.push(line);
          else console.log(`  (${line})`);
        }
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (wide > 0) faults.push(`${at}: the page is ${wide} pixels wider than the window`);
        if (theme === "light" && size.width === 1440) {
          const missed = await unreached(page);
          if (missed.length > 0) faults.push(`${at}: not reached by Tab: ${missed.join(" | ")}`);
        }
      } catch (error) {
        faults.push(`${at}: ${error.message.split("\n")[0]}`);
      }
      for (const error of errors.splice(0)) faults.push(`${at}: ${error}`);
    }
    await context.close();
  }
}
await browser.close();
server.close();
for (const fault of faults) console.error(fault);
console.log(`${routes.length} views, ${THEMES.length} themes, ${SIZES.length} sizes; ${faults.length} faults; pictures in target/screenshots/views`);
process.exitCode = faults.length === 0 ? 0 : 1;
