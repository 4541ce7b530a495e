import { Radio } from "lucide-react";
import { Badge } from "@/components/controls";
import type { SessionChannel } from "@/generated/protocol";

export function ChannelBadge({ channel }: { channel: SessionChannel }) {
  const name = channel.displayName ?? channel.adapter;
  return (
    <Badge tone="accent" title={`Comes from ${name}`}>
      <Radio aria-hidden className="size-3" />
      {name}
    </Badge>
  );
}
