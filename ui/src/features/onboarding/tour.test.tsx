import { screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

beforeEach(() => localStorage.removeItem("kata.tour"));

describe("the first steps", () => {
  it("begin after a model was chosen, and are left with one click for good", async () => {
    const { user } = openWindow("", { firstRun: true });
    await user.click(await screen.findByTestId("use-demo"));
    expect(await screen.findByTestId("tour")).toHaveTextContent("1 of 4");
    expect(screen.queryByRole("dialog")).toBeNull();
    await user.click(screen.getByTestId("tour-open"));
    await user.click(await screen.findByTestId("tour-skip"));
    expect(screen.queryByTestId("tour")).toBeNull();
    expect(localStorage.getItem("kata.tour")).toBeNull();
  });

  it("lead from a channel to an answered message, and each step ends when its thing has happened", async () => {
    const { user, platform } = openWindow("#/settings/start");
    await user.click(await screen.findByTestId("tour-start"));
    await user.click(await screen.findByTestId("tour-use-channel:telegram"));
    expect(await screen.findByText(/Write anything to the bot on Telegram/)).toBeVisible();
    const waiting = platform.world.pairing.find(({ channel }) => channel === "telegram");
    await user.click(await screen.findByTestId(`tour-let-in-${waiting?.code}`));
    expect(platform.world.pairing.some(({ code }) => code === waiting?.code)).toBe(false);
    // The fake has conversations of Telegram already: the answer is there.
    expect(await screen.findByText(/was let in and got an answer/)).toBeVisible();
    await user.click(screen.getByTestId("tour-end"));
    expect(screen.queryByTestId("tour")).toBeNull();
  });

  it("set a channel up with its own wizard", async () => {
    const { user } = openWindow("#/settings/start");
    await user.click(await screen.findByTestId("tour-start"));
    await user.click(await screen.findByTestId("tour-set-up-channel:matrix"));
    expect(await screen.findByRole("dialog", { name: "Set up Matrix" })).toBeVisible();
  });

  it("go on where they stopped after the window was closed", async () => {
    localStorage.setItem("kata.tour", JSON.stringify({ step: "write", channel: "channel:telegram", open: false }));
    const { user } = openWindow();
    expect(await screen.findByTestId("tour")).toHaveTextContent("2 of 4");
    await user.click(screen.getByTestId("tour-open"));
    await user.click(await screen.findByRole("button", { name: "Back" }));
    expect(screen.getByTestId("tour")).toHaveTextContent("1 of 4");
  });

  it("are not there with something else in their place", async () => {
    localStorage.setItem("kata.tour", "{broken");
    openWindow();
    await waitFor(() => expect(screen.getByTestId("nav-sessions")).toBeVisible());
    expect(screen.queryByTestId("tour")).toBeNull();
  });

  it("say so when there is no channel", async () => {
    localStorage.setItem("kata.tour", JSON.stringify({ step: "channel", channel: null, open: true }));
    openWindow("", { empty: true });
    expect(await screen.findByText(/There is no channel/)).toBeVisible();
  });

  it("say so when nobody has written yet", async () => {
    localStorage.setItem("kata.tour", JSON.stringify({ step: "write", channel: "channel:nobody", open: true }));
    openWindow("", { empty: true });
    expect(await screen.findByText("Nobody has written yet.")).toBeVisible();
  });
});
