/**
 * `@kata-agents/plugin-sdk/mail`: what mail is made of, whichever way it comes: bytes, charsets, headers, HTML as text, what a person
 * wrote without the history, who is believed, and how a message is built. Served by the host inside a plugin's runtime; linear in the
 * length of a mail, whoever wrote it.
 */

export * from "./bytes.ts";
export * from "./charset.ts";
export * from "./compose.ts";
export * from "./headers.ts";
export * from "./html.ts";
export * from "./judge.ts";
export * from "./quote.ts";
