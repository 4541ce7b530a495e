import { defineConfig } from "vitest/config";

const sdk = (path: string) => new URL(`./sdk/src/${path}`, import.meta.url).pathname;

/** Templates hold `{{id}}` and `{{name}}`, which whoever makes a plugin of them fills in. */
const templates = {
  name: "templates",
  enforce: "pre" as const,
  transform: (code: string, file: string) =>
    file.includes("/templates/") ? code.replaceAll("{{id}}", "sample").replaceAll("{{name}}", "Sample") : undefined,
};

export default defineConfig({
  plugins: [templates],
  resolve: {
    alias: [
      { find: /^@kata-agents\/plugin-sdk$/, replacement: sdk("index.ts") },
      { find: /^@kata-agents\/plugin-sdk\/(google|mail|markdown|sending|testing|testing\/corpus)$/, replacement: `${sdk("")}$1/index.ts` },
    ],
  },
  test: { include: ["*/tests/**/*.test.ts"], passWithNoTests: false, testTimeout: 30_000 },
});
