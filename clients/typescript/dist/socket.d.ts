/** The part of WebSocket that is used: the global one of browsers and of Node 22, or any that is given. */
export interface SocketLike {
    onopen: ((event: never) => unknown) | null;
    onmessage: ((event: {
        data: unknown;
    }) => unknown) | null;
    onclose: ((event: {
        code: number;
    }) => unknown) | null;
    onerror: ((event: never) => unknown) | null;
    send(text: string): void;
    close(): void;
}
export type SocketConstructor = new (url: string) => SocketLike;
/** The WebSocket of this runtime. */
export declare function socketOfRuntime(): SocketConstructor;
