/** The three lists of the table, each with its entries and a way to add one. */
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "@/components/Button";
import type { AgentProfile, Binding, Person } from "@/generated/protocol";
import { plural } from "@/lib/format";
import { BindingForm } from "./BindingForm";
import { Entry } from "./Entry";
import { PersonForm } from "./PersonForm";
import { ProfileForm } from "./ProfileForm";
import { type ListName, newBinding, newPerson, newProfile } from "./table";
import type { TableEditor } from "./useTable";
import { matchWords, MODE_NAMES, OVERLAPS, PRECEDENCE, SCOPES } from "./words";

/** Opens, replaces, removes and adds entries of one list, and brings an error to its entry. */
function useList(editor: TableEditor, list: ListName) {
  const [open, setOpen] = useState<number | null>(null);
  const { fault } = editor;
  const here = fault?.list === list ? fault : null;
  return {
    isOpen: (i: number) => open === i,
    toggle: (i: number) => {
      setOpen(open === i ? null : i);
      if (list === "bindings" && open !== null) {
        editor.settle();
        setOpen(null);
      }
    },
    show: setOpen,
    close: () => setOpen(null),
    fault: (i: number) => (here?.index === i ? here.words : null),
    errorAt: (i: number) => (field: string) => (here?.index === i && here.field === field ? here.words : null),
  };
}

const without = <T,>(rows: readonly T[], i: number): T[] => rows.filter((_, at) => at !== i);

function Listed({ label, empty, add, onAdd, children, n }: { label: string; empty: string; add: string; onAdd: () => void; children: ReactNode; n: number }) {
  return (
    <div className="flex flex-col gap-3">
      {n === 0 ? <p className="text-muted">{empty}</p> : <ol aria-label={label} className="overflow-hidden rounded-lg border border-line">{children}</ol>}
      <div>
        <Button icon={<Plus className="size-3.5" />} onClick={onAdd}>
          {add}
        </Button>
      </div>
    </div>
  );
}

export function Bindings({ editor, decided }: { editor: TableEditor; decided: string | null }) {
  const { table, change } = editor;
  const list = useList(editor, "bindings");
  const rows = table.bindings;
  const set = (i: number, binding: Binding) => change({ bindings: rows.with(i, binding) });
  return (
    <>
      <p className="text-muted">
        The first that takes a message decides. They are asked from the most particular to the most general, whatever order they were written in:{" "}
        {PRECEDENCE.map(({ name }) => name).join(" › ")} › everything.
      </p>
      <Listed
        label="Bindings"
        n={rows.length}
        empty="No bindings: every conversation gets a session of its own in the usual workspace, read only."
        add="New binding"
        onAdd={() => {
          change({ bindings: [...rows, newBinding(table)] });
          list.show(rows.length);
        }}
      >
        {rows.map((binding, i) => (
          <Entry
            key={i}
            testId={`binding-${binding.id}`}
            title={binding.id}
            lead={<span aria-label={`Place ${i + 1}`} className={`mt-px w-5 shrink-0 rounded text-center font-semibold tabular-nums ${decided === binding.id ? "bg-accent text-accent-ink" : "text-faint"}`}>{i + 1}</span>}
            note={<Summary binding={binding} />}
            open={list.isOpen(i)}
            onToggle={() => list.toggle(i)}
            onRemove={() => {
              change({ bindings: without(rows, i) });
              list.close();
            }}
            fault={list.fault(i)}
          >
            <BindingForm binding={binding} table={table} errorAt={list.errorAt(i)} onChange={(next) => set(i, next)} />
          </Entry>
        ))}
      </Listed>
    </>
  );
}

function Summary({ binding: { match = {}, workspace, profile, scope = "thread", overlap } }: { binding: Binding }) {
  return (
    <>
      {matchWords(match)}
      <span className="block text-faint">
        → {workspace ?? "usual workspace"}, {profile ?? "usual profile"} · {SCOPES[scope].name.toLowerCase()} · {OVERLAPS[overlap?.policy ?? "queue"].name.toLowerCase()}
      </span>
    </>
  );
}

export function Profiles({ editor }: { editor: TableEditor }) {
  const { table, change } = editor;
  const list = useList(editor, "profiles");
  const rows = table.profiles;
  const set = (i: number, profile: AgentProfile) => change({ profiles: rows.with(i, profile) });
  return (
    <Listed
      label="Profiles"
      n={rows.length}
      empty="A profile says how the agent is in the sessions of a binding: model, permission, tools, and what it is told."
      add="New profile"
      onAdd={() => {
        change({ profiles: [...rows, newProfile(table)] });
        list.show(rows.length);
      }}
    >
      {rows.map((profile, i) => (
        <Entry
          key={i}
          testId={`profile-${profile.id ?? ""}`}
          title={profile.name ?? profile.id ?? ""}
          note={`${profile.model ?? "usual model"} · ${MODE_NAMES[profile.mode ?? "safe"].toLowerCase()} · ${profile.tools == null ? "all tools" : plural(profile.tools.length, "tool rule")}${(profile.withoutTools?.length ?? 0) > 0 ? `, without ${profile.withoutTools?.join(", ") ?? ""}` : ""}`}
          open={list.isOpen(i)}
          onToggle={() => list.toggle(i)}
          onRemove={() => {
            change({ profiles: without(rows, i) });
            list.close();
          }}
          fault={list.fault(i)}
        >
          <ProfileForm profile={profile} errorAt={list.errorAt(i)} onChange={(next) => set(i, next)} />
        </Entry>
      ))}
    </Listed>
  );
}

export function People({ editor }: { editor: TableEditor }) {
  const { table, change } = editor;
  const list = useList(editor, "people");
  const rows = table.people;
  const set = (i: number, person: Person) => change({ people: rows.with(i, person) });
  return (
    <Listed
      label="People"
      n={rows.length}
      empty="Somebody who writes over several channels can be one person here, and share one session."
      add="New person"
      onAdd={() => {
        change({ people: [...rows, newPerson(table)] });
        list.show(rows.length);
      }}
    >
      {rows.map((person, i) => (
        <Entry
          key={i}
          testId={`person-${person.id}`}
          title={person.name ?? person.id}
          note={person.addresses.map(({ channel, sender }) => `${channel === "" ? "…" : channel} ${sender}`).join(" · ")}
          open={list.isOpen(i)}
          onToggle={() => list.toggle(i)}
          onRemove={() => {
            change({ people: without(rows, i) });
            list.close();
          }}
          fault={list.fault(i)}
        >
          <PersonForm person={person} errorAt={list.errorAt(i)} onChange={(next) => set(i, next)} />
        </Entry>
      ))}
    </Listed>
  );
}
