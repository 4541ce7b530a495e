/**
 * `@kata-agents/plugin-sdk/testing`: contracts that a plugin's parts must keep, and a host to test them in. The same cases
 * run under vitest and, with `kata plugins check`, in the host's own sandbox. Not for plugins that run.
 */

export * from "./channel.ts";
export * from "./clock.ts";
export * from "./contract.ts";
export * from "./fetch.ts";
export * from "./host.ts";
export * from "./jobs.ts";
export * from "./load.ts";
export * from "./service.ts";
export * from "./socket.ts";
export * from "./tcp.ts";
export * from "./tool.ts";
