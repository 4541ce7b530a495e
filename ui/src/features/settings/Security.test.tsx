import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { OperationError } from "@/platform";
import { OPERATIONS } from "@/platform/fake/operations";
import { openWindow } from "@/test/app";

describe("security", () => {
  it("shows the worst first, each with what mends it", async () => {
    openWindow("#/settings/security");
    expect(await screen.findByTestId("finding-channel.open")).toHaveTextContent("kata channels policy telegram --policy pairing");
    const groups = screen.getAllByRole("region").map((group) => group.getAttribute("aria-label"));
    const order = ["Somebody can do harm now", "Somebody could do more than you may think", "Good to know"];
    expect(groups.filter((name) => order.includes(name ?? ""))).toEqual(order);
  });

  it("says so when nothing was found", async () => {
    openWindow("#/settings/security", { empty: true });
    expect(await screen.findByText("Nothing that you should know")).toBeVisible();
  });

  it("shows why it could not look, and looks again", async () => {
    const audit = OPERATIONS["security.audit"];
    OPERATIONS["security.audit"] = () => {
      throw new OperationError({ code: "forbidden", message: "this needs the scope admin" });
    };
    const { user } = openWindow("#/settings/security");
    expect(await screen.findByRole("alert")).toHaveTextContent("This needs the scope admin");
    OPERATIONS["security.audit"] = audit;
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByTestId("finding-channel.open")).toBeVisible();
  });
});
