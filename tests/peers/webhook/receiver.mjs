// Takes answers: Node's own `http` and `crypto`. Writes each request as a JSON line, checks its signature, and has bad weather
// when it is told so.
//
//   node receiver.mjs SECRET JOURNAL
//
// Prints {"url"} when it listens. Lines on stdin: `weather MODE` with one of `good`, `bad` (429, 500, answers that are lost, one
// that never comes), `refuses` (401); each is answered with {"done"}. Ends when stdin closes.

import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [, , secret, journal] = process.argv;
let weather = "good";
let count = 0;
let hung = false;

function genuine(header, body) {
  const match = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header ?? "");
  if (match === null || Math.abs(Date.now() / 1000 - Number(match[1])) > 60) return false;
  const mac = createHmac("sha256", secret).update(`${match[1]}.`).update(body).digest();
  return timingSafeEqual(mac, Buffer.from(match[2], "hex"));
}

const taken = new Set();
const server = createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => {
    const body = Buffer.concat(pieces);
    if (request.method === "OPTIONS") return response.writeHead(genuine(request.headers["x-kata-signature"], body) ? 204 : 401).end();
    const key = request.headers["idempotency-key"];
    const valid = genuine(request.headers["x-kata-signature"], body);
    count += 1;
    const say = (status, headers = {}) => response.writeHead(status, headers).end(status < 300 ? JSON.stringify({ id: `r-${key}` }) : "");
    if (!valid) return say(400);
    if (weather === "refuses") return say(401);
    if (weather === "bad" && count % 43 === 0) return say(429, { "retry-after": "1" });
    if (weather === "bad" && count % 61 === 0) return say(500);
    // From here on it has the message.
    if (!taken.has(key)) appendFileSync(journal, `${JSON.stringify({ key, body: JSON.parse(body), signature: request.headers["x-kata-signature"], raw: body.toString() })}\n`);
    taken.add(key);
    if (weather === "bad" && !hung && count > 100) return void (hung = true);
    if (weather === "bad" && count % 71 === 0) return request.socket.destroy();
    if (weather === "bad" && count % 89 === 0) return say(502);
    say(200);
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/answers` })));
for await (const line of createInterface({ input: process.stdin })) {
  weather = line.trim().split(/\s+/)[1] ?? weather;
  console.log(JSON.stringify({ done: weather }));
}
process.exit(0);
