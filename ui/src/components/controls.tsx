/** Small controls: switch, row with a switch, badge, key cap, search field, labelled field, select. */
import { ChevronDown, Search, X } from "lucide-react";
import { Switch as RadixSwitch } from "radix-ui";
import { type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes, useId } from "react";
import { cn } from "@/lib/cn";

interface SwitchProps {
  label: string;
  checked: boolean;
  disabled?: boolean;
  id?: string;
  describedBy?: string;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, checked, onChange, disabled, id, describedBy }: SwitchProps) {
  return (
    <RadixSwitch.Root
      id={id}
      aria-describedby={describedBy}
      aria-label={label}
      checked={checked}
      disabled={disabled}
      onCheckedChange={onChange}
      className="relative h-4 w-7 shrink-0 rounded-full bg-line-strong transition-colors focus-visible:outline-offset-2 focus-visible:[border-radius:99px] data-[state=checked]:bg-switch disabled:opacity-50"
    >
      <RadixSwitch.Thumb className="block size-3 translate-x-0.5 rounded-full bg-white shadow-sm transition-transform data-[state=checked]:translate-x-[14px]" />
    </RadixSwitch.Root>
  );
}

interface SwitchRowProps {
  label: string;
  note?: ReactNode;
  error?: string | null;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

/** A thing that is on or off, with what it means under its name. */
export function SwitchRow({ label, note, error = null, checked, disabled = false, onChange }: SwitchRowProps) {
  return (
    <div className="flex items-center gap-4">
      <div className="min-w-0 flex-1">
        <p>{label}</p>
        {note !== undefined && <div className="text-sm text-faint">{note}</div>}
        {error !== null && (
          <p role="alert" className="text-sm text-bad">
            {error}
          </p>
        )}
      </div>
      <Switch label={label} checked={checked} disabled={disabled} onChange={onChange} />
    </div>
  );
}

const BADGES = { plain: "bg-hover text-muted", accent: "bg-accent-soft text-accent", good: "bg-good-soft text-good", warn: "bg-warn-soft text-warn", bad: "bg-bad-soft text-bad" };

export function Badge({ tone = "plain", className, children, title }: { tone?: keyof typeof BADGES; className?: string; children: ReactNode; title?: string }) {
  return (
    <span title={title} className={cn("inline-flex h-[18px] max-w-full shrink-0 items-center gap-1 truncate rounded px-1.5 text-xs font-medium", BADGES[tone], className)}>
      {children}
    </span>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className="rounded border border-line-strong bg-sunken px-1 font-sans text-xs text-muted">{children}</kbd>;
}

const FIELD = "rounded-md border border-line-strong bg-ground px-2 text-ink placeholder:text-faint disabled:opacity-60 aria-invalid:border-bad selectable";

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  className?: string;
  ref?: Ref<HTMLInputElement>;
}

export function SearchField({ label, value, onChange, className, ref }: SearchFieldProps) {
  return (
    <div className={cn("relative", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-2 size-3.5 -translate-y-1/2 text-faint" />
      <input
        ref={ref}
        type="text"
        aria-label={label}
        placeholder={label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape" && value !== "") {
            event.stopPropagation();
            onChange("");
          }
        }}
        className="selectable h-7 w-full rounded-md border border-transparent bg-hover pr-7 pl-7 text-ink placeholder:text-faint focus:border-line-strong"
      />
      {value !== "" && (
        <button type="button" aria-label="Clear" onClick={() => onChange("")} className="absolute top-1/2 right-1 -translate-y-1/2 rounded p-1 text-faint hover:text-ink">
          <X className="size-3.5" />
        </button>
      )}
    </div>
  );
}

export function Input({ className, ...rest }: InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> }) {
  // As wide as there is room, unless it is told a width.
  const wide = className === undefined || !/(?:^|\s)w-/.test(className);
  return <input className={cn(FIELD, "h-7", wide && "w-full", className)} {...rest} />;
}

export function Textarea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea spellCheck={false} className={cn(FIELD, "w-full resize-y py-1", className)} {...rest} />;
}

export function Select({ className, children, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <span className={cn("relative inline-flex", className)}>
      <select className={cn(FIELD, "h-7 w-full appearance-none pr-7")} {...rest}>
        {children}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-1/2 right-2 size-3.5 -translate-y-1/2 text-faint" />
    </span>
  );
}

interface FieldProps {
  label: string;
  hint?: string | null | undefined;
  error?: string | null | undefined;
  children: (ids: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined }) => ReactNode;
}

/** A control with its label, its explanation and its error, tied together for a screen reader. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const note = error ?? hint ?? null;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": note === null ? undefined : `${id}-note`, "aria-invalid": error == null ? undefined : true })}
      {note !== null && (
        <p id={`${id}-note`} className={cn("text-sm", error == null ? "text-faint" : "text-bad")}>
          {note}
        </p>
      )}
    </div>
  );
}
