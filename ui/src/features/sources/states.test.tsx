import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

/** Every state a source can be in, as the list has it, and what is offered to mend it. */
const STATES: readonly [id: string, words: string | RegExp, mend: string | null][] = [
  ["stopped", "Off", null],
  ["starting", "Starting", null],
  ["connecting", "Connecting", null],
  ["running", "Running", null],
  ["degraded", "Running, with a problem", "Restart Release notes"],
  ["backoff", /^Tries again in/, "Try now"],
  ["configure", "Needs setting up", "Fill in API key"],
  ["trust", "Needs your trust", "Review Stand-up"],
  ["relogin", "Needs signing in", "Reconnect Google"],
  ["pair", "Somebody waits", "See who waits"],
  ["add_model", "Needs a model", "Add a model"],
  ["failed", "Failed", "Restart Old tickets"],
  ["broken", "Failed", "See the log"],
  ["quarantined", /^Held back for/, "Restart Repository indexer"],
  ["stopping", "Stopping", null],
];

describe("a source's state", () => {
  it.each(STATES)("%s says %s and offers %s", async (id, words, mend) => {
    openWindow(`#/sources/service%3A${id}`, { states: true });
    expect(await screen.findByTestId(`source-status-service:${id}`)).toHaveTextContent(words);
    const state = await screen.findByTestId("source-state");
    // The sentence behind the words is the engine's own; the page has it whole.
    expect(state.textContent).toContain(" — ");
    if (mend === null) expect(screen.queryByTestId("mend")).toBeNull();
    else await waitFor(() => expect(screen.getByTestId("mend")).toHaveTextContent(mend));
  });

  it("leads where it can be mended", async () => {
    const { user } = openWindow("#/sources/service%3Abroken", { states: true });
    await user.click(await screen.findByTestId("mend"));
    expect(await screen.findByRole("log")).toBeVisible();
    expect(screen.getByTestId("tab-log")).toHaveAttribute("aria-selected", "true");
  });

  it("puts the focus on what is missing", async () => {
    const { user } = openWindow("#/sources/service%3Aconfigure", { states: true });
    await user.click(await screen.findByTestId("tab-log"));
    await user.click(screen.getByTestId("mend"));
    await waitFor(() => expect(screen.getByTestId("secret-apiKey")).toHaveFocus());
    await user.type(screen.getByTestId("secret-apiKey"), "k{Enter}");
    await waitFor(() => expect(within(screen.getByTestId("source-row-service:configure")).getByText("Running")).toBeVisible());
  });
});
