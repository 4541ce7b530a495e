/**
 * The question before a plugin runs: what it is, what changed, what it wants. What is granted is what was on the screen: files
 * that change meanwhile are said, and nothing is granted until they were looked at again.
 */
import { RefreshCw } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Section } from "@/components/layout";
import { Chips } from "@/features/services/Chips";
import type { PluginDetail } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { ChangeView } from "./ChangeView";
import { FileList } from "./FileList";
import { GrantForm } from "./GrantForm";
import { Origin } from "./Origin";
import { clauseOf } from "./words";

export function TrustPrompt({ detail }: { detail: PluginDetail }) {
  const [seen, setSeen] = useState(detail);
  const moved = detail.hash !== seen.hash;
  const { summary, change } = seen;
  return (
    <section aria-label="Trust" data-testid="trust-prompt" className="flex flex-col gap-6">
      <div>
        <h2 className="text-lg font-semibold">{change === null ? `Do you trust ${summary.name}?` : `${summary.name} is not what you trusted any more`}</h2>
        <p className="text-muted">
          {change === null
            ? "It runs in a runtime of its own and reaches only what you grant here. None of its code has run yet."
            : `You trusted version ${change.fromVersion}, and it goes on as it was until the app ends. This is ${change.toVersion === change.fromVersion ? "the same version with other files" : `version ${change.toVersion}`}.`}
        </p>
        {change !== null && change.capabilitiesAdded.length > 0 && <p className="mt-1.5 font-medium text-warn">{asksForMore(seen)}</p>}
      </div>
      {moved && (
        <p role="alert" className="flex items-center gap-3 rounded-lg border border-warn/40 bg-warn-soft px-3.5 py-2 text-warn">
          <span className="flex-1">Its files changed while you looked. Nothing is granted before you have seen them as they are now.</span>
          <Button icon={<RefreshCw className="size-3.5" />} data-testid="look-again" onClick={() => setSeen(detail)}>
            Look again
          </Button>
        </p>
      )}
      <Origin detail={seen} />
      {change !== null && (
        <Section title={`What changed: ${plural(change.files.length, "file")}`}>
          <ChangeView change={change} />
        </Section>
      )}
      {change === null && (
        <Section title="Its files">
          <FileList files={seen.files} />
        </Section>
      )}
      <GrantForm key={seen.hash} detail={seen} blocked={moved} />
      {change !== null && change.capabilitiesRemoved.length > 0 && (
        <Section title="What it no longer asks for">
          <Chips names={change.capabilitiesRemoved} none="nothing" />
        </Section>
      )}
    </section>
  );
}

/** What is new among what it asks for, before anything else is read. */
function asksForMore({ wanted, change }: PluginDetail): string {
  const added = change?.capabilitiesAdded ?? [];
  const words = added.map((capability) => clauseOf(wanted.find((each) => each.capability === capability)?.means ?? capability));
  return `It asks for ${plural(added.length, "thing", "things")} more: ${words.join("; ")}.`;
}
