/** One thing that needs the person, by its own card where it has one. */
import { useRead } from "@/data/operations";
import { LetterCard } from "@/features/letters/LettersView";
import type { Attention } from "@/generated/protocol";
import { ApprovalCard } from "./ApprovalCard";
import { Jump } from "./Jump";
import { NeedRow } from "./NeedRow";

export function Need({ each, now }: { each: Attention; now: number }) {
  const approval = useRead("approval.list", {}).data?.find(({ code }) => each.id === `approval:${code}`);
  const letter = useRead("letter.list", {}).data?.find(({ id }) => each.id === `letter:${id}`);
  if (approval !== undefined) return <ApprovalCard approval={approval} aside={<Jump approval={approval} />} />;
  return letter === undefined ? <NeedRow each={each} now={now} /> : <LetterCard letter={letter} />;
}
