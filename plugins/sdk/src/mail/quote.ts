/** What a person wrote, without the history under it and without the signature. Cuts only where it is sure. */

/** “On … wrote:” in the languages mail programs have most often; the line may be wrapped once or twice. */
const WROTE = [
  /^On\b[^]{5,200}\bwrote:\s*$/,
  /^Am\b[^]{5,200}\bschrieb\b[^]{0,120}:\s*$/,
  /^Le\b[^]{5,200}\ba écrit\s*:\s*$/,
  /^El\b[^]{5,200}\bescribió:\s*$/,
  /^Il\b[^]{5,200}\bha scritto:\s*$/,
  /^Op\b[^]{5,200}\bschreef\b[^]{0,120}:\s*$/,
  /^Em\b[^]{5,200}\bescreveu:\s*$/,
  /^[^]{5,200}\bwrote:\s*$/,
];
const SEPARATOR = /^\s*(-{2,}\s*(Original Message|Ursprüngliche Nachricht|Message d'origine|Mensaje original|Messaggio originale)\s*-{2,}|_{20,})\s*$/i;
const OUTLOOK_HEAD = /^\s*\*?(From|Von|De|Da|Van):\*?\s.+/i;
const OUTLOOK_NEXT = /^\s*\*?(Sent|Date|Gesendet|Datum|Envoyé|Enviado|Inviato|Verzonden|To|An|À|Para|A|Aan):\*?\s.+/i;
const MOBILE = /^(Sent from my|Von meinem .* gesendet|Envoyé de mon|Enviado desde mi|Inviato da|Get Outlook for)\b.{0,60}$/i;

/** Cuts the history that is answered and the signature. What would leave nothing is left as it is. */
export function cutQuotes(text: string): string {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  // RFC 3676, 4.3: a signature begins with “-- ” on a line of its own. What is under it is not looked at.
  const signature = lines.indexOf("-- ");
  let end = historyStart(lines, signature === -1 ? lines.length : signature);
  const loose = lines.indexOf("--", Math.max(0, end - 12));
  if (loose !== -1 && loose < end) end = loose;
  while (end > 0 && (lines[end - 1] ?? "").trim() === "") end -= 1;
  if (end > 0 && MOBILE.test((lines[end - 1] ?? "").trim())) end -= 1;
  const kept = lines.slice(0, end).join("\n").trim();
  return kept === "" ? text.trim() : kept;
}

/** The line before `limit` at which only history follows: quoted lines to the end with an introduction in front, or a forwarded header. */
function historyStart(lines: readonly string[], limit: number): number {
  for (let at = 0; at < limit; at += 1) {
    const line = lines[at] ?? "";
    if (line === "") continue;
    if (SEPARATOR.test(line) && (OUTLOOK_HEAD.test(lines[at + 1] ?? "") || !line.includes("_"))) return at;
    if (OUTLOOK_HEAD.test(line) && OUTLOOK_NEXT.test(lines[at + 1] ?? "") && (at === 0 || (lines[at - 1] ?? "").trim() === "" || SEPARATOR.test(lines[at - 1] ?? ""))) return at;
    for (const span of [1, 2, 3]) {
      const last = (lines[at + span - 1] ?? "").trim();
      // An introduction is a paragraph of its own, or the last line of one; never more than one.
      if (last === "") break;
      if (!last.endsWith(":") || !onlyQuotes(lines, at + span)) continue;
      const intro = lines.slice(at, at + span).join(" ").trim();
      if (WROTE.some((pattern) => pattern.test(intro))) return at;
    }
  }
  if (limit < lines.length) return limit;
  // Without an introduction: quoted lines at the very end.
  let at = limit;
  while (at > 0 && (/^>/.test(lines[at - 1] ?? "") || (lines[at - 1] ?? "").trim() === "")) at -= 1;
  return lines.slice(at).some((line) => line.startsWith(">")) ? at : limit;
}

/** Whether what follows is quoted to its end, but for empty lines and a signature. Answers between the quotations stay, with them. */
function onlyQuotes(lines: readonly string[], from: number): boolean {
  let quoted = 0;
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.startsWith(">")) quoted += 1;
    else if (line === "-- " || line === "--") break;
    else if (line.trim() !== "") return false;
  }
  return quoted > 0;
}
