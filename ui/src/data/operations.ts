/** Reading and acting: TanStack Query over the table of operations. */
import {
  type MutationOptions,
  QueryClient,
  type UseMutationResult,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { INVALIDATES, type OperationName, type Topic } from "@/generated/protocol";
import { OperationError, type Params, type Result } from "@/platform";
import { sentence } from "@/lib/sentence";
import { notify } from "./notify";
import { usePlatform } from "./platform";

/** Which reads a topic makes stale. */
export const READS: { readonly [T in Topic]: readonly OperationName[] } = {
  sessions: ["session.list", "session.search", "hygiene.preview"],
  session: ["session.get"],
  sources: ["source.list", "source.get", "source.document", "source.tools", "oauth.providers", "oauth.accounts", "channel.policy", "tool.list"],
  plugins: ["plugin.list", "plugin.get", "plugin.discovery", "plugin.signers", "tool.list", "command.list", "hook.list"],
  pairing: ["pairing.list", "channel.policy"],
  models: ["model.list", "system.status"],
  traces: ["trace.list", "trace.get", "trace.rules"],
  approvals: ["approval.list", "plan.list", "elicitation.list", "permission.list"],
  routes: ["route.get", "route.keys", "refusal.list"],
  letters: ["letter.list"],
  health: ["system.status"],
  workspaces: ["workspace.list", "workspace.get", "skill.list", "skill.get", "preference.get", "settings.list"],
  attention: ["attention.list", "crash.list"],
  devices: ["device.list", "gateway.state"],
  updates: ["update.get"],
};

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Facts say when something is stale; time does not.
      queries: { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, retry: retryRead, retryDelay: 400, networkMode: "always" },
      mutations: { networkMode: "always" },
    },
  });
}

function retryRead(count: number, error: Error): boolean {
  if (!(error instanceof OperationError)) return false;
  return count < 2 && (error.wire.code === "upstream" || error.wire.code === "busy" || error.wire.code === "timeout");
}

export function invalidate(client: QueryClient, topics: readonly Topic[]): void {
  const ops = new Set(topics.flatMap((topic) => READS[topic]));
  for (const op of ops) void client.invalidateQueries({ queryKey: [op] });
}

/** A fact has come: what is being asked for may be an answer from before it, and is asked for anew. */
export async function askAgain(client: QueryClient, op: OperationName): Promise<void> {
  const filters = { queryKey: [op], fetchStatus: "fetching" as const };
  if (client.isFetching(filters) === 0) return;
  await client.cancelQueries(filters);
  await client.refetchQueries({ queryKey: [op], type: "active" });
}

interface ReadOptions {
  enabled?: boolean;
  refetchInterval?: number;
  /** No fact says when it is stale: asked again whenever it is looked at. */
  fresh?: boolean;
}

export function useRead<K extends OperationName>(op: K, params: Params<K>, { fresh = false, ...options }: ReadOptions = {}): UseQueryResult<Result<K>, OperationError> {
  const platform = usePlatform();
  return useQuery<Result<K>, OperationError>({ queryKey: [op, params], queryFn: () => platform.request(op, params), ...(fresh ? { staleTime: 0 } : {}), ...options });
}

/** Takes an answer in the place of what a read has: what was acted is newer than what was asked for before. */
export function remember<K extends OperationName>(client: QueryClient, op: K, params: Params<K>, result: Result<K>): void {
  client.setQueryData([op, params], result);
}

type ActOptions<K extends OperationName> = Pick<MutationOptions<Result<K>, OperationError, Params<K>>, "onSuccess"> & {
  /** The caller shows the error itself. */
  quiet?: boolean;
};

export function useAct<K extends OperationName>(op: K, options: ActOptions<K> = {}): UseMutationResult<Result<K>, OperationError, Params<K>> {
  const platform = usePlatform();
  const client = useQueryClient();
  return useMutation<Result<K>, OperationError, Params<K>>({
    mutationFn: (params) => platform.request(op, params),
    onSuccess: (...args) => {
      invalidate(client, INVALIDATES[op]);
      return options.onSuccess?.(...args);
    },
    onError: (error) => {
      if (options.quiet !== true) notify({ tone: "error", message: sentence(error.wire.message), hint: error.wire.hint == null ? null : sentence(error.wire.hint) });
    },
  });
}
