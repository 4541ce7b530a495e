/** Hands the platform to the components. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { OperationName } from "@/generated/protocol";
import type { Connection, Platform } from "@/platform";

const PlatformContext = createContext<Platform | null>(null);
export const PlatformProvider = PlatformContext.Provider;

export function usePlatform(): Platform {
  const platform = useContext(PlatformContext);
  if (platform === null) throw new Error("usePlatform outside PlatformProvider");
  return platform;
}

const CONNECTING: Connection = { kind: "connecting" };
const seen = new WeakMap<Platform, Connection>();

export function useConnection(): Connection {
  const platform = usePlatform();
  return useSyncExternalStore(
    (changed) =>
      platform.onConnection((connection) => {
        seen.set(platform, connection);
        changed();
      }),
    () => seen.get(platform) ?? CONNECTING,
  );
}

/** Whether this client may ask for an operation; looked at anew with each connection. */
export function useMay(op: OperationName): boolean {
  useConnection();
  return usePlatform().may(op);
}
