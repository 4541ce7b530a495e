import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { OperationError } from "@/platform";
import { OPERATIONS } from "@/platform/fake/operations";
import { openWindow } from "@/test/app";

const KEY = "0C55D0E7A4B8112F";

describe("signers that were remembered", () => {
  it("are listed with the plugins they carry and since when", async () => {
    openWindow("#/settings/security");
    const row = within(await screen.findByTestId(`signer-${KEY}`));
    expect(row.getByText(KEY)).toBeVisible();
    expect(row.getByRole("button", { name: "redact" })).toBeVisible();
    expect(row.getByText(/remembered .+ ago/)).toBeVisible();
  });

  it("are forgotten after one question, and the plugin stays trusted", async () => {
    const { user, platform } = openWindow("#/settings/security");
    await user.click(await screen.findByTestId(`forget-${KEY}`));
    expect(screen.getByRole("alertdialog")).toHaveTextContent("asks you, as one by a signer you do not know");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(platform.world.signers).toHaveLength(1);
    await user.click(screen.getByTestId(`forget-${KEY}`));
    await user.click(screen.getByTestId("confirm"));
    await waitFor(() => expect(screen.queryByTestId(`signer-${KEY}`)).toBeNull());
    expect(screen.getByText(/None is remembered/)).toBeVisible();
    expect(platform.world.extra("redact")).toMatchObject({ grant: { signer: null }, signature: { known: false } });
    expect(platform.world.plugins.find((row) => row.id === "redact")).toMatchObject({ trust: "trusted" });
  });

  it("stay where forgetting failed, and the reason is told", async () => {
    const forget = OPERATIONS["plugin.forget_signer"];
    OPERATIONS["plugin.forget_signer"] = () => {
      throw new OperationError({ code: "not_found", message: `no key “${KEY}” is remembered` });
    };
    const { user } = openWindow("#/settings/security");
    await user.click(await screen.findByTestId(`forget-${KEY}`));
    await user.click(screen.getByTestId("confirm"));
    expect(await screen.findByText(/No key .* is remembered/)).toBeVisible();
    expect(screen.getByTestId(`signer-${KEY}`)).toBeVisible();
    OPERATIONS["plugin.forget_signer"] = forget;
  });
});
