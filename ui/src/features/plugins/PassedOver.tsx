/** Folders that look like a plugin and are not taken, each with why and what to do. */
import { Check, FolderX } from "lucide-react";
import { Badge } from "@/components/controls";
import { Scroll, Section } from "@/components/layout";
import { Empty, Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { ORIGINS } from "./words";

export function PassedOver() {
  const discovery = useRead("plugin.discovery", {});
  if (discovery.isPending) return <SkeletonRows className="p-8" />;
  if (discovery.isError) return <Failure error={discovery.error} onRetry={() => void discovery.refetch()} />;
  const { roots, dropped } = discovery.data;
  return (
    <Scroll reading="Folders that were passed over">
      <div className="mx-auto flex max-w-[760px] flex-col gap-8 px-5 pt-6 pb-12 @xl:px-8">
        <header>
          <h1 className="text-xl font-semibold">Folders that were passed over</h1>
          <p className="text-muted">They look like plugins, but none of their code is run. As soon as one is mended, it is taken.</p>
        </header>
        {dropped.length === 0 ? (
          <Empty icon={Check} title="None">
            Every folder that was found is taken.
          </Empty>
        ) : (
          <ul className="flex flex-col gap-2.5">
            {dropped.map((each) => (
              <li key={each.path} data-testid="dropped" className="rounded-lg border border-line px-3.5 py-3">
                <p className="flex items-start gap-2">
                  <FolderX aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" strokeWidth={1.75} />
                  <code className="selectable min-w-0 flex-1 font-mono text-sm font-medium [overflow-wrap:anywhere]">{each.path}</code>
                  <Badge>{ORIGINS[each.origin].toLowerCase()}</Badge>
                </p>
                <p className="selectable mt-1.5 [overflow-wrap:anywhere]">{each.reason}</p>
                {each.hint !== "" && !each.reason.includes(each.hint) && <p className="selectable text-muted [overflow-wrap:anywhere]">{each.hint}</p>}
              </li>
            ))}
          </ul>
        )}
        <Section title="Where it was looked">
          <ol className="flex flex-col gap-1.5">
            {roots.map((root) => (
              <li key={root.path} className="flex flex-wrap items-baseline gap-x-3">
                <span className="w-36 shrink-0 text-faint">
                  {ORIGINS[root.origin]}
                  {root.workspace !== null && ` (${root.workspace})`}
                </span>
                <code className="selectable min-w-0 flex-1 font-mono text-sm [overflow-wrap:anywhere]">{root.path}</code>
                {!root.exists && <span className="text-sm text-faint">not there</span>}
              </li>
            ))}
          </ol>
          <p className="text-sm text-faint">In this order: of two plugins with one id, the first is taken.</p>
        </Section>
      </div>
    </Scroll>
  );
}
