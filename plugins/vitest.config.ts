import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@kata-agents/plugin-sdk": new URL("./sdk/src/index.ts", import.meta.url).pathname } },
  test: { include: ["*/tests/**/*.test.ts"], passWithNoTests: false },
});
