import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

const SESSION = "#/sessions/all/261121-kind-ibis";

describe("slash commands in the composer", () => {
  it("are offered on a slash, narrowed while typing, and completed by Enter", async () => {
    const { user } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "/");
    const menu = within(await screen.findByRole("listbox", { name: "Commands" }));
    await waitFor(() => expect(menu.getByTestId("slash-echo")).toHaveTextContent("/echoSays it back.echo"));
    expect(menu.getByTestId("slash-new")).toBeVisible();
    expect(menu.queryByTestId("slash-agenda")).toBeNull();
    await user.type(composer, "sta");
    expect(menu.queryByTestId("slash-echo")).toBeNull();
    await user.keyboard("{ArrowDown}");
    expect(composer).toHaveAttribute("aria-activedescendant", screen.getByTestId("slash-standup-skip").id);
    await user.keyboard("{Enter}");
    expect(composer).toHaveValue("/standup-skip ");
    expect(screen.queryByTestId("slash-menu")).toBeNull();
  });

  it("close on Escape and stay closed until the text changes", async () => {
    const { user } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "/ec");
    await screen.findByTestId("slash-echo");
    await user.keyboard("{Escape}");
    expect(screen.queryByTestId("slash-menu")).toBeNull();
    await user.type(composer, "h");
    expect(screen.getByTestId("slash-menu")).toBeVisible();
  });

  it("run and show their answer in the chat, without a message to the agent", async () => {
    const { user, platform } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "/");
    await screen.findByTestId("slash-standup");
    const before = platform.world.transcript("261121-kind-ibis").length;
    await user.type(composer, "standup for all{Enter}");
    const note = await screen.findByTestId("local-note");
    await waitFor(() => expect(note).toHaveAttribute("data-state", "done"));
    await waitFor(() => expect(note).toHaveTextContent(/\/standup for all.*only you see this.*standup is done: for all/s));
    expect(composer).toHaveValue("");
    expect(platform.world.transcript("261121-kind-ibis")).toHaveLength(before);
  });

  it("say in the chat why they failed", async () => {
    const { user } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "/");
    await screen.findByTestId("slash-digest");
    await user.type(composer, "digest fail{Enter}");
    await waitFor(() => expect(screen.getByTestId("local-note")).toHaveTextContent(/\/digest failed: TypeError.*The plugin's page shows where/));
    expect(screen.getByTestId("local-note")).toHaveAttribute("role", "alert");
  });

  it("leave what is no command to the agent, as the demo's /tool", async () => {
    const { user } = openWindow(SESSION);
    const composer = await screen.findByTestId("composer");
    await user.type(composer, "/");
    await screen.findByTestId("slash-echo");
    await user.clear(composer);
    await user.click(composer);
    await user.paste('/tool echo {"text":"hello"}');
    await user.keyboard("{Enter}");
    await waitFor(() => expect(screen.getAllByTestId("message-user").at(-1)).toHaveTextContent('/tool echo {"text":"hello"}'));
    expect(screen.queryByTestId("local-note")).toBeNull();
  });

  it("of the window itself act on the session", async () => {
    const { user, platform } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), "/rename Plans for May{Enter}");
    await waitFor(() => expect(platform.world.session("261121-kind-ibis").name).toBe("Plans for May"));
    expect(screen.queryByTestId("local-note")).toBeNull();
  });

  it("are in the palette too, and answer in the chat that is open", async () => {
    const { user } = openWindow(SESSION);
    await screen.findByTestId("composer");
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await screen.findByPlaceholderText(/Find a command/), "/standup now");
    await user.click(await screen.findByRole("option", { name: /\/standup Starts the stand-up now/ }));
    expect(await screen.findByTestId("local-note")).toHaveTextContent("/standup");
  });
});
