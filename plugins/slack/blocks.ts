/** Buttons under a message, as Block Kit. A message with buttons has blocks, and its text is what a notification shows. */

import type { Button } from "@kata-agents/plugin-sdk";
import { render, SECTION_MAX } from "./render.ts";

/** Most buttons; Slack takes 25 in a row, of which a person sees five without unfolding. */
export const MAX_BUTTONS = 5;

/** Blocks of a message: its text in sections, then its buttons. */
export function blocksOf(markdown: string, buttons: readonly Button[]): Record<string, unknown>[] {
  const sections = render(markdown, SECTION_MAX).slice(0, 45).map(({ text }) => ({ type: "section", text: { type: "mrkdwn", text } }));
  if (buttons.length === 0) return sections;
  const elements = buttons.slice(0, MAX_BUTTONS).map((button, index) => ({
    type: "button",
    action_id: `kata:${index}`,
    text: { type: "plain_text", text: button.label.slice(0, 75), emoji: true },
    value: button.id,
    ...(button.style === "plain" ? {} : { style: button.style }),
  }));
  return [...sections, { type: "actions", block_id: "kata", elements }];
}

/** Blocks of a message whose question is settled: without the buttons. */
export function withoutButtons(blocks: readonly unknown[]): unknown[] {
  return blocks.filter((block) => typeof block === "object" && block !== null && (block as { type?: unknown }).type !== "actions");
}
