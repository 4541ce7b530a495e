/** One setting that may be changed: setting it, putting it back, and what came of it. */
import { useQueryClient } from "@tanstack/react-query";
import { useMay } from "@/data/platform";
import { useAct } from "@/data/operations";
import type { SettingValue } from "@/generated/protocol";
import { type Changeable, refusal, same } from "./setting";

export interface Setting {
  /** The value that is in force, or on its way there. */
  value: unknown;
  set: (value: unknown, done?: () => void) => void;
  /** Forgets why the last change was refused. */
  forget: () => void;
  busy: boolean;
  may: boolean;
  error: string | null;
  /** Where the value in force comes from, when what was set is not what counts. */
  overruledBy: string | null;
}

export function useSetting({ path, value, rule }: Changeable): Setting {
  const client = useQueryClient();
  const may = useMay("settings.set");
  const act = useAct("settings.set", {
    quiet: true,
    onSuccess: (next) => client.setQueryData<SettingValue[]>(["settings.list", {}], (rows) => rows?.map((row) => (row.path === next.path ? next : row))),
  });
  const sent = act.variables?.value ?? rule.default;
  return {
    value: act.isPending ? sent : value,
    set: (next, done) => act.mutate({ path, value: next }, { onSuccess: () => done?.() }),
    forget: act.reset,
    busy: act.isPending,
    may,
    error: act.isError ? refusal(act.error.wire, rule) : null,
    overruledBy: act.isSuccess && !same(act.data.value, sent) ? act.data.from : null,
  };
}
