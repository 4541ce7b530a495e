/** `@kata-agents/plugin-sdk`: everything a plugin imports. Web-standard globals only; nothing of Node exists in a plugin. */

export type * from "./adapters/auth.ts";
export type * from "./adapters/config.ts";
export type * from "./adapters/directory.ts";
export type * from "./adapters/heartbeat.ts";
export type * from "./adapters/messaging.ts";
export type * from "./adapters/outbound.ts";
export type * from "./adapters/security.ts";
export type * from "./adapters/setup.ts";
export type * from "./adapters/status.ts";
export type * from "./adapters/threading.ts";
export type * from "./api.ts";
export type * from "./channel.ts";
export type * from "./context.ts";
export type * from "./hooks.ts";
// The wire type `SendError` gives way to the class of the same name, which carries the same fields.
export type * from "./generated.ts";
export type * from "./route.ts";
export type * from "./socket.ts";
export { connect, definePlugin, SendError } from "./runtime.ts";
