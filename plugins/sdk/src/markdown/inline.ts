/**
 * Markdown within a paragraph: bold, italic, strike, code, links. One pass whose work is bounded by the length of the text
 * times a small constant, because a model may write anything. What does not pair up stays as it was written.
 */

import type { Inline } from "./ast.ts";

/** Marks that can be open at once; more stay literal. */
const MAX_OPEN = 64;
/** Longest link target. */
const MAX_URL = 2048;
/** Deepest parentheses in a link target. */
const MAX_PARENS = 4;
/** How far words are looked at in one step. */
const WINDOW = 1024;
const SCHEME = /^[a-z][a-z0-9+.-]{1,31}:[^\s]/i;
/** Addresses that run something where they are opened. */
const DANGEROUS = /^(?:javascript|data|vbscript|file):/i;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
const WORD = /[\p{L}\p{N}_]/u;
const SPACE = /\s/;
const DIGIT = /\d/;
/** Text without any character that could mean something. */
const PLAIN = /[^\\`*_~![\]<&\n]+/y;
const ANGLE_TARGET = /[^<>\n]*/y;
const ADDRESS = /[^\s<>"`*|[\]()\\]+/y;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp|copy|hellip|mdash|ndash|bull|rarr|larr|times|euro));/y;
const BREAK_TAG = /<br[ \t]{0,4}\/?>[ \t]{0,8}/iy;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…",
  mdash: "—", ndash: "–", bull: "•", rarr: "→", larr: "←", times: "×", euro: "€",
};

interface Open {
  /** `*`, `_`, `~`, `[` or `!`. */
  mark: string;
  /** How many of them: 1 or 2. */
  size: number;
  /** Piece that holds the mark literally until it is closed. */
  piece: number;
}

type Mark = { kind: "strong" | "emphasis" | "strike" } | { kind: "link" | "image"; url: string };

/**
 * What may still be spent on a document. A text that is made of nothing but marks must not take the time of one that is a
 * thousand times as long: what comes after is text as it stands.
 * @internal
 */
export interface Budget {
  /** Steps within lines. */
  steps: number;
  /** Lines, counted once for each quotation and list they stand in. */
  lines: number;
}

/**
 * Reads one paragraph.
 * @internal
 */
export function parseInline(source: string, budget: Budget): Inline[] {
  return new Reader(source, budget).read();
}

/** The words of inlines, without any mark. */
export function wordsOf(content: readonly Inline[]): string {
  let words = "";
  for (const inline of content) {
    switch (inline.kind) {
      case "text":
      case "code":
        words += inline.text;
        break;
      case "image":
        words += inline.alt || inline.url;
        break;
      case "break":
        words += "\n";
        break;
      default:
        words += wordsOf(inline.content);
    }
  }
  return words;
}

class Reader {
  readonly #source: string;
  /** Text, or something finished. A closed mark takes the pieces since it was opened together into one. */
  readonly #pieces: (string | Inline)[] = [];
  readonly #open: Open[] = [];
  /** How many of `#open` there are of a kind, so that looking for one that is not there costs nothing. */
  readonly #counts = new Map<string, number>();
  /** Lengths of backtick runs that have no partner further on. */
  readonly #lonelyTicks = new Set<number>();
  /** Where `http://` and `https://` stand next, as far as that was looked for. */
  #http = -1;
  #https = -1;
  readonly #budget: Budget;

  constructor(source: string, budget: Budget) {
    this.#source = source;
    this.#budget = budget;
  }

  read(): Inline[] {
    const { length } = this.#source;
    for (let at = 0; at < length; ) {
      this.#budget.steps -= 1;
      at = this.#budget.steps < 0 ? this.#literal(this.#source.slice(at), length) : this.#step(at);
    }
    return merged(this.#pieces, 0);
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
        return this.#angle(at);
      case "&":
        return this.#entity(at);
      case "\n":
        return this.#lineEnd(at);
      default:
        return this.#words(at);
    }
  }

