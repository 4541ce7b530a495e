/** Where a text may be cut: never within what a reader sees as one character. */

/** Longest cluster that is kept whole, in code units; a letter with hundreds of accents is no letter. */
const MAX_CLUSTER = 64;
/** What belongs to the character before it: accents, variation selectors, skin tones, tags, vowels of Hangul and Thai. */
const EXTENDS = /[\p{M}\u200c\u200d\u1160-\u11ff\ud7b0-\ud7ff\u0e33\u0eb3\uff9e\uff9f]|[\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]/u;
/** What takes the character after it to itself: joiners, prefixed marks, and the signs that join two consonants. */
const TAKES = /[\u200d\u1100-\u115f\ua960-\ua97c\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u0d4e]/u;

/** The place at or before `at` where `text` may be cut; `from` if there is none after it. */
export function cutBefore(text: string, at: number, from = 0): number {
  if (at <= from || at >= text.length) return Math.min(Math.max(at, from), text.length);
  const point = pointBefore(text, at);
  const least = Math.max(from, point - MAX_CLUSTER);
  let place = point;
  while (place > least && joined(text, place)) place = pointBefore(text, place - 1);
  return place > least ? place : Math.max(point, from);
}

function pointBefore(text: string, at: number): number {
  const low = text.charCodeAt(at);
  const high = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff && high >= 0xd800 && high <= 0xdbff ? at - 1 : at;
}

/** Whether the characters before and after `at` are one to a reader. */
function joined(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return false;
  const next = text.codePointAt(at) ?? 0;
  const start = pointBefore(text, at - 1);
  const last = text.codePointAt(start) ?? 0;
  if (next < 0x300 && last < 0x300) return next === 10 && last === 13;
  if (EXTENDS.test(String.fromCodePoint(next))) return last !== 10 && last !== 13;
  if (isFlagHalf(next) && isFlagHalf(last)) {
    let halves = 0;
    for (let place = start; place >= 0 && halves < MAX_CLUSTER && isFlagHalf(text.codePointAt(place) ?? 0); place -= 2) halves += 1;
    return halves % 2 === 1;
  }
  if (next === 10 || next === 13 || next === 32) return false;
  // Accents may stand between a sign that joins and the letter it joins; then too nothing is cut.
  return TAKES.test(String.fromCodePoint(last)) || (next >= 0xac00 && next <= 0xd7a3 && last >= 0x1100 && last <= 0x115f);
}

function isFlagHalf(point: number): boolean {
  return point >= 0x1f1e6 && point <= 0x1f1ff;
}

/** Columns a text takes in a font of fixed width: East Asian characters and emoji take two, accents none. */
export function displayWidth(text: string): number {
  let width = 0;
  let joinedNext = false;
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    if (point < 0x300) width += 1;
    else if (point === 0x200d) joinedNext = true;
    else if (joinedNext) joinedNext = false;
    else if (!EXTENDS.test(char) && !(point >= 0x200b && point <= 0x200f)) width += isWide(point) ? 2 : 1;
  }
  return width;
}

function isWide(point: number): boolean {
  return (
    point >= 0x1100 &&
    (point <= 0x115f ||
      (point >= 0x2e80 && point <= 0xa4cf) ||
      (point >= 0xac00 && point <= 0xd7a3) ||
      (point >= 0xf900 && point <= 0xfaff) ||
      (point >= 0xfe30 && point <= 0xfe6f) ||
      (point >= 0xff00 && point <= 0xff60) ||
      (point >= 0xffe0 && point <= 0xffe6) ||
      (point >= 0x1f300 && point <= 0x1faff) ||
      (point >= 0x20000 && point <= 0x3fffd))
  );
}
