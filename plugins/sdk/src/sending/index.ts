/**
 * `@kata-agents/plugin-sdk/sending`: what a channel needs to ask its platform: requests with an end, what a failure means,
 * sends that stopped half way, waits, names. Served by the host inside a plugin's runtime.
 */

export * from "./backoff.ts";
export * from "./clock.ts";
export * from "./names.ts";
export * from "./partial.ts";
export * from "./request.ts";
