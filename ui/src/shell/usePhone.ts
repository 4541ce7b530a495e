/** Whether the window is as narrow as a phone, or as one of 1440 pixels at 200 % zoom: then one pane is shown at a time. */
import { useEffect, useSyncExternalStore } from "react";
import type { Route } from "@/lib/route";

const NARROW = "(max-width: 759px)";
const query = () => window.matchMedia?.(NARROW);

const subscribe = (listener: () => void) => {
  const media = query();
  media?.addEventListener("change", listener);
  return () => media?.removeEventListener("change", listener);
};

export const usePhone = (): boolean => useSyncExternalStore(subscribe, () => query()?.matches === true);

/** Which pane a phone shows. A view without a list is all content. */
export function paneOf(route: Route, hash: string): "list" | "content" {
  switch (route.view) {
    case "sessions":
      return route.session === null ? "list" : "content";
    case "sources":
      return route.source === null ? "list" : "content";
    case "plugins":
      return route.plugin === null ? "list" : "content";
    case "skills":
      return route.skill === null ? "list" : "content";
    case "hooks":
      return route.event === null ? "list" : "content";
    case "traces":
      return route.trace === null ? "list" : "content";
    case "settings":
      // The list of sections is the address without one.
      return /^#?\/?settings\/?$/.test(hash) ? "list" : "content";
    default:
      return "content";
  }
}

/** Where “back” leads from the content, as a hash; null where there is no list. */
export function backOf(route: Route): string | null {
  switch (route.view) {
    case "sessions": {
      const { filter } = route;
      return `#/sessions/${filter.by}${"id" in filter ? `/${encodeURIComponent(filter.id)}` : ""}`;
    }
    case "traces":
      return route.session === null ? "#/traces" : `#/traces/of/${encodeURIComponent(route.session)}`;
    case "sources":
    case "plugins":
    case "skills":
    case "hooks":
    case "settings":
      return `#/${route.view}`;
    default:
      return null;
  }
}

/** Keeps the page as high as what the keyboard of the phone leaves, so that the composer stays in sight. */
export function useVisibleHeight(phone: boolean): void {
  useEffect(() => {
    const seen = window.visualViewport;
    if (!phone || seen == null) return;
    const root = document.documentElement;
    const fit = () => {
      root.style.setProperty("--visible-height", `${Math.round(seen.height)}px`);
      // A phone that scrolled the page up to show the field has moved the composer; it is in sight already.
      window.scrollTo(0, 0);
    };
    fit();
    seen.addEventListener("resize", fit);
    return () => {
      seen.removeEventListener("resize", fit);
      root.style.removeProperty("--visible-height");
    };
  }, [phone]);
}
