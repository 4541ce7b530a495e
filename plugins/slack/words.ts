/**
 * Slack's own writing of a message's text, made readable: `<@U1>` becomes a name, `<url|words>` words with their address,
 * entities characters. Pure; names are looked up by whoever calls.
 *
 * Source: docs.slack.dev/messaging/formatting-message-text, “Retrieving messages”.
 */

/** What stands between `<` and `>`. */
const MARK = /<([^<>]{1,3000})>/g;

/** Ids of people and conversations that a text names without saying their names. */
export function idsIn(text: string): { users: string[]; channels: string[] } {
  const users = new Set<string>();
  const channels = new Set<string>();
  for (const [, inside = ""] of text.matchAll(MARK)) {
    const [id, label] = split(inside.slice(1));
    if (label !== undefined && label !== "") continue;
    if (inside.startsWith("@")) users.add(id);
    if (inside.startsWith("#")) channels.add(id);
  }
  return { users: [...users].slice(0, 20), channels: [...channels].slice(0, 20) };
}

/** Whether a text mentions a person. */
export function mentions(text: string, user: string): boolean {
  return text.includes(`<@${user}>`) || text.includes(`<@${user}|`);
}

/** Whether a text begins by addressing `user`; the rest of it. */
export function withoutAddress(text: string, user: string): string {
  const match = /^\s*<@([A-Z0-9]+)(?:\|[^<>]*)?>[\s:,]*/.exec(text);
  return match?.[1] === user ? text.slice(match[0].length) : text;
}

/** The text as a person reads it. `names` knows people and conversations by id. */
export function readable(text: string, names: ReadonlyMap<string, string>): string {
  return plain(text.replace(MARK, (_, inside: string) => written(inside, names)));
}

function written(inside: string, names: ReadonlyMap<string, string>): string {
  const [target, label] = split(inside);
  const name = (id: string) => (label === undefined || label === "" ? (names.get(id) ?? id) : label.replace(/^[@#]/, ""));
  if (target.startsWith("@")) return `@${name(target.slice(1))}`;
  if (target.startsWith("#")) return `#${name(target.slice(1)).replace(/^#/, "")}`;
  if (target.startsWith("!")) return special(target.slice(1), label);
  const address = target.replace(/^(?:mailto|tel):/, "");
  return label === undefined || label === "" || label === address || label === target ? address : `${label} (${address})`;
}

function special(what: string, label: string | undefined): string {
  if (label !== undefined && label !== "") return label;
  if (what.startsWith("subteam^")) return `@${what.slice("subteam^".length)}`;
  return `@${what.split("^")[0] ?? what}`;
}

function split(inside: string): [string, string | undefined] {
  const at = inside.indexOf("|");
  return at < 0 ? [inside, undefined] : [inside.slice(0, at), inside.slice(at + 1)];
}

function plain(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
