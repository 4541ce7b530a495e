import { act, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

const LINEAR = "#/sources/mcp%3Aacme%3Alinear";

describe("the tools of a source", () => {
  it("stand with how a session's call of each would be judged", async () => {
    const { user } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-brings"));
    expect(within(await screen.findByTestId("tool-mcp__linear__issue_list")).getByText("runs")).toBeVisible();
    expect(within(screen.getByTestId("tool-mcp__linear__issue_create")).getByText("asks")).toBeVisible();
    expect(within(screen.getByTestId("tool-mcp__linear__issue_delete")).getByText("refused")).toBeVisible();
  });

  it("are tried from a form of their own schema, and the result is what the agent would read", async () => {
    const { user, platform } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-brings"));
    const tool = await screen.findByTestId("tool-mcp__linear__issue_list");
    await user.click(within(tool).getByRole("button"));
    await user.click(within(tool).getByTestId("tool-try"));
    expect(within(tool).getByLabelText("Team")).toHaveAccessibleDescription("This is needed.");
    expect(platform.world.tried).toEqual([]);
    await user.type(within(tool).getByLabelText("Team"), "Platform{Enter}");
    expect(await within(tool).findByTestId("tool-result")).toHaveTextContent(/done.*ENG-412/);
    expect(platform.world.tried).toEqual([{ name: "mcp__linear__issue_list", params: { team: "Platform", state: "open", archived: false } }]);
  });

  it("say what failed, and which rule stands in the way", async () => {
    const { user } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-brings"));
    const list = await screen.findByTestId("tool-mcp__linear__issue_list");
    await user.click(within(list).getByRole("button"));
    await user.type(within(list).getByLabelText("Team"), "nowhere{Enter}");
    expect(await within(list).findByTestId("tool-result")).toHaveTextContent(/failed.*404/);
    const denied = screen.getByTestId("tool-mcp__linear__issue_delete");
    await user.click(within(denied).getByRole("button"));
    await user.type(within(denied).getByLabelText("Issue"), "ENG-1{Enter}");
    expect(await within(denied).findByText(/Settings › Permissions says which rule/)).toBeVisible();
  });

  it("leave when the source stops", async () => {
    const { user } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-brings"));
    await screen.findByTestId("tool-mcp__linear__issue_list");
    await user.click(screen.getByRole("switch", { name: "Switch Linear on" }));
    expect(await screen.findByText("Tools appear here when it runs, and leave when it stops.")).toBeVisible();
  });
});

describe("a service", () => {
  it("shows what it uses of what it may use", async () => {
    openWindow("#/sources/service%3Agmail");
    expect(await screen.findByTestId("budget-cpu")).toHaveTextContent(/ms.*of 5,000 ms/);
    expect(screen.getByTestId("budget-memory")).toHaveTextContent("of 32 MiB");
    expect(screen.getByTestId("budget-requests")).toHaveTextContent("of 60");
    expect(screen.getByTestId("budget-day")).toHaveTextContent("3,412of 10,000");
    expect(screen.getByTestId("budget-wakeups")).toHaveTextContent("of 12");
  });

  it("shows its planned work: when it runs next, that it is slowed down, what went wrong", async () => {
    openWindow("#/sources/service%3Agmail");
    expect(await screen.findByTestId("job-poll")).toHaveTextContent(/every minute.*next in/);
    expect(screen.getByTestId("job-labels")).toHaveTextContent("slowed down");
    expect(screen.getByTestId("job-digest")).toHaveTextContent("the daily quota is used up");
  });

  it("says in words what it was granted", async () => {
    const { user } = openWindow("#/sources/channel%3Atelegram");
    await user.click(await screen.findByTestId("tab-brings"));
    expect(await screen.findByText("Talk to api.telegram.org over the network")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Change at the plugin" }));
    expect(window.location.hash).toBe("#/plugins/telegram");
  });

  it("is switched off for one workspace and stays on in the others", async () => {
    const { user, platform } = openWindow("#/sources/service%3Agmail");
    await user.click(await screen.findByRole("switch", { name: "Gmail in Home" }));
    await waitFor(() => expect(screen.getByRole("switch", { name: "Gmail in Home" })).not.toBeChecked());
    expect(screen.getByRole("switch", { name: "Gmail in Acme" })).toBeChecked();
    expect(platform.world.source("service:gmail").enabled).toBe(true);
  });
});

describe("the files of a source", () => {
  it("are edited here: the guide as text, the rules as JSON", async () => {
    const { user, platform } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-files"));
    const guide = await screen.findByTestId("file-guide.md");
    await user.clear(guide);
    await user.type(guide, "Short titles.");
    await user.click(screen.getByTestId("save-guide.md"));
    await waitFor(() => expect(platform.world.documents.get("mcp:acme:linear")?.guide).toBe("Short titles."));
    const rules = screen.getByTestId("file-permissions.json");
    await user.clear(rules);
    await user.click(rules);
    await user.paste("{ oh");
    await user.click(screen.getByTestId("save-permissions.json"));
    await waitFor(() => expect(rules).toHaveAccessibleDescription(/^This is not JSON yet/));
    await user.clear(rules);
    await user.click(rules);
    await user.paste('{"allowedMcpPatterns":["list"]}');
    await user.click(screen.getByTestId("save-permissions.json"));
    await waitFor(() => expect(platform.world.documents.get("mcp:acme:linear")?.permissions).toEqual({ allowedMcpPatterns: ["list"] }));
  });

  it("say at the file what the engine refuses, and keep what was typed", async () => {
    const { user } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-files"));
    const rules = await screen.findByTestId("file-permissions.json");
    await user.clear(rules);
    await user.click(rules);
    await user.paste('{"alowed":[]}');
    await user.click(screen.getByTestId("save-permissions.json"));
    await waitFor(() => expect(rules).toHaveAccessibleDescription("Alowed is no field."));
    expect(rules).toHaveValue('{"alowed":[]}');
  });

  it("follow a change on disk, unless somebody is writing here", async () => {
    const { user, platform } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-files"));
    const guide = await screen.findByTestId("file-guide.md");
    const elsewhere = (text: string) =>
      act(() => {
        const before = platform.world.documents.get("mcp:acme:linear");
        platform.world.documents.set("mcp:acme:linear", { path: "", config: {}, permissions: null, errors: [], ...before, guide: text });
        platform.world.changeSource("mcp:acme:linear", {});
      });
    elsewhere("From the editor.");
    await waitFor(() => expect(guide).toHaveValue("From the editor."));
    await user.type(guide, " Mine.");
    elsewhere("From the editor again.");
    expect(await screen.findByText(/It has changed on disk while you wrote/)).toBeVisible();
    expect(guide).toHaveValue("From the editor. Mine.");
    await user.click(screen.getByRole("button", { name: "Take what is on disk" }));
    expect(guide).toHaveValue("From the editor again.");
  });

  it("follow an edit on disk that changes nothing of how the source stands", async () => {
    const { user, platform } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("tab-files"));
    const guide = await screen.findByTestId("file-guide.md");
    // No fact tells of it.
    platform.world.documents.set("mcp:acme:linear", { path: "", config: {}, permissions: null, errors: [], guide: "Written elsewhere." });
    await waitFor(() => expect(guide).toHaveValue("Written elsewhere."));
  });

  it("show what is wrong with them on this source, and lead there", async () => {
    const { user } = openWindow("#/sources/local%3Aacme%3Aarchive");
    expect(await screen.findByTestId("file-faults")).toHaveTextContent(/permissions\.json: line 3/);
    await user.click(screen.getByRole("button", { name: "Open the files" }));
    expect(await screen.findByTestId("file-permissions.json")).toBeVisible();
  });
});

describe("a source by files", () => {
  it("is asked whether it works, apart from what runs", async () => {
    const { user } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("source-test"));
    expect(await screen.findByText(/It answers\./)).toBeVisible();
  });

  it("says why it does not", async () => {
    const { user } = openWindow("#/sources/mcp%3Aacme%3Apostgres");
    await user.click(await screen.findByTestId("source-test"));
    await waitFor(() => expect(screen.getByTestId("source-told")).toHaveTextContent("The server closed the connection."));
  });

  it("is taken away after a question", async () => {
    const { user, platform } = openWindow(LINEAR);
    await user.click(await screen.findByTestId("source-more"));
    await user.click(await screen.findByTestId("source-remove"));
    expect(platform.world.sources.some(({ id }) => id === "mcp:acme:linear")).toBe(true);
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(screen.queryByTestId("source-row-mcp:acme:linear")).toBeNull());
    expect(window.location.hash).toBe("#/sources");
  });
});
