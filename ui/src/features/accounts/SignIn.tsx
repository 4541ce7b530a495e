/** Leads through a sign-in for a source: perhaps a client id first, then the browser or a code, waiting, and how it ended. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Dialog } from "@/components/Dialog";
import { Failure, SkeletonRows } from "@/components/states";
import { remember, useAct, useRead } from "@/data/operations";
import { usePlatform } from "@/data/platform";
import type { OauthMethod, OauthSignIn, SourceSummary } from "@/generated/protocol";
import { ClientForm } from "./ClientForm";
import { SignInEnd } from "./SignInEnd";
import { SignInStart } from "./SignInStart";
import { SignInWait } from "./SignInWait";
import { isProvider } from "./useProviderName";

interface SignInProps {
  source: SourceSummary;
  /** Provider's id or name, as the source has it; and its name to show. */
  at: string;
  name: string;
  onClose: () => void;
}

/** Between two looks at a sign-in that is on its way; a fact says it sooner where facts come. */
const LOOK_EVERY_MS = 2_000;

export function SignIn({ source, at, name, onClose }: SignInProps) {
  const platform = usePlatform();
  const client = useQueryClient();
  const providers = useRead("oauth.providers", {});
  const provider = providers.data?.find((each) => isProvider(each, at));
  const [id, setId] = useState<string | null>(null);
  const begun = (signIn: OauthSignIn) => {
    remember(client, "oauth.get", { id: signIn.id }, signIn);
    setId(signIn.id);
    // The engine opens the browser of its own machine; this page may be in another one, and opens it itself.
    if (platform.kind !== "tauri" && signIn.method === "browser" && signIn.url !== "") void platform.openExternal(signIn.url);
  };
  const begin = useAct("oauth.begin", { quiet: true, onSuccess: begun });
  const cancel = useAct("oauth.cancel", { quiet: true });
  const signIn = useRead("oauth.get", { id: id ?? "" }, { enabled: id !== null, refetchInterval: LOOK_EVERY_MS }).data;
  const start = (method: OauthMethod) => begin.mutate({ source: source.id, method, open: platform.kind === "tauri" });
  const close = () => {
    if (id !== null && signIn?.progress.kind === "waiting") cancel.mutate({ id });
    onClose();
  };
  const again = () => {
    setId(null);
    begin.reset();
  };
  return (
    <Dialog open onClose={close} title={`Sign in at ${name}`} description={`${source.name} then works with your account.`}>
      {providers.isError ? (
        <Failure error={providers.error} onRetry={() => void providers.refetch()} />
      ) : providers.isPending ? (
        <SkeletonRows rows={2} />
      ) : signIn !== undefined && signIn.progress.kind === "waiting" ? (
        <SignInWait signIn={signIn} onCancel={close} />
      ) : signIn !== undefined && signIn.progress.kind !== "waiting" ? (
        <SignInEnd source={source} progress={signIn.progress} onAgain={again} onClose={onClose} />
      ) : provider !== undefined && provider.clientId === null ? (
        <ClientForm provider={provider} onCancel={onClose} />
      ) : (
        <SignInStart name={name} device={provider?.deviceUrl != null} error={begin.error} busy={begin.isPending} onStart={start} />
      )}
    </Dialog>
  );
}
