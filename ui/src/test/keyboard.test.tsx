/** Nothing is for the mouse alone. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "./app";

const sources = (folder: string): string[] => readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile() && entry.name.endsWith(".tsx") && !entry.name.includes(".test.")).map((entry) => join(entry.parentPath, entry.name));

/** A list box takes the keyboard for its options; the menus over the composer belong to the text field. */
const FOR_ITS_LIST = /role="option"/;

describe("a control", () => {
  it("that takes a click is a button, a link, a field, or an option of a list that takes the keys", () => {
    const mouseOnly = sources("src").flatMap((file) => {
      const text = readFileSync(file, "utf8");
      return [...text.matchAll(/<(div|span|li|p|section|article|img|td|tr|ul)\b((?:[^>]|=>)*?)\son(?:Click|MouseDown|DoubleClick)=/g)].filter(([, , attributes = ""]) => !FOR_ITS_LIST.test(attributes)).map(([found]) => `${file}: ${found.slice(0, 120)}`);
    });
    expect(mouseOnly).toEqual([]);
  });
});

describe("the keyboard", () => {
  it("goes to the sidebar, the list and the content by number", async () => {
    const { user } = openWindow("#/sessions/all/261122-brave-otter");
    const composer = await screen.findByTestId("composer");
    await user.keyboard("{Control>}2{/Control}");
    expect(screen.getByRole("listbox", { name: "Sessions" })).toHaveFocus();
    await user.keyboard("{Control>}1{/Control}");
    expect(within(screen.getByRole("navigation", { name: "Main" })).getByTestId("nav-sessions")).toHaveFocus();
    await user.keyboard("{Control>}3{/Control}");
    expect(composer).toHaveFocus();
  });

  it("brings the sidebar back when it is gone to", async () => {
    const { user } = openWindow();
    await screen.findByRole("navigation", { name: "Main" });
    await user.keyboard("{Control>}\\{/Control}");
    expect(screen.queryByRole("navigation", { name: "Main" })).toBeNull();
    await user.keyboard("{Control>}1{/Control}");
    await waitFor(() => expect(screen.getByTestId("nav-sessions")).toHaveFocus());
  });

  it("goes to a view by G and its letter, and never out of a text", async () => {
    const { user } = openWindow();
    await screen.findByTestId("nav-sessions");
    await user.keyboard("gk");
    expect(await screen.findByTestId("skill-row-weekly-report")).toBeVisible();
    const search = screen.getByLabelText("Search skills");
    await user.type(search, "gs");
    expect(search).toHaveValue("gs");
    expect(window.location.hash).toBe("#/skills");
  });

  it("skips to the content with the first Tab", async () => {
    const { user } = openWindow("#/sessions/all/261122-brave-otter");
    const composer = await screen.findByTestId("composer");
    await user.tab();
    expect(screen.getByRole("button", { name: "Skip to the content" })).toHaveFocus();
    await user.keyboard("{Enter}");
    expect(composer).toHaveFocus();
  });

  it("comes back to where it was when a dialog closes", async () => {
    const { user } = openWindow("#/skills");
    const opener = await screen.findByTestId("new-skill");
    opener.focus();
    await user.keyboard("{Enter}");
    expect(await screen.findByTestId("skill-name")).toHaveFocus();
    await user.keyboard("{Escape}");
    await waitFor(() => expect(opener).toHaveFocus());
  });
});

describe("what happens by itself", () => {
  it("is said to a screen reader: answers by the log, notices by the status line", async () => {
    openWindow("#/sessions/all/261122-brave-otter");
    expect(await screen.findByRole("log", { name: "Conversation" })).toHaveAttribute("aria-busy");
    expect(document.querySelector("[aria-live=polite]")).not.toBeNull();
  });
});
