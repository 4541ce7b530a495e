import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";

describe("files in a chat", () => {
  it("go with the next message, and stand under it", async () => {
    const { user, platform } = openWindow("#/sessions/all/261122-quiet-heron");
    const input = await screen.findByTestId("attach-input");
    fireEvent.change(input, { target: { files: [new File(["hello"], "notes.txt", { type: "text/plain" })] } });
    expect(within(screen.getByRole("list", { name: "Files to send" })).getByText("notes.txt")).toBeVisible();
    await user.click(screen.getByTestId("send"));
    await waitFor(() => expect(platform.world.transcript("261122-quiet-heron").some((row) => row.attachments?.[0]?.name === "notes.txt" && row.attachments[0].bytes === 5)).toBe(true));
    expect(screen.queryByRole("list", { name: "Files to send" })).toBeNull();
    expect(await screen.findByRole("button", { name: /notes\.txt/ })).toBeVisible();
  });

  it("can be taken out again, and one that is too long is named", async () => {
    const { user } = openWindow("#/sessions/all/261122-quiet-heron");
    const input = await screen.findByTestId("attach-input");
    const long = new File(["x"], "film.mp4");
    Object.defineProperty(long, "size", { value: 17 * 1_048_576 });
    fireEvent.change(input, { target: { files: [long, new File(["a"], "a.txt")] } });
    expect(await screen.findByText(/film\.mp4 has 17\.8 MB/)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Take out a.txt" }));
    expect(screen.queryByRole("list", { name: "Files to send" })).toBeNull();
  });
});
