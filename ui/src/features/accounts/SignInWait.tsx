/** While the person signs in elsewhere: where to go, what to type there, and how long there is. */
import { ExternalLink } from "lucide-react";
import { Button } from "@/components/Button";
import { CopyButton } from "@/components/Code";
import { usePlatform } from "@/data/platform";
import { Chips } from "@/features/services/Chips";
import type { OauthSignIn } from "@/generated/protocol";
import { until, useNowHere } from "@/lib/time";
import { isWebUrl } from "@/platform";
import { scopeName } from "./words";

export function SignInWait({ signIn, onCancel }: { signIn: OauthSignIn; onCancel: () => void }) {
  const platform = usePlatform();
  const now = useNowHere();
  const { provider, method, url, userCode, scopes, expiresAt } = signIn;
  const device = method === "device" && userCode !== null;
  return (
    <div className="flex flex-col gap-4" data-testid="sign-in-wait">
      {device ? (
        <ol className="flex flex-col gap-3">
          <li>
            <p className="mb-1.5">
              1. Open this page, on any device: <code className="selectable font-mono text-sm [overflow-wrap:anywhere]">{url}</code>
            </p>
          </li>
          <li>
            <p className="mb-1.5">2. Type this code there:</p>
            <p className="flex items-center justify-center gap-2 rounded-lg border border-line bg-sunken py-4">
              <code data-testid="user-code" className="selectable font-mono text-[1.75rem] leading-9 font-semibold tracking-[0.12em]">
                {userCode}
              </code>
              <CopyButton text={userCode} label="Copy the code" />
            </p>
          </li>
        </ol>
      ) : (
        <p>{provider} should be open in your browser now. Sign in there and agree; this window notices by itself.</p>
      )}
      {scopes.length > 0 && (
        <div className="flex items-baseline gap-2 text-sm">
          <span className="shrink-0 text-faint">It asks for</span>
          <Chips names={scopes.map(scopeName)} none="" />
        </div>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button icon={<ExternalLink className="size-3.5" />} disabled={!isWebUrl(url)} onClick={() => void platform.openExternal(url)}>
          {device ? "Open it here" : "Open it again"}
        </Button>
        <CopyButton text={url} label="Copy the address" />
        <span className="flex-1" />
        <Button data-testid="sign-in-cancel" onClick={onCancel}>
          Cancel
        </Button>
      </div>
      <p role="status" className="flex items-center gap-2 text-sm text-faint">
        <span aria-hidden className="size-2 animate-pulse rounded-full bg-accent motion-reduce:animate-none" />
        Waiting for you at {provider}… {expiresAt > now ? `It ends ${until(expiresAt, now)}.` : "Its time is over."}
      </p>
    </div>
  );
}
