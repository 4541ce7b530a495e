import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { openWindow } from "@/test/app";
import { slugOf, skillText } from "./NewSkill";
import { bodyOf } from "./SkillDetail";

const path = { workspace: "acme" };
const textOf = async (platform: ReturnType<typeof openWindow>["platform"], slug: string) => (await platform.request("skill.get", { ...path, slug })).text;

describe("skills", () => {
  it("are listed with what they are for, and one that cannot be used says why", async () => {
    const { user } = openWindow("#/skills");
    expect(await screen.findByTestId("skill-row-weekly-report")).toHaveTextContent("When somebody asks for the report of the week");
    const broken = screen.getByTestId("skill-row-answer-draft");
    expect(broken).toHaveTextContent("Cannot be used");
    await user.click(broken);
    expect(await screen.findByRole("alert")).toHaveTextContent(/not told of it.*begins with a line/);
  });

  it("are made from a name and what they are for, and shown", async () => {
    const { user, platform } = openWindow("#/skills");
    await user.click(await screen.findByTestId("new-skill"));
    await user.type(screen.getByTestId("skill-name"), "Größe: messen");
    await user.type(screen.getByTestId("skill-description"), "When sizes are asked for: in cm");
    await user.type(screen.getByTestId("skill-body"), "Use a ruler.");
    await user.click(screen.getByTestId("skill-create"));
    expect(await screen.findByText("Use a ruler.")).toBeVisible();
    expect(await textOf(platform, "gro-e-messen")).toBe('---\nname: "Größe: messen"\ndescription: "When sizes are asked for: in cm"\n---\n\nUse a ruler.\n');
  });

  it("are edited as the file they are; what the engine refuses stays in the field", async () => {
    const { user, platform } = openWindow("#/skills/weekly-report");
    await user.click(await screen.findByTestId("tab-file"));
    const field = screen.getByTestId("file-SKILL.md");
    await user.clear(field);
    await user.type(field, "no head");
    await user.click(screen.getByTestId("save-SKILL.md"));
    expect(await screen.findByText(/begins with a line/)).toBeVisible();
    expect(field).toHaveValue("no head");
    expect(await textOf(platform, "weekly-report")).toContain("Weekly report");
  });

  it("are removed after a question", async () => {
    const { user } = openWindow("#/skills/weekly-report");
    await user.click(await screen.findByTestId("skill-remove"));
    await user.click(await screen.findByTestId("confirm"));
    await waitFor(() => expect(screen.queryByTestId("skill-row-weekly-report")).toBeNull());
  });

  it("are asked for in a new session", async () => {
    const { user } = openWindow("#/skills/weekly-report");
    await user.click(await screen.findByRole("button", { name: "Use it" }));
    expect(await screen.findByTestId("composer")).toHaveValue("@weekly-report ");
  });

  it("have a folder's name for every name, and a head that any text fits in", () => {
    expect(slugOf("  Weekly report! ")).toBe("weekly-report");
    expect(skillText('a "b"', "c\nd", "e")).toBe('---\nname: "a \\"b\\""\ndescription: "c d"\n---\n\ne\n');
    expect(bodyOf("---\nname: a\n---\n\nbody\n---\nmore")).toBe("body\n---\nmore");
  });
});
