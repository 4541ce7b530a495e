import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("a plugin that nobody has looked at", () => {
  it("shows its files, its hash, its signature and what it wants in plain words", async () => {
    openWindow("#/plugins/calendar");
    const prompt = within(await screen.findByTestId("trust-prompt"));
    expect(prompt.getByRole("list", { name: "Files" })).toHaveTextContent(/src\/google\.ts.*13 kB/);
    expect(prompt.getByTestId("hash")).toHaveAttribute("title", expect.stringMatching(/^SHA-256 [0-9a-f]{64}$/));
    expect(prompt.getByText(/its key is new to you/)).toBeVisible();
    expect(prompt.getByTestId("capability-net:www.googleapis.com")).toHaveTextContent("Talk to www.googleapis.com over the network");
    expect(prompt.getByTestId("capability-hooks:conversation")).toHaveTextContent("sensitive");
    expect(prompt.getByTestId("capability-net:www.googleapis.com")).not.toHaveTextContent("sensitive");
  });

  it("is trusted with those capabilities that are left on, and switched on", async () => {
    const { user, platform } = openWindow("#/plugins/calendar");
    await user.click(await screen.findByRole("switch", { name: /Read and change what people/ }));
    await user.click(screen.getByRole("switch", { name: "Remember who signed it" }));
    expect(screen.getByText(/With 3 capabilities/)).toBeVisible();
    await user.click(screen.getByTestId("trust-enable"));
    await waitFor(() => expect(platform.world.plugins.find((row) => row.id === "calendar")).toMatchObject({ trust: "trusted", enabled: true }));
    const extra = platform.world.extra("calendar");
    expect(extra.grant).toMatchObject({ hash: extra.hash, development: false, capabilities: ["net:www.googleapis.com", "oauth:google:calendar", "secret:clientSecret"] });
    expect(extra.signature).toMatchObject({ known: true });
    expect(await screen.findByText("What you granted")).toBeVisible();
    expect(within(screen.getByTestId("grant-history")).getAllByRole("listitem")[1]).toHaveTextContent("Trusted");
  });

  it("is granted nothing when its files change under the eyes of the one who reads", async () => {
    const { user, platform } = openWindow("#/plugins/calendar");
    const before = (await screen.findByTestId("hash")).textContent;
    platform.world.extra("calendar").hash = "f".repeat(64);
    platform.world.publish({ topic: "plugin_changed", id: "calendar" });
    expect(await screen.findByText(/changed while you looked/)).toBeVisible();
    expect(screen.getByTestId("hash")).toHaveTextContent(before ?? "");
    expect(screen.getByTestId("trust-enable")).toBeDisabled();
    await user.click(screen.getByTestId("look-again"));
    expect(screen.getByTestId("hash")).toHaveTextContent("ffffffff");
    expect(screen.getByTestId("trust-enable")).toBeEnabled();
  });

  it("says why a grant was refused", async () => {
    const { user, platform } = openWindow("#/plugins/calendar");
    const button = await screen.findByTestId("trust-enable");
    platform.world.extra("calendar").hash = "0".repeat(64);
    await user.click(button);
    expect(await screen.findByText(/are others by now.*Look at them again/)).toBeVisible();
    expect(platform.world.extra("calendar").grant).toBeNull();
  });
});

describe("a plugin whose files changed", () => {
  it("shows the difference line by line, and what it asks for on top", async () => {
    const { user } = openWindow("#/plugins/digest");
    const prompt = within(await screen.findByTestId("trust-prompt"));
    expect(prompt.getByText(/It asks for 1 thing more: Talk to hooks.example.net/)).toBeVisible();
    const index = within(prompt.getByTestId("change-index.ts"));
    expect(index.getByRole("region", { name: "Difference in index.ts" })).toBeVisible();
    expect(index.getByText('import { post } from "./send";').closest("tr")).toHaveAttribute("data-kind", "added");
    expect(prompt.getByTestId("change-send.ts")).toHaveTextContent(/new/);
    expect(prompt.getByTestId("change-logo.png")).toHaveTextContent(/Not shown/);
    const gone = prompt.getByTestId("change-template.md");
    expect(gone).toHaveTextContent("gone");
    expect(gone).not.toHaveTextContent("What happened today");
    await user.click(within(gone).getByRole("button"));
    expect(gone).toHaveTextContent("What happened today");
  });

  it("keeps what it had and gets what is new only by a decision", async () => {
    const { user, platform } = openWindow("#/plugins/digest");
    expect(await screen.findByRole("switch", { name: "Grant: Read your sessions" })).toBeChecked();
    const added = screen.getByRole("switch", { name: /Grant: Talk to hooks.example.net/ });
    expect(added).not.toBeChecked();
    await user.click(added);
    await user.click(screen.getByTestId("trust-enable"));
    await waitFor(() => expect(platform.world.extra("digest").grant?.capabilities).toEqual(["sessions:read", "net:hooks.example.net"]));
    expect(await screen.findByText("What you granted")).toBeVisible();
  });
});

describe("what was granted", () => {
  it("is taken back one by one, after a question that says when it holds", async () => {
    const { user, platform } = openWindow("#/plugins/redact");
    await user.click(await screen.findByTestId("tab-trust"));
    await user.click(await screen.findByTestId("revoke-hooks:conversation"));
    const question = within(await screen.findByRole("alertdialog"));
    expect(question.getByText(/It holds at once/)).toBeVisible();
    await user.click(question.getByRole("button", { name: "Cancel" }));
    expect(platform.world.extra("redact").grant?.capabilities).toEqual(["hooks:conversation"]);
    await user.click(screen.getByTestId("revoke-hooks:conversation"));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(platform.world.extra("redact").grant?.capabilities).toEqual([]));
    expect(await screen.findByTestId("grant-hooks:conversation")).toBeVisible();
  });

  it("is taken back as a whole, and the plugin waits for trust again", async () => {
    const { user, platform } = openWindow("#/plugins/standup");
    await user.click(await screen.findByTestId("tab-trust"));
    await user.click(await screen.findByTestId("revoke-all"));
    await user.click(await screen.findByTestId("confirm"));
    expect(await screen.findByTestId("trust-prompt")).toBeVisible();
    expect(platform.world.plugins.find((row) => row.id === "standup")).toMatchObject({ trust: "untrusted", enabled: false });
  });

  it("can be widened by what it declares", async () => {
    const { user, platform } = openWindow("#/plugins/redact");
    await user.click(await screen.findByTestId("tab-trust"));
    await user.click(await screen.findByTestId("grant-hooks:gate"));
    await waitFor(() => expect(platform.world.extra("redact").grant?.capabilities).toEqual(["hooks:conversation", "hooks:gate"]));
  });
});
