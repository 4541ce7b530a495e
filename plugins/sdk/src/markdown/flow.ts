/**
 * Blocks as one text with stretches in it that are wrapped: what is cut and written by `render.ts`. The text is what a
 * reader sees; stretches are properly nested and in order.
 */

import type { Block, Inline, List, Table } from "./ast.ts";
import type { Dialect, Wrap } from "./dialect.ts";
import { wordsOf } from "./inline.ts";
import { columnsOf, hasLinks, TABLE_WIDTH, tableAsList } from "./table.ts";

/** How a stretch's text is written: as words, as code, as an address, or as it stands. */
export type Mode = "words" | "code" | "block" | "url" | "raw";

/** A stretch of the text, `start` to `end` in code units. */
export interface Stretch {
  /** Where it begins. */
  start: number;
  /** Where it ends. */
  end: number;
  /** What stands around it. */
  wrap: Wrap;
  /** How its text is written. */
  mode: Mode;
  /** For an item: what its list is opened with where a message begins within. */
  list?: string;
}

/** A text with its stretches. */
export interface Flow {
  /** What a reader sees. */
  text: string;
  /** In order of `start`, the outer one first. */
  stretches: Stretch[];
}

const NOTHING: Wrap = { open: "", close: "" };

/** Takes blocks down. Wraps that would take more than half of `max` characters are left out. */
export function flowOf(blocks: readonly Block[], dialect: Dialect, max: number): Flow {
  const writer = new Writer(dialect, max);
  writer.blocks(blocks, false);
  return writer.done();
}

class Writer {
  readonly #dialect: Dialect;
  readonly #most: number;
  readonly #parts: string[] = [];
  readonly #stretches: Stretch[] = [];
  #length = 0;
  /** Characters that the wraps around take. */
  #overhead = 0;
  #quotes = 0;
  #lists = 0;
  /** Within a tight list, whose paragraphs have no marks of their own. */
  #tight = false;

  constructor(dialect: Dialect, max: number) {
    this.#dialect = dialect;
    this.#most = Math.floor(max / 2);
  }

  done(): Flow {
    return { text: this.#parts.join(""), stretches: this.#stretches };
  }

  blocks(blocks: readonly Block[], tight: boolean): void {
    let first = true;
    for (const block of blocks) {
      if (!first) this.#raw(this.#between(block.close === true || tight));
      first = false;
      this.#block(block);
    }
  }

  #between(close: boolean): string {
    return this.#dialect.between?.(close) ?? (close ? "\n" : "\n\n");
  }

  #block(block: Block): void {
    const dialect = this.#dialect;
    switch (block.kind) {
      case "paragraph":
        return this.#wrapped(this.#tight ? undefined : dialect.paragraph?.(), () => this.#inlines(block.content));
      case "heading": {
        const wrap = dialect.heading === undefined ? dialect.strong?.() : dialect.heading(block.level);
        const content = dialect.heading === undefined ? unbold(block.content) : block.content;
        return this.#wrapped(wrap, () => this.#inlines(content));
      }
      case "code":
        return this.#wrapped(this.#fence(block.lang, block.text), () => this.#push(block.text), "block");
      case "quote": {
        const wrap = dialect.quote?.(this.#quotes);
        const tight = this.#tight;
        this.#tight = false;
        this.#quotes += 1;
        this.#wrapped(wrap, () => this.blocks(block.blocks, false));
        this.#quotes -= 1;
        this.#tight = tight;
        return;
      }
      case "list":
        return this.#list(block);
      case "table":
        return this.#table(block);
      case "rule":
        return this.#raw(dialect.rule ?? "———");
    }
  }

