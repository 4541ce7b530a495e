/**
 * Markdown as Matrix shows it: `org.matrix.custom.html` with a plain `body` beside it, cut into events. Pure. Only what the
 * specification lists of HTML is written; a picture from elsewhere is a link, because only `mxc:` pictures may be shown.
 */

import { type Block, type Dialect, htmlDialect, type Inline, parseMarkdown, plainText, renderParts, type Wrap } from "@kata-agents/plugin-sdk/markdown";
import type { Fields } from "./json.ts";
import { type Members, NOBODY } from "./people.ts";

/** What one event says. */
export interface Rendered {
  body: string;
  /** Absent where it would say the same as `body`. */
  html: string | undefined;
  /** Users it mentions. */
  mentions: string[];
}

/** Longest HTML of one event, bytes. With `body`, and both again in an edit's envelope, an event stays below 64 KiB. */
export const PART_MAX = 20_000;
/** Largest content, bytes of JSON; the server adds about 1 KiB of its own to come to 65,536. */
const CONTENT_MAX = 60_000;
const MATRIX_TO = "https://matrix.to/#/";
/** Addresses a client makes a link of. */
const LINK = /^(?:https?|ftp|mailto|magnet):/i;

const plainTag = (name: string): Wrap => ({ open: `<${name}>`, close: `</${name}>` });

const matrixDialect: Dialect = {
  ...htmlDialect,
  url: (url) => (LINK.test(url) ? (htmlDialect.url?.(url) ?? url) : htmlDialect.text(url, false)),
  link: (url, text) => (LINK.test(url) ? htmlDialect.link?.(url, text) : undefined),
  image: () => undefined,
  table: { whole: () => plainTag("table"), row: () => plainTag("tr"), cell: (head) => plainTag(head ? "th" : "td") },
};

/** Markdown as events. Text without any words gives none. */
export function render(markdown: string, members: Members = NOBODY): Rendered[] {
  const blocks = parseMarkdown(markdown);
  const pilled = blocks.map((block) => withMentions(block, (user, name) => ({ kind: "link", url: `${MATRIX_TO}${user}`, content: [{ kind: "text", text: name }] }), members));
  const parts = renderParts(pilled, matrixDialect, { max: PART_MAX, unit: "bytes" });
  const whole = parts.length === 1 ? plainText(blocks.map((block) => withMentions(block, (_, name) => ({ kind: "text", text: name }), members))) : undefined;
  return parts.map((part) => {
    const html = unwrapped(part.text, pilled);
    const body = whole ?? part.plain;
    return { body, html: /[<&]/.test(html) ? html : undefined, mentions: mentioned(html, members) };
  });
}

/** One paragraph needs no marks of its own. */
function unwrapped(html: string, blocks: readonly Block[]): string {
  const one = blocks.length === 1 && blocks[0]?.kind === "paragraph" && html.startsWith("<p>") && html.endsWith("</p>");
  return one ? html.slice(3, -4) : html;
}

/** Pills that were really written, so that nobody is notified by what was cut off. */
function mentioned(html: string, members: Members): string[] {
  return [...members.nameOf.keys()].filter((user) => html.includes(`<a href="${MATRIX_TO}${user}">`)).sort();
}

type Make = (user: string, name: string) => Inline;

function withMentions(block: Block, make: Make, members: Members): Block {
  if (members.nameOf.size === 0) return block;
  const inline = (content: Inline[]) => content.flatMap((one) => mentionsIn(one, make, members));
  const within = (blocks: Block[]) => blocks.map((one) => withMentions(one, make, members));
  switch (block.kind) {
    case "paragraph":
    case "heading":
      return { ...block, content: inline(block.content) };
    case "quote":
      return { ...block, blocks: within(block.blocks) };
    case "list":
      return { ...block, items: block.items.map((item) => ({ ...item, blocks: within(item.blocks) })) };
    case "table":
      return { ...block, head: block.head.map(inline), rows: block.rows.map((row) => row.map(inline)) };
    default:
      return block;
  }
}

function mentionsIn(inline: Inline, make: Make, members: Members): Inline[] {
  switch (inline.kind) {
    case "strong":
    case "emphasis":
    case "strike":
      return [{ ...inline, content: inline.content.flatMap((one) => mentionsIn(one, make, members)) }];
    case "text":
      return inText(inline.text, make, members);
    default:
      return [inline];
  }
}

/** `@ann:example.org`, or `@Ann` where one member has that name; the longest name that stands there counts. */
function inText(text: string, make: Make, members: Members): Inline[] {
  const out: Inline[] = [];
  let from = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (at < from || /[\p{L}\p{N}_]/u.test(text.charAt(at - 1))) continue;
    const found = memberAt(text, at, members);
    if (found === undefined) continue;
    if (at > from) out.push({ kind: "text", text: text.slice(from, at) });
    out.push(make(found.user, members.nameOf.get(found.user) ?? found.user));
    from = at + found.length;
  }
  if (from < text.length) out.push({ kind: "text", text: text.slice(from) });
  return out;
}

function memberAt(text: string, at: number, { byName, nameOf }: Members): { user: string; length: number } | undefined {
  let best: { user: string; length: number } | undefined;
  const rest = text.slice(at, at + 300);
  const lower = rest.slice(1).toLowerCase();
  const ends = (length: number) => !/[\p{L}\p{N}_]/u.test(rest.charAt(length));
  for (const user of nameOf.keys()) if (rest.startsWith(user) && ends(user.length) && user.length > (best?.length ?? 0)) best = { user, length: user.length };
  for (const [name, user] of byName) {
    if (lower.startsWith(name) && ends(name.length + 1) && name.length + 1 > (best?.length ?? 0)) best = { user, length: name.length + 1 };
  }
  return best;
}

/** A message's content. What is too large with its HTML goes without. */
export function contentOf({ body, html, mentions }: Rendered, msgtype: string, relates?: Fields): Fields {
  const base = { msgtype, body, "m.mentions": mentions.length === 0 ? {} : { user_ids: mentions }, ...(relates === undefined ? {} : { "m.relates_to": relates }) };
  if (html === undefined) return base;
  const full = { ...base, format: "org.matrix.custom.html", formatted_body: html };
  return sizeOf(full) <= CONTENT_MAX ? full : base;
}

/** Content of an edit: the new message, and for clients that know no edits its beginning with a mark. */
export function editOf(rendered: Rendered, msgtype: string, target: string): Fields {
  const fresh = contentOf({ ...rendered }, msgtype);
  const short = rendered.body.length <= 500 ? rendered.body : `${rendered.body.slice(0, 500).replace(/[\ud800-\udbff]$/, "")}…`;
  // Who was mentioned before is not notified again: the envelope's mentions are those that are new, and here none is known to be.
  return { msgtype, body: `* ${short}`, "m.mentions": {}, "m.new_content": fresh, "m.relates_to": { rel_type: "m.replace", event_id: target } };
}

/** Bytes of a content's JSON. */
export function sizeOf(content: Fields): number {
  return new TextEncoder().encode(JSON.stringify(content)).length;
}
