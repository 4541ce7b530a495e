/**
 * Markdown within a line or paragraph: bold, italic, strike, code, links. One pass, linear in practice and bounded in
 * the worst case, because a model may write anything. What does not pair up stays as it was written. Entities come out
 * properly nested: closing a mark gives up every mark opened after it.
 */

import type { Entity, EntityKind, Formatted } from "./format.ts";

/** Marks that can be open at once; more stay literal. */
const MAX_OPEN = 64;
/** Longest link target. */
const MAX_URL = 2048;
/** Deepest parentheses in a link target. */
const MAX_PARENS = 16;
const SCHEMES = /^(?:https?:\/\/|tg:\/\/|mailto:|tel:)/i;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}_]/u;
const SPACE = /\s/;

interface Open {
  /** `*`, `_`, `~` or `[`. */
  mark: string;
  /** How many of them: 1 or 2. */
  size: number;
  /** Piece that holds the mark literally until it is closed. */
  piece: number;
}

interface Mark {
  kind: EntityKind;
  from: number;
  to: number;
  value?: string;
}

/** Reads one paragraph. */
export function parseInline(source: string): Formatted {
  return new Inline(source).read();
}

class Inline {
  readonly #source: string;
  readonly #pieces: string[] = [];
  readonly #marks: Mark[] = [];
  readonly #open: Open[] = [];
  /** Lengths of backtick runs that have no partner further on. */
  readonly #lonelyTicks = new Set<number>();

  constructor(source: string) {
    this.#source = source;
  }

  read(): Formatted {
    let at = 0;
    while (at < this.#source.length) at = this.#step(at);
    return this.#finish();
  }

  /** Takes what stands at `at` and gives the place after it. */
  #step(at: number): number {
    const source = this.#source;
    const char = source.charAt(at);
    switch (char) {
      case "\\":
        return this.#escape(at);
      case "`":
        return this.#code(at);
      case "*":
      case "_":
      case "~":
        return this.#emphasis(at, char);
      case "!":
        return source.charAt(at + 1) === "[" ? this.#bracket(at, "![") : this.#literal("!", at + 1);
      case "[":
        return this.#bracket(at, "[");
      case "]":
        return this.#closeBracket(at);
      case "<":
        return this.#autolink(at);
      case "h":
        return this.#bareUrl(at);
      default: {
        let end = at + 1;
        while (end < source.length && !"\\`*_~![]<h".includes(source.charAt(end))) end += 1;
        return this.#literal(source.slice(at, end), end);
      }
    }
  }

