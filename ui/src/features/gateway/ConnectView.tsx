/** A browser asks once for a code, which makes it a device, or for the token of the gateway. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { usePlatform } from "@/data/platform";
import { focusOnMount } from "@/lib/focus";
import { DoorFrame } from "./DoorFrame";

export function ConnectView({ reason }: { reason: string | null }) {
  return (
    <DoorFrame testId="connect">
      <h1 className="text-xl font-semibold">Connect to the engine</h1>
      <p className="text-muted">
        Let the machine offer this device a place: <b>Gateway › Pair a device</b> in its window, or <Command>kata devices pair</Command> in a terminal.
      </p>
      <ConnectForms reason={reason} />
    </DoorFrame>
  );
}

export function ConnectForms({ reason }: { reason: string | null }) {
  const [byToken, setByToken] = useState(false);
  return (
    <>
      {byToken ? <TokenForm reason={reason} /> : <CodeForm reason={reason} />}
      <button type="button" data-testid="connect-other" className="min-h-8 rounded px-2 text-sm text-muted underline underline-offset-2 hover:text-ink max-sm:min-h-11" onClick={() => setByToken(!byToken)}>
        {byToken ? "Use a code instead" : "Use a token instead"}
      </button>
    </>
  );
}

function CodeForm({ reason }: { reason: string | null }) {
  const platform = usePlatform();
  const [code, setCode] = useState("");
  return (
    <form
      className="flex w-full flex-col gap-3 text-left"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== "") platform.pair(code.trim());
      }}
    >
      <Field label="Code" hint="Ten characters; large or small letters, with or without the dash." error={reason}>
        {(ids) => (
          <Input {...ids} ref={focusOnMount} autoComplete="one-time-code" autoCapitalize="characters" spellCheck={false} data-testid="connect-code" value={code} onChange={(event) => setCode(event.target.value)} className="h-11 text-center font-mono text-lg tracking-widest uppercase" />
        )}
      </Field>
      <Button type="submit" look="primary" data-testid="connect-pair" className="h-11" disabled={code.trim() === ""}>
        Pair this device
      </Button>
    </form>
  );
}

function TokenForm({ reason }: { reason: string | null }) {
  const platform = usePlatform();
  const [token, setToken] = useState("");
  return (
    <form
      className="flex w-full flex-col gap-3 text-left"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== "") platform.connect(token);
      }}
    >
      <p className="text-muted">
        Run <Command>kata token</Command> in a terminal and paste what it prints.
      </p>
      <Field label="Token" hint="Kept for this tab only." error={reason}>
        {(ids) => <Input {...ids} ref={focusOnMount} type="password" autoComplete="off" data-testid="connect-token" value={token} onChange={(event) => setToken(event.target.value)} className="h-11" />}
      </Field>
      <Button type="submit" look="primary" data-testid="connect-submit" className="h-11" disabled={token.trim() === ""}>
        Connect
      </Button>
    </form>
  );
}

const Command = ({ children }: { children: string }) => <code className="selectable rounded border border-line bg-sunken px-1 font-mono text-sm whitespace-nowrap">{children}</code>;
