import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { answerPlanElsewhere, handIn } from "@/platform/fake/plans";
import { openWindow } from "@/test/app";

const ID = "261121-kind-ibis";
const SESSION = `#/sessions/all/${ID}`;

/** A session in mode safe, with a plan that waits. */
async function planned(hash = SESSION) {
  const opened = openWindow(hash);
  const { world } = opened.platform;
  world.change(ID, { mode: "safe" });
  await screen.findByTestId(hash === SESSION ? "composer" : "nav-waiting");
  handIn(world, ID, "Move the API", "turn-plan");
  return { ...opened, world, plan: world.plans[0]?.id ?? "" };
}

describe("a plan that waits", () => {
  it("is typed into being, shown whole, and accepted: the session asks from then on and the agent is told", async () => {
    const { user, platform } = openWindow(SESSION);
    await user.type(await screen.findByTestId("composer"), "plan Tidy up{Enter}");
    platform.world.change(ID, { mode: "safe" });
    const card = await screen.findByRole("group", { name: "Plan" });
    expect(await within(card).findByRole("heading", { name: "Tidy up" })).toBeVisible();
    await user.click(await within(card).findByTestId("plan-accept"));
    expect(await screen.findByText(/I accept “Tidy up”/)).toBeVisible();
    await waitFor(() => expect(within(card).queryByTestId("plan-accept")).toBeNull());
    expect(platform.world.session(ID).mode).toBe("ask");
  });

  it("is accepted with everything allowed", async () => {
    const { user, world } = await planned();
    await user.click(await screen.findByTestId("plan-accept-all"));
    await waitFor(() => expect(world.session(ID).mode).toBe("allow-all"));
    expect(world.plans).toHaveLength(0);
  });

  it("is refined by words, not by nothing, and the mode stays", async () => {
    const { user, world } = await planned();
    await user.click(await screen.findByTestId("plan-refine"));
    expect(screen.getByTestId("plan-send")).toBeDisabled();
    await user.type(screen.getByTestId("plan-note"), "leave out step two");
    await user.click(screen.getByTestId("plan-send"));
    await waitFor(() => expect(world.transcript(ID).at(-1)).toMatchObject({ kind: "user", content: "leave out step two" }));
    expect(world.session(ID).mode).toBe("safe");
    await waitFor(() => expect(screen.queryByTestId("plan-send")).toBeNull());
  });

  it("tells the one who comes second whose answer counted", async () => {
    const { user, world, plan } = await planned();
    const button = await screen.findByTestId("plan-accept");
    answerPlanElsewhere(world, plan, "refine");
    await user.click(button);
    expect(await screen.findByText(/Somebody answered before you: to be refined/)).toBeVisible();
    await waitFor(() => expect(screen.queryByTestId("plan-accept")).toBeNull());
    expect(world.session(ID).mode).toBe("safe");
  });

  it("stands among what waits, can be read there, and one of a channel is not accepted with everything allowed", async () => {
    const { user, world, plan } = await planned("#/waiting");
    const card = within(await screen.findByTestId(`waiting-plan-${plan}`));
    await user.click(card.getByRole("button", { name: "Read the plan" }));
    expect(await card.findByText(/Change it in small steps\./)).toBeVisible();
    expect(card.getByTestId("plan-accept-all")).toBeVisible();
    handIn(world, "261122-channel-ops", "Restart it", "turn-ops");
    const ops = within(await screen.findByRole("group", { name: "Plan: Restart it" }));
    expect(ops.queryByTestId("plan-accept-all")).toBeNull();
    expect(ops.getByText(/where nobody can accept it/)).toBeVisible();
    await user.click(ops.getByTestId("plan-accept"));
    await waitFor(() => expect(screen.queryByRole("group", { name: "Plan: Restart it" })).toBeNull());
  });
});
