/** What vite makes of `import.meta.glob`; the corpus is read by vitest only. */
interface ImportMeta {
  glob(pattern: string, options: { query: "?raw"; import: "default"; eager: true }): Record<string, string>;
}
