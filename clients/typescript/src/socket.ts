/** The part of WebSocket that is used: the global one of browsers and of Node 22, or any that is given. */
export interface SocketLike {
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { data: unknown }) => unknown) | null;
  onclose: ((event: { code: number }) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  send(text: string): void;
  close(): void;
}

export type SocketConstructor = new (url: string) => SocketLike;

/** The WebSocket of this runtime. */
export function socketOfRuntime(): SocketConstructor {
  const found = (globalThis as { WebSocket?: unknown }).WebSocket;
  if (typeof found !== "function") {
    throw new Error("this runtime has no WebSocket: give one as the option `WebSocket`, e.g. that of the package “ws” before Node 22");
  }
  return found as unknown as SocketConstructor;
}
