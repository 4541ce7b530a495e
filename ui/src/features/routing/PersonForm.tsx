/** A person and their addresses. */
import { Plus, X } from "lucide-react";
import { Button, IconButton } from "@/components/Button";
import { Input, Select } from "@/components/controls";
import type { Person, PersonAddress } from "@/generated/protocol";
import { Grid } from "./Entry";
import { TextField, useChannels } from "./fields";

interface FormProps {
  person: Person;
  errorAt: (field: string) => string | null;
  onChange: (person: Person) => void;
}

export function PersonForm({ person, errorAt, onChange }: FormProps) {
  const channels = useChannels();
  const { addresses } = person;
  const set = (i: number, next: Partial<PersonAddress>) => onChange({ ...person, addresses: addresses.map((each, at) => (at === i ? { ...each, ...next } : each)) });
  const wrong = (i: number) => errorAt(`addresses/${i}`) ?? errorAt(`addresses/${i}/sender`) ?? errorAt(`addresses/${i}/channel`);
  return (
    <>
      <Grid>
        <TextField label="Name" value={person.name} error={errorAt("name")} onChange={(name) => onChange({ ...person, name })} />
        <TextField label="Id" value={person.id} hint="Bindings name it; a–z, 0–9 and -" error={errorAt("id")} onChange={(id) => onChange({ ...person, id: id ?? "" })} />
      </Grid>
      <ul aria-label="Addresses" className="flex flex-col gap-2">
        {addresses.map((address, i) => (
          <li key={i} className="flex flex-wrap items-center gap-2">
            <Select aria-label="Channel" className="w-32" value={address.channel} onChange={(event) => set(i, { channel: event.target.value })}>
              <option value="">Channel</option>
              {!channels.some(([id]) => id === address.channel) && address.channel !== "" && <option value={address.channel}>{address.channel}</option>}
              {channels.map(([id, name]) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </Select>
            <span className="w-32">
              <Input aria-label="Account" placeholder="any account" value={address.account ?? ""} onChange={(event) => set(i, { account: event.target.value === "" ? null : event.target.value })} />
            </span>
            <span className="min-w-28 flex-1">
              <Input aria-label="Sender" aria-invalid={wrong(i) === null ? undefined : true} placeholder="Id on the platform" value={address.sender} onChange={(event) => set(i, { sender: event.target.value })} />
            </span>
            <IconButton label="Take the address out" onClick={() => onChange({ ...person, addresses: addresses.filter((_, at) => at !== i) })}>
              <X className="size-3.5" />
            </IconButton>
            {wrong(i) !== null && <p className="w-full text-sm text-bad">{wrong(i)}</p>}
          </li>
        ))}
      </ul>
      <div>
        <Button icon={<Plus className="size-3.5" />} onClick={() => onChange({ ...person, addresses: [...addresses, { channel: "", account: null, sender: "" }] })}>
          Another address
        </Button>
      </div>
    </>
  );
}
