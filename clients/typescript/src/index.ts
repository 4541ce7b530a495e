/** Client of the Kata Agents gateway. */
export { type ClientOptions, type ConnectionState, JoinedPlugin, KataClient, VERSION, type Welcome } from "./client.ts";
export { KataError, SendFailed } from "./errors.ts";
export type {
  ChannelCapabilities,
  HookName,
  InboundDraft,
  IngressAnswer,
  OutboundMessage,
  Receipt,
  SendErrorCode,
} from "./generated/contract.ts";
export type { ErrorCode, Fact, OperationName, Operations, RunState, Scope, Topic } from "./generated/protocol.ts";
export { type CallContext, type Channel, type Hook, type Hooks, type PluginDefinition, type Tool, tool } from "./plugin.ts";
export type { SocketConstructor, SocketLike } from "./socket.ts";
