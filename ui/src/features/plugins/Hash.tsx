/** A SHA-256: enough to compare by eye, the whole to copy. */
import { CopyButton } from "@/components/Code";
import { shortHash } from "./words";

export function Hash({ hash }: { hash: string }) {
  return (
    <span className="flex h-5 items-center gap-1.5">
      <code data-testid="hash" title={`SHA-256 ${hash}`} className="font-mono text-sm">
        {shortHash(hash)}
      </code>
      <CopyButton text={hash} label="Copy the SHA-256" />
    </span>
  );
}
