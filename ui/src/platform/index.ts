/** Chooses who stands behind the door. */
import type { Platform } from "./types";

export * from "./types";

export async function choosePlatform(): Promise<Platform> {
  if ("__TAURI_INTERNALS__" in window) {
    const { tauriPlatform } = await import("./tauri");
    return tauriPlatform();
  }
  const wanted = new URLSearchParams(window.location.search).get("platform");
  if (__FAKE__ && wanted === "fake") {
    const { fakePlatform } = await import("./fake");
    return fakePlatform();
  }
  const { socketPlatform } = await import("./socket");
  return socketPlatform();
}
