/** The engine writes clauses, for the terminal as well; the window shows sentences. */
import type { WireError } from "@/generated/protocol";

/** With a capital and a stop. What begins with a name or a path keeps its beginning. */
export function sentence(clause: string): string {
  const text = clause.trim();
  if (text === "") return "";
  const begin = /^[a-z]+[\s,:]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?…”]$/.test(begin) ? begin : `${begin}.`;
}

/** What went wrong and what to do. */
export const errorWords = ({ message, hint }: WireError): string => [message, hint ?? ""].map(sentence).filter(Boolean).join(" ");

/** The same at a field: its name stands there already. */
export const errorAtField = (error: WireError): string => errorWords({ ...error, message: error.message.replace(/^(?:“[^”]*”:?|(?:params|content)(?:\.[\w.]+)?:) /, "") });

/** The field an error is about, with dots and brackets: by its details, else as the engine begins to say it, `“redact[0]”: …`. */
export function fieldOf({ details, message }: WireError): string {
  const named = typeof details === "object" && details !== null && "field" in details && typeof details.field === "string" ? details.field : (/^“([^”]+)”/.exec(message)?.[1] ?? "");
  return named.replaceAll("/", ".");
}
