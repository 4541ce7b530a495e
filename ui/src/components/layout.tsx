/** The frames the views are built from. */
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

/** The middle pane: a heading, perhaps a search field, and a list. */
export function ListPane({ title, actions, search, children, label }: { title: string; actions?: ReactNode; search?: ReactNode; children: ReactNode; label: string }) {
  return (
    <section data-pane="list" aria-label={label} className="flex w-[300px] shrink-0 flex-col border-r border-line bg-list max-[960px]:w-[230px]">
      <header className="flex h-11 shrink-0 items-center gap-1 pr-2 pl-4">
        <h1 className="min-w-0 flex-1 truncate font-semibold">{title}</h1>
        {actions}
      </header>
      {search !== undefined && <div className="px-3 pb-2">{search}</div>}
      <div className="min-h-0 flex-1">{children}</div>
    </section>
  );
}

/** The right pane. */
export function ContentPane({ header, children, label, className }: { header?: ReactNode; children: ReactNode; label: string; className?: string }) {
  return (
    <section data-pane="content" aria-label={label} className={cn("flex min-w-0 flex-1 flex-col bg-ground", className)}>
      {header !== undefined && <header className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-4">{header}</header>}
      <div className="min-h-0 flex-1">{children}</div>
    </section>
  );
}

interface ScrollProps {
  children: ReactNode;
  className?: string;
  /** Its name, where nothing in it takes the focus: it scrolls by keyboard then. */
  reading?: string;
}

export function Scroll({ children, className, reading }: ScrollProps) {
  return (
    <div {...(reading === undefined ? {} : { tabIndex: 0, role: "region", "aria-label": reading })} className={cn("@container h-full overflow-y-auto focus-visible:-outline-offset-2", className)}>
      {children}
    </div>
  );
}

/** A titled part of a detail view. */
export function Section({ title, actions, children, className }: { title: string; actions?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section aria-label={title} className={cn("flex flex-col gap-2.5", className)}>
      <div className="flex h-6 items-center gap-2">
        <h2 className="flex-1 font-semibold">{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

/** A table of facts. */
export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(90px,auto)_1fr] items-baseline gap-x-4 gap-y-1.5">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-faint">{name}</dt>
          <dd className="selectable min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function CodeBlock({ text, className }: { text: string; className?: string }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scroll area without links must still scroll by keyboard
    <pre tabIndex={0} className={cn("selectable max-h-72 overflow-auto rounded-md border border-line bg-sunken px-3 py-2 font-mono text-sm whitespace-pre-wrap [overflow-wrap:anywhere]", className)}>
      {text}
    </pre>
  );
}
