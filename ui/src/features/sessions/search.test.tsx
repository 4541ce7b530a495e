import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("the search in messages", () => {
  it("shows what was found with the words marked, and goes to the message", async () => {
    const { user } = openWindow();
    await user.type(await screen.findByLabelText("Search sessions"), "jitter everywhere");
    const hit = await screen.findByRole("option", { name: /^Message in Review the retry policy/ });
    expect([...hit.querySelectorAll("mark")].map(({ textContent }) => textContent)).toEqual(["jitter", "everywhere"]);
    expect(hit.textContent).not.toMatch(/[\u2068\u2069]/);
    await user.click(hit);
    expect(window.location.hash).toMatch(/^#\/sessions\/all\/261121-kind-ibis\/msg-/);
    expect(await screen.findByTestId("message-target")).toHaveTextContent("jitter everywhere");
  });

  it("goes by keyboard from the titles into the messages", async () => {
    const { user } = openWindow();
    await user.type(await screen.findByLabelText("Search sessions"), "backoff");
    await screen.findByRole("option", { name: /^Message in/ });
    screen.getByRole("listbox", { name: "Sessions" }).focus();
    await user.keyboard("{End}");
    await waitFor(() => expect(window.location.hash).toMatch(/261121-kind-ibis\/msg-/));
  });

  it("says how many sessions are not searched yet", async () => {
    const { user } = openWindow("", { big: true });
    await user.type(await screen.findByLabelText("Search sessions"), "index");
    expect(await screen.findByText(/312 sessions not searched yet/)).toBeVisible();
  });

  it("is in the palette too", async () => {
    const { user } = openWindow();
    await screen.findByTestId("health-line");
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByPlaceholderText(/Find a command/), "partial index");
    const found = within(await screen.findByRole("group", { name: "In messages" })).getByText(/Why does the nightly export/);
    await user.click(found);
    await waitFor(() => expect(window.location.hash).toMatch(/261122-brave-otter\/msg-/));
  });
});

describe("the archive", () => {
  const AMBER = "261122-amber-finch";

  it("takes a session out of the list, keeps it, and gives it back", async () => {
    const { user, platform } = openWindow(`#/sessions/all/${AMBER}`);
    await user.click(await screen.findByTestId("session-more"));
    await user.click(await screen.findByRole("menuitem", { name: "Archive" }));
    await waitFor(() => expect(screen.queryByTestId(`session-row-${AMBER}`)).toBeNull());
    expect(window.location.hash).toBe("#/sessions/all");
    await user.click(screen.getByTestId("nav-archived"));
    await user.click(await screen.findByTestId(`session-row-${AMBER}`));
    await user.click(await screen.findByTestId("session-more"));
    await user.click(await screen.findByRole("menuitem", { name: "Take out of the archive" }));
    await waitFor(() => expect(platform.world.session(AMBER).archived).toBe(false));
    await user.click(screen.getByTestId("nav-sessions"));
    expect(await screen.findByTestId(`session-row-${AMBER}`)).toBeVisible();
  });

  it("deletes only what is in it, after a question", async () => {
    const { user, platform } = openWindow(`#/sessions/all/${AMBER}`);
    await user.click(await screen.findByTestId("session-more"));
    expect(screen.queryByRole("menuitem", { name: "Delete…" })).toBeNull();
    await user.click(await screen.findByRole("menuitem", { name: "Archive" }));
    await user.click(screen.getByTestId("nav-archived"));
    await user.click(await screen.findByTestId(`session-row-${AMBER}`));
    await user.click(await screen.findByTestId("session-more"));
    await user.click(await screen.findByRole("menuitem", { name: "Delete…" }));
    expect(await screen.findByRole("alertdialog")).toHaveTextContent("cannot be taken back");
    expect(platform.world.sessions.has(AMBER)).toBe(true);
    await user.click(screen.getByTestId("confirm"));
    await waitFor(() => expect(platform.world.sessions.has(AMBER)).toBe(false));
    expect(await screen.findByText("The archive is empty")).toBeVisible();
  });

  it("lets a channel conversation begin anew, after a question", async () => {
    const { user, platform } = openWindow("#/sessions/channels/261122-channel-mara");
    await user.click(await screen.findByTestId("session-more"));
    await user.click(await screen.findByRole("menuitem", { name: "Begin anew…" }));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(platform.world.keys.some(({ session }) => session === "261122-channel-mara")).toBe(false));
  });
});
