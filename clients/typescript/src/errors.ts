/** What can go wrong, as types that a caller can branch on. */
import type { SendErrorCode } from "./generated/contract.ts";
import type { ErrorCode, WireError } from "./generated/protocol.ts";

/** A request failed, or there is no connection to ask over. */
export class KataError extends Error {
  /** The gateway's code, or `disconnected`: whether the request was carried out is not known then. */
  readonly code: ErrorCode | "disconnected";
  /** What a person can do. */
  readonly hint: string | null;
  readonly details: unknown;

  constructor(code: ErrorCode | "disconnected", message: string, hint: string | null = null, details: unknown = null) {
    super(message);
    this.name = "KataError";
    this.code = code;
    this.hint = hint;
    this.details = details;
  }

  static of(wire: WireError): KataError {
    return new KataError(wire.code, wire.message, wire.hint ?? null, wire.details ?? null);
  }
}

/** Thrown by a channel's `send`. Anything else that it throws counts as: nobody knows whether it arrived. */
export class SendFailed extends Error {
  readonly code: SendErrorCode;
  /** Whether nothing can have reached the platform; then it is tried again. */
  readonly certain: boolean;
  readonly retryAfterMs: number | null;

  constructor(code: SendErrorCode, message: string, options: { certain: boolean; retryAfterMs?: number }) {
    super(message);
    this.name = "SendFailed";
    this.code = code;
    this.certain = options.certain;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
