/** One thing that needs the person and has no card of its own: what it is, since when, its answers, and a way to where it is dealt with. */
import { BellRing, Bug, Download, Info, type LucideIcon, MailWarning, MessageCircleQuestion, Plug, ShieldQuestion, Unplug, UserRound } from "lucide-react";
import { Button } from "@/components/Button";
import { useAct } from "@/data/operations";
import { useMay } from "@/data/platform";
import type { Attention } from "@/generated/protocol";
import { sentence } from "@/lib/sentence";
import { agoWords, dateTime } from "@/lib/time";
import { goTo } from "./needs";

const ICONS: Readonly<Record<string, LucideIcon>> = { approval: ShieldQuestion, elicitation: MessageCircleQuestion, pairing: UserRound, source: Unplug, plugin: Plug, letter: MailWarning, update: Download, crash: Bug, notice: Info };

export function NeedRow({ each, now }: { each: Attention; now: number }) {
  const { id, kind, title, detail, since, route, actions } = each;
  const { mutate: answer, isPending } = useAct("attention.answer");
  const may = useMay("attention.answer");
  const Icon = ICONS[kind] ?? BellRing;
  return (
    <div className="flex flex-wrap items-start gap-x-2.5 gap-y-2 rounded-lg border border-line bg-raised px-3 py-2.5">
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
      <div className="min-w-48 flex-1">
        <p>
          <button type="button" data-testid={`needs-${id}`} onClick={() => goTo(route)} className="text-left font-medium underline-offset-2 [overflow-wrap:anywhere] hover:underline">
            {title}
          </button>{" "}
          <span className="text-sm whitespace-nowrap text-faint" title={dateTime(since)}>
            {agoWords(since, now)}
          </span>
        </p>
        {detail !== null && <p className="selectable line-clamp-3 text-sm text-muted [overflow-wrap:anywhere]">{sentence(detail)}</p>}
      </div>
      <span className="ml-auto flex flex-wrap justify-end gap-2">
        {actions.map((action) => (
          <Button key={action.id} data-testid={`answer-${action.id}-${id}`} disabled={isPending || !may} onClick={() => answer({ id, action: action.id })}>
            {action.label}
          </Button>
        ))}
        {actions.length === 0 && <Button aria-label={`Look at it: ${title}`} onClick={() => goTo(route)}>Look at it</Button>}
      </span>
    </div>
  );
}
