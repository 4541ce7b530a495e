/** One line at the foot of the window. */
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "@/components/Button";
import { cn } from "@/lib/cn";

const TONES = { plain: "bg-list text-ink", warn: "bg-warn-soft text-warn", bad: "bg-bad-soft text-bad" };

interface LineProps {
  tone: keyof typeof TONES;
  icon: ReactNode;
  message: string;
  hint: string | null;
  more?: number;
  action?: ReactNode;
  onDismiss?: () => void;
}

export function Line({ tone, icon, message, hint, more = 0, action, onDismiss }: LineProps) {
  return (
    <div data-testid="status-line" className={cn("flex min-h-8 flex-wrap items-center gap-x-2 border-t border-line py-0.5 pr-1 pl-4", TONES[tone])}>
      <span aria-hidden className="shrink-0">
        {icon}
      </span>
      <p className="selectable line-clamp-2 min-w-52 flex-1 max-sm:line-clamp-3" title={hint === null ? message : `${message} ${hint}`}>
        <span className={tone === "plain" ? "" : "font-medium"}>{message}</span> {hint !== null && <span className={tone === "plain" ? "text-muted" : ""}>{hint}</span>}
      </p>
      <span className="ml-auto flex items-center gap-2">
        {more > 0 && <span className="shrink-0 text-sm">{more} more</span>}
        {action}
        {onDismiss !== undefined && (
          <IconButton label="Dismiss" className="size-6 text-current" onClick={onDismiss}>
            <X className="size-3.5" />
          </IconButton>
        )}
      </span>
    </div>
  );
}
