/** Who may write to a channel, and who waits to be let in. */
import { UserRound, X } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Input, Select, Switch } from "@/components/controls";
import { Skeleton } from "@/components/states";
import { useAct, useRead } from "@/data/operations";
import type { DmPolicy, PairingRequest, SourceId } from "@/generated/protocol";
import { agoWords, until, useNow } from "@/lib/time";
import { PolicyLimits } from "./PolicyLimits";

const POLICIES: Record<DmPolicy, string> = {
  pairing: "Strangers get a code that you approve",
  "allow-list": "Only the people on the list",
  open: "Everybody",
  off: "Nobody",
};

export function ChannelPolicy({ id }: { id: SourceId }) {
  const policy = useRead("channel.policy", { id });
  const change = useAct("channel.policy");
  if (policy.isError) return <p className="text-bad">{policy.error.wire.message}</p>;
  if (policy.data === undefined) return <Skeleton className="h-20" />;
  const { allow, requireMention } = policy.data;
  return (
    <div className="flex max-w-md flex-col gap-3.5">
      <label className="flex flex-col gap-1">
        <span className="font-medium">Who may write</span>
        <Select value={policy.data.policy} onChange={(event) => change.mutate({ id, policy: event.target.value as DmPolicy })}>
          {Object.entries(POLICIES).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </Select>
      </label>
      <div className="flex items-start gap-3">
        <div className="flex-1">
          <p className="font-medium">Only when addressed</p>
          <p className="text-sm text-faint">In groups, a message counts only if it mentions the bot.</p>
        </div>
        <Switch label="Only when addressed" checked={requireMention} onChange={(next) => change.mutate({ id, requireMention: next })} />
      </div>
      <Names title="People let in" none="Nobody yet." action="Let in" names={allow} onChange={(next) => change.mutate({ id, allow: next })} />
      <Names
        title="May approve tool calls"
        hint="They answer in the channel with /approve and the code; everybody else is refused."
        none="Nobody; only this window and the command line."
        action="Add"
        names={policy.data.approvers}
        testId="policy-approvers"
        onChange={(next) => change.mutate({ id, approvers: next })}
      />
      <PolicyLimits key={JSON.stringify(policy.data)} id={id} policy={policy.data} />
    </div>
  );
}

interface NamesProps {
  title: string;
  hint?: string;
  none: string;
  action: string;
  names: readonly string[];
  testId?: string;
  onChange: (names: string[]) => void;
}

function Names({ title, hint, none, action, names, testId, onChange }: NamesProps) {
  const [name, setName] = useState("");
  const given = name.trim();
  return (
    <div role="group" aria-label={title} className="flex flex-col gap-1.5">
      <div>
        <p className="font-medium">{title}</p>
        {hint !== undefined && <p className="text-sm text-faint">{hint}</p>}
      </div>
      {names.length === 0 && <p className="text-faint">{none}</p>}
      <ul className="flex flex-col gap-1">
        {names.map((each) => (
          <li key={each} className="flex h-7 items-center gap-2 rounded-md border border-line pr-0.5 pl-2">
            <span className="selectable min-w-0 flex-1 truncate">{each}</span>
            <IconButton label={`Remove ${each}`} className="size-6" onClick={() => onChange(names.filter((other) => other !== each))}>
              <X className="size-3.5" />
            </IconButton>
          </li>
        ))}
      </ul>
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (given === "" || names.includes(given)) return;
          onChange([...names, given]);
          setName("");
        }}
      >
        <Input aria-label={`${title}: id of a person`} data-testid={testId} placeholder="Id on the platform" value={name} onChange={(event) => setName(event.target.value)} />
        <Button type="submit" disabled={given === ""}>
          {action}
        </Button>
      </form>
    </div>
  );
}

export function PairingRequests({ requests }: { requests: readonly PairingRequest[] }) {
  const now = useNow();
  const approve = useAct("pairing.approve");
  const deny = useAct("pairing.deny");
  const busy = approve.isPending || deny.isPending;
  return (
    <ul className="flex flex-col gap-2">
      {requests.map(({ code, sender, senderName, requestedAt, expiresAt }) => (
        <li key={code} data-testid={`pairing-${code}`} className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-warn/40 bg-warn-soft px-3 py-2.5">
          <UserRound aria-hidden className="size-4 shrink-0 text-warn" />
          <div className="min-w-48 flex-1">
            <p className="[overflow-wrap:anywhere]">
              <span className="font-medium">{senderName ?? sender}</span> wants to write{" "}
              <span className="text-muted">
                · {sender} · {agoWords(requestedAt, now)}
              </span>
            </p>
            <p className="text-sm text-muted">
              Code <code className="selectable font-mono font-semibold tracking-wider text-ink">{code}</code>, ends {until(expiresAt, now)}. Compare it with what they see.
            </p>
          </div>
          <span className="ml-auto flex gap-2">
            <Button look="primary" data-testid={`approve-${code}`} disabled={busy} onClick={() => approve.mutate({ code })}>
              Let in
            </Button>
            <Button look="danger" disabled={busy} onClick={() => deny.mutate({ code })}>
              Turn away
            </Button>
          </span>
        </li>
      ))}
    </ul>
  );
}
