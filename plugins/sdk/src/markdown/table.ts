/** Tables where there are none: columns of fixed width, or a list of what each row says. */

import type { Align, Block, Inline, Table } from "./ast.ts";
import { displayWidth } from "./grapheme.ts";
import { wordsOf } from "./inline.ts";

/** Widest table, in columns of fixed width, unless a dialect says otherwise. */
export const TABLE_WIDTH = 64;

/** A table as text: columns of fixed width, or a list for each row where they would be wider than `width`. */
export function tableAsText(table: Table, width: number = TABLE_WIDTH): string {
  return columnsOf(table, width) ?? rowsOf(table).join("\n\n");
}

/**
 * The columns, or nothing where they are too wide or a cell has several lines.
 * @internal
 */
export function columnsOf(table: Table, width: number): string | undefined {
  const rows = [table.head, ...table.rows].map((row) => row.map(wordsOf));
  const widths: number[] = table.head.map(() => 0);
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      if (cell.includes("\n")) return undefined;
      widths[column] = Math.max(widths[column] ?? 0, cell.length > width ? width + 1 : displayWidth(cell));
    }
  }
  const whole = widths.reduce((sum, one) => sum + one + 2, -2);
  if (whole > width) return undefined;
  const line = (row: string[]) => row.map((cell, column) => padded(cell, widths[column] ?? 0, table.align[column] ?? null)).join("  ").trimEnd();
  const [head = [], ...body] = rows;
  return [line(head), widths.map((one) => "-".repeat(Math.max(one, 1))).join("  "), ...body.map(line)].join("\n");
}

function padded(cell: string, width: number, align: Align): string {
  const room = Math.max(0, width - displayWidth(cell));
  if (align === "right") return " ".repeat(room) + cell;
  if (align === "center") return " ".repeat(room >> 1) + cell + " ".repeat(room - (room >> 1));
  return cell + " ".repeat(room);
}

function rowsOf(table: Table): string[] {
  const heads = table.head.map(wordsOf);
  const rows = table.rows.map((row) => row.map((cell, column) => `${heads[column] ? `${heads[column]}: ` : ""}${wordsOf(cell)}`).join("\n"));
  return rows.length > 0 ? rows : [heads.join("\n")];
}

/**
 * A table as blocks: a list with an item for each row, in which each cell stands behind its headline.
 * @internal
 */
export function tableAsList(table: Table): Block[] {
  if (table.rows.length === 0) return [{ kind: "paragraph", content: table.head.flatMap((cell, at): Inline[] => (at === 0 ? cell : [{ kind: "text", text: " · " }, ...cell])) }];
  const items = table.rows.map((row) => {
    const content: Inline[] = [];
    for (const [column, cell] of row.entries()) {
      if (cell.length === 0) continue;
      if (content.length > 0) content.push({ kind: "break" });
      const head = table.head[column] ?? [];
      if (head.length > 0) content.push({ kind: "strong", content: head }, { kind: "text", text: ": " });
      content.push(...cell);
    }
    return { task: null, blocks: [{ kind: "paragraph", content }] satisfies Block[] };
  });
  return [{ kind: "list", ordered: false, start: 0, items, tight: true }];
}

/**
 * Whether a cell has a link, which columns of fixed width would lose.
 * @internal
 */
export function hasLinks(table: Table): boolean {
  const links = (content: readonly Inline[]): boolean =>
    content.some((one) => one.kind === "image" || (one.kind === "link" ? wordsOf(one.content) !== one.url : "content" in one && links(one.content)));
  return [table.head, ...table.rows].some((row) => row.some(links));
}
