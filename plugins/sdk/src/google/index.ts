/**
 * `@kata-agents/plugin-sdk/google`: what a plugin needs to ask Google's APIs with the person's account (`ctx.oauth`). Served by the
 * host inside a plugin's runtime.
 */

export * from "./api.ts";
export * from "./failures.ts";
export * from "./json.ts";
export * from "./quota.ts";
