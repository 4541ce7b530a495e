/**
 * Markdown to Telegram: blocks here, what stands within a line in `inline.ts`. The result is text with entities, not
 * markup, because Telegram counts and cuts text after its entities were taken out; `chunk.ts` cuts it, and `toHtml`
 * writes it down last.
 */

import { parseInline } from "./inline.ts";

export type EntityKind = "bold" | "italic" | "strike" | "code" | "pre" | "link" | "quote";

/** A stretch of text with a meaning, in UTF-16 code units. Entities of one text are properly nested. */
export interface Entity {
  kind: EntityKind;
  start: number;
  end: number;
  /** A link's target, a `pre`'s language. */
  value?: string;
}

/** Text as a reader sees it, with its entities. */
export interface Formatted {
  text: string;
  entities: Entity[];
}

// These run on text a model wrote, in an engine without a regex compiler: none of them can backtrack far.
const FENCE = /^(\s*)(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}#{1,6}\s+(?=\S)/;
const RULE = /^ {0,3}(?:(?:\*\s*){3,}|(?:-\s*){3,}|(?:_\s*){3,})$/;
const BULLET = /^(\s*)[-*+]\s+(?:\[([ xX])\]\s+)?/;
const NUMBER = /^(\s*\d{1,9}[.)])\s+/;

/** Reads Markdown. Never fails: what it does not know stays text. */
export function parseMarkdown(markdown: string): Formatted {
  const out = new Output();
  blocks(markdown.replaceAll("\r\n", "\n").split("\n"), out);
  return out.done();
}

/** Writes Telegram's HTML. */
export function toHtml(formatted: Formatted): string {
  const entities = [...formatted.entities].sort((a, b) => a.start - b.start || b.end - a.end);
  const open: Entity[] = [];
  let html = "";
  let at = 0;
  const upTo = (place: number) => {
    html += escape(formatted.text.slice(at, place));
    at = place;
  };
  const closeBefore = (place: number) => {
    for (let last = open.at(-1); last !== undefined && last.end <= place; last = open.at(-1)) {
      upTo(last.end);
      html += closeTag(last);
      open.pop();
    }
  };
  for (const entity of entities) {
    closeBefore(entity.start);
    upTo(entity.start);
    html += openTag(entity);
    open.push(entity);
  }
  closeBefore(formatted.text.length);
  upTo(formatted.text.length);
  return html;
}

function openTag({ kind, value }: Entity): string {
  switch (kind) {
    case "bold":
      return "<b>";
    case "italic":
      return "<i>";
    case "strike":
      return "<s>";
    case "code":
      return "<code>";
    case "pre":
      return value === undefined ? "<pre>" : `<pre><code class="language-${escape(value)}">`;
    case "link":
      return `<a href="${escape(value ?? "")}">`;
    case "quote":
      return "<blockquote>";
  }
}

