/** Markdown to Discord's dialect, cut to its limit. */

/** Longest text of one message, in UTF-16 code units. */
export const TEXT_MAX = 2000;

export function render(markdown: string): string[] {
  const out: string[] = [];
  for (let at = 0; at < markdown.length; at += TEXT_MAX) {
    const part = markdown.slice(at, at + TEXT_MAX);
    if (part.trim() !== "") out.push(part);
  }
  return out;
}
