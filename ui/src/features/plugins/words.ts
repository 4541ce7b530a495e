/** Plugins in words: where one comes from, how far it is trusted, what happened to its grant. */
import type { GrantAction, HookKind, PluginOrigin, TrustState } from "@/generated/protocol";

export const ORIGINS: Record<PluginOrigin, string> = { bundled: "Shipped with the app", global: "Yours", workspace: "From a workspace", gateway: "Over the gateway" };

export const ORIGIN_SENTENCES: Record<PluginOrigin, string> = {
  bundled: "Shipped with this app.",
  global: "A folder of yours; every workspace gets it.",
  workspace: "A folder in a workspace; whoever can write there put it in.",
  gateway: "A program of its own, in any language, that joined over the gateway. It is gone when it ends.",
};

interface TrustWords {
  label: string;
  tone: "plain" | "accent" | "good" | "warn";
  sentence: string;
}

export const TRUST: Record<TrustState, TrustWords> = {
  bundled: { label: "built in", tone: "plain", sentence: "Trusted with what its manifest declares." },
  untrusted: { label: "new", tone: "warn", sentence: "Nobody has looked at it yet, so it does not run." },
  trusted: { label: "trusted", tone: "good", sentence: "These very files were looked at and granted." },
  development: { label: "development", tone: "accent", sentence: "Edits of its files are taken without asking; new capabilities are not." },
  changed: { label: "changed", tone: "warn", sentence: "Its files are no longer those you trusted." },
  token: { label: "by token", tone: "plain", sentence: "The token its program came with is what it was granted; take the token back to end it." },
};

export const ACTIONS: Record<GrantAction, string> = {
  granted: "Trusted",
  capability_revoked: "One capability taken back",
  revoked: "Trust taken back",
  carried_over: "Carried over to an update",
  changed: "Files changed",
  signer_forgotten: "Its signer was forgotten",
  installed: "Installed",
  uninstalled: "Removed",
  enabled: "Switched on",
  disabled: "Switched off",
};

export const HOOK_KINDS: Record<HookKind, string> = { observe: "looks on", transform: "may change it", gate: "may stop it" };

/** Whether a person has to look before it runs as it is now. */
export const waitsForTrust = (trust: TrustState): boolean => trust === "untrusted" || trust === "changed";

/** What a capability means, as a part of a sentence of ours. */
export const clauseOf = (means: string): string => means.replace(/\.$/, "");

/** The beginning of a hash: enough to compare by eye, the whole is in the tooltip and in what is copied. */
export const shortHash = (hash: string): string => `${hash.slice(0, 8)} ${hash.slice(8, 16)} … ${hash.slice(-8)}`;
