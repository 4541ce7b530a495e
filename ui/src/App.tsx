import { QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { followFacts } from "@/data/facts";
import { newQueryClient } from "@/data/operations";
import { PlatformProvider, useConnection } from "@/data/platform";
import { Chats } from "@/features/chat/chats";
import { ChatsProvider } from "@/features/chat/useChat";
import { ConnectView } from "@/features/gateway/ConnectView";
import { PairingView, ShutOutView } from "@/features/gateway/DoorViews";
import type { Platform } from "@/platform";
import { Boundary } from "@/shell/Boundary";
import { EngineFailureView } from "@/shell/EngineFailureView";
import { Shell } from "@/shell/Shell";

export function App({ platform }: { platform: Platform }) {
  const [client] = useState(newQueryClient);
  const [chats] = useState(() => new Chats(platform));
  useEffect(() => followFacts(platform, client, chats), [platform, client, chats]);
  return (
    <Boundary>
      <PlatformProvider value={platform}>
        <QueryClientProvider client={client}>
          <ChatsProvider value={chats}>
            <Gate />
          </ChatsProvider>
        </QueryClientProvider>
      </PlatformProvider>
    </Boundary>
  );
}

function Gate() {
  const connection = useConnection();
  switch (connection.kind) {
    case "needs_token":
      return <ConnectView reason={connection.reason} />;
    case "pairing":
      return <PairingView />;
    case "shut_out":
      return <ShutOutView reason={connection.reason} />;
    case "failed":
      return <EngineFailureView failure={connection.failure} />;
    default:
      return <Shell />;
  }
}
