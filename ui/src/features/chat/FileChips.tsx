/** The files that go with the next message, above what is being written. */
import { Paperclip, X } from "lucide-react";
import { useRef } from "react";
import { IconButton } from "@/components/Button";
import { bytes } from "@/lib/format";
import type { Files } from "./useFiles";

export function FileChips({ files, remove }: Files) {
  if (files.length === 0) return null;
  return (
    <ul aria-label="Files to send" className="flex flex-wrap gap-1.5 px-3 pt-2.5">
      {files.map((file, i) => (
        // oxlint-disable-next-line react/no-array-index-key -- two files may have one name
        <li key={`${i}-${file.name}`} className="flex h-7 max-w-64 items-center gap-1.5 rounded-md border border-line bg-sunken pl-2 text-sm">
          <span className="min-w-0 truncate">{file.name}</span>
          <span className="shrink-0 text-xs text-faint">{bytes(file.size)}</span>
          <IconButton label={`Take out ${file.name}`} className="size-6" onClick={() => remove(file)}>
            <X className="size-3.5" />
          </IconButton>
        </li>
      ))}
    </ul>
  );
}

export function AttachButton({ add, disabled }: { add: Files["add"]; disabled: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        data-testid="attach-input"
        onChange={(event) => {
          add(event.target.files ?? []);
          // The same file may be chosen again.
          event.target.value = "";
        }}
      />
      <IconButton label="Attach files" disabled={disabled} onClick={() => input.current?.click()}>
        <Paperclip className="size-4" />
      </IconButton>
    </>
  );
}
