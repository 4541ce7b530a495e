import { act, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { endSignIn } from "@/platform/fake/oauth";
import { openWindow } from "@/test/app";

const CALENDAR = "#/sources/service%3Acalendar";
const opened = vi.fn();

beforeEach(() => {
  opened.mockReset();
  vi.stubGlobal("open", opened);
});

describe("signing in", () => {
  it("in the browser ends with the source running and the account shown", async () => {
    const { user, platform } = openWindow(CALENDAR);
    await waitFor(() => expect(screen.getByTestId("mend")).toHaveTextContent("Reconnect Google"));
    await user.click(screen.getByTestId("mend"));
    await user.click(await screen.findByTestId("sign-in-browser"));
    expect(await screen.findByTestId("sign-in-wait")).toHaveTextContent(/Google should be open in your browser/);
    expect(opened).toHaveBeenCalledWith(expect.stringContaining("accounts.google.com"), "_blank", expect.anything());
    act(() => endSignIn(platform.world, "sign-in-1", { kind: "done", account: "mara@acme.example" }));
    expect(await screen.findByTestId("sign-in-end")).toHaveTextContent("Signed in as mara@acme.example.");
    await user.click(screen.getByTestId("sign-in-close"));
    expect(await screen.findByTestId("account")).toHaveTextContent("mara@acme.example");
    await waitFor(() => expect(screen.getByTestId("source-state")).toHaveTextContent("Running"));
    expect(screen.queryByTestId("mend")).toBeNull();
  });

  it("with a code shows the code and where to type it", async () => {
    const { user } = openWindow(CALENDAR);
    await user.click(await screen.findByTestId("mend"));
    await user.click(await screen.findByTestId("sign-in-device"));
    expect(await screen.findByTestId("user-code")).toHaveTextContent("WDJB-MJHT");
    expect(screen.getByTestId("sign-in-wait")).toHaveTextContent("https://www.google.com/device");
    expect(opened).not.toHaveBeenCalled();
  });

  it.each([
    ["denied", "You said no at Google.", /agree to what is asked/],
    ["scope", "Google did not grant calendar.", /leave every box ticked/],
    ["expired", "Nobody signed in within ten minutes.", /It took too long/],
  ])("that ends with %s says why, and begins again", async (code, message, advice) => {
    const { user, platform } = openWindow(CALENDAR);
    await user.click(await screen.findByTestId("mend"));
    await user.click(await screen.findByTestId("sign-in-device"));
    await screen.findByTestId("user-code");
    act(() => endSignIn(platform.world, "sign-in-1", { kind: "failed", code, message }));
    const end = await screen.findByTestId("sign-in-end");
    expect(end).toHaveTextContent(message);
    expect(end).toHaveTextContent(advice);
    await user.click(screen.getByTestId("sign-in-again"));
    expect(await screen.findByTestId("sign-in-browser")).toBeVisible();
    expect(platform.world.source("service:calendar").status.state.kind).toBe("needs_user");
  });

  it("is given up when its window is closed", async () => {
    const { user, platform } = openWindow(CALENDAR);
    await user.click(await screen.findByTestId("mend"));
    await user.click(await screen.findByTestId("sign-in-device"));
    await user.click(await screen.findByTestId("sign-in-cancel"));
    await waitFor(() => expect(platform.world.signIns.get("sign-in-1")?.progress).toMatchObject({ kind: "failed", code: "cancelled" }));
    expect(screen.queryByTestId("sign-in-wait")).toBeNull();
  });

  it("asks for a client id first where the provider does not know this app", async () => {
    const { user, platform } = openWindow(CALENDAR);
    platform.world.providers = platform.world.providers.map((row) => (row.id === "google" ? { ...row, clientId: null, clientSecretSet: false } : row));
    await user.click(await screen.findByTestId("mend"));
    await user.type(await screen.findByTestId("client-id"), "1234.apps.example");
    await user.type(screen.getByTestId("client-secret"), "hush{Enter}");
    expect(await screen.findByTestId("sign-in-browser")).toBeVisible();
    expect(platform.world.providers.find((row) => row.id === "google")).toMatchObject({ clientId: "1234.apps.example", clientSecretSet: true });
  });

  it("is undone after a question", async () => {
    const { user, platform } = openWindow("#/sources/service%3Agmail");
    expect(await screen.findByTestId("account")).toHaveTextContent(/mara@acme\.example.*gmail\.modify/);
    await user.click(screen.getByTestId("sign-out"));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(screen.getByTestId("account")).toHaveTextContent("Nobody is signed in at Google."));
    expect(platform.world.accounts.some(({ source }) => source === "service:gmail")).toBe(false);
  });
});

describe("the accounts under Settings", () => {
  it("list who is signed in, and lead to the source", async () => {
    const { user } = openWindow("#/settings/accounts");
    const account = await screen.findByTestId("account-service:gmail");
    await waitFor(() => expect(account).toHaveTextContent("Google · for Gmail"));
    await user.click(within(account).getByRole("button"));
    expect(window.location.hash).toBe("#/sources/service%3Agmail");
  });

  it("take a client id of one's own for a preset", async () => {
    const { user, platform } = openWindow("#/settings/accounts");
    expect(await screen.findByTestId("provider-github")).toHaveTextContent("no client id yet");
    await user.click(screen.getByTestId("client-github"));
    await user.type(await screen.findByTestId("client-id"), "Iv1.abc{Enter}");
    await waitFor(() => expect(screen.getByTestId("provider-github")).toHaveTextContent("Iv1.abc"));
    expect(platform.world.providers.find((row) => row.id === "github")?.clientId).toBe("Iv1.abc");
  });

  it("bring a preset back to what came with the app", async () => {
    const { user } = openWindow("#/settings/accounts");
    await user.click(await screen.findByTestId("provider-more-google"));
    await user.click(await screen.findByTestId("provider-remove-google"));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(screen.getByTestId("provider-google")).toHaveTextContent("no client id yet"));
  });

  it("take a provider of one's own, and name the field that is wrong", async () => {
    const { user, platform } = openWindow("#/settings/accounts");
    await user.click(await screen.findByTestId("add-provider"));
    await user.type(await screen.findByTestId("provider-name"), "Acme");
    await user.type(screen.getByTestId("provider-id"), "acme");
    await user.type(screen.getByTestId("provider-authorizationUrl"), "http://login.acme.example/authorize");
    await user.click(screen.getByTestId("provider-save"));
    expect(screen.getByTestId("provider-tokenUrl")).toHaveAccessibleDescription("This is needed.");
    await user.type(screen.getByTestId("provider-tokenUrl"), "https://login.acme.example/token{Enter}");
    await waitFor(() => expect(screen.getByTestId("provider-authorizationUrl")).toHaveAccessibleDescription(/begin with https/));
    await user.clear(screen.getByTestId("provider-authorizationUrl"));
    await user.type(screen.getByTestId("provider-authorizationUrl"), "https://login.acme.example/authorize{Enter}");
    expect(await screen.findByTestId("provider-acme")).toHaveTextContent("your own");
    expect(platform.world.providers.at(-1)).toMatchObject({ id: "acme", deviceUrl: null, preset: false });
  });
});
