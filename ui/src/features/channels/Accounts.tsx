/** Further accounts of a channel: each is a source of its own, with settings, secrets and people of its own. */
import { Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Input } from "@/components/controls";
import { StatusBadge } from "@/components/StatusBadge";
import { useAct, useRead } from "@/data/operations";
import { useWorkspace } from "@/data/workspace";
import type { SourceSummary } from "@/generated/protocol";
import { go } from "@/lib/route";

/** `channel:slack@work` is an account of `channel:slack`. */
export const firstOf = (id: string): string => id.replace(/@[^@]*$/, "");

export function Accounts({ source }: { source: SourceSummary }) {
  const first = firstOf(source.id);
  const all = useRead("source.list", {}).data ?? [];
  const accounts = all.filter((row) => row.kind === "channel" && firstOf(row.id) === first);
  const [going, setGoing] = useState<SourceSummary>();
  const remove = useAct("account.remove", { onSuccess: () => go({ view: "sources", source: first }) });
  return (
    <div className="flex flex-col gap-3">
      <ul className="flex flex-col gap-px">
        {accounts.map((row) => (
          <li key={row.id} className="flex items-center gap-3">
            <button type="button" aria-current={row.id === source.id ? "true" : undefined} onClick={() => go({ view: "sources", source: row.id })} className="flex h-9 min-w-0 flex-1 items-center gap-3 rounded-md px-2 text-left hover:bg-hover aria-[current]:bg-selected">
              <span className="truncate font-medium">{row.name}</span>
              <StatusBadge status={row.status} className="min-w-0 flex-1 text-sm" />
            </button>
            {row.id !== first && (
              <IconButton label={`Remove ${row.name}`} onClick={() => setGoing(row)}>
                <Trash2 className="size-3.5" />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
      <AddAccount channel={first.replace(/^channel:/, "")} />
      {going !== undefined && (
        <Confirm
          open
          title={`Remove ${going.name}?`}
          action="Remove"
          onClose={() => setGoing(undefined)}
          onConfirm={() => remove.mutate({ id: going.id })}
        >
          Its settings, its secrets and what it remembers go. Its conversations stay in the list of sessions.
        </Confirm>
      )}
    </div>
  );
}

function AddAccount({ channel }: { channel: string }) {
  const [name, setName] = useState("");
  const { workspace } = useWorkspace();
  const add = useAct("account.add", { onSuccess: (made) => go({ view: "sources", source: made.id }) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name !== "") add.mutate({ channel, name, workspace: workspace?.id ?? null });
  };
  return (
    <form onSubmit={submit} className="flex max-w-md items-center gap-2">
      <Input aria-label="Name of the account" placeholder="work" pattern="[a-z0-9\-]{1,24}" title="Small letters, digits and -" value={name} onChange={(event) => setName(event.target.value)} />
      <Button type="submit" icon={<Plus className="size-3.5" />} disabled={name === "" || add.isPending}>
        Add account
      </Button>
    </form>
  );
}
