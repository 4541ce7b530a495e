/** A request failed, or there is no connection to ask over. */
export class KataError extends Error {
    /** The gateway's code, or `disconnected`: whether the request was carried out is not known then. */
    code;
    /** What a person can do. */
    hint;
    details;
    constructor(code, message, hint = null, details = null) {
        super(message);
        this.name = "KataError";
        this.code = code;
        this.hint = hint;
        this.details = details;
    }
    static of(wire) {
        return new KataError(wire.code, wire.message, wire.hint ?? null, wire.details ?? null);
    }
}
/** Thrown by a channel's `send`. Anything else that it throws counts as: nobody knows whether it arrived. */
export class SendFailed extends Error {
    code;
    /** Whether nothing can have reached the platform; then it is tried again. */
    certain;
    retryAfterMs;
    constructor(code, message, options) {
        super(message);
        this.name = "SendFailed";
        this.code = code;
        this.certain = options.certain;
        this.retryAfterMs = options.retryAfterMs ?? null;
    }
}
