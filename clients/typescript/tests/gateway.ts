/** A gateway for one client, driven by hand. It fails the test by itself where a client breaks the protocol. */
import type { ClientFrame, ServerFrame } from "../src/generated/protocol.ts";
import type { SocketLike } from "../src/socket.ts";

type Of<Type extends ClientFrame["type"]> = Extract<ClientFrame, { type: Type }>;

/** One socket, as the client has it and as the gateway sees it. */
export class FakeSocket implements SocketLike {
  onopen: ((event: never) => unknown) | null = null;
  onmessage: ((event: { data: unknown }) => unknown) | null = null;
  onclose: ((event: { code: number }) => unknown) | null = null;
  onerror: ((event: never) => unknown) | null = null;
  readonly sent: ClientFrame[] = [];
  closed = false;

  send(text: string): void {
    if (this.closed) throw new Error("sent after the end");
    const frame = JSON.parse(text) as ClientFrame;
    if (this.sent.length === 0 && frame.type !== "connect") throw new Error(`${frame.type} before connect`);
    this.sent.push(frame);
  }

  close(): void {
    this.closed = true;
  }

  /** The gateway says something. */
  say(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** The connection breaks. */
  drop(code = 1006): void {
    this.closed = true;
    this.onclose?.({ code });
  }

  /** Frames of one type, oldest first. */
  of<Type extends ClientFrame["type"]>(type: Type): Of<Type>[] {
    return this.sent.filter((frame): frame is Of<Type> => frame.type === type);
  }

  last<Type extends ClientFrame["type"]>(type: Type): Of<Type> {
    const found = this.of(type).at(-1);
    if (found === undefined) throw new Error(`no ${type} was sent`);
    return found;
  }

  greet(boot = "boot-1", seq = 0): void {
    this.say({ type: "hello", nonce: "n", versions: [1] });
    this.say({ type: "welcome", version: 1, boot, seq, scope: "admin", operations: ["session.list"] });
  }
}

/** A constructor for the client, and the sockets it made. */
export function gateway(): { WebSocket: new (url: string) => FakeSocket; sockets: FakeSocket[]; newest: () => FakeSocket } {
  const sockets: FakeSocket[] = [];
  class Made extends FakeSocket {
    constructor(_url: string) {
      super();
      sockets.push(this);
    }
  }
  const newest = () => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error("nobody has connected");
    return socket;
  };
  return { WebSocket: Made, sockets, newest };
}
