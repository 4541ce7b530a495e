/** Secrets by name. A value goes in and never comes out again. */
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Badge, Input } from "@/components/controls";
import type { SecretState } from "@/generated/protocol";

interface SecretsProps {
  secrets: readonly SecretState[];
  /** Stores a value, or removes the present one; what fails is said by the caller's operation. */
  onStore: (name: string, value: string | null) => Promise<unknown>;
}

export function Secrets({ secrets, onStore }: SecretsProps) {
  return (
    <ul className="flex max-w-md flex-col gap-2">
      {secrets.map((secret) => (
        <Secret key={secret.name} secret={secret} onStore={onStore} />
      ))}
    </ul>
  );
}

function Secret({ secret, onStore }: { secret: SecretState; onStore: SecretsProps["onStore"] }) {
  const [value, setValue] = useState("");
  const [busy, setBusy] = useState(false);
  const store = async (next: string | null) => {
    setBusy(true);
    try {
      await onStore(secret.name, next);
      setValue("");
    } catch {
      // The status line says why; what was typed stays.
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="rounded-lg border border-line p-2.5">
      <p className="mb-1.5 flex items-center gap-2">
        <KeyRound aria-hidden className="size-3.5 text-faint" />
        <span className="flex-1 font-mono text-sm">{secret.name}</span>
        <Badge tone={secret.set ? "good" : "warn"}>{secret.set ? "stored" : "missing"}</Badge>
      </p>
      <form
        className="flex gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (value !== "") void store(value);
        }}
      >
        <Input
          type="password"
          autoComplete="off"
          aria-label={secret.name}
          data-testid={`secret-${secret.name}`}
          placeholder={secret.set ? "Replace the value" : "Paste the value"}
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
        <Button type="submit" disabled={value === "" || busy}>
          Store
        </Button>
        {secret.set && (
          <Button look="danger" disabled={busy} onClick={() => void store(null)}>
            Remove
          </Button>
        )}
      </form>
    </li>
  );
}
