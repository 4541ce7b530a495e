import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openWindow } from "@/test/app";

describe("setting a channel up", () => {
  it("leads through its steps, shows what to copy, and ends with the channel running", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Aslack");
    await user.click(await screen.findByRole("button", { name: /^Set up/ }));
    const dialog = within(await screen.findByRole("dialog", { name: "Set up Slack" }));
    expect(await dialog.findByText(/socket_mode_enabled/)).toBeVisible();
    const field = dialog.getByTestId("setup-value");
    expect(field).toHaveAttribute("type", "password");
    await user.type(field, "xapp-1{Enter}");
    expect(await dialog.findByRole("heading", { name: "Install it" })).toBeVisible();
    expect(dialog.getByTestId("setup-value")).toHaveValue("");
    await user.type(dialog.getByTestId("setup-value"), "xoxb-1{Enter}");
    expect(await dialog.findByText("Signed in as @kata_bot")).toBeVisible();
    expect(platform.world.secrets.get("channel:slack")).toEqual([
      { name: "appToken", set: true },
      { name: "botToken", set: true },
    ]);
  });

  it("says what is wrong with an answer and keeps what was typed", async () => {
    const { user } = openWindow("#/sources/channel%3Aslack");
    await user.click(await screen.findByRole("button", { name: /^Set up/ }));
    const field = await screen.findByTestId("setup-value");
    await user.type(field, "wrong{Enter}");
    await waitFor(() => expect(screen.getByTestId("setup-value")).toHaveAccessibleDescription("The platform refuses it. Copy it again."));
    expect(screen.getByTestId("setup-value")).toHaveValue("wrong");
  });

  it("offers what there is to choose from, and a switched-off channel can be switched on at the end", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Amatrix");
    await user.click(await screen.findByRole("button", { name: /^Set up/ }));
    await user.type(await screen.findByTestId("setup-value"), "https://matrix.example{Enter}");
    await user.click(await screen.findByRole("radio", { name: "With the account's password" }));
    await user.click(screen.getByRole("button", { name: "Continue" }));
    await user.type(await screen.findByTestId("setup-value"), "secret{Enter}");
    await user.click(await screen.findByRole("button", { name: "Switch it on" }));
    await waitFor(() => expect(platform.world.source("channel:matrix").enabled).toBe(true));
    expect(await screen.findByRole("button", { name: "Done" })).toBeVisible();
  });
});

describe("a step that the person answers", () => {
  afterEach(() => void vi.useRealTimers());

  it("is asked for once, however long they take", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const { user, platform } = openWindow("#/sources/channel%3Aslack");
    let asked = 0;
    const request = platform.request.bind(platform);
    platform.request = ((op: never, params: never) => {
      if (op === "channel.setup") asked += 1;
      return request(op, params);
    }) as typeof platform.request;
    await user.click(await screen.findByRole("button", { name: /^Set up/ }));
    await screen.findByTestId("setup-value");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toBe(1);
  });
});

describe("a channel's platform", () => {
  it("is asked, and its dangers are listed", async () => {
    const { user } = openWindow("#/sources/channel%3Aslack");
    await user.click(await screen.findByRole("button", { name: "Test" }));
    expect(await screen.findByText("The platform answers.")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Check for risks" }));
    expect(await screen.findByText(/channels:history is missing/)).toBeVisible();
  });
});

describe("accounts of a channel", () => {
  it("are added by name, listed together, and removed after a question", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Aslack");
    await user.type(await screen.findByRole("textbox", { name: "Name of the account" }), "work");
    await user.click(screen.getByRole("button", { name: "Add account" }));
    const accounts = within(await screen.findByRole("region", { name: "Accounts" }));
    await waitFor(() => expect(window.location.hash).toContain("slack%40work"));
    expect(await accounts.findByRole("button", { name: /Slack · work/, current: true })).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Remove Slack · work" }));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(platform.world.sources.some((row) => row.id === "channel:slack@work")).toBe(false));
  });
});
