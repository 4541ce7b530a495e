/** What is being named in a text: `@` a file, a skill or a source, `#` a label of the session. */
export interface Typed {
  sign: "@" | "#";
  /** What stands behind the sign so far. */
  query: string;
  /** Where the sign stands. */
  from: number;
}

/** The word under the caret, when it begins with one of the signs and the sign begins a word. */
export function typedMention(text: string, caret: number): Typed | null {
  const found = /(?:^|[\s([{„“"'])([@#])([^\s@#]{0,80})$/u.exec(text.slice(0, caret));
  const [, sign, query = ""] = found ?? [];
  if (sign !== "@" && sign !== "#") return null;
  return { sign, query, from: caret - query.length - 1 };
}

/** The text with what was typed replaced, and where the caret is then. One blank follows. */
export function withMention(text: string, { from, query }: Typed, word: string): { text: string; caret: number } {
  const rest = text.slice(from + 1 + query.length).replace(/^ /, "");
  const before = `${text.slice(0, from)}${word}${word === "" ? "" : " "}`;
  return { text: `${before}${rest}`, caret: before.length };
}

/** Those whose name begins so first, then those that have it elsewhere. */
export function ranked<T>(all: readonly T[], query: string, name: (one: T) => string): T[] {
  const words = query.toLowerCase();
  const rank = (one: T) => {
    const at = name(one).toLowerCase().indexOf(words);
    return at === -1 ? 2 : at === 0 ? 0 : 1;
  };
  return all.filter((one) => rank(one) < 2).toSorted((a, b) => rank(a) - rank(b));
}
