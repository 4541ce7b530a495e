/** Holds the open chats, feeds them events, and lets deltas wait for the next animation frame. */
import type { SessionDetail, SessionEvent, SessionId } from "@/generated/protocol";
import { type OperationError, type Platform, toOperationError } from "@/platform";
import type { LocalNote } from "./commands";
import { type Chat, EMPTY_CHAT, reduceChat } from "./reducer";

/** Chats kept in memory; the one used longest ago goes first. */
const KEPT = 12;

/** Rows of a transcript read at once, newest first; the others come when somebody scrolls back to them. */
const PAGE = 500;

interface Open {
  chat: Chat;
  error: OperationError | null;
  reading: Promise<void> | null;
  readingBack: boolean;
  deltas: SessionEvent[];
  listeners: Set<() => void>;
}

type Frame = (run: () => void) => void;

const nextFrame: Frame = (run) => {
  // A hidden page gets no frames; the text must not pile up behind it.
  if (document.hidden) setTimeout(run, 100);
  else requestAnimationFrame(() => run());
};

export class Chats {
  readonly #platform: Platform;
  readonly #frame: Frame;
  readonly #open = new Map<SessionId, Open>();
  #scheduled = false;

  constructor(platform: Platform, frame: Frame = nextFrame) {
    this.#platform = platform;
    this.#frame = frame;
  }

  /** Reads the transcript unless it is here already. */
  enter(id: SessionId): void {
    const open = this.#ensure(id);
    this.#open.delete(id);
    this.#open.set(id, open);
    this.#forgetOld();
    if (!open.chat.loaded && open.reading === null) void this.reload(id);
  }

  reload(id: SessionId): Promise<void> {
    const open = this.#ensure(id);
    if (open.reading !== null) return open.reading;
    open.chat = reduceChat(open.chat, { type: "loading" });
    open.error = null;
    open.reading = this.#platform.request("session.get", { id, limit: Math.max(PAGE, open.chat.messages.length) }).then(
      (detail: SessionDetail) => {
        open.reading = null;
        this.#flush(open);
        open.chat = reduceChat(open.chat, { type: "loaded", detail });
        tell(open);
      },
      (cause: unknown) => {
        open.reading = null;
        open.error = toOperationError(cause);
        tell(open);
      },
    );
    return open.reading;
  }

  /** Reads the rows before the first one here, once at a time. */
  async readBack(id: SessionId): Promise<void> {
    const open = this.#open.get(id);
    const first = open?.chat.messages[0];
    if (open === undefined || first === undefined || open.chat.earlier === 0 || open.readingBack) return;
    open.readingBack = true;
    try {
      const detail = await this.#platform.request("session.get", { id, limit: PAGE, before: first.id });
      open.readingBack = false;
      open.chat = reduceChat(open.chat, { type: "earlier", detail });
    } catch (cause) {
      open.readingBack = false;
      open.error = toOperationError(cause);
    }
    tell(open);
  }

  reloadAll(): void {
    for (const id of this.#open.keys()) void this.reload(id);
  }

  take(id: SessionId, event: SessionEvent): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (event.kind === "text_delta" || event.kind === "thinking_delta") {
      open.deltas.push(event);
      this.#schedule();
      return;
    }
    this.#flush(open);
    open.chat = reduceChat(open.chat, { type: "event", event });
    tell(open);
  }

  /** Shows what a command said, or replaces the note of the same id. */
  note(id: SessionId, note: LocalNote): void {
    const open = this.#ensure(id);
    open.chat = reduceChat(open.chat, { type: "note", note });
    tell(open);
  }

  chat(id: SessionId): Chat {
    return this.#open.get(id)?.chat ?? EMPTY_CHAT;
  }

  error(id: SessionId): OperationError | null {
    return this.#open.get(id)?.error ?? null;
  }

  subscribe(id: SessionId, listener: () => void): () => void {
    const open = this.#ensure(id);
    open.listeners.add(listener);
    return () => open.listeners.delete(listener);
  }

  #ensure(id: SessionId): Open {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const open: Open = { chat: EMPTY_CHAT, error: null, reading: null, readingBack: false, deltas: [], listeners: new Set() };
    this.#open.set(id, open);
    return open;
  }

  #forgetOld(): void {
    for (const [id, open] of this.#open) {
      if (this.#open.size <= KEPT) return;
      if (open.listeners.size === 0) this.#open.delete(id);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#frame(() => {
      this.#scheduled = false;
      for (const open of this.#open.values()) if (this.#flush(open)) tell(open);
    });
  }

  #flush(open: Open): boolean {
    if (open.deltas.length === 0) return false;
    const deltas = open.deltas;
    open.deltas = [];
    for (const event of deltas) open.chat = reduceChat(open.chat, { type: "event", event });
    return true;
  }
}

function tell(open: Open): void {
  for (const listener of open.listeners) listener();
}