  #literal(text: string, next: number): number {
    this.#pieces.push(text);
    return next;
  }

  #escape(at: number): number {
    const next = this.#source.charAt(at + 1);
    if (next === "\n") return at + 1;
    if (next !== "" && PUNCTUATION.test(next)) return this.#literal(next, at + 2);
    return this.#literal("\\", at + 1);
  }

  #code(at: number): number {
    const source = this.#source;
    const size = runLength(source, at);
    const start = at + size;
    if (!this.#lonelyTicks.has(size)) {
      const fence = "`".repeat(size);
      for (let end = source.indexOf(fence, start); end >= 0; ) {
        const found = runLength(source, end);
        if (found === size) {
          const from = this.#pieces.length;
          this.#pieces.push(codeText(source.slice(start, end)));
          this.#marks.push({ kind: "code", from, to: from + 1 });
          return end + size;
        }
        end = source.indexOf(fence, end + found);
      }
      this.#lonelyTicks.add(size);
    }
    return this.#literal(source.slice(at, start), start);
  }

  #emphasis(at: number, mark: string): number {
    const source = this.#source;
    let size = runLength(source, at);
    const next = at + size;
    if (size > 3 || (mark === "~" && size !== 2)) return this.#literal(source.slice(at, next), next);
    const before = at === 0 ? " " : source.charAt(at - 1);
    const after = next >= source.length ? " " : source.charAt(next);
    // An underscore within a word is part of a name: snake_case_names stay whole.
    const opens = !SPACE.test(after) && (mark !== "_" || !wordBefore(source, at));
    const closes = !SPACE.test(before) && (mark !== "_" || !wordAt(source, next));
    if (closes) {
      for (let index = this.#opener(mark, size); index >= 0 && size > 0; index = this.#opener(mark, size)) {
        size -= this.#close(index);
      }
    }
    if (size > 0 && opens && this.#open.length + 2 <= MAX_OPEN) {
      for (const part of size === 3 ? [2, 1] : [size]) {
        this.#open.push({ mark, size: part, piece: this.#pieces.length });
        this.#pieces.push(mark.repeat(part));
      }
    } else if (size > 0) {
      this.#pieces.push(mark.repeat(size));
    }
    return next;
  }

  /** The open mark a run of `size` closes: one of the same length, else the innermost that is shorter. */
  #opener(mark: string, size: number): number {
    let shorter = -1;
    for (let index = this.#open.length - 1; index >= 0; index -= 1) {
      const open = this.#open[index];
      if (open === undefined || open.mark !== mark) continue;
      if (open.size === size) return index;
      if (open.size < size && shorter < 0) shorter = index;
    }
    return shorter;
  }

  #close(index: number): number {
    const open = this.#open[index];
    if (open === undefined) return 0;
    this.#open.length = index;
    this.#pieces[open.piece] = "";
    const kind = open.mark === "~" ? "strike" : open.size === 2 ? "bold" : "italic";
    this.#marks.push({ kind, from: open.piece, to: this.#pieces.length });
    return open.size;
  }

  #bracket(at: number, text: string): number {
    if (this.#open.length < MAX_OPEN) this.#open.push({ mark: "[", size: 1, piece: this.#pieces.length });
    return this.#literal(text, at + text.length);
  }

  #closeBracket(at: number): number {
    const index = this.#open.findLastIndex((open) => open.mark === "[");
    const open = this.#open[index];
    if (open === undefined) return this.#literal("]", at + 1);
    const target = linkTarget(this.#source, at + 1);
    if (target === undefined) {
      this.#open.splice(index, 1);
      return this.#literal("]", at + 1);
    }
    this.#open.length = index;
    this.#pieces[open.piece] = "";
    if (this.#pieces.slice(open.piece).every((piece) => piece.trim() === "")) {
      return this.#literal(target.url, target.end);
    }
    // A link within a link: the outer one counts.
    for (let i = this.#marks.length - 1; i >= 0; i -= 1) {
      const mark = this.#marks[i];
      if (mark === undefined || mark.from < open.piece) break;
      if (mark.kind === "link") this.#marks.splice(i, 1);
    }
    this.#marks.push({ kind: "link", from: open.piece, to: this.#pieces.length, value: target.url });
    return target.end;
  }

  #autolink(at: number): number {
    const end = this.#source.indexOf(">", at);
    if (end > at && end - at <= MAX_URL) {
      const url = this.#source.slice(at + 1, end);
      if (SCHEMES.test(url) && !SPACE.test(url) && !url.includes("<")) return this.#literal(url, end + 1);
    }
    return this.#literal("<", at + 1);
  }

  /** A bare address is taken whole, so that no underscore in it becomes a mark. Telegram links it by itself. */
  #bareUrl(at: number): number {
    const source = this.#source;
    const isUrl = source.startsWith("https://", at) || source.startsWith("http://", at);
    if (!isUrl || wordBefore(source, at)) return this.#literal("h", at + 1);
    let end = at;
    while (end < source.length && !/[\s<>"`*|[\]()]/.test(source.charAt(end))) end += 1;
    while (end > at && ".,;:!?'_~".includes(source.charAt(end - 1))) end -= 1;
    return this.#literal(source.slice(at, end), end);
  }

  #finish(): Formatted {
    const starts: number[] = [0];
    let length = 0;
    for (const piece of this.#pieces) {
      length += piece.length;
      starts.push(length);
    }
    const entities: Entity[] = [];
    // A mark is closed after the marks within it: backwards gives the outer one first.
    for (const mark of this.#marks.toReversed()) {
      const start = starts[mark.from] ?? length;
      const end = starts[mark.to] ?? length;
      if (end > start) entities.push({ kind: mark.kind, start, end, ...(mark.value === undefined ? {} : { value: mark.value }) });
    }
    return { text: this.#pieces.join(""), entities };
  }
}

function runLength(source: string, at: number): number {
  const char = source.charAt(at);
  let end = at;
  while (source.charAt(end) === char) end += 1;
  return end - at;
}

function wordAt(source: string, at: number): boolean {
  const point = source.codePointAt(at);
  return point !== undefined && WORD.test(String.fromCodePoint(point));
}

function wordBefore(source: string, at: number): boolean {
  if (at === 0) return false;
  const low = source.charCodeAt(at - 1);
  return wordAt(source, low >= 0xdc00 && low <= 0xdfff && at >= 2 ? at - 2 : at - 1);
}

/** A code span's text: line ends are spaces, and one space of padding on both sides is not part of it. */
function codeText(raw: string): string {
  const text = raw.replaceAll("\n", " ");
  const padded = text.startsWith(" ") && text.endsWith(" ") && text.trim() !== "";
  return padded ? text.slice(1, -1) : text;
}

/** The target after `[text]`: `(url)`, `(<url>)`, `(url "title")`. Only schemes Telegram opens. */
function linkTarget(source: string, at: number): { url: string; end: number } | undefined {
  if (source.charAt(at) !== "(") return undefined;
  const limit = Math.min(source.length, at + MAX_URL);
  let depth = 1;
  let end = at + 1;
  for (; end < limit; end += 1) {
    const char = source.charAt(end);
    if (char === "\n") return undefined;
    if (char === "\\") end += 1;
    else if (char === "(" && (depth += 1) > MAX_PARENS) return undefined;
    else if (char === ")" && (depth -= 1) === 0) break;
  }
  if (depth !== 0) return undefined;
  const inner = source.slice(at + 1, end).trim();
  const space = inner.search(SPACE);
  const bare = space < 0 ? inner : inner.slice(0, space);
  const url = (bare.startsWith("<") && bare.endsWith(">") ? bare.slice(1, -1) : bare).replace(/\\([!-/:-@[-`{-~])/g, "$1");
  return SCHEMES.test(url) ? { url, end: end + 1 } : undefined;
}
