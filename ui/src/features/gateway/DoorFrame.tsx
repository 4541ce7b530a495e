/** A page before the window: one thing in its middle. */
import type { ReactNode } from "react";
import { Mark } from "@/components/Mark";

export function DoorFrame({ testId, children }: { testId: string; children: ReactNode }) {
  return (
    <main data-testid={testId} className="flex h-full overflow-y-auto bg-list">
      <div className="m-auto flex w-[380px] max-w-full flex-col items-center gap-4 px-6 py-10 text-center">
        <Mark className="size-14" />
        {children}
      </div>
    </main>
  );
}
