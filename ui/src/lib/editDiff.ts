/** What a call of `edit` or `write` changes, as a diff to show. */
import type { DiffLine, Hunk } from "./diff";

/** Longer texts are shown as they came. */
const LINES_MAX = 2_000;

interface Edit {
  path: string;
  hunks: Hunk[];
}

const textOf = (input: Record<string, unknown>, ...keys: string[]): string | null => keys.map((key) => input[key]).find((value) => typeof value === "string") ?? null;

/** Null where the call changes no file, or says it in another way. */
export function editOf(tool: string, input: unknown): Edit | null {
  if (typeof input !== "object" || input === null) return null;
  const fields = input as Record<string, unknown>;
  const path = textOf(fields, "path", "file_path");
  if (path === null) return null;
  if (tool === "edit") {
    const before = textOf(fields, "old", "old_string");
    const after = textOf(fields, "new", "new_string");
    return before === null || after === null ? null : hunk(path, before, after);
  }
  const content = tool === "write" ? textOf(fields, "content", "text") : null;
  return content === null ? null : hunk(path, "", content);
}

const same = (i: number, j: number, text: string): DiffLine => ({ kind: "same", before: i + 1, after: j + 1, text });

function hunk(path: string, before: string, after: string): Edit | null {
  const old = before === "" ? [] : before.split("\n");
  const now = after === "" ? [] : after.split("\n");
  if (old.length + now.length > LINES_MAX) return null;
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const lines: DiffLine[] = [
    ...old.slice(0, head).map((text, i) => same(i, i, text)),
    ...old.slice(head, old.length - tail).map((text, i): DiffLine => ({ kind: "removed", before: head + i + 1, after: null, text })),
    ...now.slice(head, now.length - tail).map((text, i): DiffLine => ({ kind: "added", before: null, after: head + i + 1, text })),
    ...old.slice(old.length - tail).map((text, i) => same(old.length - tail + i, now.length - tail + i, text)),
  ];
  return { path, hunks: [{ at: "", lines }] };
}
