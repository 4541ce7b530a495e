import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperationError } from "@/platform";
import { OPERATIONS } from "@/platform/fake/operations";
import { openWindow } from "@/test/app";

describe("what other programs left", () => {
  it("is shown at the first run: the earlier app's home with its copy, and OpenClaw with what can be taken over", async () => {
    openWindow("", { firstRun: true });
    const earlier = await screen.findByTestId("found-earlier");
    expect(earlier).toHaveTextContent("213 sessions");
    expect(earlier).toHaveTextContent("first-open.tar.gz");
    expect(screen.getByTestId("found-openclaw")).toHaveTextContent("Telegram (Primary bot), Discord");
  });

  it("is taken over as ticked: keys and people with power only when the person says so", async () => {
    const { user, platform } = openWindow("", { firstRun: true });
    await user.click(within(await screen.findByTestId("found-openclaw")).getByRole("button", { name: "Take over…" }));
    expect(await screen.findByTestId("import-channel:telegram")).toBeChecked();
    for (const id of ["key:anthropic", "approvers:telegram"]) expect(screen.getByTestId(`import-${id}`)).not.toBeChecked();
    await user.click(screen.getByTestId("import-channel:discord"));
    await user.click(screen.getByRole("button", { name: "Take over 3 things" }));
    expect(await screen.findByTestId("import-done")).toHaveTextContent("3 things were taken over.");
    expect([...platform.world.imported].toSorted()).toEqual(["channel:telegram", "model:anthropic/claude-opus-4-6", "people:telegram"]);
    expect(screen.getByTestId("import-done")).toHaveTextContent("import.tar.gz");
  });

  it("says what is left there and why", async () => {
    const { user } = openWindow("#/settings/start");
    await user.click(await screen.findByRole("button", { name: "Take over…" }));
    await user.click(await screen.findByText("What is left there, and why (2)"));
    expect(screen.getByText("There is no plugin for it here.")).toBeVisible();
  });

  it("says so where there is nothing, and names a configuration that cannot be read", async () => {
    openWindow("#/settings/start", { empty: true });
    expect(await screen.findByText("No other program left anything here.")).toBeVisible();
  });
});

describe("a configuration that cannot be read", () => {
  const find = OPERATIONS["import.find"];
  beforeEach(() => {
    OPERATIONS["import.find"] = () => {
      throw new OperationError({ code: "invalid", message: "/home/mara/.openclaw/openclaw.json: line 3, column 12: expected a value" });
    };
  });
  afterEach(() => {
    OPERATIONS["import.find"] = find;
  });

  it("is named with its line, and holds the first run up in nothing", async () => {
    const { user } = openWindow("", { firstRun: true });
    expect(await screen.findByText(/line 3, column 12/)).toBeVisible();
    await user.click(await screen.findByTestId("use-demo"));
    expect(await screen.findByTestId("nav-sessions")).toBeVisible();
  });
});

describe("copies of the home folder", () => {
  it("are listed with why they were made, and one is made at a click", async () => {
    const { user, platform } = openWindow("#/settings/start");
    expect(await screen.findByText(/Before the earlier app's home was opened/)).toBeVisible();
    await user.click(screen.getByTestId("backup-create"));
    await waitFor(() => expect(platform.world.backups).toHaveLength(3));
    expect(await screen.findAllByText(/Asked for/)).toHaveLength(2);
  });
});
