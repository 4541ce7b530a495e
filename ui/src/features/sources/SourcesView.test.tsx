import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("the sources panel", () => {
  it("lists every kind in one list, each with its state in words", async () => {
    openWindow("#/sources");
    expect(await screen.findByTestId("source-status-channel:telegram")).toHaveTextContent("Running");
    for (const title of ["Channels", "Services", "MCP servers", "APIs", "Local folders"]) expect(screen.getByRole("region", { name: title })).toBeVisible();
    expect(screen.getByTestId("source-status-channel:gmail")).toHaveTextContent("Needs signing in");
  });

  it("follows a source through its states while it comes up", async () => {
    const { user } = openWindow("#/sources");
    const row = within(await screen.findByTestId("source-row-channel:matrix"));
    expect(row.getByTestId("source-status-channel:matrix")).toHaveAttribute("data-state", "stopped");
    await user.click(row.getByRole("switch"));
    await waitFor(() => expect(row.getByTestId("source-status-channel:matrix")).toHaveAttribute("data-state", "running"));
  });

  it("offers the action that mends a state", async () => {
    const { user } = openWindow("#/sources/channel%3Agmail");
    const mend = await screen.findByTestId("mend");
    expect(mend).toHaveTextContent("Reconnect Support mail");
    await user.click(mend);
    await waitFor(() => expect(screen.queryByTestId("mend")).toBeNull());
  });

  it("lets a person in by the code they were shown", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Atelegram");
    const request = within(await screen.findByTestId("pairing-K7QM2XPA"));
    expect(request.getByText("K7QM2XPA")).toBeVisible();
    await user.click(request.getByRole("button", { name: "Approve" }));
    await waitFor(() => expect(screen.queryByTestId("pairing-K7QM2XPA")).toBeNull());
    expect(platform.world.pairing).toEqual([]);
  });

  it("stores a secret and forgets what was typed", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Atelegram");
    const field = await screen.findByTestId("secret-webhookSecret");
    expect(field).toHaveAttribute("type", "password");
    await user.type(field, "s3cret{Enter}");
    await waitFor(() => expect(platform.world.secrets.get("channel:telegram")).toContainEqual({ name: "webhookSecret", set: true }));
    await waitFor(() => expect(screen.getByTestId("secret-webhookSecret")).toHaveValue(""));
  });

  it("names the field that is wrong and saves nothing", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Atelegram");
    const poll = await screen.findByLabelText("Long poll");
    await user.clear(poll);
    await user.type(poll, "99");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(poll).toHaveAccessibleDescription("At most 50.");
    expect(platform.world.settings.has("channel:telegram")).toBe(false);
  });
});
