/** HTML of a mail as text. Linear in its length; knows nothing of styles, and never shows what is not meant to be read. */

const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", copy: "©", reg: "®", trade: "™", hellip: "…", ndash: "–", mdash: "—", lsquo: "‘",
  rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", bull: "•", middot: "·", euro: "€", pound: "£", deg: "°", times: "×", shy: "", zwnj: "",
  auml: "ä", ouml: "ö", uuml: "ü", Auml: "Ä", Ouml: "Ö", Uuml: "Ü", szlig: "ß", eacute: "é", egrave: "è", agrave: "à", ccedil: "ç", ntilde: "ñ",
};
const HIDDEN = new Set(["script", "style", "head", "title", "noscript", "template"]);
const BLOCKS = new Set(["p", "div", "table", "tr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "section", "article", "header", "footer"]);
const SPACED = new Set(["p", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "table"]);

function entities(text: string): string {
  return text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});/gi, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? ENTITIES[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : "";
  });
}

/** A quoted history begins here: what mail programs put around what is answered. */
const QUOTES = /class\s*=\s*["']?[^"'>]*\b(gmail_quote|gmail_extra|moz-cite-prefix|protonmail_quote|yahoo_quoted|OutlookMessageHeader|tutanota_quote)\b|id\s*=\s*["']?(appendonsend|divRplyFwdMsg|reply-intro)\b/i;

class Writer {
  out = "";
  #lines = 2;
  #space = false;
  quote = 0;

  line(): void {
    this.#space = false;
    if (this.#lines === 0) this.#end();
  }
  gap(): void {
    this.line();
    if (this.#lines === 1) this.#end();
  }
  #end(): void {
    this.out += "\n";
    this.#lines += 1;
  }
  text(text: string, pre: boolean): void {
    if (pre) {
      for (const [index, line] of text.replace(/\r\n?/g, "\n").split("\n").entries()) {
        if (index > 0) this.#end();
        if (line !== "") this.#put(line);
      }
      return;
    }
    for (const [index, word] of text.split(/[ \t\r\n\f]+/).entries()) {
      if (index > 0) this.#space = true;
      if (word === "") continue;
      this.#put(this.#space && this.#lines === 0 ? ` ${word}` : word);
      this.#space = false;
    }
  }
  hard(): void {
    this.#space = false;
    this.#end();
  }
  #put(text: string): void {
    if (this.#lines > 0 && this.quote > 0) this.out += "> ".repeat(Math.min(this.quote, 8));
    this.out += text;
    this.#lines = 0;
  }
}

/** The text of an HTML body; quotations have `> ` in front. `cut`: without the history that is answered. */
export function textOfHtml(html: string, cut = false): string {
  const writer = new Writer();
  let hidden: string | undefined;
  let pre = 0;
  let at = 0;
  const links: string[] = [];
  while (at < html.length) {
    const next = html.indexOf("<", at);
    const end = next < 0 ? html.length : next;
    if (end > at && hidden === undefined) writer.text(entities(html.slice(at, end)), pre > 0);
    if (next < 0) break;
    if (html.startsWith("<!--", next)) {
      const close = html.indexOf("-->", next + 4);
      at = close < 0 ? html.length : close + 3;
      continue;
    }
    const close = html.indexOf(">", next);
    if (close < 0) {
      if (hidden === undefined) writer.text(entities(html.slice(next)), pre > 0);
      break;
    }
    const tag = html.slice(next + 1, close);
    const match = /^(\/?)([a-z][a-z0-9]*)/i.exec(tag);
    at = close + 1;
    if (match === null) {
      // `<` that is no tag stands for itself.
      if (!/^[!?/]/.test(tag) && hidden === undefined) {
        writer.text("<", pre > 0);
        at = next + 1;
      }
      continue;
    }
    const ends = match[1] === "/";
    const name = (match[2] ?? "").toLowerCase();
    if (hidden !== undefined) {
      if (ends && name === hidden) hidden = undefined;
      continue;
    }
    if (HIDDEN.has(name) && !ends) {
      hidden = name;
      continue;
    }
    if (cut && !ends && (QUOTES.test(tag) || (name === "blockquote" && /type\s*=\s*["']?cite/i.test(tag)))) break;
    if (name === "br") writer.hard();
    else if (name === "hr") {
      writer.line();
      writer.text("———", true);
      writer.line();
    } else if (name === "a") {
      const href = /href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i.exec(tag);
      const url = entities(href?.[1] ?? href?.[2] ?? href?.[3] ?? "");
      if (!ends) links.push(/^https?:/i.test(url) ? `${url}\u0000${writer.out.length}` : "");
      else {
        const [open = "", begun = "0"] = (links.pop() ?? "").split("\u0000");
        const shown = writer.out.slice(Number(begun)).trim();
        if (open !== "" && shown !== open && !open.endsWith(shown)) writer.text(` (${open})`, false);
      }
    } else if (name === "img" && !ends) {
      const alt = /alt\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag);
      const words = entities(alt?.[1] ?? alt?.[2] ?? "").trim();
      if (words !== "") writer.text(`[${words}]`, false);
    } else if (name === "td" || name === "th") {
      if (ends) writer.text(" ", false);
    } else if (BLOCKS.has(name)) {
      if (SPACED.has(name)) writer.gap();
      else writer.line();
      if (name === "blockquote") writer.quote = Math.max(0, writer.quote + (ends ? -1 : 1));
      if (name === "pre") pre = Math.max(0, pre + (ends ? -1 : 1));
      if (name === "li" && !ends) writer.text("• ", true);
    }
  }
  return writer.out.replace(/[ \t\u00a0]+$/gm, "").replace(/\n{3,}/g, "\n\n").trim();
}
