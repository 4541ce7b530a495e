/** Secrets by name. A value goes in and never comes out again. */
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Badge, Input } from "@/components/controls";
import { useAct } from "@/data/operations";
import type { SecretState, SourceId } from "@/generated/protocol";

export function Secrets({ id, secrets }: { id: SourceId; secrets: readonly SecretState[] }) {
  return (
    <ul className="flex max-w-md flex-col gap-2">
      {secrets.map((secret) => (
        <Secret key={secret.name} id={id} secret={secret} />
      ))}
    </ul>
  );
}

function Secret({ id, secret }: { id: SourceId; secret: SecretState }) {
  const [value, setValue] = useState("");
  const act = useAct("source.secret", { onSuccess: () => setValue("") });
  const store = () => {
    if (value !== "") act.mutate({ id, name: secret.name, value });
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
          store();
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
        <Button type="submit" disabled={value === "" || act.isPending}>
          Store
        </Button>
        {secret.set && (
          <Button look="danger" disabled={act.isPending} onClick={() => act.mutate({ id, name: secret.name })}>
            Remove
          </Button>
        )}
      </form>
    </li>
  );
}
