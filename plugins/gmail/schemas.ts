/** What the tools take, for the model; the host checks arguments against it before it calls. */

import type { JsonSchema } from "@kata-agents/plugin-sdk";

const object = (properties: Record<string, unknown>, required: readonly string[]): JsonSchema => ({ type: "object", properties, required, additionalProperties: false });
const words = (description: string, more: Record<string, unknown> = {}) => ({ type: "string", description, ...more });
const list = (description: string, maxItems: number, minItems = 0) => ({ type: "array", items: { type: "string", minLength: 1, maxLength: 500 }, minItems, maxItems, description });

const ID = words("Id of the e-mail, as search_emails gives it.", { minLength: 1, maxLength: 200 });
const BODY = words("The text, in Markdown.", { minLength: 1, maxLength: 100_000 });
const FILES = {
  attachments: list("Files to send along that read_email has fetched: their media ids.", 10),
  files: list("Files of the workspace to send along: paths in it, 1 MiB each at most.", 10),
};
const PEOPLE = {
  to: list("Addresses: ana@example.org or Ana <ana@example.org>.", 50, 1),
  cc: list("Addresses of those who get a copy.", 50),
  bcc: list("Addresses of those who get a copy that nobody sees.", 50),
};

export const SEARCH = object(
  {
    query: words("As in Gmail's own search: words, from:, to:, subject:, after:2026/11/01, has:attachment, is:unread. Empty: the newest.", { maxLength: 500 }),
    label: words("Only e-mails under this label, by its name.", { maxLength: 225 }),
    limit: { type: "integer", description: "How many, the newest first; default 10.", minimum: 1, maximum: 25 },
    page: words("Go on where the answer before said `nextPage`.", { maxLength: 200 }),
  },
  [],
);

export const READ = object(
  {
    id: ID,
    thread: { type: "boolean", description: "The whole conversation, the oldest first, instead of the one e-mail; default false." },
    attachment: words("Part of an attachment, as an answer before named it: fetches that file. Its media id can be sent along; of a text the words are shown.", { maxLength: 50 }),
  },
  ["id"],
);

export const SEND = object({ ...PEOPLE, subject: words("Subject, one line.", { minLength: 1, maxLength: 250 }), text: BODY, ...FILES }, ["to", "subject", "text"]);

export const REPLY = object(
  { id: ID, text: BODY, all: { type: "boolean", description: "To everybody who got it, too; default false: only to whoever wrote it." }, ...FILES },
  ["id", "text"],
);

export const MODIFY = object(
  {
    ids: list("Ids of the e-mails.", 100, 1),
    add: list("Labels to add, by name; a label that is not there is an error. STARRED, UNREAD, IMPORTANT and TRASH are labels, too.", 20),
    remove: list("Labels to take away. Without UNREAD an e-mail counts as read, without INBOX it is archived.", 20),
  },
  ["ids"],
);

export const DRAFT = object(
  {
    ...PEOPLE,
    to: list("Addresses; not needed with `replyTo`.", 50),
    subject: words("Subject, one line; not needed with `replyTo`.", { minLength: 1, maxLength: 250 }),
    text: BODY,
    replyTo: words("Id of the e-mail the draft answers; it stays in its thread.", { minLength: 1, maxLength: 200 }),
    ...FILES,
  },
  ["text"],
);
