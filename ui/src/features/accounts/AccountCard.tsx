/** The account a source works with: who, what it may, until when; signing in again and out. */
import { LogIn, LogOut, UserRoundCheck, UserRoundX } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct } from "@/data/operations";
import { Chips } from "@/features/services/Chips";
import type { OauthAccount, SourceSummary } from "@/generated/protocol";
import { dateTime, until, useNow } from "@/lib/time";
import { scopeName } from "./words";

interface CardProps {
  source: SourceSummary;
  provider: string;
  account: OauthAccount | null;
  onSignIn: () => void;
}

export function AccountCard({ source, provider, account, onSignIn }: CardProps) {
  const now = useNow();
  const [leaving, setLeaving] = useState(false);
  const revoke = useAct("oauth.revoke");
  if (account === null) {
    return (
      <div data-testid="account" className="flex flex-wrap items-center gap-3 rounded-lg border border-line px-3.5 py-3">
        <UserRoundX aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
        <p className="min-w-40 flex-1">
          Nobody is signed in at {provider}.{source.status.state.kind === "running" && " It works without."}
        </p>
        <Button icon={<LogIn className="size-3.5" />} data-testid="sign-in" onClick={onSignIn}>
          Sign in
        </Button>
      </div>
    );
  }
  const who = account.account ?? `an account at ${provider}`;
  const fine = account.status.state.kind === "running";
  return (
    <div data-testid="account" className="flex flex-col gap-2.5 rounded-lg border border-line px-3.5 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <UserRoundCheck aria-hidden className="size-4 shrink-0 text-faint" strokeWidth={1.75} />
        <div className="min-w-40 flex-1">
          <p className="selectable truncate font-medium">{account.account ?? "Signed in"}</p>
          <p className="text-sm text-faint">
            {provider}
            {fine && account.expiresAt !== null && (
              <span title={dateTime(account.expiresAt)}> · {account.expiresAt > now ? `renews by itself ${until(account.expiresAt, now)}` : "being renewed"}</span>
            )}
          </p>
        </div>
        <div className="flex gap-2">
          <Button icon={<LogIn className="size-3.5" />} data-testid="sign-in" onClick={onSignIn}>
            Sign in again
          </Button>
          <Button look="danger" icon={<LogOut className="size-3.5" />} data-testid="sign-out" disabled={revoke.isPending} onClick={() => setLeaving(true)}>
            Sign out
          </Button>
        </div>
      </div>
      {!fine && <StatusBadge status={account.status} full wrap className="text-sm" />}
      {account.scopes.length > 0 && (
        <div className="flex items-baseline gap-2 text-sm">
          <span className="shrink-0 text-faint">May use</span>
          <Chips names={account.scopes.map(scopeName)} none="" />
        </div>
      )}
      <Confirm open={leaving} title={`Sign ${source.name} out?`} action="Sign out" onClose={() => setLeaving(false)} onConfirm={() => revoke.mutate({ id: source.id })}>
        The access of {who} is given back at {provider} and forgotten here. {source.name} does nothing until somebody signs in again.
      </Confirm>
    </div>
  );
}
