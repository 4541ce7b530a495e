import { screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseRoute } from "@/lib/route";
import { openWindow } from "@/test/app";
import { backOf, paneOf } from "./usePhone";

describe("a window as narrow as a phone", () => {
  beforeEach(() =>
    void vi.stubGlobal("matchMedia", (query: string) => ({ matches: query.includes("759px"), media: query, addEventListener: () => undefined, removeEventListener: () => undefined })),
  );
  afterEach(() => void vi.unstubAllGlobals());

  it("shows one pane at a time, with a way back", async () => {
    const { platform, user } = openWindow();
    expect(await screen.findByTestId("phone-sessions")).toHaveAttribute("aria-current", "page");
    expect(screen.queryByTestId("nav-sources")).not.toBeInTheDocument();
    const id = platform.world.sessions.keys().next().value ?? "";
    window.location.hash = `#/sessions/all/${id}`;
    await user.click(await screen.findByTestId("phone-back"));
    await waitFor(() => expect(window.location.hash).toBe("#/sessions/all"));
    expect(screen.queryByTestId("phone-back")).not.toBeInTheDocument();
  });

  it("has the sidebar as a drawer that closes when it has led somewhere", async () => {
    const { user } = openWindow();
    await user.click(await screen.findByTestId("phone-more"));
    await user.click(await screen.findByTestId("nav-plugins"));
    await waitFor(() => expect(screen.queryByTestId("phone-close")).not.toBeInTheDocument());
    expect(await screen.findByRole("heading", { level: 1, name: "Plugins" })).toBeInTheDocument();
    await user.click(screen.getByTestId("phone-more"));
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByTestId("phone-close")).not.toBeInTheDocument());
  });

  it("keeps the focus in the drawer, gives it back, and opens it by the key of the sidebar", async () => {
    const { user } = openWindow();
    const more = await screen.findByTestId("phone-more");
    await user.click(more);
    const drawer = await screen.findByRole("dialog", { name: "Places and settings" });
    await waitFor(() => expect(drawer).toContainElement(document.activeElement as HTMLElement));
    await user.tab({ shift: true });
    await user.tab({ shift: true });
    expect(drawer).toContainElement(document.activeElement as HTMLElement);
    await user.keyboard("{Escape}");
    await waitFor(() => expect(more).toHaveFocus());
    await user.keyboard("{Control>}1{/Control}");
    await waitFor(() => expect(screen.getByTestId("nav-sessions")).toHaveFocus());
  });

  it("leads back from every content to its list, and the list is one", () => {
    for (const hash of ["#/sessions/label/urgent%2Fnow/s1", "#/sources/channel%3Aslack", "#/plugins/echo", "#/skills/weekly-report", "#/hooks/message_sent", "#/traces/t1", "#/traces/of/s1/t1", "#/settings/gateway"]) {
      const route = parseRoute(hash);
      expect(paneOf(route, hash), hash).toBe("content");
      const back = backOf(route);
      expect(back, hash).not.toBeNull();
      expect(paneOf(parseRoute(back ?? ""), back ?? ""), hash).toBe("list");
    }
  });
});
