/** Writes blocks in a platform's markup, cut into messages. */

import type { Block } from "./ast.ts";
import { type Dialect, plainDialect } from "./dialect.ts";
import { type Flow, flowOf, type Stretch } from "./flow.ts";
import { cutBefore } from "./grapheme.ts";
import { swap } from "./swap.ts";

/** What a limit counts: Unicode characters, UTF-16 code units, or UTF-8 bytes. */
export type LengthUnit = "chars" | "utf16" | "bytes";

/** How long a message may be. */
export interface PartLimit {
  /** Longest message, in `unit`; at least 40. */
  max: number;
  /** Default `chars`. */
  unit?: LengthUnit;
}

/** One message. */
export interface Part {
  /** In the platform's markup. */
  text: string;
  /** What a reader sees, for when the platform does not take the markup. */
  plain: string;
}

/** Least room: a message that holds a word or two. */
const MIN_ROOM = 40;

/** Length of a text in a unit. */
export function lengthOf(text: string, unit: LengthUnit = "chars"): number {
  if (unit === "utf16") return text.length;
  if (unit === "bytes") return new TextEncoder().encode(text).length;
  let pairs = 0;
  for (const _ of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) pairs += 1;
  return text.length - pairs;
}

/**
 * Blocks as messages, each within the limit as it is written. A message ends between blocks, lines, words or (a word that
 * is longer than a message) characters as a reader sees them, in that order; what is open there is closed, and opened
 * again in the next one. Blocks without any text give no message.
 */
export function renderParts(blocks: readonly Block[], dialect: Dialect, limit: PartLimit): Part[] {
  if (!(limit.max >= MIN_ROOM)) throw new RangeError(`renderParts: max must be at least ${MIN_ROOM}`);
  const flow = flowOf(blocks, dialect, limit.unit === "bytes" ? Math.floor(limit.max / 4) : limit.max);
  return new Cutter(flow, dialect, limit).parts();
}

/** Blocks as they are read aloud: no marks but bullets and quotation marks. */
export function plainText(blocks: readonly Block[]): string {
  const [part] = renderParts(blocks, plainDialect, { max: Number.MAX_SAFE_INTEGER, unit: "utf16" });
  return part?.text ?? "";
}

class Cutter {
  readonly #flow: Flow;
  readonly #dialect: Dialect;
  readonly #max: number;
  readonly #unit: LengthUnit;
  /** Stretches that the present message begins within, the outer one first. */
  #open: Stretch[] = [];
  /** The first stretch that begins at the present message's start or after. */
  #next = 0;
  /** What the message before held, of what a reader sees: a good guess for the next one. */
  #held = Number.POSITIVE_INFINITY;

  constructor(flow: Flow, dialect: Dialect, { max, unit = "chars" }: PartLimit) {
    this.#flow = flow;
    this.#dialect = dialect;
    this.#max = max;
    this.#unit = unit;
  }

  parts(): Part[] {
    const { text } = this.#flow;
    const parts: Part[] = [];
    for (let start = skipBlank(text, 0); start < text.length; ) {
      this.#forward(start);
      const { part, end } = this.#fill(start);
      if (part.text.trim() !== "") parts.push(part);
      start = skipBlank(text, end);
    }
    return parts;
  }

  /** Moves to where the next message begins. */
  #forward(start: number): void {
    const { stretches } = this.#flow;
    this.#open = this.#open.filter((stretch) => stretch.end > start);
    for (; this.#next < stretches.length; this.#next += 1) {
      const stretch = stretches[this.#next] as Stretch;
      if (stretch.start >= start) break;
      if (stretch.end > start) this.#open.push(stretch);
    }
  }

