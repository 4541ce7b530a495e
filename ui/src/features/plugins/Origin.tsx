/** Where a plugin comes from and what it consists of: what a person decides about trust with. */
import { Facts } from "@/components/layout";
import type { PluginDetail } from "@/generated/protocol";
import { Hash } from "./Hash";
import { SignatureLine } from "./SignatureLine";
import { ORIGIN_SENTENCES } from "./words";

export function Origin({ detail }: { detail: PluginDetail }) {
  const { summary } = detail;
  return (
    <Facts
      rows={[
        ["Origin", ORIGIN_SENTENCES[summary.origin]],
        ["Folder", <code key="folder" className="font-mono text-sm [overflow-wrap:anywhere]">{summary.path}</code>],
        ["Contents", <Hash key="hash" hash={detail.hash} />],
        ["Signature", <SignatureLine key="signature" signature={detail.signature} />],
      ]}
    />
  );
}
