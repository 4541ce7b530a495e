import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Journal } from "../src/journal.ts";
import { Keys } from "../src/keys.ts";
import { idOf, Ledger } from "../src/ledger.ts";

const place = (name: string): string => join(mkdtempSync(join(tmpdir(), "kata-linked-")), name);
const linesOf = (path: string): string[] => {
  const lines: string[] = [];
  new Journal(path, (text) => lines.push(text)).close();
  return lines;
};

test("a line that a power cut left half written is passed over, and the next one is whole", () => {
  const path = place("j");
  const journal = new Journal(path, () => {});
  journal.append("one");
  journal.append("two");
  journal.close();
  truncateSync(path, statSync(path).size - 2);
  assert.deepEqual(linesOf(path), ["one"]);
  const again = new Journal(path, () => {});
  again.append("three");
  again.close();
  assert.deepEqual(linesOf(path), ["one", "three"]);
  appendFileSync(path, "0123456789abcdef not what it says\n");
  assert.deepEqual(linesOf(path), ["one", "three"]);
});

test("files are readable by their owner alone", { skip: process.platform === "win32" }, () => {
  const path = place("j");
  const journal = new Journal(path, () => {});
  journal.append("x");
  journal.rewrite(["y"]);
  journal.close();
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(linesOf(path), ["y"]);
});

test("keys and credentials are there again, a key that was taken out is not, and one change is one line", () => {
  const path = place("keys");
  const keys = new Keys(path);
  keys.update({ me: { id: "1@s.whatsapp.net" } });
  void keys.state.keys.set({ session: { a: Uint8Array.of(1, 2, 3), b: Uint8Array.of(4) }, "lid-mapping": { x: "y" } });
  void keys.state.keys.set({ session: { b: null } });
  keys.close();
  assert.equal(readFileSync(path, "utf8").trim().split("\n").length, 3);
  const again = new Keys(path);
  assert.equal(again.linked, true);
  assert.deepEqual([...(again.state.keys.get("session", ["a", "b"]) as { a: Uint8Array }).a], [1, 2, 3]);
  assert.deepEqual(Object.keys(again.state.keys.get("session", ["a", "b"])), ["a"]);
  assert.deepEqual(again.state.creds.noiseKey.private, keys.state.creds.noiseKey.private);
  again.forget();
  assert.equal(again.linked, false);
  again.close();
});

test("what was rewritten because it grew long is the same afterwards", () => {
  const path = place("keys");
  const keys = new Keys(path);
  const large = new Uint8Array(60_000).fill(7);
  for (let n = 0; n < 40; n += 1) void keys.state.keys.set({ session: { a: large, [`s${n % 3}`]: Uint8Array.of(n) } });
  keys.close();
  assert.ok(statSync(path).size < 40 * 60_000, "it was never rewritten");
  const again = new Keys(path);
  const found = again.state.keys.get("session", ["s0", "s1", "s2"]) as Record<string, Uint8Array>;
  assert.deepEqual([found["s0"]?.[0], found["s1"]?.[0], found["s2"]?.[0]], [39, 37, 38]);
  again.close();
});

test("a message waits over a restart until the app has it, who wrote is known, and a send keeps its id", () => {
  const path = place("ledger");
  const draft = { account: "me", messageId: "c:1", conversation: "c", chatType: "direct" as const, sender: { id: "c" }, text: "hi" };
  const ledger = new Ledger(path);
  ledger.came(draft);
  ledger.came(draft);
  ledger.came({ ...draft, messageId: "c:2" });
  ledger.handedIn(draft);
  const send = ledger.begin("key", "c", "answer");
  ledger.close();
  const again = new Ledger(path);
  assert.deepEqual(again.waiting().map((one) => one.messageId), ["c:2"]);
  assert.deepEqual([again.knows("c"), again.knows("d")], [true, false]);
  assert.deepEqual(again.send("key"), { key: "key", id: idOf("key"), jid: "c", text: "answer", taken: false });
  assert.deepEqual(again.begin("key", "c", "answer"), send);
  again.taken(send);
  assert.equal(again.textOf(idOf("key")), "answer");
  again.close();
  const last = new Ledger(path);
  assert.equal(last.send("key")?.taken, true);
  last.close();
});
