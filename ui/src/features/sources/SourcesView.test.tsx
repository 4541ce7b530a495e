import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { OperationError } from "@/platform";
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
    const { user } = openWindow("#/sources/mcp%3Aacme%3Apostgres");
    const mend = await screen.findByTestId("mend");
    expect(mend).toHaveTextContent("Try now");
    await user.click(mend);
    await waitFor(() => expect(screen.queryByTestId("mend")).toBeNull());
  });

  it("shows only those that need the person, and says how many there are of each", async () => {
    const { user } = openWindow("#/sources");
    await screen.findByTestId("source-row-channel:telegram");
    await user.click(screen.getByTestId("filter"));
    expect(await screen.findByTestId("filter-needs")).toHaveTextContent("Needs you4");
    await user.click(screen.getByTestId("filter-needs"));
    await waitFor(() => expect(screen.queryByTestId("source-row-channel:telegram")).toBeNull());
    for (const id of ["channel:gmail", "service:calendar", "api:acme:crm", "local:acme:archive"]) expect(screen.getByTestId(`source-row-${id}`)).toBeVisible();
    await user.click(screen.getByTestId("filter-clear"));
    expect(await screen.findByTestId("source-row-channel:telegram")).toBeVisible();
  });

  it("finds by name, and says so when there is none", async () => {
    const { user } = openWindow("#/sources");
    await user.type(await screen.findByLabelText("Search sources"), "hand");
    await waitFor(() => expect(screen.queryByTestId("source-row-channel:telegram")).toBeNull());
    expect(screen.getByTestId("source-row-local:acme:handbook")).toBeVisible();
    await user.type(screen.getByLabelText("Search sources"), "zzz");
    expect(await screen.findByText("No source is called “handzzz”.")).toBeVisible();
  });

  it("moves through the rows by arrow keys, over the groups", async () => {
    const { user } = openWindow("#/sources");
    const row = within(await screen.findByTestId("source-row-channel:matrix"));
    row.getByRole("button").focus();
    await user.keyboard("{ArrowDown}");
    expect(window.location.hash).toBe("#/sources/service%3Agmail");
    await user.keyboard("{Home}");
    expect(window.location.hash).toBe("#/sources/channel%3Atelegram");
  });

  it("leads from the line of health to what needs the person", async () => {
    const { user } = openWindow();
    const line = await screen.findByTestId("health-line");
    await waitFor(() => expect(line).toHaveAttribute("title", "To what needs you"));
    await user.click(line);
    expect(window.location.hash).toBe("#/waiting");
  });

  it("says why it has nothing to show, and asks again when told to", async () => {
    const { user, platform } = openWindow("#/sources");
    const ask = platform.request.bind(platform);
    platform.request = (op, params) => (op === "source.list" ? Promise.reject(new OperationError({ code: "internal", message: "the list could not be read", hint: "look at the log" })) : ask(op, params));
    const list = within(await screen.findByRole("region", { name: "Sources" }));
    expect(await list.findByRole("alert")).toHaveTextContent("The list could not be read.Look at the log.");
    platform.request = ask;
    await user.click(list.getByRole("button", { name: "Try again" }));
    expect(await screen.findByTestId("source-row-channel:telegram")).toBeVisible();
  });

  it("says how to begin where there is nothing yet", async () => {
    openWindow("#/sources", { empty: true });
    expect(await screen.findByText("No sources yet")).toBeVisible();
    expect(screen.getByTestId("add-source")).toBeVisible();
  });

  it("lets a person in by the code they were shown", async () => {
    const { user, platform } = openWindow("#/sources/channel%3Atelegram");
    const request = within(await screen.findByTestId("pairing-K7QM2XPA"));
    expect(request.getByText("K7QM2XPA")).toBeVisible();
    await user.click(request.getByRole("button", { name: "Let in" }));
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
