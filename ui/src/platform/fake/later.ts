/** Operations of issue 7 that the fake does not have yet. Whoever builds the view of one moves it out of here, into a file of its own. */
import { OperationError } from "../types";
import type { OperationName } from "@/generated/protocol";

function later(operation: OperationName): () => never {
  return () => {
    throw new OperationError({ code: "internal", message: `“${operation}” is not in the fake yet` });
  };
}

export const LATER = {
  "system.pause": later("system.pause"),
  "attention.list": later("attention.list"),
  "attention.answer": later("attention.answer"),
};
