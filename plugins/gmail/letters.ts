/** Letters that go out: new ones, and answers that stay in their thread. What a thread needs: its id, `In-Reply-To`, `References`, its subject. */

import type { PluginContext } from "@kata-agents/plugin-sdk";
import { ancestors, bareSubject, compose, type Enclosure, type Letter, type Mailbox as Person, messageIds, parseAddresses, rawOf, utf8 } from "@kata-agents/plugin-sdk/mail";
import type { Mail } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Settings } from "./settings.ts";

/** Whom an answer goes to, and what ties it to its thread. */
export interface Answered {
  to: Person[];
  cc: Person[];
  subject: string;
  thread: string;
  inReplyTo: string | undefined;
  references: string[];
}

/** Most people of one letter. */
const MOST_PEOPLE = 100;

/** An answer to a message: to whoever wrote it, to `Reply-To` where a person looks at it first, and to all where that is wanted. */
export function answerTo(mail: Mail, own: string, how: { all: boolean; replyTo: boolean }): Answered {
  const { headers } = mail;
  const from = parseAddresses(headers.raw("from"));
  const wanted = how.replyTo ? parseAddresses(headers.raw("reply-to")) : [];
  const toOf = parseAddresses(headers.raw("to"));
  // Answering what one has sent oneself goes on to whom it was sent.
  const mine = from.some((one) => one.address === own);
  const to = distinct(mine ? toOf : wanted.length > 0 ? wanted : from, []);
  const others = how.all ? distinct([...(mine ? [] : toOf), ...parseAddresses(headers.raw("cc"))], [own, ...to.map((one) => one.address)]) : [];
  const id = messageIds(headers.raw("message-id"))[0];
  const subject = bareSubject(headers.text("subject") ?? "");
  return {
    to: to.length === 0 && mine ? from : to,
    cc: others,
    subject: `Re: ${subject}`.trim(),
    thread: mail.thread,
    inReplyTo: id,
    references: [...ancestors(headers, id), ...(id === undefined ? [] : [id])],
  };
}

function distinct(people: readonly Person[], without: readonly string[]): Person[] {
  const known = new Set(without);
  return people.filter(({ address }) => !known.has(address) && known.add(address)).slice(0, MOST_PEOPLE);
}

/** Addresses as the model writes them: `ana@example.org` or `Ana <ana@example.org>`. */
export function peopleOf(field: string, list: readonly string[]): Person[] {
  return distinct(
    list.flatMap((one) => {
      const found = parseAddresses(rawOf(utf8(one)));
      if (found.length === 0) throw new Error(`\`${field}\`: “${one.slice(0, 80)}” is no address; write ana@example.org or Ana <ana@example.org>.`);
      return found;
    }),
    [],
  );
}

/** An id of our own for a message: the same for the same key. */
export async function idFor(key: string, own: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  const short = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `kata.${short}@${own.split("@")[1] ?? "kata.invalid"}`;
}

/** The letter as it goes to Gmail, in pieces. */
export async function written(
  letter: Omit<Letter, "from" | "id" | "date">,
  { box, ctx, settings, key }: { box: Mailbox; ctx: PluginContext; settings: Settings; key: string },
): Promise<Iterable<string>> {
  const own = await box.address(ctx);
  return compose({ ...letter, from: { address: own, name: settings.fromName || null }, id: await idFor(key, own), date: box.api.now() });
}

/** What kind of error a size is. */
export function checkSize(files: readonly Pick<Enclosure, "name">[], bytes: number, most: number): string | undefined {
  return bytes > most ? `the files (${files.map((one) => one.name).join(", ").slice(0, 200)}) have ${bytes} bytes; together they may have ${most}` : undefined;
}
