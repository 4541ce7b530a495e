/** One provider: whether this app is known there, and what can be changed about it. */
import { Ellipsis, KeyRound, Pencil, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Confirm } from "@/components/Confirm";
import { Badge } from "@/components/controls";
import { Dialog } from "@/components/Dialog";
import { Menu, MenuItem, MenuSeparator } from "@/components/Menu";
import { useAct } from "@/data/operations";
import type { OauthProvider } from "@/generated/protocol";
import { ClientForm } from "./ClientForm";
import { ProviderForm } from "./ProviderForm";

const hostOf = (address: string): string => (URL.canParse(address) ? new URL(address).host : address);

export function ProviderRow({ provider }: { provider: OauthProvider }) {
  const { id, name, clientId, clientSecretSet, preset, authorizationUrl } = provider;
  const [open, setOpen] = useState<"client" | "change" | "remove" | null>(null);
  const close = () => setOpen(null);
  const remove = useAct("oauth.remove");
  return (
    <li data-testid={`provider-${id}`} className="flex items-center gap-3 border-line px-3 py-2 not-first:border-t">
      <span className="min-w-0 flex-1">
        <span className="flex items-center gap-2">
          <span className="truncate font-medium">{name}</span>
          {!preset && <Badge>your own</Badge>}
        </span>
        <span className="block truncate text-sm text-faint" title={clientId ?? undefined}>
          {clientId === null ? `${hostOf(authorizationUrl)} · no client id yet` : `${clientId}${clientSecretSet ? " · secret stored" : ""}`}
        </span>
      </span>
      <Button icon={<KeyRound className="size-3.5" />} data-testid={`client-${id}`} onClick={() => setOpen("client")}>
        {clientId === null ? "Set client id" : "Change client id"}
      </Button>
      <Menu
        label={`More about ${name}`}
        align="end"
        trigger={
          <IconButton label={`More about ${name}`} data-testid={`provider-more-${id}`}>
            <Ellipsis className="size-4" />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil className="size-3.5" />} testId={`provider-change-${id}`} onSelect={() => setOpen("change")}>
          Addresses…
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger testId={`provider-remove-${id}`} icon={preset ? <RotateCcw className="size-3.5" /> : <Trash2 className="size-3.5" />} onSelect={() => setOpen("remove")}>
          {preset ? "As it came…" : "Forget…"}
        </MenuItem>
      </Menu>
      <Dialog open={open === "client"} onClose={close} title={`${name}: this app`}>
        {open === "client" && <ClientForm provider={provider} onCancel={close} onDone={close} />}
      </Dialog>
      <Dialog open={open === "change"} onClose={close} title={`Change ${name}`}>
        {open === "change" && <ProviderForm provider={provider} onDone={close} />}
      </Dialog>
      <Confirm open={open === "remove"} title={preset ? `Bring ${name} back to what came with the app?` : `Forget ${name}?`} action={preset ? "Bring it back" : "Forget"} onClose={close} onConfirm={() => remove.mutate({ id })}>
        The client id and the secret are forgotten. Sources that sign in at {name} need them to renew their access.
      </Confirm>
    </li>
  );
}
