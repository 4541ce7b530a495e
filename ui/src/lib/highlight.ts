/** Shiki, a few languages, none of it loaded before the first block of code is seen. No wasm and no eval, so the CSP can stay strict. */
import type { HighlighterCore, LanguageInput, ThemedToken } from "shiki/core";

const LANGUAGES: Record<string, () => Promise<LanguageInput>> = {
  typescript: async () => (await import("shiki/langs/typescript.mjs")).default,
  json: async () => (await import("shiki/langs/json.mjs")).default,
  bash: async () => (await import("shiki/langs/bash.mjs")).default,
  python: async () => (await import("shiki/langs/python.mjs")).default,
  rust: async () => (await import("shiki/langs/rust.mjs")).default,
  sql: async () => (await import("shiki/langs/sql.mjs")).default,
  yaml: async () => (await import("shiki/langs/yaml.mjs")).default,
  toml: async () => (await import("shiki/langs/toml.mjs")).default,
  diff: async () => (await import("shiki/langs/diff.mjs")).default,
};

const OTHER_NAMES: Record<string, string> = { ts: "typescript", tsx: "typescript", js: "typescript", javascript: "typescript", jsx: "typescript", sh: "bash", shell: "bash", zsh: "bash", py: "python", rs: "rust", yml: "yaml", jsonc: "json" };

const CODE_MAX = 40_000;
let core: Promise<HighlighterCore> | null = null;

async function makeCore(): Promise<HighlighterCore> {
  const [{ createHighlighterCore }, { createJavaScriptRegexEngine }, light, dark] = await Promise.all([
    import("shiki/core"),
    import("shiki/engine/javascript"),
    import("shiki/themes/github-light-default.mjs"),
    import("shiki/themes/github-dark-default.mjs"),
  ]);
  return createHighlighterCore({ themes: [light.default, dark.default], langs: [], engine: createJavaScriptRegexEngine({ forgiving: true }) });
}

/** Coloured lines, or null where the language is not known or the text too long. */
export async function highlight(code: string, language: string, dark: boolean): Promise<ThemedToken[][] | null> {
  const name = OTHER_NAMES[language] ?? language;
  const load = LANGUAGES[name];
  if (load === undefined || code.length > CODE_MAX) return null;
  core ??= makeCore();
  const highlighter = await core;
  if (!highlighter.getLoadedLanguages().includes(name)) await highlighter.loadLanguage(await load());
  return highlighter.codeToTokens(code, { lang: name, theme: dark ? "github-dark-default" : "github-light-default" }).tokens;
}
