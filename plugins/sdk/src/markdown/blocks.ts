/**
 * Markdown to blocks: CommonMark with the tables, task lists and strike of GFM, as models write them. What it leaves out:
 * code by indentation, reference links and HTML; they stay text. `---` below a line is a rule, not a headline. Never fails,
 * and its work grows with the text and no faster.
 */

import type { Align, Block, Inline, ListItem, Placed } from "./ast.ts";
import { type Budget, parseInline } from "./inline.ts";
import { swap } from "./swap.ts";

/** Deepest nesting of quotations and lists; what is deeper is text. */
const MAX_DEPTH = 8;
/** Most columns of a table. */
const MAX_COLUMNS = 64;
/** Most cells of a table; rows after them are text. */
const MAX_CELLS = 4_096;
/** What is spent on a document: many times what one of 256 KiB takes that a person or a model wrote. */
const MAX_STEPS = 12_288;
const MAX_LINES = 6_144;
const LANGUAGE = /^[\w+#.-]{1,32}$/;
const DELIMITER = /^:?-{1,64}:?$/;

/** A line that opens a code block. */
interface Fence {
  indent: number;
  mark: string;
  info: string;
}

/** A line that begins a list item. */
interface Marker {
  indent: number;
  /** Where its text begins. */
  content: number;
  ordered: boolean;
  /** The number, or 0. */
  number: number;
  /** `-`, `*`, `+`, `.` or `)`. */
  sign: string;
}

/** Reads Markdown. Never fails: what it does not know stays text. */
export function parseMarkdown(text: string): Block[] {
  const plain = swap(swap(text, "\r\n", "\n"), "\0", "\ufffd");
  // A tab in front of a line is four spaces.
  const lines = (plain.includes("\t") ? plain.replace(/^[ \t]{1,64}/gm, (indent) => indent.replaceAll("\t", "    ")) : plain).split("\n");
  return parseLines(lines, 0, { steps: MAX_STEPS, lines: MAX_LINES });
}

/** Reads lines that stand `depth` quotations and lists deep. */
function parseLines(lines: string[], depth: number, budget: Budget): Block[] {
  return new Blocks(lines, depth, budget).read();
}

class Blocks {
  readonly #lines: string[];
  readonly #depth: number;
  readonly #out: Block[] = [];
  #paragraph: string[] = [];
  /** Whether an empty line came since the last block. */
  #gap = true;
  #at = 0;
  readonly #budget: Budget;

  constructor(lines: string[], depth: number, budget: Budget) {
    this.#lines = lines;
    this.#depth = depth;
    this.#budget = budget;
  }

  read(): Block[] {
    const lines = this.#lines;
    while (this.#at < lines.length) {
      const line = lines[this.#at] as string;
      if (line === "") this.#blank();
      else if ((this.#budget.lines -= 1) < 0) this.#rest();
      else this.#line(line);
    }
    this.#flush();
    return this.#out;
  }

  #blank(): void {
    this.#flush();
    this.#gap = true;
    this.#at += 1;
  }

  /** What nothing may be spent on any more is text as it stands. */
  #rest(): void {
    this.#flush();
    const text = this.#lines.slice(this.#at).join("\n").trim();
    this.#at = this.#lines.length;
    if (text !== "") this.#add({ kind: "paragraph", content: [{ kind: "text", text }] });
  }

  #line(line: string): void {
    const indent = indentOf(line);
    if (indent === line.length) return this.#blank();
    const first = line.charAt(indent);
    switch (first) {
      case "`":
      case "~": {
        const fence = fenceOf(line, indent);
        if (fence !== undefined) return this.#fenced(fence);
        break;
      }
      case ">":
        if (this.#depth < MAX_DEPTH) return this.#quoted();
        break;
      case "#":
        if (this.#heading(line, indent)) return;
        break;
      case "=":
        if (this.#paragraph.length > 0 && isRun(line, indent, "=")) return this.#underlined();
        break;
      case "-":
      case "*":
      case "_":
        if (isRule(line, indent, first)) {
          this.#push({ kind: "rule" });
          this.#at += 1;
          return;
        }
    }
    const marker = this.#depth < MAX_DEPTH ? markerOf(line, indent) : undefined;
    if (marker !== undefined && this.#maybeList(marker)) return this.#list(marker);
    if (line.includes("|") && this.#table(line)) return;
    this.#paragraph.push(line);
    this.#at += 1;
  }

  /** A number in the middle of a paragraph begins a list only if it is 1: “in\n1984. It was” is none. */
  #maybeList(marker: Marker): boolean {
    return !marker.ordered || marker.number <= 1 || this.#paragraph.length === 0;
  }

  #push(block: Block): void {
    this.#flush();
    this.#add(block);
  }

  #add(block: Block): void {
    if (!this.#gap && this.#out.length > 0) (block as Placed).close = true;
    this.#out.push(block);
    this.#gap = false;
  }

  #flush(): void {
    if (this.#paragraph.length === 0) return;
    const text = paragraphText(this.#paragraph);
    this.#paragraph = [];
    const content = parseInline(text, this.#budget);
    if (content.length > 0) this.#add({ kind: "paragraph", content });
  }

  #underlined(): void {
    const content = parseInline(paragraphText(this.#paragraph), this.#budget);
    this.#paragraph = [];
    this.#add({ kind: "heading", level: 1, content });
    this.#at += 1;
  }

  #heading(line: string, indent: number): boolean {
    let level = 0;
    while (level < 7 && line.charAt(indent + level) === "#") level += 1;
    const after = line.charAt(indent + level);
    if (indent > 3 || level > 6 || (after !== " " && after !== "\t")) return false;
    const title = withoutClosingMarks(line.slice(indent + level).trim());
    if (title === "") return false;
    this.#push({ kind: "heading", level, content: parseInline(title, this.#budget) });
    this.#at += 1;
    return true;
  }

  #fenced(fence: Fence): void {
    const lines = this.#lines;
    const body: string[] = [];
    let next = this.#at + 1;
    for (; next < lines.length; next += 1) {
      const line = lines[next] as string;
      const margin = indentOf(line);
      if (line.startsWith(fence.mark, margin) && isRun(line, margin, fence.mark.charAt(0))) break;
      body.push(fence.indent === 0 ? line : line.slice(Math.min(fence.indent, margin)));
    }
    const name = fence.info.split(" ", 1)[0] ?? "";
    while (body.length > 0 && (body.at(-1) as string).trim() === "") body.pop();
    this.#push({ kind: "code", lang: LANGUAGE.test(name) ? name : null, text: body.join("\n") });
    this.#at = next + 1;
  }

  #quoted(): void {
    const body: string[] = [];
    for (; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] as string;
      const indent = indentOf(line);
      if (line.charAt(indent) !== ">") break;
      body.push(line.slice(indent + (line.charAt(indent + 1) === " " ? 2 : 1)));
    }
    this.#push({ kind: "quote", blocks: parseLines(body, this.#depth + 1, this.#budget) });
  }

  #list(first: Marker): void {
    this.#flush();
    const lines = this.#lines;
    const items: ListItem[] = [];
    let tight = true;
    let body: string[] = [(lines[this.#at] as string).slice(first.content)];
    let content = first.content;
    let blank = false;
    let at = this.#at + 1;
    const finish = () => void items.push(itemOf(body, this.#depth + 1, this.#budget));
    for (; at < lines.length; at += 1) {
      const line = lines[at] as string;
      const indent = indentOf(line);
      if (indent === line.length) {
        blank = true;
        body.push("");
        continue;
      }
      if ((this.#budget.lines -= 1) < 0) break;
      // Models indent what is below an item by less than CommonMark asks for.
      if (indent >= content || indent >= first.indent + 2) {
        if (blank) tight = false;
        body.push(line.slice(Math.min(indent, content)));
      } else {
        const marker = markerOf(line, indent);
        const rule = "-*_".includes(line.charAt(indent)) && isRule(line, indent, line.charAt(indent));
        if (marker !== undefined && !rule && marker.ordered === first.ordered && marker.sign === first.sign) {
          if (blank) tight = false;
          finish();
          body = [line.slice(marker.content)];
          content = marker.content;
        } else if (!blank && marker === undefined && !beginsBlock(line, indent)) {
          body.push(line.slice(indent));
        } else break;
      }
      blank = false;
    }
    finish();
    const gap = (lines[at - 1] as string).trim() === "";
    this.#add({ kind: "list", ordered: first.ordered, start: first.number, items, tight });
    this.#gap = gap;
    this.#at = at;
  }

  #table(line: string): boolean {
    const below = this.#lines[this.#at + 1];
    if (below === undefined || !below.includes("-")) return false;
    const align = alignOf(below);
    if (align === undefined) return false;
    const head = cellsOf(line, MAX_COLUMNS + 1);
    if (head.length !== align.length || head.length > MAX_COLUMNS) return false;
    const rows: Inline[][][] = [];
    let next = this.#at + 2;
    for (; next < this.#lines.length; next += 1) {
      const row = this.#lines[next] as string;
      if (!row.includes("|") || (rows.length + 1) * head.length > MAX_CELLS || (this.#budget.lines -= 1) < 0) break;
      // What is more than the head has columns is kept in the last one.
      const cells = cellsOf(row, head.length).map((cell) => parseInline(cell, this.#budget));
      while (cells.length < head.length) cells.push([]);
      rows.push(cells);
    }
    this.#push({ kind: "table", head: head.map((cell) => parseInline(cell, this.#budget)), rows, align });
    this.#at = next;
    return true;
  }
}

function itemOf(body: string[], depth: number, budget: Budget): ListItem {
  const first = body[0] ?? "";
  const box = /^\s{0,4}\[([ xX])\]\s/.exec(first);
  if (box !== null) body[0] = first.slice(box[0].length);
  return { task: box === null ? null : box[1] !== " ", blocks: parseLines(body, depth, budget) };
}

/** Spaces in front of a line. */
function indentOf(line: string): number {
  const { length } = line;
  let at = 0;
  for (; at < length; at += 1) {
    const code = line.charCodeAt(at);
    if (code !== 32 && code !== 9) break;
  }
  return at;
}

/** Whether nothing but `mark` stands from `from` to the end. */
function isRun(line: string, from: number, mark: string): boolean {
  let at = from;
  while (line.charAt(at) === mark) at += 1;
  return line.slice(at).trim() === "";
}

function isRule(line: string, indent: number, mark: string): boolean {
  if (indent > 3) return false;
  let count = 0;
  for (let at = indent; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === mark) count += 1;
    else if (char !== " ") return false;
  }
  return count >= 3;
}

function fenceOf(line: string, indent: number): Fence | undefined {
  const mark = line.charAt(indent);
  let end = indent;
  while (line.charAt(end) === mark) end += 1;
  if (end - indent < 3) return undefined;
  const info = line.slice(end).trim();
  return mark === "`" && info.includes("`") ? undefined : { indent, mark: line.slice(indent, end), info };
}

function markerOf(line: string, indent: number): Marker | undefined {
  let end = indent;
  let code = line.charCodeAt(end);
  const ordered = code >= 48 && code <= 57;
  if (ordered) {
    while (code >= 48 && code <= 57 && end - indent < 9) code = line.charCodeAt((end += 1));
    if (code !== 46 && code !== 41) return undefined;
  } else if (code !== 45 && code !== 42 && code !== 43) return undefined;
  const after = line.charCodeAt(end + 1);
  if (after !== 32 && after !== 9) return undefined;
  let content = end + 2;
  while (content < end + 5 && line.charCodeAt(content) === 32) content += 1;
  if (content >= line.length) content = end + 2;
  return { indent, content, ordered, number: ordered ? Number(line.slice(indent, end)) : 0, sign: line.charAt(end) };
}

/** Whether a line ends a paragraph by beginning something else. */
function beginsBlock(line: string, indent: number): boolean {
  const first = line.charAt(indent);
  if (first === ">") return true;
  if (first === "`" || first === "~") return fenceOf(line, indent) !== undefined;
  if (first === "#") return /^#{1,6}\s/.test(line.slice(indent, indent + 8));
  return "-*_".includes(first) && isRule(line, indent, first);
}

/** Lines of a paragraph in one: up to three spaces in front of a line mean nothing, more are kept. */
function paragraphText(lines: string[]): string {
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as string;
    const indent = indentOf(line);
    if (indent > 0 && (indent <= 3 || at === 0)) lines[at] = line.slice(indent);
  }
  return lines.join("\n").trimEnd();
}

/** `## Title ##` is `Title`; `# C#` keeps its sharp. */
function withoutClosingMarks(title: string): string {
  let end = title.length;
  while (end > 0 && title.charAt(end - 1) === "#") end -= 1;
  return end < title.length && (end === 0 || title.charAt(end - 1) === " ") ? title.slice(0, end).trimEnd() : title;
}

function alignOf(line: string): Align[] | undefined {
  const first = line.trimStart().charAt(0);
  if (first !== "|" && first !== ":" && first !== "-") return undefined;
  const align: Align[] = [];
  for (const cell of cellsOf(line, MAX_COLUMNS + 1)) {
    if (!DELIMITER.test(cell)) return undefined;
    const left = cell.startsWith(":");
    const right = cell.endsWith(":");
    align.push(left && right ? "center" : right ? "right" : left ? "left" : null);
  }
  return align;
}

/** The cells of a row, at most `most`: the last one holds what is left. `\|` and a bar within code are no borders. */
function cellsOf(line: string, most: number): string[] {
  let row = line.trim();
  if (row.startsWith("|")) row = row.slice(1);
  if (row.endsWith("|") && !row.endsWith("\\|")) row = row.slice(0, -1);
  if (!row.includes("\\|") && !row.includes("`")) {
    const cells = row.split("|");
    return [...cells.slice(0, most - 1), ...(cells.length >= most ? [cells.slice(most - 1).join("|")] : [])].map((cell) => cell.trim());
  }
  const cells: string[] = [];
  let from = 0;
  let ticks = false;
  for (let at = 0; at < row.length && cells.length < most - 1; at += 1) {
    const char = row.charAt(at);
    if (char === "\\") at += 1;
    else if (char === "`") ticks = !ticks && row.indexOf("`", at + 1) >= 0;
    else if (char === "|" && !ticks) {
      cells.push(row.slice(from, at));
      from = at + 1;
    }
  }
  cells.push(row.slice(from));
  return cells.map((cell) => swap(cell.trim(), "\\|", "|"));
}
