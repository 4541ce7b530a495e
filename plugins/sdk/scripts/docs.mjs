/**
 * What is generated from the SDK's own declarations: the reference in `docs/plugins/reference.md`, and
 * `plugins/sdk/kata-plugin-sdk.d.ts`, one file that tells an editor the SDK's types where there is no `node_modules`.
 *
 *     node docs.mjs DECLARATIONS INTO
 *
 * DECLARATIONS is what `tsc -p plugins/sdk` has emitted. Reads text, not a syntax tree: TypeScript 7 has no API for one, and
 * the SDK is ours, so its shape is known and whatever does not have it is an error. The same input gives the same bytes.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Files in the order of the reference: path and heading. */
export const MAIN = [
  ["runtime", "What a plugin imports"],
  ["api", "What it registers"],
  ["context", "What each call is given"],
  ["hooks", "Hooks"],
  ["socket", "TCP"],
  ["route", "Routes"],
  ["channel", "Channels"],
  ["adapters/outbound", "Channel part: outbound"],
  ["adapters/messaging", "Channel part: messaging"],
  ["adapters/heartbeat", "Channel part: heartbeat"],
  ["adapters/setup", "Channel part: setup"],
  ["adapters/auth", "Channel part: auth"],
  ["adapters/config", "Channel part: config"],
  ["adapters/status", "Channel part: status"],
  ["adapters/directory", "Channel part: directory"],
  ["adapters/security", "Channel part: security"],
  ["adapters/threading", "Channel part: threading"],
  ["generated", "Types that cross the boundary"],
];
/** Modules beside the main one: specifier, then its files. */
export const MARKDOWN = [
  ["markdown/blocks", "Markdown: reading it"],
  ["markdown/ast", "Markdown: the tree"],
  ["markdown/render", "Markdown: writing messages"],
  ["markdown/dialect", "Markdown: dialects"],
  ["markdown/table", "Markdown: tables"],
  ["markdown/inline", "Markdown: words"],
  ["markdown/grapheme", "Markdown: characters"],
];
export const SENDING = [
  ["sending/request", "Sending: requests"],
  ["sending/partial", "Sending: what is out already"],
  ["sending/backoff", "Sending: waits"],
  ["sending/names", "Sending: names"],
  ["sending/clock", "Sending: time"],
];
export const MAIL = [
  ["mail/headers", "Mail: headers"],
  ["mail/html", "Mail: HTML as text"],
  ["mail/quote", "Mail: what a person wrote"],
  ["mail/judge", "Mail: who is believed"],
  ["mail/compose", "Mail: writing one"],
  ["mail/bytes", "Mail: bytes"],
  ["mail/charset", "Mail: charsets"],
];
export const GOOGLE = [
  ["google/api", "Google: asking"],
  ["google/failures", "Google: failures"],
  ["google/quota", "Google: budgets"],
  ["google/json", "Google: reading answers"],
];
export const TESTING = [
  ["testing/contract", "Testing: contracts"],
  ["testing/channel", "Testing: channels"],
  ["testing/service", "Testing: services"],
  ["testing/tool", "Testing: tools and hooks"],
  ["testing/host", "Testing: the fake host"],
  ["testing/fetch", "Testing: the fake network"],
  ["testing/socket", "Testing: fake sockets"],
  ["testing/tcp", "Testing: fake TCP"],
  ["testing/clock", "Testing: the fake clock"],
  ["testing/load", "Testing: loading a plugin"],
];

/** The wire type gives way to the class of the same name, which carries the same fields. */
const RENAMED = [/\bSendError\b/g, "SendErrorFields"];

/** A comment's text, without its frame. */
function plain(comment) {
  return comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim() === "" ? "" : line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim();
}

/** Splits a declaration file into its own comment, its imports, and its exports with theirs. */
export function parse(name, text) {
  const lines = text.split("\n");
  const file = { doc: "", imports: [], items: [] };
  let comment;
  let first = true;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (line.trim() === "" || line.startsWith("//") || line === "export {};") continue;
    if (line.startsWith("/**")) {
      let end = at;
      while (!lines[end].includes("*/")) end += 1;
      const body = lines.slice(at, end + 1).join("\n");
      at = end;
      if (first && name !== "generated") file.doc = plain(body);
      else comment = body;
      first = false;
      continue;
    }
    first = false;
    let end = at;
    if (line.startsWith("import ")) {
      while (!lines[end].includes(" from ")) end += 1;
      file.imports.push(lines.slice(at, end + 1).join(" "));
      at = end;
      continue;
    }
    if (!line.startsWith("export ")) throw new Error(`${name}: this is no export: ${line}`);
    // A type ends with a `;` outside of all braces, anything else with a `;` or a `}`.
    let depth = 0;
    const isType = line.startsWith("export type ");
    for (; ; end += 1) {
      if (end >= lines.length) throw new Error(`${name}: a declaration has no end: ${line}`);
      const code = lines[end].replace(/"[^"]*"/g, "").replace(/\/\*.*?\*\/|\/\/.*$|^\s*\*.*$|\/\*.*$/g, "");
      for (const c of code) depth += "{([".includes(c) ? 1 : "})]".includes(c) ? -1 : 0;
      if (depth === 0 && (isType ? /;\s*$/ : /[;}]\s*$/).test(code)) break;
    }
    const code = lines.slice(at, end + 1).join("\n");
    const named = /^export (?:declare )?(?:type|interface|class|function|const) (\w+)/.exec(code);
    if (named === null) throw new Error(`${name}: a declaration of an unknown kind: ${line}`);
    if (comment === undefined) throw new Error(`${name}: ${named[1]} has no doc comment`);
    file.items.push({ name: named[1], comment, code });
    comment = undefined;
    at = end;
  }
  return file;
}

