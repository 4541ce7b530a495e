import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("the first run", () => {
  it("offers what was found and uses nothing before a click", async () => {
    const { platform, user } = openWindow("", { firstRun: true });
    expect(await screen.findByTestId("onboarding")).toBeVisible();
    expect(await screen.findByTestId("detected-anthropic")).toHaveTextContent("ANTHROPIC_API_KEY in the environment");
    expect(platform.world.models).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Use this key" }));
    expect(await screen.findByTestId("nav-sessions")).toBeVisible();
    expect(platform.world.model()?.settings.kind).toBe("anthropic");
  });

  it("goes on with the demo and then says everywhere that it is scripted", async () => {
    const { user } = openWindow("", { firstRun: true });
    await user.click(await screen.findByTestId("use-demo"));
    await user.click(await screen.findByTestId("new-session"));
    expect(await screen.findByText(/Scripted demo/)).toBeVisible();
    await waitFor(() => expect(screen.getByTestId("model-badge")).toHaveTextContent("Demo (scripted)"));
  });
});
