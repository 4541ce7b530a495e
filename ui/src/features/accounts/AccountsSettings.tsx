/** Settings › Accounts: who is signed in where, and the providers one can sign in at. */
import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Section } from "@/components/layout";
import { StatusBadge } from "@/components/StatusBadge";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import type { OauthAccount } from "@/generated/protocol";
import { go } from "@/lib/route";
import { ProviderForm } from "./ProviderForm";
import { ProviderRow } from "./ProviderRow";
import { useProviderName } from "./useProviderName";

export function AccountsSettings() {
  const accounts = useRead("oauth.accounts", {});
  const providers = useRead("oauth.providers", {});
  const [adding, setAdding] = useState(false);
  if (accounts.isPending || providers.isPending) return <SkeletonRows />;
  if (accounts.isError) return <Failure error={accounts.error} onRetry={() => void accounts.refetch()} />;
  if (providers.isError) return <Failure error={providers.error} onRetry={() => void providers.refetch()} />;
  return (
    <>
      <Section title="Signed in">
        {accounts.data.length === 0 ? (
          <p className="text-faint">Nobody. A source that needs an account asks for it on its own page.</p>
        ) : (
          <ul className="overflow-hidden rounded-lg border border-line">
            {accounts.data.map((account) => (
              <Account key={account.source} account={account} />
            ))}
          </ul>
        )}
      </Section>
      <Section
        title="Providers"
        actions={
          <Button icon={<Plus className="size-3.5" />} data-testid="add-provider" onClick={() => setAdding(true)}>
            Add a provider
          </Button>
        }
      >
        <p className="text-muted">Each wants to know which app asks. Register one there, and give its client id here; ids and secrets stay on this machine.</p>
        <ul className="overflow-hidden rounded-lg border border-line">
          {providers.data.map((provider) => (
            <ProviderRow key={provider.id} provider={provider} />
          ))}
        </ul>
      </Section>
      <Dialog open={adding} onClose={() => setAdding(false)} title="Add a provider" description="One that speaks OAuth 2; its documentation has the addresses.">
        {adding && <ProviderForm provider={null} onDone={() => setAdding(false)} />}
      </Dialog>
    </>
  );
}

function Account({ account }: { account: OauthAccount }) {
  const sources = useRead("source.list", {}).data;
  const source = sources?.find((row) => row.id === account.source)?.name ?? account.source;
  const provider = useProviderName(account.provider, source);
  return (
    <li data-testid={`account-${account.source}`} className="border-line not-first:border-t">
      <button type="button" onClick={() => go({ view: "sources", source: account.source })} className="flex w-full items-center gap-3 px-3 py-2 text-left hover:bg-hover">
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{account.account ?? provider}</span>
          <span className="block truncate text-sm text-faint">
            {provider === source ? "An MCP server of its own" : `${provider ?? ""} · for ${source}`}
          </span>
        </span>
        <StatusBadge status={account.status} className="text-sm" />
      </button>
    </li>
  );
}
