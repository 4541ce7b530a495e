/** A command as one types it, and back to its words. Quotes keep spaces together; nothing else is special, and no shell reads it. */
export function splitWords(line: string): string[] {
  const words: string[] = [];
  const pattern = /"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+)/gy;
  let word: string | null = null;
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line.charAt(at))) {
      if (word !== null) words.push(word);
      word = null;
      at += 1;
      continue;
    }
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found === null) {
      // A quote that is not closed: the rest is one word.
      word = (word ?? "") + line.slice(at);
      break;
    }
    word = (word ?? "") + (found[2] ?? (found[1] ?? found[3] ?? "").replaceAll(/\\(["\\\s'])/g, "$1"));
    at = pattern.lastIndex;
  }
  if (word !== null) words.push(word);
  return words;
}

const needsQuotes = (word: string): boolean => word === "" || /[\s"']/.test(word);

export const joinWords = (words: readonly string[]): string => words.map((word) => (needsQuotes(word) ? `"${word.replaceAll(/["\\]/g, "\\$&")}"` : word)).join(" ");
