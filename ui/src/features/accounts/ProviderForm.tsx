/** A provider's addresses: one of the person's own, or a preset that is changed. */
import { useRef, useState } from "react";
import { Button } from "@/components/Button";
import { Field, Input, Textarea } from "@/components/controls";
import { DialogFoot } from "@/components/Dialog";
import { useAct } from "@/data/operations";
import type { OauthProvider } from "@/generated/protocol";
import { errorAtField, errorWords, fieldOf } from "@/lib/sentence";

type Key = "id" | "name" | "authorizationUrl" | "tokenUrl" | "deviceUrl" | "revocationUrl" | "userinfoUrl" | "parameters" | "clientId" | "clientSecret";
type Values = Record<Key, string>;

const FIELDS: readonly { key: Key; label: string; hint?: string; placeholder?: string; only?: "new" }[] = [
  { key: "name", label: "Name", placeholder: "Acme" },
  { key: "id", label: "Short name", hint: "As plugins name it: small letters, digits, hyphens.", placeholder: "acme", only: "new" },
  { key: "authorizationUrl", label: "Sign-in page", hint: "Where the browser goes.", placeholder: "https://login.acme.example/authorize" },
  { key: "tokenUrl", label: "Token address", hint: "Where codes become tokens.", placeholder: "https://login.acme.example/token" },
  { key: "clientId", label: "Client id", hint: "You can give it later.", only: "new" },
  { key: "clientSecret", label: "Client secret (where it has one)", only: "new" },
  { key: "deviceUrl", label: "Device address", hint: "For signing in with a code." },
  { key: "revocationUrl", label: "Revocation address", hint: "Where a token is given back." },
  { key: "userinfoUrl", label: "Userinfo address", hint: "Where the account's name is asked for." },
];
/** Under “More”. */
const OPTIONAL = new Set<Key>(["deviceUrl", "revocationUrl", "userinfoUrl", "parameters"]);
const NEEDED: readonly Key[] = ["id", "name", "authorizationUrl", "tokenUrl"];

function valuesOf(provider: OauthProvider | null): Values {
  const parameters = Object.entries(provider?.parameters ?? {}).map(([name, value]) => `${name}=${value}`).join("\n");
  const { id = "", name = "", authorizationUrl = "", tokenUrl = "", deviceUrl = null, revocationUrl = null, userinfoUrl = null } = provider ?? {};
  return { id, name, authorizationUrl, tokenUrl, deviceUrl: deviceUrl ?? "", revocationUrl: revocationUrl ?? "", userinfoUrl: userinfoUrl ?? "", parameters, clientId: "", clientSecret: "" };
}

const parametersOf = (text: string): Record<string, string> =>
  Object.fromEntries(text.split("\n").filter((line) => line.trim() !== "").map((line) => (line.includes("=") ? [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()] : [line.trim(), ""])));

export function ProviderForm({ provider, onDone }: { provider: OauthProvider | null; onDone: () => void }) {
  const [values, setValues] = useState(() => valuesOf(provider));
  const [missing, setMissing] = useState<Key | null>(null);
  const form = useRef<HTMLFormElement>(null);
  // After the field has been drawn as wrong.
  const toError = () => requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  const configure = useAct("oauth.configure", { quiet: true, onSuccess: onDone });
  const wire = configure.error?.wire;
  const named = wire === undefined ? "" : fieldOf(wire);
  const shown = FIELDS.filter(({ only }) => only === undefined || provider === null);
  const at = named.startsWith("parameters") ? "parameters" : (shown.find(({ key }) => key === named)?.key ?? null);
  const errorOf = (key: Key) => (missing === key ? "This is needed." : wire !== undefined && at === key ? errorAtField(wire) : null);
  const set = (key: Key, value: string) => {
    setValues({ ...values, [key]: value });
    if (missing === key) setMissing(null);
  };
  const save = () => {
    const gap = NEEDED.find((key) => values[key].trim() === "") ?? null;
    setMissing(gap);
    if (gap !== null) return toError();
    const before = valuesOf(provider);
    // An optional address that was there and is emptied is sent as empty; one that never was is left out.
    const given = shown.flatMap(({ key }) => (key === "id" || (values[key].trim() === "" && !(OPTIONAL.has(key) && before[key] !== "")) ? [] : [[key, values[key].trim()] as const]));
    configure.mutate({ id: values.id.trim(), ...Object.fromEntries(given), parameters: parametersOf(values.parameters) }, { onError: toError });
  };
  const field = ({ key, label, hint, placeholder }: (typeof FIELDS)[number]) => (
    <Field key={key} label={label} hint={hint ?? null} error={errorOf(key)}>
      {(ids) => <Input {...ids} data-testid={`provider-${key}`} type={key === "clientSecret" ? "password" : "text"} autoComplete="off" spellCheck={false} placeholder={placeholder} value={values[key]} onChange={(event) => set(key, event.target.value)} />}
    </Field>
  );
  return (
    <form
      ref={form}
      noValidate
      data-testid="provider-form"
      className="flex flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      {shown.filter(({ key }) => !OPTIONAL.has(key)).map(field)}
      <details open={provider !== null || (at !== null && OPTIONAL.has(at))} className="group">
        <summary className="w-fit rounded text-accent hover:underline">More addresses and parameters</summary>
        <div className="flex flex-col gap-3.5 pt-3">
          {shown.filter(({ key }) => OPTIONAL.has(key)).map(field)}
          <Field label="Further parameters" hint="name=value, one a line; they go with the browser's address." error={errorOf("parameters")}>
            {(ids) => <Textarea {...ids} rows={2} className="font-mono text-sm" placeholder="access_type=offline" value={values.parameters} onChange={(event) => set("parameters", event.target.value)} />}
          </Field>
        </div>
      </details>
      {wire !== undefined && at === null && (
        <p role="alert" className="text-bad">
          {errorWords(wire)}
        </p>
      )}
      <DialogFoot>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" look="primary" data-testid="provider-save" disabled={configure.isPending}>
          {configure.isPending ? "Saving" : "Save"}
        </Button>
      </DialogFoot>
    </form>
  );
}
