/** What Markdown says, as a tree. Blocks stand below each other; inlines make up a block's text. */

/** Where a block stands. */
export interface Placed {
  /** It follows the block before without an empty line between them. */
  close?: boolean;
}

/** A stretch of text. A line end in the source is `\n` in a text; a `break` is one that was asked for. */
export type Inline =
  /** Words. */
  | { kind: "text"; text: string }
  /** Bold. */
  | { kind: "strong"; content: Inline[] }
  /** Italic. */
  | { kind: "emphasis"; content: Inline[] }
  /** Struck through. */
  | { kind: "strike"; content: Inline[] }
  /** Code within a line. */
  | { kind: "code"; text: string }
  /** A link; one that is only an address has it as its text. */
  | { kind: "link"; url: string; content: Inline[] }
  /** A picture at an address. */
  | { kind: "image"; url: string; alt: string }
  /** A line end. */
  | { kind: "break" };

/** A paragraph. */
export interface Paragraph extends Placed {
  /** Which block. */
  kind: "paragraph";
  /** Its text. */
  content: Inline[];
}

/** A headline. */
export interface Heading extends Placed {
  /** Which block. */
  kind: "heading";
  /** 1 to 6. */
  level: number;
  /** Its text. */
  content: Inline[];
}

/** A block of code. */
export interface CodeBlock extends Placed {
  /** Which block. */
  kind: "code";
  /** The language, where the fence names one: letters, digits and `+#.-_`. */
  lang: string | null;
  /** The code, without a line end at its end. */
  text: string;
}

/** A quotation. */
export interface Quote extends Placed {
  /** Which block. */
  kind: "quote";
  /** What is quoted. */
  blocks: Block[];
}

/** One item of a list. */
export interface ListItem {
  /** Whether its box is ticked; `null` without a box. */
  task: boolean | null;
  /** What it says. */
  blocks: Block[];
}

/** A list. */
export interface List extends Placed {
  /** Which block. */
  kind: "list";
  /** Numbered. */
  ordered: boolean;
  /** Number of the first item. */
  start: number;
  /** Its items. */
  items: ListItem[];
  /** No empty lines between its items. */
  tight: boolean;
}

/** How a column is set. */
export type Align = "left" | "right" | "center" | null;

/** A table. Each row has as many cells as the head. */
export interface Table extends Placed {
  /** Which block. */
  kind: "table";
  /** Headlines of the columns. */
  head: Inline[][];
  /** Rows of cells. */
  rows: Inline[][][];
  /** How each column is set. */
  align: Align[];
}

/** A line across. */
export interface Rule extends Placed {
  /** Which block. */
  kind: "rule";
}

/** A block. */
export type Block = Paragraph | Heading | CodeBlock | Quote | List | Table | Rule;
