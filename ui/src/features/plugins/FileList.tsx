/** A plugin's files with their sizes; all of them are in its hash. */
import { useState } from "react";
import { Button } from "@/components/Button";
import type { PluginFile } from "@/generated/protocol";
import { bytes, plural } from "@/lib/format";

/** Shown before somebody asks for the rest. */
const FIRST = 8;

export function FileList({ files }: { files: readonly PluginFile[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? files : files.slice(0, FIRST);
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  return (
    <div className="flex flex-col gap-1.5">
      <p className="text-sm text-faint">
        {plural(files.length, "file")}, {bytes(total)}
      </p>
      <ul aria-label="Files" className="max-h-80 overflow-y-auto rounded-lg border border-line py-1">
        {shown.map((file) => (
          <li key={file.path} title={`SHA-256 ${file.sha256}`} className="flex items-baseline gap-3 px-3 leading-6">
            <span className="selectable min-w-0 flex-1 truncate font-mono text-sm">{file.path}</span>
            <span className="shrink-0 font-mono text-xs text-faint">{file.sha256.slice(0, 8)}</span>
            <span className="w-16 shrink-0 text-right text-sm text-faint tabular-nums">{bytes(file.bytes)}</span>
          </li>
        ))}
      </ul>
      {files.length > shown.length && (
        <Button className="self-start" onClick={() => setAll(true)}>
          Show all {files.length.toLocaleString()}
        </Button>
      )}
    </div>
  );
}
