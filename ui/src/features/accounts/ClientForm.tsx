/** The app's own id and secret at a provider, as a person got them there. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input } from "@/components/controls";
import { DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import type { OauthProvider } from "@/generated/protocol";
import { focusOnMount } from "@/lib/focus";
import { errorAtField, errorWords, fieldOf } from "@/lib/sentence";

interface FormProps {
  provider: OauthProvider;
  onCancel: () => void;
  /** After it is stored; the caller may only want to see the provider change. */
  onDone?: () => void;
}

export function ClientForm({ provider, onCancel, onDone }: FormProps) {
  const [clientId, setClientId] = useState(provider.clientId ?? "");
  const [secret, setSecret] = useState("");
  const configure = useAct("oauth.configure", { quiet: true, ...(onDone === undefined ? {} : { onSuccess: onDone }) });
  const wire = configure.error?.wire;
  const at = wire === undefined ? "" : fieldOf(wire);
  const errorOf = (field: string) => (wire !== undefined && at === field ? errorAtField(wire) : null);
  const ready = clientId.trim() !== "";
  const save = () => configure.mutate({ id: provider.id, clientId: clientId.trim(), ...(secret === "" ? {} : { clientSecret: secret.trim() }) });
  return (
    <form
      noValidate
      className="flex flex-col gap-3.5"
      data-testid="client-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) save();
      }}
    >
      <p className="text-muted">
        {provider.name} wants to know which app asks. Register one there as a <em>desktop app</em> and paste what it gives you. It stays on this machine.
      </p>
      <Field label="Client id" error={errorOf("clientId")}>
        {(ids) => <Input {...ids} ref={focusOnMount} data-testid="client-id" autoComplete="off" spellCheck={false} className="font-mono text-sm" value={clientId} onChange={(event) => setClientId(event.target.value)} />}
      </Field>
      <Field label="Client secret (where it has one)" hint={provider.clientSecretSet ? "One is stored; leave this empty to keep it." : "Kept in the secret store and never shown again."} error={errorOf("clientSecret")}>
        {(ids) => <Input {...ids} type="password" data-testid="client-secret" autoComplete="off" value={secret} onChange={(event) => setSecret(event.target.value)} />}
      </Field>
      {wire !== undefined && at !== "clientId" && at !== "clientSecret" && (
        <p role="alert" className="text-bad">
          {errorWords(wire)}
        </p>
      )}
      <DialogFoot>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="client-save" disabled={!ready || configure.isPending}>
          {configure.isPending ? "Storing" : "Store"}
        </Button>
      </DialogFoot>
    </form>
  );
}
