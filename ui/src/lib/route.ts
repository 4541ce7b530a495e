/** Where the window is. Kept in the hash, so that back, forward and a reload work under every scheme. */
import { useMemo, useSyncExternalStore } from "react";

export type SessionFilter = { by: "all" } | { by: "flagged" } | { by: "channels" } | { by: "archived" } | { by: "status"; id: string } | { by: "label"; id: string };
export const SECTIONS = ["general", "models", "accounts", "workspace", "preferences", "permissions", "hygiene", "tracing", "appearance", "usage", "gateway", "updates", "security", "start", "config", "diagnostics"] as const;
export type SettingsSection = (typeof SECTIONS)[number];
const ROUTING_PARTS = ["bindings", "profiles", "people", "conversations", "refused"] as const;
export type RoutingPart = (typeof ROUTING_PARTS)[number];
export type Route =
  /** `message` is a row to go to, as a search finds it. */
  | { view: "sessions"; filter: SessionFilter; session: string | null; message?: string }
  | { view: "waiting" }
  | { view: "sources"; source: string | null }
  | { view: "plugins"; plugin: string | null }
  | { view: "skills"; skill: string | null }
  | { view: "routing"; part: RoutingPart }
  | { view: "hooks"; event: string | null }
  | { view: "traces"; trace: string | null; session: string | null }
  | { view: "letters" }
  | { view: "settings"; section: SettingsSection };

export const HOME: Route = { view: "sessions", filter: { by: "all" }, session: null };

export function parseRoute(hash: string): Route {
  const [view, ...rest] = hash.replace(/^#?\/?/, "").split("/").map(decode);
  const at = (i: number): string | null => (rest[i] === undefined || rest[i] === "" ? null : rest[i]);
  switch (view) {
    case "sources":
      return { view, source: at(0) };
    case "plugins":
      return { view, plugin: at(0) };
    case "skills":
      return { view, skill: at(0) };
    case "waiting":
    case "letters":
      return { view };
    case "routing":
      return { view, part: ROUTING_PARTS.find((part) => part === at(0)) ?? "bindings" };
    case "hooks":
      return { view, event: at(0) };
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
  const chosen = (i: number) => {
    const message = at(i + 1);
    return { session: at(i), ...(message === null ? {} : { message }) };
  };
  if ((by === "status" || by === "label") && id !== null) return { view: "sessions", filter: { by, id }, ...chosen(2) };
  if (by === "flagged" || by === "channels" || by === "archived") return { view: "sessions", filter: { by }, ...chosen(1) };
  return { view: "sessions", filter: { by: "all" }, ...chosen(1) };
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
      return ["sessions", filter.by, id, route.session, route.session === null ? null : (route.message ?? null)];
    }
    case "sources":
      return ["sources", route.source];
    case "plugins":
      return ["plugins", route.plugin];
    case "skills":
      return ["skills", route.skill];
    case "waiting":
    case "letters":
      return [route.view];
    case "routing":
      return ["routing", route.part];
    case "hooks":
      return ["hooks", route.event];
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
