import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("an engine that cannot start", () => {
  it("is said in the whole window, with what to do and where the log is", async () => {
    openWindow("", { engineFails: true });
    const view = within(await screen.findByTestId("engine-failure"));
    expect(view.getByRole("alert")).toHaveTextContent(/runs already for .* \(process 4711\)\..*Quit the other one/s);
    expect(view.getByText("/home/mara/.kata-agents/logs")).toBeVisible();
    expect(screen.queryByRole("status", { name: "Loading" })).toBeNull();
  });

  it("is started again by the button, and the window fills", async () => {
    const { user } = openWindow("", { engineFails: true });
    const again = await screen.findByTestId("engine-try-again");
    expect(again).toHaveFocus();
    await user.click(again);
    expect(await screen.findByTestId("health-line")).toHaveTextContent(/running/);
    expect(screen.queryByTestId("engine-failure")).toBeNull();
  });

  it("can be left by quitting", async () => {
    const { user, platform } = openWindow("", { engineFails: true });
    await user.click(await screen.findByTestId("engine-quit"));
    await waitFor(() => expect(platform.quits).toBe(1));
  });
});
