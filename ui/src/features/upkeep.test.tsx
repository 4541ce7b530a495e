import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("messages that did not get through", () => {
  it("are counted in the sidebar, and go when they are tried again", async () => {
    const { user, platform } = openWindow();
    const badge = await screen.findByTestId("nav-letters");
    await waitFor(() => expect(badge).toHaveTextContent("Undelivered3"));
    await user.click(badge);
    await user.click(await screen.findByTestId("retry-out-37"));
    await waitFor(() => expect(screen.queryByTestId("letter-out-37")).toBeNull());
    await waitFor(() => expect(badge).toHaveTextContent("Undelivered2"));
    expect(platform.world.letters.map(({ id }) => id)).toEqual(["out-41", "in-12"]);
  });

  it("that may have arrived are sent again only after a warning", async () => {
    const { user, platform } = openWindow("#/letters");
    await user.click(await screen.findByTestId("retry-out-41"));
    expect(await screen.findByRole("alertdialog")).toHaveTextContent("it may be there twice");
    expect(platform.world.letters).toHaveLength(3);
    await user.click(screen.getByTestId("confirm"));
    await waitFor(() => expect(platform.world.letters).toHaveLength(2));
  });

  it("are given up after a question", async () => {
    const { user, platform } = openWindow("#/letters");
    await user.click(within(await screen.findByTestId("letter-in-12")).getByRole("button", { name: "Give up…" }));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(platform.world.letters.some(({ id }) => id === "in-12")).toBe(false));
  });
});

describe("tidying up", () => {
  it("shows what rules would do before they are in force, and runs only those that are", async () => {
    const { user, platform } = openWindow("#/settings/hygiene");
    const days = await screen.findByLabelText("This window and clients: Archive after silence, days");
    await user.clear(days);
    await user.type(days, "9");
    await user.click(screen.getByTestId("hygiene-preview"));
    expect(await screen.findByTestId("step-261112-bold-tern")).toHaveTextContent(/Silent for \d+ days; the rule says 9/);
    expect(screen.getByTestId("hygiene-run")).toBeDisabled();
    expect(platform.world.session("261112-bold-tern").archived).not.toBe(true);
    await user.click(screen.getByTestId("hygiene-save"));
    await waitFor(() => expect(screen.getByTestId("hygiene-run")).toBeEnabled());
    await user.click(screen.getByTestId("hygiene-run"));
    await waitFor(() => expect(platform.world.session("261112-bold-tern").archived).toBe(true));
  });

  it("forgets what it showed when a rule changes, and says which field is wrong", async () => {
    const { user, platform } = openWindow("#/settings/hygiene");
    await user.click(await screen.findByTestId("hygiene-preview"));
    await screen.findByRole("region", { name: "What would happen" });
    const days = screen.getByLabelText("This window and clients: Archive after silence, days");
    await user.clear(days);
    await user.type(days, "0");
    expect(screen.queryByRole("region", { name: "What would happen" })).toBeNull();
    await user.click(screen.getByTestId("hygiene-save"));
    await waitFor(() => expect(days).toHaveAttribute("aria-invalid", "true"));
    expect(platform.world.hygiene.desktop?.archiveAfterDays).toBe(60);
  });
});

describe("permissions", () => {
  it("show rules that cannot be used, and what shuts commands in", async () => {
    openWindow("#/settings/permissions");
    expect(await screen.findByText(/1 rule cannot be used/)).toBeVisible();
    expect(screen.getByText(/a bracket is open/)).toBeVisible();
    expect(screen.getByText("shut in by bubblewrap")).toBeVisible();
  });

  it("explain how a call would be judged", async () => {
    const { user } = openWindow("#/settings/permissions");
    await user.type(await screen.findByLabelText("Command"), "sudo reboot{Enter}");
    expect(await screen.findByText("does not run")).toBeVisible();
    await user.clear(screen.getByLabelText("Command"));
    await user.type(screen.getByLabelText("Command"), "make release{Enter}");
    expect(await screen.findByText("asks you")).toBeVisible();
  });
});

describe("hooks", () => {
  it("stand in the order they run, each with the reason", async () => {
    const { user } = openWindow("#/hooks");
    await user.click(await screen.findByTestId("hook-message_received"));
    const rows = within(await screen.findByRole("list", { name: "Handlers in order" })).getAllByRole("listitem");
    expect(rows.map((row) => row.dataset.testid)).toEqual(["slot-redact", "slot-indexer", "slot-notes"]);
    expect(rows[1]).toHaveTextContent(/Same priority as echo.*12 failed or timed out/);
  });

  it("say so where nobody listens", async () => {
    openWindow("#/hooks", { empty: true });
    expect(await screen.findByText("No hooks yet")).toBeVisible();
  });
});

describe("traces", () => {
  it("are narrowed by the engine: plugin, outcome, origin", async () => {
    const { user } = openWindow("#/traces");
    await screen.findByTestId("trace-row-tr-019a-06");
    await user.selectOptions(screen.getByLabelText("Outcome"), "blocked");
    await waitFor(() => expect(screen.getAllByTestId(/^trace-row-/)).toHaveLength(1));
    await user.selectOptions(screen.getByLabelText("Outcome"), "");
    await user.selectOptions(screen.getByLabelText("From"), "cli");
    await waitFor(() => expect(screen.getAllByTestId(/^trace-row-/).map((row) => row.dataset.testid)).toEqual(["trace-row-tr-019a-06"]));
    await user.selectOptions(screen.getByLabelText("Plugin"), "indexer");
    expect(await screen.findByText("Nothing found")).toBeVisible();
  });

  it("are copied as a report", async () => {
    const { user } = openWindow("#/traces/tr-019a-03");
    await user.click(await screen.findByTestId("trace-report"));
    await waitFor(async () => expect(await navigator.clipboard.readText()).toContain("# Trace tr-019a-03"));
    expect(await screen.findByText(/The report was copied/)).toBeVisible();
  });

  it("follow rules that are set here; one that does not parse is shown at its field", async () => {
    const { user, platform } = openWindow("#/settings/tracing");
    await user.click(await screen.findByRole("switch", { name: "Trace Home" }));
    const redact = screen.getByLabelText("Whatever these find");
    await user.clear(redact);
    await user.type(redact, "tok(en");
    await user.click(screen.getByTestId("tracing-save"));
    await waitFor(() => expect(redact).toHaveAttribute("aria-invalid", "true"));
    expect(platform.world.traceRules.off).toEqual([]);
    await user.type(redact, ")");
    await user.type(screen.getByLabelText("OpenTelemetry collector"), "http://127.0.0.1:4318");
    await user.click(screen.getByTestId("tracing-save"));
    expect(await screen.findByText(/118 traces sent since the start, 3 could not be. Connection refused/)).toBeVisible();
    expect(platform.world.traceRules).toMatchObject({ off: ["home"], redact: ["tok(en)"], otlp: "http://127.0.0.1:4318" });
  });
});
