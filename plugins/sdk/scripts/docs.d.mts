/** Types of `docs.mjs`, for its test. */

export interface Item {
  name: string;
  comment: string;
  code: string;
}

export function parse(name: string, text: string): { doc: string; imports: string[]; items: Item[] };
export function undocumented(item: Item | undefined): string[];
