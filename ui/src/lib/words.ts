/** With a capital letter, as the first word of a line. */
export const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** `botToken` is `bot token`, `api_key` is `API key`. */
export function wordsOfName(name: string): string {
  const spaced = name.replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2").replaceAll(/[_-]/g, " ").toLowerCase();
  return spaced.replaceAll(/\b(api|url|id|dm)\b/g, (word) => word.toUpperCase());
}
