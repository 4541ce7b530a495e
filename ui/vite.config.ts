import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `vite dev` finds a running `kata serve`. */
const gateway = process.env.KATA_GATEWAY ?? "http://127.0.0.1:18790";

export default defineConfig(({ mode }) => ({
  // Relative, so that one build works under tauri://localhost and under the gateway's http.
  base: "./",
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  define: {
    // The fake engine is left out of a release build; `vite build --mode e2e` keeps it.
    __FAKE__: JSON.stringify(mode !== "production"),
  },
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 600 },
  server: {
    port: 1420,
    strictPort: true,
    proxy: { "/ws": { target: gateway, ws: true, changeOrigin: true } },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["./src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}"],
    css: false,
    testTimeout: 20_000,
  },
}));
