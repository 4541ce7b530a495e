/** What the desktop tells while nobody looks at the window. Each switch is in force at once. */
import { Eye } from "lucide-react";
import type { ReactNode } from "react";
import { SwitchRow } from "@/components/controls";
import { Section } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { useRead } from "@/data/operations";
import { type Changeable, isChangeable } from "./setting";
import { useSetting } from "./useSetting";

const READABLE = (
  <>
    How an answer begins, and what a call would do.
    <span data-testid="notifications-warning" className="flex items-start gap-1.5 text-warn">
      <Eye aria-hidden className="mt-0.5 size-3.5 shrink-0" />
      Whoever sees the screen can read it.
    </span>
  </>
);

const SWITCHES: readonly { path: string; name: string; note: ReactNode }[] = [
  { path: "notifications.attention", name: "Something needs you", note: "An agent asks before it does something, somebody wants to be let in, a sign-in has run out." },
  { path: "notifications.turns", name: "A chat is done", note: "An answer is there, or it failed." },
  { path: "notifications.channels", name: "A channel does not come back", note: "After three tries; short troubles of the network are not told." },
  { path: "notifications.text", name: "Show what was written", note: READABLE },
];

export function Notifications() {
  const settings = useRead("settings.list", {});
  return (
    <Section title="Notifications">
      <p className="text-muted">From your desktop, while you do not look at the window.</p>
      {settings.isPending && <SkeletonRows rows={4} className="px-0" />}
      {settings.isError && <Failure error={settings.error} onRetry={() => void settings.refetch()} />}
      {SWITCHES.map(({ path, name, note }) => {
        const row = settings.data?.find((each) => each.path === path);
        return row !== undefined && isChangeable(row) && <OneSwitch key={path} row={row} name={name} note={note} />;
      })}
    </Section>
  );
}

function OneSwitch({ row, name, note }: { row: Changeable; name: string; note: ReactNode }) {
  const { value, set, may, error } = useSetting(row);
  return <SwitchRow label={name} note={note} error={error} checked={value === true} disabled={!may} onChange={set} />;
}
