// Runtime side of `@kata-agents/plugin-sdk`; its types are in plugins/sdk.
export function definePlugin(plugin) {
  return plugin;
}

export class SendError extends Error {
  constructor(fields) {
    super(fields.message);
    this.name = "SendError";
    this.code = fields.code;
    this.retryAfterMs = fields.retryAfterMs ?? null;
    this.certain = fields.certain;
  }
}
