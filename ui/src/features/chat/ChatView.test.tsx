import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

const SESSION = "#/sessions/all/261121-kind-ibis";

describe("a chat in the window", () => {
  it("sends with Enter, asks before a tool, and streams the answer", async () => {
    const { user } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), "Is staging fine?{Enter}");
    await waitFor(() => expect(screen.getAllByTestId("message-user").at(-1)).toHaveTextContent("Is staging fine?"));
    expect(screen.getByTestId("composer")).toHaveValue("");
    await user.click(await screen.findByTestId("approve-once"));
    await waitFor(() => expect(screen.getByTestId("tool-card")).toHaveAttribute("data-status", "completed"));
    await waitFor(() => expect(screen.getAllByTestId("message-assistant").at(-1)).toHaveTextContent("2.4.0-rc.2"));
  });

  it("keeps a new line for Shift+Enter", async () => {
    const { user } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "one{Shift>}{Enter}{/Shift}two");
    expect(composer).toHaveValue("one\ntwo");
  });

  it("stops on Escape and offers to resend", async () => {
    const { user, platform } = openWindow(SESSION, { stepMs: 20 });
    await user.type(await screen.findByTestId("composer"), "a long one{Enter}");
    await screen.findByTestId("stop");
    await user.keyboard("{Escape}");
    expect(await screen.findByRole("button", { name: "Resend" })).toBeVisible();
    expect(platform.world.session("261121-kind-ibis").state).toBe("idle");
  });

  it("keeps a draft per session", async () => {
    const { user } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), "not yet sent");
    window.location.hash = "#/sessions/all/261122-amber-finch";
    await waitFor(() => expect(screen.getByTestId("composer")).toHaveValue(""));
    window.location.hash = SESSION;
    await waitFor(() => expect(screen.getByTestId("composer")).toHaveValue("not yet sent"));
  });

  it("keeps what was typed when the engine refuses it, and says why", async () => {
    const { user, platform } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "hello");
    platform.world.sessions.delete("261121-kind-ibis");
    await user.keyboard("{Enter}");
    await waitFor(() => expect(screen.getAllByTestId("status-line").some((line) => line.textContent?.includes("There is no session"))).toBe(true));
    expect(composer).toHaveValue("hello");
  });

  it("takes no message while the engine is away", async () => {
    const { user, platform } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), "hello");
    platform.move({ kind: "offline", reason: "The engine cannot be reached.", retryAt: Date.now() + 5_000 });
    await waitFor(() => expect(screen.getByTestId("send")).toBeDisabled());
    expect(screen.getByText(/The engine cannot be reached/)).toBeVisible();
  });
});