/** Members without a comment, which the reference would not explain. */
export function undocumented(item) {
  if (!/^export (?:declare )?(?:interface|class) /.test(item.code)) return [];
  const lines = item.code.split("\n").slice(1);
  return lines.filter((line, at) => {
    const member = /^ {4}(?:readonly |static |get )*(\w+)[?(<:]/.exec(line);
    return member !== null && member[1] !== "constructor" && !(lines[at - 1] ?? "").trim().endsWith("*/");
  }).map((line) => `${item.name}.${line.trim()}`);
}

const tidy = (code) => code.replace(/^export declare /, "export ").replace(/^( {4})+/gm, (indent) => " ".repeat(indent.length / 2));

/** `docs/plugins/reference.md`. */
export function reference(read) {
  const out = [
    "<!-- Generated from the SDK's doc comments by `cargo xtask gen`. Do not edit. -->",
    "# Plugin API reference",
    "",
    "API version 1. Everything here is imported from `@kata-agents/plugin-sdk`; the parts that begin with “Markdown”, “Sending”,",
    "“Mail”, “Google” and “Testing” from `@kata-agents/plugin-sdk/markdown`, `…/sending`, `…/mail`, `…/google` and `…/testing`. What may",
    "change is written in [compatibility.md](compatibility.md).",
    "",
  ];
  const files = [...MAIN, ...MARKDOWN, ...SENDING, ...MAIL, ...GOOGLE, ...TESTING].map(([name, heading]) => ({ name, heading, file: parse(name, read(name)) }));
  for (const { heading, file } of files) {
    const anchor = heading.toLowerCase().replace(/[^a-z0-9 -]/g, "").replaceAll(" ", "-");
    out.push(`- [${heading}](#${anchor}): ${file.items.map((item) => `\`${item.name}\``).join(", ")}`);
  }
  for (const { name, heading, file } of files) {
    out.push("", `## ${heading}`, "");
    if (file.doc !== "") out.push(file.doc, "");
    for (const item of file.items) {
      const missing = name === "generated" ? [] : undocumented(item);
      if (missing.length > 0) throw new Error(`${name}: without a doc comment: ${missing.join(", ")}`);
      out.push(`### \`${item.name}\``, "", plain(item.comment), "", "```ts", tidy(item.code), "```", "");
    }
  }
  return `${out.join("\n").replace(/\n{3,}/g, "\n\n").trim()}\n`;
}

const indent = (text) => text.replace(/^(?=.)/gm, "  ");

function body(files, read) {
  return files
    .flatMap(([name]) =>
      parse(name, read(name)).items.map((item) => {
        const text = `${item.comment}\n${tidy(item.code)}`;
        return indent(name === "generated" ? text.replace(...RENAMED) : text);
      }),
    )
    .join("\n");
}

/** A module beside the main one, with what it takes from there. */
function beside(specifier, files, read) {
  const imported = new Map();
  for (const [name] of files) {
    for (const line of parse(name, read(name)).imports) {
      const [, names, from] = /\{(.*)\} from "(.*)"/.exec(line);
      if (from.startsWith("./")) continue;
      const module = from.startsWith("../") ? "@kata-agents/plugin-sdk" : from;
      const known = imported.get(module) ?? imported.set(module, new Set()).get(module);
      for (const one of names.split(",")) known.add(one.replace(/^\s*type\s/, "").trim());
      known.delete("");
    }
  }
  const lines = [...imported].sort(([a], [b]) => (a < b ? -1 : 1)).map(([module, names]) => `  import type { ${[...names].sort().join(", ")} } from "${module}";`);
  return ["", `declare module "${specifier}" {`, ...(lines.length > 0 ? [...lines, ""] : []), body(files, read), "}"];
}

/** `plugins/sdk/kata-plugin-sdk.d.ts`. */
export function declarations(read) {
  return [
    "// Generated by `cargo xtask gen`: the types of the plugin API for editors. Do not edit.",
    "",
    'declare module "@kata-agents/plugin-sdk" {',
    body(MAIN, read),
    "}",
    ...beside("@kata-agents/plugin-sdk/markdown", MARKDOWN, read),
    ...beside("@kata-agents/plugin-sdk/sending", SENDING, read),
    ...beside("@kata-agents/plugin-sdk/mail", MAIL, read),
    ...beside("@kata-agents/plugin-sdk/google", GOOGLE, read),
    ...beside("@kata-agents/plugin-sdk/testing", TESTING, read),
    "",
  ].join("\n");
}

function main([from, into]) {
  const read = (name) => readFileSync(join(from, `${name}.d.ts`), "utf8").replaceAll("\r\n", "\n");
  for (const [path, text] of [
    ["docs/plugins/reference.md", reference(read)],
    ["plugins/sdk/kata-plugin-sdk.d.ts", declarations(read)],
  ]) {
    mkdirSync(dirname(join(into, path)), { recursive: true });
    writeFileSync(join(into, path), text);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
