/** The table as it stands here, not yet in force. */
import { useState } from "react";
import { notify } from "@/data/notify";
import { useAct } from "@/data/operations";
import type { RoutingTable } from "@/generated/protocol";
import { type Fault, type FullTable, faultOf, fullTable, sameTable } from "./table";

export interface TableEditor {
  table: FullTable;
  dirty: boolean;
  saving: boolean;
  fault: Fault | null;
  change: (next: Partial<FullTable>) => void;
  /** Puts the bindings into the order they are asked in. */
  settle: () => void;
  save: () => void;
  discard: () => void;
}

export function useTable(stored: RoutingTable): TableEditor {
  const base = fullTable(stored);
  const [edited, setEdited] = useState<FullTable | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const table = edited ?? base;
  const set = useAct("route.set", {
    quiet: true,
    onSuccess: () => {
      setEdited(null);
      setFault(null);
      notify({ tone: "info", message: "The routing table is in force.", hint: "Conversations that have a session stay in it." });
    },
  });
  return {
    table,
    fault,
    dirty: edited !== null && !sameTable(edited, base),
    saving: set.isPending,
    change: (next) => {
      setEdited({ ...table, ...next });
      setFault(null);
    },
    settle: () => setEdited((before) => before && fullTable(before)),
    save: () => set.mutate(stripped(table), { onError: (error) => setFault(faultOf(error.wire, table)) }),
    discard: () => {
      setEdited(null);
      setFault(null);
    },
  };
}

/** Without what only stood there while somebody typed. */
function stripped(table: FullTable): FullTable {
  const profiles = table.profiles.map((each) => ({ ...each, tools: each.tools?.filter(Boolean) ?? null, withoutTools: each.withoutTools?.filter(Boolean) ?? [] }));
  return { ...table, profiles };
}