function closeTag({ kind, value }: Entity): string {
  switch (kind) {
    case "bold":
      return "</b>";
    case "italic":
      return "</i>";
    case "strike":
      return "</s>";
    case "code":
      return "</code>";
    case "pre":
      return value === undefined ? "</pre>" : "</code></pre>";
    case "link":
      return "</a>";
    case "quote":
      return "</blockquote>";
  }
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Collects blocks, one below the other; any number of empty lines between two of them becomes one. */
class Output {
  readonly #parts: string[] = [];
  readonly #entities: Entity[] = [];
  #length = 0;
  #gap = false;

  gap(): void {
    this.#gap = this.#length > 0;
  }

  block(block: Formatted, around?: Pick<Entity, "kind" | "value">): void {
    if (block.text === "") return;
    if (this.#length > 0) this.#push(this.#gap ? "\n\n" : "\n");
    this.#gap = false;
    const start = this.#length;
    this.#push(block.text);
    if (around !== undefined) this.#entities.push({ ...around, start, end: this.#length });
    for (const entity of block.entities) {
      this.#entities.push({ ...entity, start: entity.start + start, end: entity.end + start });
    }
  }

  done(): Formatted {
    return { text: this.#parts.join(""), entities: this.#entities };
  }

  #push(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }
}

function blocks(lines: string[], out: Output): void {
  let paragraph: string[] = [];
  let prefix = "";
  const flush = () => {
    const body = parseInline(paragraph.join("\n"));
    out.block(shift(prefix, body));
    paragraph = [];
    prefix = "";
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (line.trim() === "") {
      flush();
      out.gap();
      at += 1;
    } else if (fence !== null) {
      flush();
      at = fenced(lines, at, fence, out);
    } else if (quoteMark(line) > 0) {
      flush();
      at = quoted(lines, at, out);
    } else if (heading !== null) {
      flush();
      const title = parseInline(withoutClosingMarks(line.slice(heading[0].length)));
      out.block({ text: title.text, entities: title.entities.filter((e) => e.kind !== "bold") }, { kind: "bold" });
      at += 1;
    } else if (RULE.test(line)) {
      flush();
      out.block({ text: "———", entities: [] });
      at += 1;
    } else if (line.includes("|") && isTableRule(lines[at + 1] ?? "")) {
      flush();
      at = table(lines, at, out);
    } else {
      const item = listItem(line);
      if (item !== undefined) {
        flush();
        prefix = item.prefix;
      }
      paragraph.push((item?.rest ?? line).trimEnd());
      at += 1;
    }
  }
  flush();
}

function shift(prefix: string, body: Formatted): Formatted {
  const by = prefix.length;
  return { text: prefix + body.text, entities: body.entities.map((e) => ({ ...e, start: e.start + by, end: e.end + by })) };
}

/** A list item is text: a bullet, a number or a box, then the item. */
function listItem(line: string): { prefix: string; rest: string } | undefined {
  const bullet = BULLET.exec(line);
  if (bullet !== null) {
    const box = bullet[2] === undefined ? "•" : bullet[2] === " " ? "☐" : "☑";
    return { prefix: `${bullet[1] ?? ""}${box} `, rest: line.slice(bullet[0].length) };
  }
  const number = NUMBER.exec(line);
  return number === null ? undefined : { prefix: `${number[1] ?? ""} `, rest: line.slice(number[0].length) };
}

/** A code block, up to its closing fence or the end. */
function fenced(lines: string[], at: number, fence: RegExpExecArray, out: Output): number {
  const indent = (fence[1] ?? "").length;
  const mark = fence[2] ?? "```";
  const language = (fence[3] ?? "").trim().split(" ", 1)[0] ?? "";
  const body: string[] = [];
  let next = at + 1;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    const end = line.trim();
    if (end.length >= mark.length && end === mark.charAt(0).repeat(end.length)) break;
    const margin = line.length - line.trimStart().length;
    body.push(line.slice(Math.min(indent, margin)));
  }
  const named = /^[\w+#.-]{1,32}$/.test(language);
  out.block({ text: body.join("\n"), entities: [] }, named ? { kind: "pre", value: language } : { kind: "pre" });
  return next + 1;
}

/** A quotation. Telegram cannot nest them, so deeper ones count as the outer one. */
function quoted(lines: string[], at: number, out: Output): number {
  const body: string[] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    const mark = quoteMark(line);
    if (mark === 0) break;
    body.push(line.slice(mark));
  }
  const inner = new Output();
  blocks(body, inner);
  out.block(inner.done(), { kind: "quote" });
  return next;
}

/** Length of the marks of a quotation in front of a line, of all levels, with the one space that belongs to the last. */
function quoteMark(line: string): number {
  let mark = 0;
  for (let at = 0; at < line.length && at <= (mark === 0 ? 3 : mark + 4); at += 1) {
    const char = line.charAt(at);
    if (char === ">") mark = at + 1;
    else if (char !== " ") break;
  }
  return mark > 0 && line.charAt(mark) === " " ? mark + 1 : mark;
}

/** Telegram has no tables: one is set in columns, in fixed width. */
function table(lines: string[], at: number, out: Output): number {
  const rows: string[][] = [];
  let next = at;
  for (; next < lines.length; next += 1) {
    const line = lines[next] ?? "";
    if (!line.includes("|")) break;
    if (next === at + 1) continue;
    rows.push(cellsOf(line).map((cell) => parseInline(cell).text));
  }
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const text = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n");
  out.block({ text, entities: [] }, { kind: "pre" });
  return next;
}

function isTableRule(line: string): boolean {
  return line.includes("|") && cellsOf(line).every((cell) => /^:?-+:?$/.test(cell));
}

function cellsOf(line: string): string[] {
  const row = line.trim();
  const inner = row.slice(row.startsWith("|") ? 1 : 0, row.length > 1 && row.endsWith("|") ? -1 : row.length);
  return inner.split("|").map((cell) => cell.trim());
}

/** `## Title ##` is `Title`; `# C#` keeps its sharp. */
function withoutClosingMarks(title: string): string {
  const text = title.trimEnd();
  let end = text.length;
  while (end > 0 && text.charAt(end - 1) === "#") end -= 1;
  return end < text.length && (end === 0 || text.charAt(end - 1) === " ") ? text.slice(0, end).trimEnd() : text;
}
