/** Questions that sources put to the person in the middle of a call. */
import type { Elicitation } from "@/generated/protocol";
import { OperationError } from "../types";
import { START } from "./clock";
import type { Table } from "./operations";
import type { World } from "./world";

export const QUESTIONS: readonly Elicitation[] = [
  {
    id: "ask-team",
    source: "mcp:acme:linear",
    message: "Which team should the new issue go to?",
    schema: {
      type: "object",
      required: ["team"],
      properties: {
        team: { type: "string", title: "Team", enum: ["Platform", "Mobile", "Support"] },
        priority: { type: "integer", title: "Priority", description: "1 is the most urgent.", minimum: 1, maximum: 4 },
        notify: { type: "boolean", title: "Tell the team in Slack", default: true },
      },
    },
    url: null,
    expiresAt: START + 9 * 60_000,
  },
  { id: "ask-consent", source: "mcp:acme:postgres", message: "Allow reading of the table customers on the page of the database.", schema: null, url: "https://db.staging.acme.example/consent/4411", expiresAt: START + 4 * 60_000 },
];

/** A source asks. */
export function ask(world: World, question: Elicitation): void {
  world.elicitations = [...world.elicitations, question];
  world.publish({ topic: "elicitations_changed" });
}

type ElicitationOperations = Pick<Table, "elicitation.list" | "elicitation.answer">;

export const ELICITATION_OPERATIONS: ElicitationOperations = {
  "elicitation.list": (world) => world.elicitations,
  "elicitation.answer": (world, { id, action, content }) => {
    const question = world.elicitations.find((each) => each.id === id);
    if (question === undefined) throw new OperationError({ code: "not_found", message: "No question waits under that name.", hint: "It may have been answered, or its time is over." });
    const priority = (content as { priority?: number } | null | undefined)?.priority;
    if (action === "accept" && priority === 4) throw new OperationError({ code: "invalid", message: "content.priority: Linear takes 1 to 3." });
    world.elicitations = world.elicitations.filter((each) => each !== question);
    world.replies.push({ id, action, content: content ?? null });
    world.publish({ topic: "elicitations_changed" });
    return {};
  },
};
