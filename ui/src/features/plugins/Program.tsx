/** A plugin's program: what it is called, since when it is there, and which token is its grant. */
import { Facts } from "@/components/layout";
import type { ExternalClient } from "@/generated/protocol";
import { dateTime } from "@/lib/time";
import { ORIGIN_SENTENCES } from "./words";

export function Program({ client }: { client: ExternalClient | null }) {
  if (client === null) {
    return (
      <Facts
        rows={[
          ["Origin", ORIGIN_SENTENCES.gateway],
          ["Program", "Not connected. Start it again; it joins by itself."],
        ]}
      />
    );
  }
  return (
    <Facts
      rows={[
        ["Origin", ORIGIN_SENTENCES.gateway],
        ["Program", client.name],
        ["Connected since", dateTime(client.since)],
        ["Token", `${client.token}, scope “${client.scope}”. Take it back to end the program.`],
      ]}
    />
  );
}
