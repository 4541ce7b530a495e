/** A plugin's channels and services; each leads to its page under Sources. */
import { ChevronRight } from "lucide-react";
import { StatusBadge } from "@/components/StatusBadge";
import { SourceIcon } from "@/features/sources/kinds";
import type { SourceSummary } from "@/generated/protocol";
import { go } from "@/lib/route";

export function PartList({ parts }: { parts: readonly SourceSummary[] }) {
  return (
    <ul className="overflow-hidden rounded-lg border border-line">
      {parts.map((part) => (
        <li key={part.id} className="border-line not-first:border-t">
          <button type="button" data-testid={`part-${part.id}`} onClick={() => go({ view: "sources", source: part.id })} className="flex h-11 w-full items-center gap-3 px-3 text-left hover:bg-hover">
            <SourceIcon source={part} />
            <span className="shrink-0 font-medium">{part.name}</span>
            <StatusBadge status={part.status} full className="min-w-0 flex-1" />
            <ChevronRight aria-hidden className="size-4 shrink-0 text-faint" />
          </button>
        </li>
      ))}
    </ul>
  );
}