  /** As much from `start` on as a message takes. */
  #fill(start: number): { part: Part; end: number } {
    const { text } = this.#flow;
    const most = this.#unit === "chars" ? this.#max * 2 : this.#max;
    let room = Math.min(text.length - start, most);
    // Looking further than what fits is work for nothing; what is left unused by a wrong guess is made up for by the next.
    if (this.#held < most / 2) room = Math.min(room, Math.ceil(this.#held * 1.2));
    for (;;) {
      const end = start + room >= text.length ? text.length : cut(text, start, room);
      const { part, wraps } = this.#write(start, trimEnd(text, start, end));
      const counted = this.#dialect.counts === "visible" ? part.plain : part.text;
      const over = Math.max(lengthOf(counted, this.#unit) / this.#max, wraps / (this.#dialect.maxWraps ?? Number.POSITIVE_INFINITY));
      const least = cutBefore(text, start + 1, start) === start ? 2 : 1;
      if (over <= 1 || end - start <= least) {
        this.#held = over < 0.5 ? Number.POSITIVE_INFINITY : end - start;
        return { part, end };
      }
      room = Math.max(least, Math.min(end - start - 1, Math.floor(((end - start) / over) * 0.97)));
    }
  }

  #write(start: number, end: number): { part: Part; wraps: number } {
    const { text, stretches } = this.#flow;
    const page = new Page(this.#dialect);
    const following = stretches[this.#next];
    for (const [index, stretch] of this.#open.entries()) {
      page.reopen(stretch, (this.#open[index + 1] ?? (following?.start === start ? following : undefined))?.list);
    }
    let at = start;
    let next = this.#next;
    for (;;) {
      const begins = stretches[next]?.start ?? Number.POSITIVE_INFINITY;
      const ends = page.innermost?.end ?? Number.POSITIVE_INFINITY;
      const edge = Math.min(begins, ends, end);
      if (edge > at) page.text(text.slice(at, edge));
      at = edge;
      if (at >= end) break;
      if (ends === at) page.close();
      else {
        page.open(stretches[next] as Stretch);
        next += 1;
      }
    }
    return page.done();
  }
}

/** One message being written. */
class Page {
  readonly #dialect: Dialect;
  readonly #open: Stretch[] = [];
  readonly #written: string[] = [];
  readonly #plain: string[] = [];
  /** What stands in front of each further line. */
  #lines = "";
  #wraps = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  get innermost(): Stretch | undefined {
    return this.#open.at(-1);
  }

  open(stretch: Stretch): void {
    this.#begin(stretch, stretch.wrap.open);
  }

  reopen(stretch: Stretch, list: string | undefined): void {
    const { wrap } = stretch;
    this.#begin(stretch, list ?? wrap.reopen ?? wrap.lines ?? wrap.open);
  }

  #begin(stretch: Stretch, mark: string): void {
    const { wrap } = stretch;
    if (wrap.bare === true) this.#unindent();
    this.#open.push(stretch);
    if (wrap.lines !== undefined || wrap.bare === true) this.#prefix();
    if (mark !== "") this.#written.push(this.#prefixed(mark));
    if (wrap.lines !== undefined && mark !== "") this.#plain.push(mark);
    if (wrap.open !== "") this.#wraps += 1;
  }

  /** What does not carry the indentation of its item does not begin with it either. */
  #unindent(): void {
    const lines = this.#lines;
    if (lines === "" || lines.trim() !== "" || !this.#end(lines.length + 1).endsWith(`\n${lines}`)) return;
    for (const pieces of [this.#written, this.#plain]) {
      const last = pieces.pop() ?? "";
      pieces.push(last.endsWith(lines) ? last.slice(0, -lines.length) : last);
    }
  }

  /** At least the last `length` characters of what is written, if there are so many. */
  #end(length: number): string {
    let end = "";
    for (let at = this.#written.length - 1; at >= 0 && end.length < length; at -= 1) end = (this.#written[at] ?? "") + end;
    return end;
  }

  close(): void {
    const stretch = this.#open.at(-1);
    if (stretch === undefined) return;
    const { wrap } = stretch;
    if (wrap.close !== "") this.#written.push(this.#prefixed(wrap.close));
    this.#open.pop();
    if (wrap.lines !== undefined || wrap.bare === true) this.#prefix();
  }

  #prefix(): void {
    const bare = this.#open.findLastIndex((stretch) => stretch.wrap.bare === true);
    this.#lines = "";
    for (let at = bare + 1; at < this.#open.length; at += 1) this.#lines += this.#open[at]?.wrap.lines ?? "";
  }

  text(text: string): void {
    this.#plain.push(this.#prefixed(text));
    this.#written.push(this.#prefixed(this.#escaped(text)));
  }

  #escaped(text: string): string {
    const dialect = this.#dialect;
    switch (this.innermost?.mode) {
      case "code":
      case "block":
        return dialect.codeText?.(text, this.innermost.mode === "block") ?? text;
      case "url":
        return dialect.url?.(text) ?? text;
      case "raw":
        return text;
      default:
        return dialect.text(text, this.#atLineStart());
    }
  }

  #atLineStart(): boolean {
    const lines = this.#lines;
    const end = this.#end(lines.length + 1);
    const rest = lines !== "" && end.endsWith(lines) ? end.slice(0, -lines.length) : end;
    return rest === "" || rest.endsWith("\n");
  }

  #prefixed(text: string): string {
    if (this.#lines === "" || !text.includes("\n")) return text;
    const prefix = `\n${this.#lines}`;
    return swap(swap(text, "\n", prefix), `${prefix}\n`, `\n${this.#lines.trimEnd()}\n`);
  }

  done(): { part: Part; wraps: number } {
    while (this.#open.length > 0) this.close();
    return { part: { text: this.#written.join(""), plain: this.#plain.join("") }, wraps: this.#wraps };
  }
}

/** Where to cut: after a paragraph, a line, a word, in that order, unless that wastes more than half of the room. */
function cut(text: string, start: number, room: number): number {
  const least = room >> 1;
  const window = text.slice(start, start + room + 2);
  for (const mark of ["\n\n", "\n", " "]) {
    const at = window.lastIndexOf(mark, room);
    if (at > least) return start + at;
  }
  const at = cutBefore(text, start + room, start);
  return at > start ? at : start + 2;
}

/**
 * The place of the next message's first character: past empty lines, and past the one space a cut between two words
 * leaves. The indentation of a line stays, because in a code block it means something.
 */
function skipBlank(text: string, from: number): number {
  const inLine = from > 0 && text.charAt(from - 1) !== "\n";
  let line = from;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\n") line = at + 1;
    else if (char.trim() !== "") return line === from && inLine ? at : line;
  }
  return text.length;
}

function trimEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && text.charAt(at - 1).trim() === "") at -= 1;
  return at;
}
