/** Reads a feed, whatever its kind: RSS 2.0 and 1.0, Atom (RFC 4287), JSON Feed 1.1. */

import { allText, child, decoded, type Element, parse } from "./xml.ts";

/** Entries of one feed that are looked at. */
const MAX_ENTRIES = 200;
/** Characters of a title and of a summary that are kept. */
const MAX_TITLE = 300;
const MAX_TEXT = 2_000;

/** One entry. */
export interface Entry {
  /** Unique in its feed, and the same at every look. */
  id: string;
  title: string;
  /** Address, or a path in the workspace. */
  link: string;
  /** What it says, as plain text. */
  text: string;
  /** When it was published, milliseconds; absent where the feed does not say. */
  at?: number;
}

/** A feed. */
export interface Feed {
  title: string;
  entries: Entry[];
}

/** Text without markup, on one line. */
export function plain(text: string, most: number): string {
  const bare = decoded(text.replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, " ").replace(/<[^>]*>/g, " "));
  const line = bare.replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

const timeOf = (text: string | undefined): number | undefined => {
  const at = text === undefined ? Number.NaN : Date.parse(text.trim());
  return Number.isFinite(at) && at > 0 ? at : undefined;
};

/** An address as a person can open it: http and https alone. */
function address(link: string, base: string): string {
  const trimmed = link.trim();
  if (trimmed === "" || !URL.canParse(trimmed, base)) return "";
  const url = new URL(trimmed, base);
  return url.protocol === "http:" || url.protocol === "https:" ? url.href.slice(0, 2_000) : "";
}

function entry(parts: { id: string; title: string; link: string; text: string; at: number | undefined }, base: string): Entry | undefined {
  const link = address(parts.link, base);
  const text = plain(parts.text, MAX_TEXT);
  const title = plain(parts.title, MAX_TITLE) || text.slice(0, 80) || link;
  const id = (parts.id.trim() || link || title).slice(0, 1_000);
  if (id === "") return undefined;
  return { id, title, link, text, ...(parts.at === undefined ? {} : { at: parts.at }) };
}

function rss(root: Element, base: string): Feed {
  const channel = child(root, "channel") ?? root;
  const items = [...channel.children, ...(root === channel ? [] : root.children)].filter((one) => one.name === "item");
  const say = (item: Element, ...names: string[]): string => {
    const found = child(item, ...names);
    return found === undefined ? "" : allText(found);
  };
  return {
    title: plain(say(channel, "title"), MAX_TITLE),
    entries: items.slice(0, MAX_ENTRIES).flatMap((item) => {
      const id = say(item, "guid") || (item.attributes["rdf:about"] ?? "");
      const at = timeOf(say(item, "pubdate", "dc:date") || undefined);
      const made = entry({ id, title: say(item, "title"), link: say(item, "link") || id, text: say(item, "content:encoded", "description"), at }, base);
      return made === undefined ? [] : [made];
    }),
  };
}

function atom(root: Element, base: string): Feed {
  const linkOf = (one: Element): string => {
    const links = one.children.filter((c) => c.name === "link");
    const best = links.find((c) => (c.attributes["rel"] ?? "alternate") === "alternate") ?? links[0];
    return best?.attributes["href"] ?? "";
  };
  const say = (one: Element, ...names: string[]): string => {
    const found = child(one, ...names);
    return found === undefined ? "" : allText(found);
  };
  return {
    title: plain(say(root, "title"), MAX_TITLE),
    entries: root.children
      .filter((one) => one.name === "entry")
      .slice(0, MAX_ENTRIES)
      .flatMap((one) => {
        const at = timeOf(say(one, "published", "updated") || undefined);
        const made = entry({ id: say(one, "id"), title: say(one, "title"), link: linkOf(one), text: say(one, "content", "summary"), at }, base);
        return made === undefined ? [] : [made];
      }),
  };
}

function jsonFeed(value: unknown, base: string): Feed {
  const feed = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const items = feed["items"];
  if (!Array.isArray(items)) throw new Error("its JSON has no `items`");
  const text = (one: Record<string, unknown>, ...names: string[]): string => {
    for (const name of names) {
      const found = one[name];
      if (typeof found === "string" || typeof found === "number") return String(found);
    }
    return "";
  };
  return {
    title: plain(text(feed, "title"), MAX_TITLE),
    entries: items.slice(0, MAX_ENTRIES).flatMap((item: unknown) => {
      if (typeof item !== "object" || item === null) return [];
      const one = item as Record<string, unknown>;
      const at = timeOf(text(one, "date_published", "date_modified") || undefined);
      const made = entry({ id: text(one, "id"), title: text(one, "title"), link: text(one, "url", "external_url"), text: text(one, "content_text", "summary", "content_html"), at }, base);
      return made === undefined ? [] : [made];
    }),
  };
}

/** Reads one. Throws in words where it is none. */
export function readFeed(text: string, base: string): Feed {
  const bare = text.replace(/^\ufeff/, "").trimStart();
  if (bare.startsWith("{")) {
    let value: unknown;
    try {
      value = JSON.parse(bare);
    } catch {
      throw new Error("it begins like JSON and is none");
    }
    return jsonFeed(value, base);
  }
  const root = parse(bare);
  if (root.name === "rss" || root.name === "rdf:rdf") return rss(root, base);
  if (root.name === "feed" || root.name.endsWith(":feed")) return atom(root, base);
  throw new Error(root.name === "html" ? "it is a web page and no feed" : `it is no feed: it begins with <${root.name.slice(0, 40)}>`);
}
