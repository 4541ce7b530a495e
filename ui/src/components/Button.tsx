import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cn } from "@/lib/cn";

type Look = "plain" | "primary" | "outline" | "danger";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

const LOOKS: Record<Look, string> = {
  plain: "text-muted hover:bg-hover hover:text-ink",
  primary: "bg-accent text-accent-ink hover:bg-accent-strong",
  outline: "border border-line-strong bg-raised text-ink hover:bg-hover",
  danger: "border border-line-strong bg-raised text-bad hover:bg-bad-soft",
};

export function Button({ look = "outline", icon, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cn(
        "inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-md px-2.5 font-medium whitespace-nowrap transition-colors disabled:pointer-events-none disabled:opacity-50",
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** Says what it does, to a screen reader and as a tooltip. */
  label: string;
  keys?: string;
  look?: "plain" | "primary";
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, keys, look = "plain", className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={keys === undefined ? label : `${label}  ${keys}`}
      className={cn(
        "inline-flex size-7 shrink-0 items-center justify-center rounded-md transition-colors disabled:pointer-events-none",
        look === "primary" ? "bg-accent text-accent-ink hover:bg-accent-strong disabled:bg-hover disabled:text-faint" : "text-muted hover:bg-hover hover:text-ink disabled:opacity-40",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
