import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { arrive } from "@/platform/fake/devices";
import { openWindow } from "@/test/app";

describe("the gateway's page", () => {
  it("lists who may come in and shuts one out after a question", async () => {
    const { user } = openWindow("#/settings/gateway");
    const phone = await screen.findByTestId("device-dev_4f1c09a2b7d35e8860aa11cc");
    expect(phone).toHaveTextContent("here now");
    expect(screen.getByTestId("device-dev_09ab77c1d2e3f4a5b6c7d8e9")).toHaveTextContent("its time is over");
    await user.click(within(phone).getByRole("button", { name: "Shut out" }));
    expect(await screen.findByText(/connections end at once/)).toBeVisible();
    await user.click(screen.getByTestId("confirm"));
    await waitFor(() => expect(screen.queryByTestId("device-dev_4f1c09a2b7d35e8860aa11cc")).not.toBeInTheDocument());
  });

  it("offers a place with a code to scan, and says who came", async () => {
    const { platform, user } = openWindow("#/settings/gateway");
    await user.click(await screen.findByTestId("pair-device"));
    await user.clear(await screen.findByTestId("pair-name"));
    await user.type(screen.getByTestId("pair-name"), "Tablet");
    await user.click(screen.getByTestId("pair-offer"));
    expect(await screen.findByTestId("qr")).toBeVisible();
    expect(screen.getByTestId("pair-code")).toHaveTextContent("7K3QZ-M9XWB");
    expect(screen.getByRole("timer")).toHaveTextContent(/(10:00|9:5\d)/);
    arrive(platform.world, "Tablet");
    expect(await screen.findByTestId("paired")).toHaveTextContent("Tablet is paired");
  });

  it("says why a place was not offered, beside the field", async () => {
    const { user } = openWindow("#/settings/gateway");
    await user.click(await screen.findByTestId("pair-device"));
    await user.clear(await screen.findByTestId("pair-name"));
    expect(screen.getByTestId("pair-offer")).toBeDisabled();
  });

  it("leaves a device without the right to look, and says why", async () => {
    const { platform } = openWindow("#/settings/gateway");
    await screen.findByTestId("pair-device");
    platform.allow(["gateway.state", "device.list", "session.list", "session.get"]);
    await waitFor(() => expect(screen.getByTestId("pair-device")).toBeDisabled());
    expect(screen.getByText(/not change who comes in/)).toBeVisible();
  });
});

describe("a device at the door", () => {
  it("says that it was shut out, and takes another code", async () => {
    const { platform, user } = openWindow();
    platform.move({ kind: "shut_out", reason: "The token was withdrawn." });
    expect(await screen.findByRole("alert")).toHaveTextContent("The token was withdrawn. To come back, pair it again.");
    await user.type(screen.getByTestId("connect-code"), "7k3qz-m9xwb");
    await user.click(screen.getByTestId("connect-pair"));
    expect(await screen.findByTestId("health-line")).toBeVisible();
  });

  it("says that it is being paired", async () => {
    const { platform } = openWindow();
    platform.move({ kind: "pairing" });
    expect(await screen.findByText(/never leaves this device/)).toBeVisible();
  });

  it("that may look only shows no composer that can send, and says why", async () => {
    const { platform } = openWindow("#/sessions/all/260201-swift-river");
    await screen.findByTestId("health-line");
    platform.allow(["session.list", "session.get", "approval.list"]);
    const row = platform.world.sessions.keys().next().value;
    window.location.hash = `#/sessions/all/${row ?? ""}`;
    expect(await screen.findByTestId("read-only")).toHaveTextContent("may look, not write");
    expect(screen.getByTestId("send")).toBeDisabled();
  });
});