  #literal(text: string, next: number): number {
    this.#pieces.push(text);
    return next;
  }

  /** Words up to the next character that could mean something, or the next address. */
  #words(at: number): number {
    const url = this.#nextUrl(at);
    if (url === at) return this.#bareUrl(at);
    // In windows: looking further than the next address each time would be quadratic.
    const window = this.#source.slice(at, Math.min(url, at + WINDOW));
    PLAIN.lastIndex = 0;
    const end = at + (PLAIN.test(window) ? PLAIN.lastIndex : 1);
    return this.#literal(this.#source.slice(at, end), end);
  }

  /** Where the next bare address begins, at `at` or after. */
  #nextUrl(at: number): number {
    if (this.#http < at) this.#http = found(this.#source.indexOf("http://", at));
    if (this.#https < at) this.#https = found(this.#source.indexOf("https://", at));
    return Math.min(this.#http, this.#https);
  }

  #escape(at: number): number {
    const next = this.#source.charAt(at + 1);
    if (next === "\n") {
      this.#pieces.push({ kind: "break" });
      return at + 2;
    }
    if (next !== "" && PUNCTUATION.test(next)) return this.#literal(next, at + 2);
    return this.#literal("\\", at + 1);
  }

  /** Two spaces before a line end ask for one; the spaces are not shown. */
  #lineEnd(at: number): number {
    const hard = at >= 2 && this.#source.charAt(at - 1) === " " && this.#source.charAt(at - 2) === " ";
    const last = this.#pieces.at(-1);
    if (typeof last === "string") this.#pieces[this.#pieces.length - 1] = last.trimEnd();
    if (!hard) return this.#literal("\n", at + 1);
    this.#pieces.push({ kind: "break" });
    return at + 1;
  }

  #entity(at: number): number {
    ENTITY.lastIndex = at;
    const match = ENTITY.exec(this.#source);
    if (match === null) return this.#literal("&", at + 1);
    const [whole, decimal, hex, name] = match;
    const point = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
    if (point === undefined) return this.#literal(ENTITIES[name ?? ""] ?? whole, at + whole.length);
    const fits = point >= 32 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
    return this.#literal(fits ? String.fromCodePoint(point) : whole, at + whole.length);
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
          this.#pieces.push({ kind: "code", text: codeText(source.slice(start, end)) });
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
    if (size > 3 || (mark === "~" && size > 2)) return this.#literal(source.slice(at, next), next);
    const before = at === 0 ? " " : source.charAt(at - 1);
    const after = next >= source.length ? " " : source.charAt(next);
    // `2*3*4` is a product.
    if (mark === "*" && size === 1 && DIGIT.test(before) && DIGIT.test(after)) return this.#literal(mark, next);
    // An underscore within a word is part of a name: snake_case_names stay whole. One tilde is often “about”.
    const opens = !SPACE.test(after) && (mark !== "_" || !wordBefore(source, at)) && !(mark === "~" && size === 1);
    const closes = !SPACE.test(before) && (mark !== "_" || !wordAt(source, next)) && !(mark === "~" && size === 1);
    if (closes) {
      for (let index = this.#opener(mark, size); index >= 0 && size > 0; index = this.#opener(mark, size)) {
        size -= this.#close(index);
      }
    }
    if (size > 0 && opens && this.#open.length + 2 <= MAX_OPEN) {
      for (const part of size === 3 ? [2, 1] : [size]) this.#push(mark, part, mark.repeat(part));
    } else if (size > 0) {
      this.#literal(mark.repeat(size), next);
    }
    return next;
  }

  #push(mark: string, size: number, text: string): void {
    const kind = `${mark}${size}`;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#open.push({ mark, size, piece: this.#pieces.length });
    this.#pieces.push(text);
  }

  /** Gives up every mark that was opened at `index` or after. */
  #giveUp(index: number): void {
    while (this.#open.length > index) {
      const { mark, size } = this.#open.pop() as Open;
      this.#counts.set(`${mark}${size}`, (this.#counts.get(`${mark}${size}`) ?? 1) - 1);
    }
  }

  /** The open mark a run of `size` closes: the innermost of the same length, else the innermost that is shorter. */
  #opener(mark: string, size: number): number {
    const exact = (this.#counts.get(`${mark}${size}`) ?? 0) > 0;
    const wanted = exact ? size : size > 1 ? 1 : 0;
    const two = !exact && size === 3 && (this.#counts.get(`${mark}2`) ?? 0) > 0;
    if (!exact && !two && (wanted === 0 || (this.#counts.get(`${mark}1`) ?? 0) === 0)) return -1;
    return this.#open.findLastIndex((open) => open.mark === mark && (open.size === wanted || (two && open.size === 2)));
  }

  #close(index: number): number {
    const open = this.#open[index];
    if (open === undefined) return 0;
    this.#giveUp(index);
    const kind = open.mark === "~" ? "strike" : open.size === 2 ? "strong" : "emphasis";
    this.#wrap(open.piece, { kind });
    return open.size;
  }

  /** Makes one inline of the pieces after the mark at `from`. */
  #wrap(from: number, mark: Mark): void {
    const content = merged(this.#pieces, from + 1);
    this.#pieces.length = from;
    if (content.length === 0) return;
    if (mark.kind === "image") this.#pieces.push({ kind: "image", url: mark.url, alt: wordsOf(content) });
    else if (mark.kind === "link") this.#pieces.push({ kind: "link", url: mark.url, content });
    else this.#pieces.push({ kind: mark.kind, content });
  }

  #bracket(at: number, text: string): number {
    if (this.#open.length < MAX_OPEN) this.#push(text.charAt(0), 1, text);
    else this.#literal(text, at);
    return at + text.length;
  }

  #closeBracket(at: number): number {
    if ((this.#counts.get("[1") ?? 0) + (this.#counts.get("!1") ?? 0) === 0) return this.#literal("]", at + 1);
    const index = this.#open.findLastIndex((open) => open.mark === "[" || open.mark === "!");
    const open = this.#open[index] as Open;
    const target = linkTarget(this.#source, at + 1);
    if (target === undefined) {
      this.#open.splice(index, 1);
      this.#counts.set(`${open.mark}1`, (this.#counts.get(`${open.mark}1`) ?? 1) - 1);
      return this.#literal("]", at + 1);
    }
    this.#giveUp(index);
    const image = open.mark === "!";
    const from = open.piece;
    const empty = this.#pieces.slice(from + 1).every((piece) => typeof piece === "string" && piece.trim() === "");
    if (empty) {
      this.#pieces.length = from;
      this.#pieces.push(image ? { kind: "image", url: target.url, alt: "" } : { kind: "link", url: target.url, content: [{ kind: "text", text: target.url }] });
    } else {
      this.#wrap(from, image ? { kind: "image", url: target.url } : { kind: "link", url: target.url });
    }
    // No link within a link: brackets that were opened before it are words.
    if (!image) for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      if (this.#open[i]?.mark !== "[") continue;
      this.#open.splice(i, 1);
      this.#counts.set("[1", (this.#counts.get("[1") ?? 1) - 1);
    }
    return target.end;
  }

  #angle(at: number): number {
    const source = this.#source;
    BREAK_TAG.lastIndex = at;
    if (BREAK_TAG.test(source)) {
      this.#pieces.push({ kind: "break" });
      return BREAK_TAG.lastIndex;
    }
    ADDRESS.lastIndex = at + 1;
    const end = ADDRESS.test(source) ? ADDRESS.lastIndex : at;
    if (source.charAt(end) === ">" && end - at <= MAX_URL) {
      const url = source.slice(at + 1, end);
      if (isAddress(url)) {
        this.#pieces.push({ kind: "link", url, content: [{ kind: "text", text: url }] });
        return end + 1;
      }
    }
    return this.#literal("<", at + 1);
  }

  /** A bare address is taken whole, so that no underscore in it becomes a mark. */
  #bareUrl(at: number): number {
    const source = this.#source;
    if (wordBefore(source, at) || (this.#counts.get("[1") ?? 0) > 0) return this.#literal("http", at + 4);
    let end = addressEnd(source, at);
    while (end > at && ".,;:!?'_~".includes(source.charAt(end - 1))) end -= 1;
    const url = source.slice(at, end);
    if (url.length <= 8) return this.#literal(url, end);
    this.#pieces.push({ kind: "link", url, content: [{ kind: "text", text: url }] });
    return end;
  }
}

function found(at: number): number {
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

/** Where a bare address ends. Parentheses belong to it only in pairs: “(see http://a/b_(c))”. */
function addressEnd(source: string, at: number): number {
  let depth = 0;
  let end = at;
  for (;;) {
    ADDRESS.lastIndex = end;
    if (ADDRESS.test(source)) end = ADDRESS.lastIndex;
    const char = source.charAt(end);
    if (char === "(" && depth < MAX_PARENS) depth += 1;
    else if (char === ")" && depth > 0) depth -= 1;
    else return source.charAt(end - 1) === "(" ? end - 1 : end;
    end += 1;
  }
}

/** Text of neighbouring pieces in one; empty ones are gone. */
function merged(pieces: readonly (string | Inline)[], from: number): Inline[] {
  const content: Inline[] = [];
  let words: string[] = [];
  const flush = () => {
    const text = words.join("");
    if (text !== "") content.push({ kind: "text", text });
    words = [];
  };
  for (let at = from; at < pieces.length; at += 1) {
    const piece = pieces[at] as string | Inline;
    if (typeof piece === "string") words.push(piece);
    else if (piece.kind === "text") words.push(piece.text);
    else {
      flush();
      content.push(piece);
    }
  }
  flush();
  return content;
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

function isAddress(url: string): boolean {
  return SCHEME.test(url) && !DANGEROUS.test(url);
}

/** The target after `[text]`: `(url)`, `(<url>)`, `(url "title")`. */
function linkTarget(source: string, at: number): { url: string; end: number } | undefined {
  if (source.charAt(at) !== "(") return undefined;
  const limit = Math.min(source.length, at + MAX_URL);
  let from = at + 1;
  while (from < limit && source.charAt(from) === " ") from += 1;
  let end = from;
  let url: string;
  if (source.charAt(from) === "<") {
    ANGLE_TARGET.lastIndex = from + 1;
    ANGLE_TARGET.test(source);
    end = ANGLE_TARGET.lastIndex;
    if (source.charAt(end) !== ">") return undefined;
    url = source.slice(from + 1, end);
    end += 1;
  } else {
    let depth = 0;
    for (; end < limit; end += 1) {
      const char = source.charAt(end);
      if (char === "\\") end += 1;
      else if (char === " " || char === "\n" || char === "\t") break;
      else if (char === "(" && (depth += 1) > MAX_PARENS) return undefined;
      else if (char === ")" && (depth -= 1) < 0) break;
    }
    url = source.slice(from, end);
  }
  while (end < limit && SPACE.test(source.charAt(end))) end += 1;
  const quote = source.charAt(end);
  if (quote === '"' || quote === "'") {
    const close = source.indexOf(quote, end + 1);
    if (close < 0 || close >= limit) return undefined;
    end = close + 1;
    while (end < limit && SPACE.test(source.charAt(end))) end += 1;
  }
  if (end >= limit || source.charAt(end) !== ")") return undefined;
  url = url.replace(/\\([!-/:-@[-`{-~])/g, "$1");
  return isAddress(url) ? { url, end: end + 1 } : undefined;
}
