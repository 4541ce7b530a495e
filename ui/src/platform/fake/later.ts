/** Operations of issue 7 that the fake does not have yet. Whoever builds the view of one moves it out of here, into a file of its own. */
import { OperationError } from "../types";
import type { OperationName } from "@/generated/protocol";

function later(operation: OperationName): () => never {
  return () => {
    throw new OperationError({ code: "internal", message: `“${operation}” is not in the fake yet` });
  };
}

export const LATER = {
  "security.audit": later("security.audit"),
  "update.get": later("update.get"),
  "update.check": later("update.check"),
  "update.install": later("update.install"),
  "update.dismiss": later("update.dismiss"),
  "update.configure": later("update.configure"),
  "import.find": later("import.find"),
  "import.run": later("import.run"),
  "backup.list": later("backup.list"),
  "backup.create": later("backup.create"),
  "settings.set": later("settings.set"),
  "preference.get": later("preference.get"),
  "preference.set": later("preference.set"),
  "usage.get": later("usage.get"),
  "workspace.get": later("workspace.get"),
  "workspace.create": later("workspace.create"),
  "workspace.update": later("workspace.update"),
  "workspace.activate": later("workspace.activate"),
  "skill.list": later("skill.list"),
  "skill.get": later("skill.get"),
  "skill.write": later("skill.write"),
  "skill.remove": later("skill.remove"),
  "session.notes": later("session.notes"),
  "session.export": later("session.export"),
  "file.find": later("file.find"),
  "session.git": later("session.git"),
};
