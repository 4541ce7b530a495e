// The app as the client that the Model Context Protocol's own conformance suite asks for: `conformance.mjs URL` starts `kata serve` over a new
// home, adds the server as a source, signs in as a person would where it asks for that, and calls each tool once as a person tries it.
//
//   KATA_BIN=…/kata node_modules/.bin/conformance client --command "node conformance.mjs" --suite all
//
// Names of scenarios come by MCP_CONFORMANCE_SCENARIO, what a scenario gives beforehand by MCP_CONFORMANCE_CONTEXT.

import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const url = process.argv.at(-1);
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? "";
const given = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");
const kata = process.env.KATA_BIN;
const dir = mkdtempSync(join(tmpdir(), "kata-conformance-"));
const home = join(dir, "home");
const env = { PATH: process.env.PATH, HOME: dir, KATA_CONFIG_DIR: home, KATA_PLUGINS_DIR: join(dir, "none"), KATA_SECRETS: "file", KATA_PORT: "0" };
const said = (...words) => console.error(scenario, ...words);

const run = async (...args) => {
  const { stdout } = await promisify(execFile)(kata, ["--json", ...args], { env, maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
};
const until = async (what, ask, ms = 20_000) => {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
    const found = await ask();
    if (found) return found;
  }
  throw new Error(`this did not happen: ${what}`);
};

const serve = spawn(kata, ["serve"], { env, stdio: "ignore" });
let socket;
let failed = false;
try {
  const port = await until("kata serve is ready", () => {
    try {
      return JSON.parse(readFileSync(join(home, "gateway.json"), "utf8")).port;
    } catch {
      return undefined;
    }
  });
  const token = (await promisify(execFile)(kata, ["token"], { env })).stdout.trim();
  socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  const waiting = new Map();
  const welcome = new Promise((done) => {
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "hello") socket.send(JSON.stringify({ type: "connect", version: 1, token, client: "conformance", topics: [] }));
      if (frame.type === "welcome") done();
      if (frame.type === "response") waiting.get(frame.id)?.(frame);
    };
  });
  await welcome;
  let next = 0;
  const op = (name, params = {}) =>
    new Promise((done, fail) => {
      next += 1;
      waiting.set(next, ({ error, result }) => (error ? fail(new Error(`${name}: ${error.message}`)) : done(result)));
      socket.send(JSON.stringify({ type: "request", id: next, op: name, params }));
    });

  // Whether an account is a machine's is known to whoever was given it; here the scenario's name says it.
  const machine = scenario.startsWith("auth/client-credentials") ? { grant: "client_credentials" } : {};
  const mcp = { url, ...machine, ...(given.client_id === undefined ? {} : { clientId: given.client_id }) };
  // The address the suite has for a client's own description (SEP-991); used where a server says that it takes such, and there alone.
  await run("settings", "set", "oauth.clientMetadata", "https://conformance-test.local/client-metadata.json");
  const file = join(dir, "source.json");
  writeFileSync(file, JSON.stringify({ name: "Peer", type: "mcp", mcp }));
  const { summary } = await run("sources", "add", file);
  const { id } = summary;
  const secrets = { clientSecret: given.client_secret, clientKey: given.private_key_pem };
  for (const [name, value] of Object.entries(secrets).filter(([, value]) => value !== undefined)) {
    await op("source.secret", { id, name, value });
    await op("source.restart", { id });
  }
  const standing = async () => (await op("source.get", { id })).summary.status;
  /** A person follows the page that the sign-in leads to. */
  const signIn = async () => {
    const begun = await op("oauth.begin", { source: id, open: false });
    // A machine's sign-in leads nobody anywhere.
    if (begun.url !== "") await (await fetch(begun.url)).text();
    const end = await until("the sign-in ends", async () => {
      const { progress } = await op("oauth.get", { id: begun.id });
      return progress.kind === "waiting" ? undefined : progress;
    });
    said("sign-in", JSON.stringify(end));
  };
  const settled = () => until("the source has settled", async () => {
    const status = await standing();
    return ["running", "needs_user", "failed", "degraded", "quarantined"].includes(status.state.kind) ? status : undefined;
  });

  let status = await settled().catch(async () => standing());
  said(JSON.stringify(status));
  if (status.state.kind === "needs_user") {
    await signIn();
    status = await until("the source runs", async () => {
      const now = await standing();
      return now.state.kind === "running" ? now : undefined;
    });
  }
  const tools = (await op("source.tools", { id })).map(({ info }) => ({ name: info.name, schema: info.parameters ?? {} }));
  said("tools", tools.map((tool) => tool.name).join(", "));
  /** Questions of the server, answered with what is filled in beforehand. */
  const answering = setInterval(async () => {
    for (const question of await op("elicitation.list").catch(() => [])) {
      const fields = question.schema?.properties ?? question.requestedSchema?.properties ?? {};
      const content = Object.fromEntries(Object.entries(fields).flatMap(([name, field]) => ("default" in field ? [[name, field.default]] : [])));
      await op("elicitation.answer", { id: question.id, action: "accept", content }).catch((error) => said(error.message));
    }
  }, 100);
  const params = (schema) => Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, field.type === "number" || field.type === "integer" ? 5 : field.type === "boolean" ? true : "text"]));
  for (const tool of tools) {
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const tried = await op("tool.try", { name: tool.name, params: params(tool.schema) }).catch((error) => ({ error: error.message }));
      said(tool.name, JSON.stringify(tried).slice(0, 300));
      const now = await standing();
      if (now.state.kind !== "needs_user" && !/permission|sign in/i.test(JSON.stringify(tried))) break;
      // More is needed than was given: the person signs in again.
      await signIn();
      await until("the source runs again", async () => (await standing()).state.kind === "running");
    }
  }
  clearInterval(answering);
} catch (error) {
  failed = true;
  said(error.message);
} finally {
  socket?.close();
  serve.kill("SIGTERM");
  await new Promise((done) => serve.on("exit", done));
  rmSync(dir, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
