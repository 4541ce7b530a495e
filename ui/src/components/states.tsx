/** What a view shows when it has nothing, waits, or failed. */
import { CircleAlert, CloudOff, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useConnection } from "@/data/platform";
import { cn } from "@/lib/cn";
import { sentence } from "@/lib/sentence";
import type { OperationError } from "@/platform";
import { Button } from "./Button";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("animate-[shimmer_1.4s_ease-in-out_infinite] rounded-md bg-line", className)} />;
}

/** What stands where content will be. While the engine is away nothing comes, so that is said instead. */
export function SkeletonRows({ rows = 6, className }: { rows?: number; className?: string }) {
  if (useConnection().kind === "offline") {
    return (
      <Empty icon={CloudOff} title="The engine is away">
        This fills by itself as soon as it is back.
      </Empty>
    );
  }
  return (
    <div role="status" aria-label="Loading" className={cn("flex flex-col gap-4 p-4", className)}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} className="flex flex-col gap-1.5">
          <Skeleton className={i % 3 === 1 ? "h-3.5 w-3/5" : "h-3.5 w-4/5"} />
          <Skeleton className="h-3 w-2/5" />
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ icon: Icon, title, children, action }: EmptyProps) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1 px-8 pb-12 text-center">
      <Icon aria-hidden className="mb-2 size-6 text-faint" strokeWidth={1.5} />
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="max-w-80 text-muted">{children}</div>}
      {action !== undefined && <div className="mt-3">{action}</div>}
    </div>
  );
}

export function Failure({ error, onRetry }: { error: OperationError; onRetry?: (() => void) | undefined }) {
  return (
    <div role="alert" className="flex h-full flex-col items-center justify-center gap-1 px-8 pb-12 text-center">
      <CircleAlert aria-hidden className="mb-2 size-6 text-bad" strokeWidth={1.5} />
      <p className="font-medium selectable">{sentence(error.wire.message)}</p>
      {error.wire.hint != null && <p className="max-w-96 text-muted">{sentence(error.wire.hint)}</p>}
      {onRetry !== undefined && (
        <Button className="mt-3" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
