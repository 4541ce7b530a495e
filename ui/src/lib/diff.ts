/** Reads a unified diff of one file. */
export interface DiffLine {
  kind: "same" | "added" | "removed";
  /** Line before and after; null on the side where it is not. */
  before: number | null;
  after: number | null;
  text: string;
}

export interface Hunk {
  /** Where it stands, as the diff says it. */
  at: string;
  lines: DiffLine[];
}

const HEAD = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

export function parseDiff(diff: string): Hunk[] {
  const hunks: Hunk[] = [];
  let before = 0;
  let after = 0;
  for (const line of diff.split("\n")) {
    const head = HEAD.exec(line);
    if (head !== null) {
      before = Number(head[1]);
      after = Number(head[2]);
      hunks.push({ at: line, lines: [] });
      continue;
    }
    const hunk = hunks.at(-1);
    if (hunk === undefined) continue;
    const text = line.slice(1);
    if (line.startsWith("+")) hunk.lines.push({ kind: "added", before: null, after: after++, text });
    else if (line.startsWith("-")) hunk.lines.push({ kind: "removed", before: before++, after: null, text });
    else if (line.startsWith(" ")) hunk.lines.push({ kind: "same", before: before++, after: after++, text });
  }
  return hunks;
}

/** Lines that came and went. */
export function diffSize(hunks: readonly Hunk[]): { added: number; removed: number } {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  return { added: lines.filter((line) => line.kind === "added").length, removed: lines.filter((line) => line.kind === "removed").length };
}
