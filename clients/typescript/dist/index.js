/** Client of the Kata Agents gateway. */
export { JoinedPlugin, KataClient, VERSION } from "./client.js";
export { KataError, SendFailed } from "./errors.js";
export { tool } from "./plugin.js";
