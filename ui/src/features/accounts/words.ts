/** Sign-ins in words. */
/** Why a sign-in ended without an account, and what to do. The engine's own sentence comes first. */
export const FAILED: Record<string, string> = {
  denied: "You, or the provider, said no. Begin again and agree to what is asked.",
  expired: "It took too long. Begin again; there are ten minutes.",
  state: "The answer did not belong to this sign-in. Begin again, in this window.",
  scope: "Not everything was granted. Begin again and leave every box ticked.",
  unreachable: "The provider did not answer. Look at the network and begin again.",
  refused: "The provider does not accept this app's id or secret. Check them under Settings › Accounts.",
  cancelled: "Nothing was changed.",
};

/** `https://www.googleapis.com/auth/gmail.modify` is `gmail.modify` to a person. */
export const scopeName = (scope: string): string => scope.replace(/^https?:\/\/.*\//, "");
