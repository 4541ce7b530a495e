/** Which capabilities are granted, and how: the part of the question that is answered. */
import { ShieldCheck } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Switch } from "@/components/controls";
import { Section } from "@/components/layout";
import { useAct } from "@/data/operations";
import type { PluginDetail } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { errorWords } from "@/lib/sentence";
import { CapabilityFacts } from "./CapabilityFacts";

/** At first everything it asks for; after a change what it had, so that what is new is a decision. */
export function firstChoice(detail: PluginDetail): ReadonlySet<string> {
  const declared = detail.wanted.filter((each) => each.declared);
  return new Set(declared.filter((each) => detail.change === null || each.granted).map((each) => each.capability));
}

export function GrantForm({ detail, blocked }: { detail: PluginDetail; blocked: boolean }) {
  const { summary, signature, change } = detail;
  const { id } = summary;
  const [chosen, setChosen] = useState(() => firstChoice(detail));
  const [development, setDevelopment] = useState(detail.grant?.development === true);
  const [remember, setRemember] = useState(false);
  const trust = useAct("plugin.trust", { quiet: true });
  const enable = useAct("plugin.enable");
  const wanted = detail.wanted.filter((each) => each.declared);
  const newKey = signature.kind === "valid" && !signature.known ? signature.keyId : null;

  const choose = (capability: string, on: boolean) => setChosen((before) => new Set(on ? [...before, capability] : [...before].filter((each) => each !== capability)));
  const grant = async (andEnable: boolean) => {
    try {
      await trust.mutateAsync({ id, hash: detail.hash, capabilities: [...chosen], development, rememberSigner: remember });
      if (andEnable) await enable.mutateAsync({ id, enabled: true });
    } catch {
      // Said below, or in the status line.
    }
  };
  const forged = signature.kind === "invalid";
  const busy = blocked || forged || trust.isPending || enable.isPending;

  return (
    <>
      <Section title="What it may do">
        <CapabilityFacts
          wanted={wanted}
          added={change?.capabilitiesAdded ?? []}
          renderControl={({ capability, means }) => <Switch label={`Grant: ${means}`} checked={chosen.has(capability)} onChange={(on) => choose(capability, on)} />}
        />
        {chosen.size < wanted.length && <p className="text-sm text-faint">Without {plural(wanted.length - chosen.size, "of these", "of these")} it may not work, or not wholly; it is told which one is missing.</p>}
      </Section>
      <div className="flex flex-col gap-3">
        <Option title="Development mode" note="You write it yourself: edits in its folder are taken without asking. New capabilities never are." checked={development} onChange={setDevelopment} />
        {newKey !== null && <Option title="Remember who signed it" note={`Updates signed with ${newKey} that ask for nothing more are taken without asking.`} checked={remember} onChange={setRemember} />}
      </div>
      {forged && (
        <p role="alert" className="rounded-lg border border-bad/30 bg-bad-soft px-3.5 py-2 text-bad">
          Its signature does not fit its files, so it is not taken as it is. Get it anew from its author; if the files are yours, sign them again or remove kata-plugin.minisig.
        </p>
      )}
      {trust.error !== null && (
        <p role="alert" className="text-bad">
          {errorWords(trust.error.wire)}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" data-testid="trust-enable" disabled={busy} icon={<ShieldCheck className="size-3.5" />} onClick={() => void grant(!summary.enabled)}>
          {trust.isPending ? "Checking" : summary.enabled ? "Trust these files" : "Trust and switch on"}
        </Button>
        {!summary.enabled && (
          <Button data-testid="trust-only" disabled={busy} onClick={() => void grant(false)}>
            Only trust
          </Button>
        )}
        <p className="text-sm text-faint">
          {chosen.size === 0 ? "With no capability." : `With ${plural(chosen.size, "capability", "capabilities")}.`} You can take each back at any time.
        </p>
      </div>
    </>
  );
}

function Option({ title, note, checked, onChange }: { title: string; note: string; checked: boolean; onChange: (on: boolean) => void }) {
  return (
    <div className="flex items-start gap-3">
      <Switch label={title} checked={checked} onChange={onChange} />
      <div className="-mt-0.5 min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <p className="text-sm text-faint">{note}</p>
      </div>
    </div>
  );
}
