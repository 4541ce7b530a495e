import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("the window", () => {
  it("asks a browser for a code, or for its token, before anything else", async () => {
    const { platform, user } = openWindow();
    platform.move({ kind: "needs_token", reason: "The token is not known." });
    expect(await screen.findByTestId("connect-code")).toHaveAccessibleDescription("The token is not known.");
    await user.click(screen.getByTestId("connect-other"));
    const field = await screen.findByTestId("connect-token");
    expect(field).toHaveAccessibleDescription("The token is not known.");
    await user.type(field, "abc");
    await user.click(screen.getByTestId("connect-submit"));
    expect(await screen.findByTestId("health-line")).toBeVisible();
  });

  it("reaches every view from the sidebar", async () => {
    const { user } = openWindow();
    for (const [nav, heading] of [
      ["nav-sources", "Sources"],
      ["nav-plugins", "Plugins"],
      ["nav-traces", "Traces"],
      ["nav-settings", "Settings"],
      ["nav-sessions", "All sessions"],
    ] as const) {
      await user.click(await screen.findByTestId(nav));
      expect(await screen.findByRole("heading", { level: 1, name: heading })).toBeVisible();
      expect(screen.getByTestId(nav)).toHaveAttribute("aria-current", "page");
    }
  });

  it("opens the palette by keyboard and goes where it says", async () => {
    const { user } = openWindow();
    await screen.findByTestId("health-line");
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByPlaceholderText(/Find a command/), "traces{Enter}");
    await waitFor(() => expect(window.location.hash).toBe("#/traces"));
  });

  it("shows the line of health as facts change it", async () => {
    const { platform } = openWindow();
    const line = await screen.findByTestId("health-line");
    platform.world.publish({ topic: "health_changed", health: { running: 3, needsUser: 1, failing: 0, busySessions: 0, waiting: 1, paused: false, line: "3 channels running · 1 needs you" } });
    await waitFor(() => expect(line).toHaveTextContent("3 channels running · 1 needs you"));
  });

  it("shows a notice until it is dismissed", async () => {
    const { user } = openWindow();
    const notice = await screen.findByText(/cut off and has been set aside/);
    await user.click(screen.getByRole("button", { name: "Dismiss" }));
    await waitFor(() => expect(notice).not.toBeInTheDocument());
  });
});
