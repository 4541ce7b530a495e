/** What the socket says when an operation did not get through. */
import type { OperationName } from "@/generated/protocol";
import { OperationError } from "./types";

/** The gateway's reasons are clauses; the window shows sentences. */
export const sentence = (clause: string): string => `${clause.charAt(0).toUpperCase()}${clause.slice(1).replace(/\.$/, "")}.`;

export function notAllowed(op: OperationName): OperationError {
  return new OperationError({ code: "forbidden", message: `This device may not do that (${op}).`, hint: "Pair it again with more rights, on the machine itself." });
}

export function timeout(op: OperationName): OperationError {
  return new OperationError({ code: "timeout", message: `${op} got no answer.`, hint: "Try again." });
}

export function connectionLost(): OperationError {
  return new OperationError({
    code: "upstream",
    message: "The connection was lost before the answer came.",
    hint: "It comes back by itself; then try again.",
  });
}
