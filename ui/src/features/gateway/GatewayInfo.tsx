/** The gateway: where others connect, who is connected, which devices may come in. */
import { CopyButton } from "@/components/Code";
import { Badge } from "@/components/controls";
import { Facts, Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useConnection, usePlatform } from "@/data/platform";
import type { GatewayClient } from "@/generated/protocol";
import { ago, dateTime, useNow } from "@/lib/time";
import { Devices } from "./Devices";
import { SCOPES } from "./words";

const CONNECTED_BY = { tauri: "this app’s own process", socket: "the gateway, from a browser", fake: "a fake engine in memory" } as const;

export function GatewayInfo() {
  const platform = usePlatform();
  const connection = useConnection();
  const state = useRead("gateway.state", {}, { fresh: true });
  if (state.isPending) return <SkeletonRows rows={3} />;
  if (state.isError) return <Failure error={state.error} onRetry={() => void state.refetch()} />;
  const { port, urls, hosts, clients, lockedOutFor } = state.data;
  return (
    <>
      {lockedOutFor !== null && (
        <p role="alert" className="rounded-lg bg-warn-soft px-3 py-2 text-warn">
          Too many wrong tokens or codes came in. For {lockedOutFor} s no code and no guess is looked at; whoever is right comes in all the same.
        </p>
      )}
      <Section title="Address">
        {port === null ? (
          <p className="text-muted">The gateway is not running. Other clients and the command line cannot connect.</p>
        ) : (
          <Facts
            rows={[
              ...urls.map((url, i) => [i === 0 ? "This machine" : "By a tunnel", <Copied key={url} text={url} />] as const),
              ["This window", `${CONNECTED_BY[platform.kind]} (${connection.kind.replace("_", " ")})`],
            ]}
          />
        )}
        <p className="text-faint">
          It listens on this machine only. A tunnel (Tailscale, ssh) brings others here{hosts.length === 0 && <>; its name then stands in <code className="font-mono">gateway.hosts</code> of settings.json</>}.
        </p>
      </Section>
      <Devices />
      <Section title="Connected now">
        {clients.length === 0 ? (
          <p className="text-faint">Nobody.</p>
        ) : (
          <ul className="overflow-hidden rounded-lg border border-line">
            {clients.map((client) => (
              <Client key={`${client.name} ${client.since} ${client.acked}`} client={client} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="Token">
        <p className="text-muted">Programs of this machine show a token. Print it in a terminal and paste it there; it is never part of an address.</p>
        <Copied text="kata token" />
      </Section>
    </>
  );
}

function Client({ client: { name, token, scope, since, plugins } }: { client: GatewayClient }) {
  const now = Math.max(useNow(), since);
  return (
    <li className="flex min-h-10 flex-wrap items-center gap-x-2 gap-y-0.5 border-b border-line px-3 py-1.5 last:border-b-0">
      <span className="font-medium">{name}</span>
      {token !== name && <span className="text-faint">by {token === "local" ? "this machine’s token" : token}</span>}
      <Badge>{SCOPES[scope].name}</Badge>
      {plugins.length > 0 && <span className="text-muted">brings {plugins.join(", ")}</span>}
      <span className="ml-auto text-sm text-faint" title={dateTime(since)}>
        {ago(since, now) === "now" ? "just now" : `for ${ago(since, now)}`}
      </span>
    </li>
  );
}

function Copied({ text }: { text: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1">
      <code className="selectable min-w-0 rounded border border-line bg-sunken px-1.5 py-px font-mono text-sm [overflow-wrap:anywhere]">{text}</code>
      <CopyButton text={text} />
    </span>
  );
}
