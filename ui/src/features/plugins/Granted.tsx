/** What a person granted, and the way to take it back. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Badge } from "@/components/controls";
import { Section } from "@/components/layout";
import { useAct } from "@/data/operations";
import type { CapabilityState, PluginDetail } from "@/generated/protocol";
import { dateTime } from "@/lib/time";
import { CapabilityFacts } from "./CapabilityFacts";
import { RevokeAll } from "./RevokeAll";
import { clauseOf, TRUST } from "./words";

export function Granted({ detail }: { detail: PluginDetail }) {
  const { summary, grant } = detail;
  const { id } = summary;
  const [asking, setAsking] = useState<CapabilityState | "all" | null>(null);
  const revoke = useAct("plugin.revoke");
  const trust = useAct("plugin.trust");
  const give = (capability: string) => {
    const granted = detail.wanted.filter((each) => each.granted && each.declared).map((each) => each.capability);
    trust.mutate({ id, hash: detail.hash, capabilities: [...granted, capability], development: grant?.development === true });
  };
  const one = asking === "all" ? null : asking;
  return (
    <Section
      title="What you granted"
      actions={
        <Button look="danger" data-testid="revoke-all" onClick={() => setAsking("all")}>
          Take trust back…
        </Button>
      }
    >
      <p className="text-muted">
        {TRUST[summary.trust].sentence}
        {grant !== null && ` Granted for version ${grant.version} on ${dateTime(grant.grantedAt)}${grant.signer === null ? "" : `, carried over by the key ${grant.signer}`}.`}
      </p>
      <CapabilityFacts
        wanted={detail.wanted}
        renderControl={(state) =>
          state.granted ? (
            <Button look="danger" aria-label={`Take back: ${state.means}`} data-testid={`revoke-${state.capability}`} disabled={revoke.isPending} onClick={() => setAsking(state)}>
              Take back…
            </Button>
          ) : (
            <>
              <Badge>not granted</Badge>
              <Button aria-label={`Grant: ${state.means}`} data-testid={`grant-${state.capability}`} disabled={trust.isPending} onClick={() => give(state.capability)}>
                Grant
              </Button>
            </>
          )
        }
      />
      <Confirm
        open={one !== null}
        onClose={() => setAsking(null)}
        title="Take this back?"
        action="Take back"
        onConfirm={() => one !== null && revoke.mutate({ id, capability: one.capability })}
      >
        “{clauseOf(one?.means ?? "")}”. It holds at once: what {summary.name} does with it now is ended, and every later use is denied.
      </Confirm>
      <RevokeAll summary={summary} open={asking === "all"} onClose={() => setAsking(null)} />
    </Section>
  );
}
