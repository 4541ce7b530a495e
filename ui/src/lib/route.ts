/** Where the window is. Kept in the hash, so that back, forward and a reload work under every scheme. */
import { useMemo, useSyncExternalStore } from "react";

export type SessionFilter = { by: "all" } | { by: "flagged" } | { by: "channels" } | { by: "status"; id: string } | { by: "label"; id: string };
export type SettingsSection = "models" | "appearance" | "gateway" | "config" | "diagnostics";
export type Route =
  | { view: "sessions"; filter: SessionFilter; session: string | null }
  | { view: "sources"; source: string | null }
  | { view: "plugins"; plugin: string | null }
  | { view: "traces"; trace: string | null; session: string | null }
  | { view: "settings"; section: SettingsSection };

const SECTIONS: readonly SettingsSection[] = ["models", "appearance", "gateway", "config", "diagnostics"];
export const HOME: Route = { view: "sessions", filter: { by: "all" }, session: null };

export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#?\/?/, "").split("/").map(decode);
  const at = (i: number): string | null => (rest[i] === undefined || rest[i] === "" ? null : rest[i]);
  switch (view) {
    case "sources":
      return { view, source: at(0) };
    case "plugins":
      return { view, plugin: at(0) };
    case "traces":
      return at(0) === "of" ? { view, session: at(1), trace: at(2) } : { view, session: null, trace: at(0) };
    case "settings":
      return { view, section: SECTIONS.find((section) => section === at(0)) ?? "models" };
    case "sessions":
      return parseSessions(at);
    default:
      return HOME;
  }
}

function parseSessions(at: (i: number) => string | null): Route {
  const by = at(0);
  const id = at(1);
  if ((by === "status" || by === "label") && id !== null) return { view: "sessions", filter: { by, id }, session: at(2) };
  if (by === "flagged" || by === "channels") return { view: "sessions", filter: { by }, session: id };
  return { view: "sessions", filter: { by: "all" }, session: id };
}

export function hashOf(route: Route): string {
  return `#/${partsOf(route)
    .filter((part): part is string => part !== null)
    .map(encodeURIComponent)
    .join("/")}`;
}

function partsOf(route: Route): (string | null)[] {
  switch (route.view) {
    case "sessions": {
      const { filter } = route;
      const id = filter.by === "status" || filter.by === "label" ? filter.id : null;
      return ["sessions", filter.by, id, route.session];
    }
    case "sources":
      return ["sources", route.source];
    case "plugins":
      return ["plugins", route.plugin];
    case "traces":
      return route.session === null ? ["traces", route.trace] : ["traces", "of", route.session, route.trace];
    case "settings":
      return ["settings", route.section];
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function go(route: Route): void {
  window.location.hash = hashOf(route);
}

const subscribe = (listener: () => void) => {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
};

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}

export const sameFilter = (a: SessionFilter, b: SessionFilter): boolean => hashOf({ view: "sessions", filter: a, session: null }) === hashOf({ view: "sessions", filter: b, session: null });