  #list(list: List): void {
    const dialect = this.#dialect;
    const whole = dialect.list?.(list.ordered, list.start);
    const tight = this.#tight;
    this.#tight = list.tight;
    this.#lists += 1;
    this.#wrapped(whole, () => {
      for (const [index, item] of list.items.entries()) {
        const number = list.ordered ? list.start + index : index + 1;
        const place = { ordered: list.ordered, number, task: item.task, depth: this.#lists - 1 };
        if (index > 0) this.#raw(this.#between(list.tight));
        if (dialect.item !== undefined) {
          const reopen = whole === undefined ? undefined : dialect.list?.(list.ordered, number).open;
          this.#wrapped(dialect.item(place), () => this.blocks(item.blocks, list.tight), "words", reopen);
        } else {
          const bullet = dialect.bullet?.(place) ?? bulletOf(place);
          this.#raw(bullet);
          const lines = " ".repeat(Math.min(bullet.length, 4));
          this.#wrapped({ open: "", close: "", lines, reopen: lines }, () => this.blocks(item.blocks, list.tight));
        }
      }
    });
    this.#lists -= 1;
    this.#tight = tight;
  }

  /** Without its language where the two together would take too much of a message. */
  #fence(lang: string | null, text: string): Wrap | undefined {
    const wrap = this.#dialect.codeBlock?.(lang, text);
    return wrap === undefined || this.#fits(wrap) ? wrap : this.#dialect.codeBlock?.(null, text);
  }

  #table(table: Table): void {
    const marks = this.#dialect.table;
    if (marks === undefined) return this.#tableAsText(table);
    const row = (cells: readonly Inline[][], head: boolean) =>
      this.#wrapped(marks.row(head), () => {
        for (const [column, cell] of cells.entries()) {
          if (column > 0) this.#raw(" ");
          // A cell without words is a cell all the same.
          this.#wrapped(marks.cell(head, table.align[column] ?? null), () => (cell.length > 0 ? this.#inlines(cell) : this.#push("\u00a0")));
        }
      });
    this.#wrapped(marks.whole(), () => {
      row(table.head, true);
      for (const cells of table.rows) {
        this.#raw("\n");
        row(cells, false);
      }
    });
  }

  #tableAsText(table: Table): void {
    const dialect = this.#dialect;
    const asList = dialect.tableAsList === true || hasLinks(table);
    const columns = asList ? undefined : columnsOf(table, Math.min(dialect.tableWidth ?? TABLE_WIDTH, this.#most));
    if (columns === undefined) return this.blocks(tableAsList(table), false);
    this.#wrapped(dialect.codeBlock?.(null, columns), () => this.#push(columns), "block");
  }

  #inlines(content: readonly Inline[]): void {
    for (const inline of content) this.#inline(inline);
  }

  #inline(inline: Inline): void {
    const dialect = this.#dialect;
    switch (inline.kind) {
      case "text":
        return this.#push(inline.text);
      case "break":
        return this.#push("\n");
      case "code":
        return this.#wrapped(dialect.code?.(inline.text), () => this.#push(inline.text), dialect.code === undefined ? "words" : "code");
      case "image": {
        const written = dialect.image?.(inline.url, inline.alt);
        if (written !== undefined && written.length <= this.#most - this.#overhead) return this.#raw(written);
        return this.#link(inline.url, inline.alt || inline.url, () => this.#push(inline.alt || inline.url));
      }
      case "link":
        return this.#link(inline.url, wordsOf(inline.content), () => this.#inlines(inline.content));
      default:
        return this.#wrapped(dialect[inline.kind]?.(), () => this.#inlines(inline.content));
    }
  }

  #link(url: string, text: string, write: () => void): void {
    if (text === url) return this.#wrapped(NOTHING, () => this.#push(url), "url");
    const wrap = this.#dialect.link?.(url, text);
    if (wrap !== undefined && this.#fits(wrap)) return this.#wrapped(wrap, write);
    write();
    if (url === `mailto:${text}` || url === `tel:${text}`) return;
    this.#push(" (");
    this.#wrapped(NOTHING, () => this.#push(url), "url");
    this.#push(")");
  }

  #fits(wrap: Wrap): boolean {
    return this.#overhead + costOf(wrap) <= this.#most;
  }

  #wrapped(wrap: Wrap | undefined, write: () => void, mode: Mode = "words", list?: string): void {
    const fits = wrap !== undefined && this.#fits(wrap);
    if (!fits && mode === "words") return write();
    const around = fits ? wrap : NOTHING;
    const at = this.#stretches.length;
    const stretch: Stretch = { start: this.#length, end: 0, wrap: around, mode: !fits && mode !== "url" ? "words" : mode };
    if (list !== undefined) stretch.list = list;
    this.#stretches.push(stretch);
    const cost = costOf(around);
    this.#overhead += cost;
    write();
    this.#overhead -= cost;
    stretch.end = this.#length;
    // What holds nothing is not there.
    if (stretch.end === stretch.start) this.#stretches.length = at;
  }

  #raw(text: string): void {
    this.#wrapped(NOTHING, () => this.#push(text), "raw");
  }

  #push(text: string): void {
    if (text === "") return;
    this.#parts.push(text);
    this.#length += text.length;
  }
}

function costOf(wrap: Wrap): number {
  return Math.max(wrap.open.length, wrap.reopen?.length ?? 0) + wrap.close.length + (wrap.lines?.length ?? 0);
}

function bulletOf({ ordered, number, task }: { ordered: boolean; number: number; task: boolean | null }): string {
  const box = task === null ? "" : task ? "☑ " : "☐ ";
  return ordered ? `${number}. ${box}` : box || "• ";
}

/** A headline that is bold already has no bold within. */
function unbold(content: readonly Inline[]): Inline[] {
  return content.flatMap((one) => (one.kind === "strong" ? unbold(one.content) : [one]));
}
