import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

async function open(kind: "mcp" | "api" | "local") {
  const window = openWindow("#/sources");
  await window.user.click(await screen.findByTestId("add-source"));
  await window.user.click(await screen.findByTestId(`add-${kind}`));
  await screen.findByTestId("draft-name");
  return window;
}

describe("adding a source", () => {
  it("begins in the first field, and names each that is wrong", async () => {
    const { user, platform } = await open("mcp");
    await waitFor(() => expect(screen.getByTestId("draft-name")).toHaveFocus());
    await user.click(screen.getByTestId("draft-submit"));
    expect(screen.getByTestId("draft-name")).toHaveAccessibleDescription("It needs a name.");
    expect(screen.getByTestId("draft-command")).toHaveAccessibleDescription("What is to be started?");
    await waitFor(() => expect(screen.getByTestId("draft-name")).toHaveFocus());
    expect(platform.world.documents.size).toBe(0);
  });

  it("takes a command as it is typed, and shows how the source stands", async () => {
    const { user, platform } = await open("mcp");
    await user.type(screen.getByTestId("draft-name"), "Files");
    await user.type(screen.getByTestId("draft-command"), 'npx -y @acme/files "~/My Notes"');
    await user.type(screen.getByTestId("draft-env"), "A=1{Enter}B=two=2");
    await user.click(screen.getByTestId("draft-submit"));
    await waitFor(() => expect(screen.getByTestId("added-state")).toHaveTextContent("Running"));
    expect(platform.world.documents.get("mcp:acme:files")?.config).toEqual({
      name: "Files", type: "mcp", provider: "files", mcp: { transport: "stdio", command: "npx", args: ["-y", "@acme/files", "~/My Notes"], env: { A: "1", B: "two=2" }, authType: "none" },
    });
    await user.click(screen.getByTestId("added-open"));
    expect(window.location.hash).toBe("#/sources/mcp%3Aacme%3Afiles");
  });

  it("says at the field what the engine found wrong, and keeps what was typed", async () => {
    const { user } = await open("mcp");
    await user.type(screen.getByTestId("draft-name"), "Files");
    await user.type(screen.getByTestId("draft-command"), "no-such-program{Enter}");
    await waitFor(() => expect(screen.getByTestId("draft-command")).toHaveAccessibleDescription("There is no program “no-such-program” in the path."));
    expect(screen.getByTestId("draft-command")).toHaveValue("no-such-program");
  });

  it("reaches a server at an address, old or new", async () => {
    const { user, platform } = await open("mcp");
    await user.type(screen.getByTestId("draft-name"), "Docs");
    await user.click(screen.getByLabelText("An address"));
    await user.type(screen.getByTestId("draft-url"), "docs.example{Enter}");
    expect(screen.getByTestId("draft-url")).toHaveAccessibleDescription(/begins with https/);
    await user.clear(screen.getByTestId("draft-url"));
    await user.type(screen.getByTestId("draft-url"), "https://docs.example/sse");
    await user.click(screen.getByLabelText(/old server/));
    await user.click(screen.getByTestId("draft-submit"));
    await screen.findByTestId("add-done");
    expect(platform.world.documents.get("mcp:acme:docs")?.config).toMatchObject({ mcp: { transport: "sse", url: "https://docs.example/sse", authType: "oauth" } });
  });

  it("offers to sign in at once where the server asks for it", async () => {
    const { user } = await open("mcp");
    await user.type(screen.getByTestId("draft-name"), "Wiki");
    await user.click(screen.getByLabelText("An address"));
    await user.type(screen.getByTestId("draft-url"), "https://login.wiki.example/mcp{Enter}");
    const done = within(await screen.findByTestId("add-done"));
    expect(done.getByTestId("added-state")).toHaveTextContent("“Wiki” has to be signed in.");
    await user.click(done.getByTestId("added-sign-in"));
    expect(await screen.findByRole("dialog", { name: "Sign in at Wiki" })).toBeVisible();
  });

  it("asks for the key of an API afterwards, and never writes it into the files", async () => {
    const { user, platform } = await open("api");
    await user.type(screen.getByTestId("draft-name"), "Weather");
    await user.type(screen.getByTestId("draft-baseUrl"), "https://api.weather.example/v1/");
    await user.selectOptions(screen.getByTestId("draft-apiAuth"), "header");
    await user.type(screen.getByTestId("draft-testPath"), "me");
    await user.click(screen.getByTestId("draft-submit"));
    const done = within(await screen.findByTestId("add-done"));
    expect(done.getByTestId("added-state")).toHaveTextContent("Needs setting up");
    await user.click(done.getByTestId("added-test"));
    expect(await done.findByText("The key is missing.")).toBeVisible();
    expect(done.getByTestId("added-change")).toBeVisible();
    await user.type(done.getByTestId("secret-apiKey"), "s3cret{Enter}");
    await waitFor(() => expect(done.getByTestId("added-state")).toHaveTextContent("Running"));
    expect(JSON.stringify(platform.world.documents.get("api:acme:weather"))).not.toContain("s3cret");
    await user.click(done.getByTestId("added-test"));
    expect(await done.findByText(/It answers/)).toBeVisible();
  });

  it("shows a folder, or says that there is none", async () => {
    const { user, platform } = await open("local");
    await user.type(screen.getByTestId("draft-name"), "Notes");
    await user.type(screen.getByTestId("draft-path"), "Notes{Enter}");
    expect(screen.getByTestId("draft-path")).toHaveAccessibleDescription("A whole path, from / or ~.");
    await user.clear(screen.getByTestId("draft-path"));
    await user.type(screen.getByTestId("draft-path"), "~/nowhere{Enter}");
    await waitFor(() => expect(screen.getByTestId("draft-path")).toHaveAccessibleDescription("There is no such folder."));
    await user.clear(screen.getByTestId("draft-path"));
    await user.type(screen.getByTestId("draft-path"), "~/Notes");
    await user.click(screen.getByLabelText("An Obsidian vault"));
    await user.click(screen.getByTestId("draft-submit"));
    await screen.findByTestId("add-done");
    expect(platform.world.documents.get("local:acme:notes")?.config).toMatchObject({ provider: "obsidian", local: { path: "~/Notes", format: "obsidian" } });
  });
});

describe("changing a source", () => {
  it("begins with what is there, and keeps what the form does not show", async () => {
    const { user, platform } = openWindow("#/sources/mcp%3Aacme%3Apostgres");
    await user.click(await screen.findByTestId("source-more"));
    await user.click(await screen.findByTestId("source-change"));
    expect(await screen.findByTestId("draft-command")).toHaveValue("npx -y @acme/postgres-mcp --read-only");
    await user.clear(screen.getByTestId("draft-name"));
    await user.type(screen.getByTestId("draft-name"), "Postgres{Enter}");
    await waitFor(() => expect(screen.getByTestId("source-row-mcp:acme:postgres")).toHaveTextContent("Postgres"));
    expect(platform.world.documents.get("mcp:acme:postgres")?.config).toMatchObject({ name: "Postgres", provider: "postgres", mcp: { env: { PGHOST: "db.staging.acme.example" } } });
  });
});
