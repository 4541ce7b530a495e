/** A browser asks once for the token of the gateway. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { Mark } from "@/components/Mark";
import { usePlatform } from "@/data/platform";
import { focusOnMount } from "@/lib/focus";

export function ConnectView({ reason }: { reason: string | null }) {
  const platform = usePlatform();
  const [token, setToken] = useState("");
  return (
    <main className="flex h-full overflow-y-auto bg-list">
      <form
        className="m-auto flex w-[380px] max-w-[92vw] flex-col gap-5 px-2 py-10"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== "") platform.connect(token);
        }}
      >
        <header className="flex flex-col items-center gap-2 text-center">
          <Mark className="mb-2 size-16" />
          <h1 className="text-xl font-semibold">Connect to the engine</h1>
          <p className="text-muted">
            Run <code className="selectable rounded border border-line bg-sunken px-1 font-mono text-sm">kata token</code> in a terminal and paste what it prints.
          </p>
        </header>
        <Field label="Token" hint="Kept for this tab only." error={reason}>
          {(ids) => <Input {...ids} ref={focusOnMount} type="password" autoComplete="off" data-testid="connect-token" value={token} onChange={(event) => setToken(event.target.value)} className="h-9" />}
        </Field>
        <Button type="submit" look="primary" data-testid="connect-submit" className="h-9" disabled={token.trim() === ""}>
          Connect
        </Button>
      </form>
    </main>
  );
}
