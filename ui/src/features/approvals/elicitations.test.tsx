import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ask } from "@/platform/fake/elicitations";
import { openWindow } from "@/test/app";

const opened = vi.fn();

beforeEach(() => {
  opened.mockReset();
  vi.stubGlobal("open", opened);
});

describe("a question of a source", () => {
  it("is a form of its own schema, and what is filled in goes to the source", async () => {
    const { user, platform } = openWindow("#/waiting");
    const question = within(await screen.findByTestId("elicitation-ask-team"));
    await user.click(question.getByTestId("elicitation-accept"));
    expect(question.getByLabelText("Team")).toHaveAccessibleDescription("This is needed.");
    await user.selectOptions(question.getByLabelText("Team"), "Mobile");
    await user.type(question.getByLabelText("Priority (optional)"), "4");
    await user.click(question.getByTestId("elicitation-accept"));
    await waitFor(() => expect(question.getByLabelText("Priority (optional)")).toHaveAccessibleDescription("Linear takes 1 to 3."));
    await user.clear(question.getByLabelText("Priority (optional)"));
    await user.type(question.getByLabelText("Priority (optional)"), "2");
    await user.click(question.getByTestId("elicitation-accept"));
    await waitFor(() => expect(screen.queryByTestId("elicitation-ask-team")).toBeNull());
    expect(platform.world.replies).toEqual([{ id: "ask-team", action: "accept", content: { team: "Mobile", priority: 2, notify: true } }]);
  });

  it("can be declined, and nothing of the form is sent", async () => {
    const { user, platform } = openWindow("#/waiting");
    await user.click(within(await screen.findByTestId("elicitation-ask-team")).getByTestId("elicitation-decline"));
    await waitFor(() => expect(platform.world.replies).toEqual([{ id: "ask-team", action: "decline", content: null }]));
  });

  it("that leads to a page shows where before it is opened", async () => {
    const { user, platform } = openWindow("#/waiting");
    const question = within(await screen.findByTestId("elicitation-ask-consent"));
    expect(question.getByText("db.staging.acme.example")).toBeVisible();
    expect(opened).not.toHaveBeenCalled();
    await user.click(question.getByTestId("elicitation-open"));
    expect(opened).toHaveBeenCalledWith("https://db.staging.acme.example/consent/4411", "_blank", expect.anything());
    await waitFor(() => expect(platform.world.replies).toMatchObject([{ id: "ask-consent", action: "accept" }]));
  });

  it("that leads to what is no web page is not opened", async () => {
    const { platform } = openWindow("#/waiting");
    await screen.findByTestId("elicitation-ask-team");
    act(() => ask(platform.world, { id: "bad", source: "mcp:acme:linear", message: "Look here.", schema: null, url: "file:///etc/passwd", expiresAt: Date.now() + 60_000 }));
    const question = within(await screen.findByTestId("elicitation-bad"));
    expect(question.getByTestId("elicitation-open")).toBeDisabled();
  });

  it("is said wherever the person is, and leads to the answer", async () => {
    const { user, platform } = openWindow("#/plugins", { empty: true });
    platform.world.pairing = [];
    await screen.findByTestId("health-line");
    act(() => ask(platform.world, { id: "now", source: "mcp:acme:linear", message: "Which team?", schema: { type: "object", properties: {} }, url: null, expiresAt: Date.now() + 60_000 }));
    await user.click(await screen.findByTestId("answer-question"));
    expect(await screen.findByTestId("elicitation-now")).toBeVisible();
    expect(screen.getByTestId("nav-waiting")).toHaveTextContent(/^Needs you1$/);
    expect(screen.queryByTestId("answer-question")).toBeNull();
  });

  it("stands on the page of the source that asks, over all of its parts", async () => {
    const { user } = openWindow("#/sources/mcp%3Aacme%3Alinear");
    expect(await screen.findByTestId("elicitation-ask-team")).toBeVisible();
    expect(screen.queryByTestId("elicitation-ask-consent")).toBeNull();
    await user.click(screen.getByTestId("tab-brings"));
    expect(await screen.findByTestId("tool-mcp__linear__issue_list")).toBeVisible();
    expect(screen.getByTestId("elicitation-ask-team")).toBeVisible();
  });
});
