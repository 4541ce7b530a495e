import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { openWindow } from "@/test/app";

it("a model is removed after one question, which says what goes with it, and stays when the answer is no", async () => {
  const { user, platform } = openWindow("#/settings/models");
  const [model] = platform.world.models;
  if (model === undefined) throw new Error("there is no model");
  const there = () => platform.world.models.some(({ settings }) => settings.id === model.settings.id);
  await user.click(await screen.findByTestId(`remove-model-${model.settings.id}`));
  const question = within(await screen.findByRole("alertdialog", { name: `Remove ${model.label}?` }));
  expect(question.getByText(/Its key is deleted from the secret store/)).toBeVisible();
  await user.click(question.getByRole("button", { name: "Cancel" }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
  expect(there()).toBe(true);
  await user.click(screen.getByTestId(`remove-model-${model.settings.id}`));
  await user.click(await screen.findByTestId("confirm"));
  await waitFor(() => expect(screen.queryByTestId(`model-${model.settings.id}`)).toBeNull());
  expect(there()).toBe(false);
});
