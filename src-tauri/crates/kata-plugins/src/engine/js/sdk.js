// Runtime side of `@kata-agents/plugin-sdk`; its types are in plugins/sdk.
export function definePlugin(plugin) {
  return plugin;
}

// What the host puts there; the contract kit puts its own in that place.
export function connect(address, options) {
  return globalThis[Symbol.for("kata:sdk")].connect(address, options);
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
