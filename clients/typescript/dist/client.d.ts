/**
 * One connection that mends itself: operations, events with replay, and plugins that register anew after each reconnect.
 *
 * Deliberately absent: keeping tokens, and finding the gateway's port (`gateway.json` in the home folder has it).
 */
import { KataError } from "./errors.ts";
import type { InboundDraft, IngressAnswer } from "./generated/contract.ts";
import type { ClientFrame, Fact, OperationName, Operations, RunState, Scope, Topic } from "./generated/protocol.ts";
import { type PluginDefinition } from "./plugin.ts";
import { type SocketConstructor } from "./socket.ts";
/** Version of the frames. */
export declare const VERSION = 1;
export type ConnectionState = "connecting" | "connected" | "waiting" | "closed";
export interface ClientOptions {
    /** `ws://127.0.0.1:18790/ws` */
    url: string;
    token: string;
    /** Name of this program, for the log and the list of clients. */
    client: string;
    /** Events that are wanted; all when absent. */
    topics?: Topic[];
    /** For a runtime without a global WebSocket (Node before 22). */
    WebSocket?: SocketConstructor;
    /** First wait before a reconnect, milliseconds; doubles up to `mostWaitMs`. */
    firstWaitMs?: number;
    mostWaitMs?: number;
}
export interface Welcome {
    boot: string;
    scope: Scope;
    operations: readonly string[];
}
interface Listeners {
    /** What happened, in order. */
    fact: (fact: Fact, seq: number) => void;
    /** Events were missed for good: ask for the state again. */
    resync: () => void;
    /** How the connection stands, and why. */
    state: (state: ConnectionState, reason: string) => void;
    /** A plugin of ours was not taken after a reconnect. */
    refused: (plugin: string, error: KataError) => void;
}
/** A plugin that was registered. */
export declare class JoinedPlugin {
    #private;
    readonly id: string;
    constructor(id: string, ask: (frame: Unnumbered) => Promise<unknown>, say: (frame: ClientFrame) => void);
    /**
     * Hands a message in. Only when this resolves it is durable, and may the platform be acknowledged; hand it in again after a
     * rejection: the same `messageId` counts once.
     */
    receive(channel: string, message: InboundDraft): Promise<IngressAnswer>;
    /** Says how a channel stands. The cursor is kept and handed back with `start`. */
    report(channel: string, state: RunState, more?: {
        code?: string;
        message?: string;
        cursor?: string;
    }): void;
}
type Numbered = Extract<ClientFrame, {
    type: "request" | "register" | "inbound";
}>;
type Unnumbered = Numbered extends infer Frame ? (Frame extends Numbered ? Omit<Frame, "id"> : never) : never;
export declare class KataClient {
    #private;
    constructor(options: ClientOptions);
    /** What the gateway said when it took us in; null while there is no connection. */
    get welcome(): Welcome | null;
    /** Listens; the function that is returned stops it. */
    on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): () => void;
    /** Connects, and from then on connects again by itself. Resolves with the first welcome; rejects where none can come. */
    connect(): Promise<Welcome>;
    /** Ends the connection, and with it every plugin that was registered over it. */
    close(): void;
    /** Calls an operation. */
    call<Name extends OperationName>(op: Name, params: Operations[Name]["params"]): Promise<Operations[Name]["result"]>;
    /** Brings a plugin, now and after every reconnect. Rejects where it is refused now. */
    register(plugin: PluginDefinition): Promise<JoinedPlugin>;
}
export {};
