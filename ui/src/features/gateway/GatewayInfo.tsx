/** Where other clients connect, and how they get in. */
import { CopyButton } from "@/components/Code";
import { Facts, Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { useConnection, usePlatform } from "@/data/platform";

const CONNECTED_BY = { tauri: "this app’s own process", socket: "the gateway, from a browser", fake: "a fake engine in memory" } as const;

export function GatewayInfo() {
  const platform = usePlatform();
  const connection = useConnection();
  const status = useRead("system.status", {});
  if (status.isPending) return <SkeletonRows rows={3} />;
  if (status.isError) return <Failure error={status.error} onRetry={() => void status.refetch()} />;
  const port = status.data.gatewayPort;
  return (
    <>
      <Section title="Address">
        {port === null ? (
          <p className="text-muted">The gateway is not running. Other clients and the command line cannot connect.</p>
        ) : (
          <Facts
            rows={[
              ["Socket", <Copied key="s" text={`ws://127.0.0.1:${port}/ws`} />],
              ["Health", <Copied key="h" text={`http://127.0.0.1:${port}/healthz`} />],
              ["This window", `${CONNECTED_BY[platform.kind]} (${connection.kind.replace("_", " ")})`],
            ]}
          />
        )}
        <p className="text-faint">It listens on this machine only.</p>
      </Section>
      <Section title="Token">
        <p className="text-muted">A client must show a token. Print it in a terminal and paste it there; it is never part of an address.</p>
        <Copied text="kata token" />
      </Section>
    </>
  );
}

function Copied({ text }: { text: string }) {
  return (
    <span className="inline-flex items-center gap-1">
      <code className="selectable rounded border border-line bg-sunken px-1.5 py-px font-mono text-sm">{text}</code>
      <CopyButton text={text} />
    </span>
  );
}
