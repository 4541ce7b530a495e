/**
 * Just enough XML for feeds: elements, attributes, text, CDATA and character references. Forgiving, because feeds are what they are:
 * an end tag that fits nothing is passed over. Deliberately absent: entities of a document type (nothing is ever expanded but the
 * known ones), and namespaces beyond the prefix.
 */

/** Elements of one document. */
const MAX_ELEMENTS = 20_000;
/** Elements within one another. */
const MAX_DEPTH = 64;

/** An element. */
export interface Element {
  /** Name with its prefix, in lower case. */
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: Element[];
  /** Its own text and that of CDATA, in order. */
  text: string;
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", hellip: "…", ndash: "–", mdash: "—" };

/** Character references as characters; what is none stays as it is. */
export function decoded(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/gi, (whole: string, name: string) => {
    if (!name.startsWith("#")) return NAMED[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "";
  });
}

function attributesOf(tag: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name, quoted, single] of tag.matchAll(/([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (name !== undefined) found[name.toLowerCase()] = decoded(quoted ?? single ?? "");
  }
  return found;
}

/** The end of the tag that begins at `from`: a `>` outside of quotes. */
function endOfTag(text: string, from: number): number {
  let quote = "";
  for (let at = from; at < text.length; at += 1) {
    const c = text.charAt(at);
    if (quote !== "") quote = c === quote ? "" : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === ">") return at;
  }
  return -1;
}

/** The root element. Throws where there is none, and where the document is beyond every feed's size. */
export function parse(text: string): Element {
  const top: Element = { name: "", attributes: {}, children: [], text: "" };
  const open: Element[] = [top];
  let elements = 0;
  let at = 0;
  const inner = (): Element => open[open.length - 1] ?? top;
  while (at < text.length) {
    const tag = text.indexOf("<", at);
    if (tag < 0) break;
    if (tag > at) inner().text += decoded(text.slice(at, tag));
    const skip = (end: string): number => {
      const found = text.indexOf(end, tag);
      return found < 0 ? text.length : found + end.length;
    };
    if (text.startsWith("<![CDATA[", tag)) {
      at = skip("]]>");
      inner().text += text.slice(tag + 9, Math.max(tag + 9, at - 3));
      continue;
    }
    if (text.startsWith("<!--", tag)) {
      at = skip("-->");
      continue;
    }
    if (text.startsWith("<?", tag)) {
      at = skip("?>");
      continue;
    }
    const end = endOfTag(text, tag + 1);
    if (end < 0) break;
    at = end + 1;
    if (text.startsWith("<!", tag)) {
      // A document type with declarations of its own: past them.
      const subset = text.slice(tag, end).indexOf("[");
      if (subset >= 0) at = skip("]>");
      continue;
    }
    const inside = text.slice(tag + 1, end);
    if (inside.startsWith("/")) {
      const name = inside.slice(1).trim().toLowerCase();
      const fits = open.findLastIndex((element) => element.name === name);
      if (fits > 0) open.length = fits;
      continue;
    }
    const name = /^[^\s/]+/.exec(inside)?.[0]?.toLowerCase() ?? "";
    if (name === "") continue;
    elements += 1;
    if (elements > MAX_ELEMENTS) throw new Error(`the document has more than ${MAX_ELEMENTS} elements`);
    const element: Element = { name, attributes: attributesOf(inside.slice(name.length)), children: [], text: "" };
    inner().children.push(element);
    if (!inside.endsWith("/")) {
      if (open.length >= MAX_DEPTH) throw new Error("the document is nested too deep");
      open.push(element);
    }
  }
  const root = top.children[0];
  if (root === undefined) throw new Error("it is no XML document");
  return root;
}

/** The first child of one of these names. */
export const child = (element: Element, ...names: string[]): Element | undefined => {
  for (const name of names) {
    const found = element.children.find((one) => one.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** All text below an element. */
export function allText(element: Element): string {
  let text = element.text;
  for (const one of element.children) text += ` ${allText(one)}`;
  return text;
}
