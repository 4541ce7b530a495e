import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { openWindow } from "@/test/app";

const OTTER = "#/sessions/all/261122-brave-otter";

describe("the composer", () => {
  it("names files, skills and sources behind @", async () => {
    const { user } = openWindow(OTTER);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "look at @night");
    const menu = within(await screen.findByRole("listbox", { name: "Files, skills and sources" }));
    expect(menu.getAllByRole("option")[0]).toHaveTextContent("nightly-export.ts");
    expect(composer).toHaveAttribute("aria-activedescendant");
    await user.keyboard("{ArrowDown}{Enter}");
    expect(composer).toHaveValue("look at @jobs/nightly-export.test.ts ");
    await user.type(composer, "@week");
    await user.keyboard("{Tab}");
    expect(composer).toHaveValue("look at @jobs/nightly-export.test.ts @weekly-report ");
  });

  it("leaves what is typed alone after Esc, and sends it with Enter", async () => {
    const { user, platform } = openWindow(OTTER);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "@READ");
    await screen.findByTestId("mention-menu");
    await user.keyboard("{Escape}");
    expect(screen.queryByTestId("mention-menu")).toBeNull();
    await user.keyboard("{Enter}");
    await waitFor(() => expect(platform.world.transcript("261122-brave-otter").some((row) => row.content === "@READ")).toBe(true));
  });

  it("puts labels on the session behind #, and takes them off again", async () => {
    const { user, platform } = openWindow(OTTER);
    const composer = await screen.findByTestId("composer");
    const labels = () => platform.world.session("261122-brave-otter").labels;
    const had = labels().includes("bug");
    await user.type(composer, "#bug{Enter}");
    await waitFor(() => expect(labels().includes("bug")).toBe(!had));
    expect(composer).toHaveValue("");
    await user.type(composer, "#bug{Enter}");
    await waitFor(() => expect(labels().includes("bug")).toBe(had));
  });

  it("gives a label its value behind a colon", async () => {
    const { user, platform } = openWindow(OTTER);
    await user.type(await screen.findByTestId("composer"), "#priority:2{Enter}");
    await waitFor(() => expect(platform.world.session("261122-brave-otter").labels).toContain("priority::2"));
  });

  it("goes through the modes by Shift+Tab while it is empty", async () => {
    const { user, platform } = openWindow(OTTER);
    const composer = await screen.findByTestId("composer");
    composer.focus();
    const before = platform.world.session("261122-brave-otter").mode;
    await user.keyboard("{Shift>}{Tab}{/Shift}");
    await waitFor(() => expect(platform.world.session("261122-brave-otter").mode).not.toBe(before));
    expect(composer).toHaveFocus();
    await user.type(composer, "x");
    await user.keyboard("{Shift>}{Tab}{/Shift}");
    expect(composer).not.toHaveFocus();
  });

  it("takes a very long paste as a file", async () => {
    openWindow(OTTER);
    const composer = await screen.findByTestId("composer");
    fireEvent.paste(composer, { clipboardData: { files: [], getData: () => "line\n".repeat(3_000) } });
    expect(await screen.findByText("pasted.txt")).toBeVisible();
    expect(composer).toHaveValue("");
  });
});

describe("beside the chat", () => {
  it("notes are kept, and the branch is shown", async () => {
    const { user, platform } = openWindow(OTTER);
    await user.click(await screen.findByTestId("session-details"));
    const details = within(screen.getByRole("complementary", { name: "Details" }));
    const notes = await details.findByTestId("file-Notes");
    expect(notes).toHaveValue("Jonas knows the history of this job.\nAsk him before the index goes to production.");
    await user.type(notes, " Done.");
    await user.click(details.getByTestId("save-Notes"));
    await waitFor(async () => expect((await platform.request("session.notes", { id: "261122-brave-otter", text: null })).text).toMatch(/Done\.$/));
    expect(details.getByText("Branch fix/nightly-export, 3 changed files")).toBeInTheDocument();
  });

  it("the conversation is exported as a file", async () => {
    const { user } = openWindow(OTTER);
    const saved = vi.fn();
    URL.createObjectURL = () => "blob:x";
    URL.revokeObjectURL = () => undefined;
    const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      saved(this.download);
    });
    await user.click(await screen.findByTestId("session-more"));
    await user.click(await screen.findByTestId("export-markdown"));
    await waitFor(() => expect(saved).toHaveBeenCalledWith(expect.stringMatching(/\.md$/)));
    click.mockRestore();
  });
});
