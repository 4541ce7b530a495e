/** Saves a session as a file of this device, or copies it. */
import { useMemo } from "react";
import { notify } from "@/data/notify";
import { usePlatform } from "@/data/platform";
import type { SessionId } from "@/generated/protocol";
import { saveText } from "@/lib/save";
import { sentence } from "@/lib/sentence";
import { toOperationError } from "@/platform";

interface Export {
  save: (id: SessionId, format: "markdown" | "json") => Promise<void>;
  /** Into the clipboard, as Markdown. */
  copy: (id: SessionId) => Promise<void>;
}

async function told(work: () => Promise<string>): Promise<void> {
  try {
    notify({ tone: "info", message: await work(), hint: null });
  } catch (cause) {
    const { message, hint } = toOperationError(cause).wire;
    notify({ tone: "error", message: sentence(message), hint: hint ?? null });
  }
}

export function useExport(): Export {
  const platform = usePlatform();
  return useMemo(
    () => ({
      save: (id, format) =>
        told(async () => {
          const { name, text } = await platform.request("session.export", { id, format });
          saveText(name, text);
          return `${name} was saved.`;
        }),
      copy: (id) =>
        told(async () => {
          const { text } = await platform.request("session.export", { id, format: "markdown" });
          await navigator.clipboard.writeText(text);
          return "The conversation was copied.";
        }),
    }),
    [platform],
  );
}
