/** Texts of any charset. What the host's decoder does not know and mail often has stands here as the upper half of a table. */

import { rawOf } from "./bytes.ts";

/** Characters of 0x80 to 0xFF (0xA0 to 0xFF for the ISO ones, whose lower rows are controls). */
const UPPER: Readonly<Record<string, string>> = {
  "iso-8859-2": " Ą˘Ł¤ĽŚ§¨ŠŞŤŹ­ŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
  "iso-8859-5": " ЁЂЃЄЅІЇЈЉЊЋЌ­ЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя№ёђѓєѕіїјљњћќ§ўџ",
  "iso-8859-9": " ¡¢£¤¥¦§¨©ª«¬­®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ",
  "iso-8859-15": " ¡¢£€¥Š§š©ª«¬­®¯°±²³Žµ¶·ž¹º»ŒœŸ¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ",
  "windows-1250": "€‚„…†‡‰Š‹ŚŤŽŹ‘’“”•–—™š›śťžź ˇ˘Ł¤Ą¦§¨©Ş«¬­®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙",
  "windows-1251": "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџ ЎўЈ¤Ґ¦§Ё©Є«¬­®Ї°±Ііґµ¶·ё№є»јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя",
  "koi8-r": "─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥ ⌡°²·÷═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ",
};
const ALIASES: Readonly<Record<string, string>> = {
  latin2: "iso-8859-2",
  latin9: "iso-8859-15",
  "iso8859-15": "iso-8859-15",
  cp1250: "windows-1250",
  cp1251: "windows-1251",
  "koi8-u": "koi8-r",
};

/** Bytes as text. Of an unknown charset it is read as UTF-8, else as Latin 1: words that are wrong in places are better than none. */
export function decodeText(bytes: Uint8Array, charset: string | undefined): string {
  const label = (charset ?? "utf-8").trim().toLowerCase();
  const name = ALIASES[label] ?? label;
  const table = UPPER[name];
  if (table !== undefined) return fromTable(bytes, table, name);
  try {
    return new TextDecoder(name).decode(bytes);
  } catch {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return rawOf(bytes);
    }
  }
}

function fromTable(bytes: Uint8Array, table: string, name: string): string {
  // A few places of the windows tables have no character; a table that is shorter is anchored at its end.
  const upper = [...table.replaceAll(" ", "\u00a0")];
  const iso = upper.length === 96;
  return Array.from(bytes, (byte) => {
    if (byte < 0x80) return String.fromCharCode(byte);
    if (iso) return byte < 0xa0 ? "" : upper[byte - 0xa0];
    if (upper.length === 128) return upper[byte - 0x80];
    return gapped(name, upper, byte);
  }).join("");
}

/** Bytes without a character in a windows table, in order. */
const GAPS: Readonly<Record<string, readonly number[]>> = {
  "windows-1250": [0x81, 0x83, 0x88, 0x90, 0x98],
  "windows-1251": [0x98],
};

function gapped(name: string, upper: readonly string[], byte: number): string {
  const gaps = GAPS[name] ?? [];
  if (gaps.includes(byte)) return "\ufffd";
  return upper[byte - 0x80 - gaps.filter((gap) => gap < byte).length] ?? "\ufffd";
}
