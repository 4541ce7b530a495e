/**
 * Cuts text into messages. Telegram's limit counts UTF-16 code units after entities were taken out, so this works on
 * `Formatted`: an entity that is cut ends in one message and begins again in the next, which closes and reopens code
 * blocks, quotations and bold alike.
 */

import type { Entity, Formatted } from "./format.ts";

/** Longest text of one message. */
export const TEXT_MAX = 4096;

/** Pieces of at most `max` code units, none of them blank. Nothing but white space at a cut is lost. */
export function chunk(formatted: Formatted, max: number = TEXT_MAX): Formatted[] {
  const { text } = formatted;
  const chunks: Formatted[] = [];
  let start = 0;
  while (start < text.length) {
    start = skipBlank(text, start);
    const end = text.length - start <= max ? text.length : cut(text, start, max);
    const piece = slice(formatted, start, trimEnd(text, start, end));
    if (piece.text !== "") chunks.push(piece);
    start = end;
  }
  return chunks;
}

/** Where to cut: after a paragraph, a line, a word, in that order, unless that wastes more than half of the room. */
function cut(text: string, start: number, max: number): number {
  const window = text.slice(start, start + max + 1);
  const least = Math.floor(max / 2);
  for (const mark of ["\n\n", "\n", " "]) {
    const at = window.lastIndexOf(mark, max);
    if (at > least) return start + at;
  }
  return start + max - (splitsPair(text, start + max) && max > 1 ? 1 : 0);
}

function splitsPair(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  return before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff;
}

/**
 * The place of the next message's first character: past empty lines, and past the one space a cut between two words
 * leaves. The indentation of a line stays, because in a code block it means something.
 */
function skipBlank(text: string, from: number): number {
  const inLine = from > 0 && text.charAt(from - 1) !== "\n";
  let line = from;
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "\n") line = at + 1;
    else if (char.trim() !== "") return line === from && inLine ? at : line;
  }
  return text.length;
}

function trimEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && text.charAt(at - 1).trim() === "") at -= 1;
  return at;
}

function slice({ text, entities }: Formatted, start: number, end: number): Formatted {
  const inside: Entity[] = [];
  for (const entity of entities) {
    const from = Math.max(entity.start, start);
    const to = Math.min(entity.end, end);
    if (to > from) inside.push({ ...entity, start: from - start, end: to - start });
  }
  return { text: text.slice(start, end), entities: inside };
}
