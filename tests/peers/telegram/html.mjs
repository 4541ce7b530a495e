// Telegram's HTML as its documentation describes it (https://core.telegram.org/bots/api#html-style): the few tags it knows,
// closed in order, `&lt;` and the like. Gives the text a reader sees, or the complaint Telegram would answer with.

const TAGS = new Set(["b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "span", "tg-spoiler", "a", "tg-emoji", "code", "pre", "blockquote"]);

export function readHtml(html) {
  const open = [];
  let text = "";
  let at = 0;
  const fail = (why) => ({ error: `Bad Request: can't parse entities: ${why}` });
  while (at < html.length) {
    const char = html[at];
    if (char === "&") {
      const match = /^&(lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);/.exec(html.slice(at, at + 12));
      if (match === null) {
        text += "&";
        at += 1;
        continue;
      }
      text += { lt: "<", gt: ">", amp: "&", quot: '"' }[match[1]] ?? String.fromCodePoint(Number(match[1].slice(1).replace("x", "0x")));
      at += match[0].length;
    } else if (char === "<") {
      const match = /^<(\/?)([a-zA-Z-]+)((?:\s+[a-z-]+="[^"<>]*")*)\s*>/.exec(html.slice(at, at + 4096));
      if (match === null) return fail(`Unsupported start tag at byte offset ${at}`);
      const [whole, slash, name] = match;
      if (!TAGS.has(name)) return fail(`Unsupported start tag "${name}" at byte offset ${at}`);
      if (slash === "") {
        if (name === "blockquote" && open.includes("blockquote")) return fail(`Nested blockquote at byte offset ${at}`);
        open.push(name);
      } else if (open.pop() !== name) return fail(`Unmatched end tag at byte offset ${at}`);
      at += whole.length;
    } else {
      text += char;
      at += 1;
    }
  }
  return open.length > 0 ? fail(`Can't find end tag corresponding to start tag "${open.at(-1)}"`) : { text };
}
