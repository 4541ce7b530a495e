// npm's own clients on a plugin's globals: `reconnecting-websocket` and `eventsource`, unchanged but for the names of the
// files they import; and the globals themselves against servers that others wrote.
import { EventSource } from "./eventsource/index.js";
import ReconnectingWebSocket from "./reconnecting-websocket.js";

const heard = (target: EventTarget, type: string) =>
  new Promise<Event & { data: string; lastEventId: string; code: number; reason: string }>((resolve) =>
    target.addEventListener(type, (event) => resolve(event as never), { once: true }),
  );

const checks: Record<string, (ports: { ws: number; http: number }) => Promise<unknown>> = {
  async "ws: hello, ping, fragments, close"({ ws }) {
    const socket = new WebSocket(`ws://127.0.0.1:${ws}/`, ["other", "kata"]);
    socket.binaryType = "arraybuffer";
    const said: string[] = [];
    socket.addEventListener("message", (event: MessageEvent) => said.push(typeof event.data === "string" ? event.data : `bytes ${event.data.byteLength}`));
    await heard(socket, "message");
    await heard(socket, "message");
    socket.send("drei Stücke 😀");
    await heard(socket, "message");
    socket.send(new Uint8Array(100_000));
    await heard(socket, "message");
    socket.send("bye");
    const { code, reason } = await heard(socket, "close");
    return [socket.protocol, said.slice(1), code, reason];
  },
  async "reconnecting-websocket comes back after a broken connection"({ ws }) {
    const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${ws}/flaky`, [], { minReconnectionDelay: 5, maxReconnectionDelay: 10, WebSocket });
    let opened = 0;
    socket.addEventListener("open", () => opened++);
    await heard(socket as never, "message");
    socket.send("still there");
    let last = "";
    while (last !== "still there") last = (await heard(socket as never, "message")).data;
    socket.close();
    return [last, opened >= 1];
  },
  async "eventsource reads a stream, cut characters too, and comes back with its last id"({ http }) {
    const source = new EventSource(`http://127.0.0.1:${http}/events`);
    const first = await heard(source as never, "message");
    const named = await heard(source as never, "named");
    const again = await heard(source as never, "message");
    source.close();
    return [first.data, named.data, named.lastEventId, again.lastEventId];
  },
  async "fetch: a request that streams comes back as it is written"({ http }) {
    let round = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (round === 5) controller.close();
        else controller.enqueue(new TextEncoder().encode(`${round++};`));
      },
    });
    const response = await fetch(`http://127.0.0.1:${http}/echo`, { method: "POST", body, duplex: "half" } as RequestInit);
    let text = "";
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) text += piece;
    return text;
  },
  async "fetch: a form comes back as it was"({ http }) {
    const form = new FormData();
    form.append("name", "ü\"x");
    form.append("file", new File(["data"], "a.txt", { type: "text/x" }));
    const back = await (await fetch(`http://127.0.0.1:${http}/echo`, { method: "POST", body: form })).formData();
    const file = back.get("file") as File;
    return [back.get("name"), file.name, file.type, await file.text()];
  },
};

export const names = Object.keys(checks);

/** Runs one check. */
export async function check(name: string, ports: { ws: number; http: number }): Promise<string> {
  return JSON.stringify(await checks[name]!(ports));
}
