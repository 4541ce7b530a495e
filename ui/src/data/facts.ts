/** Carries facts into the query cache and the chats. */
import type { QueryClient } from "@tanstack/react-query";
import type { Fact, SourceSummary, SystemStatus } from "@/generated/protocol";
import type { Platform } from "@/platform";
import type { Chats } from "@/features/chat/chats";
import { askAgain, invalidate } from "./operations";
import { sessionChanged, sessionRemoved } from "./sessionList";

export function applyFact(client: QueryClient, chats: Chats, fact: Fact): void {
  switch (fact.topic) {
    case "session_changed":
      sessionChanged(client, fact.session);
      return;
    case "session_removed":
      sessionRemoved(client, fact.id);
      return;
    case "session":
      chats.take(fact.id, fact.event);
      return;
    case "source_changed":
      sourceChanged(client, fact.source);
      return;
    case "plugin_changed":
      // Its channels and services may have come or gone with it.
      invalidate(client, ["plugins", "sources"]);
      return;
    case "pairing_requested":
    case "pairing_changed":
      invalidate(client, ["pairing"]);
      return;
    case "model_changed":
      invalidate(client, ["models"]);
      return;
    case "trace_recorded":
      invalidate(client, ["traces"]);
      return;
    case "approvals_changed":
      invalidate(client, ["approvals"]);
      return;
    case "elicitations_changed":
      void client.invalidateQueries({ queryKey: ["elicitation.list"] });
      return;
    case "oauth_ended":
      void client.invalidateQueries({ queryKey: ["oauth.get", { id: fact.id }] });
      invalidate(client, ["sources"]);
      return;
    case "routes_changed":
      invalidate(client, ["routes"]);
      return;
    case "devices_changed":
      invalidate(client, ["devices"]);
      return;
    case "update_changed":
      invalidate(client, ["updates"]);
      return;
    case "letters_changed":
      invalidate(client, ["letters"]);
      return;
    case "attention_changed":
      invalidate(client, ["attention"]);
      return;
    case "workspaces_changed":
      invalidate(client, ["workspaces"]);
      return;
    case "health_changed":
      // How long a pause lasts is not in the line.
      if (fact.health.paused || client.getQueryData<SystemStatus>(["system.status", {}])?.pause.paused === true) invalidate(client, ["health"]);
      client.setQueryData<SystemStatus>(["system.status", {}], (status) => status && { ...status, health: fact.health });
      void askAgain(client, "system.status");
      return;
  }
}

function sourceChanged(client: QueryClient, source: SourceSummary): void {
  client.setQueryData<SourceSummary[]>(["source.list", {}], (rows) => {
    if (rows === undefined) return rows;
    return rows.some((row) => row.id === source.id) ? rows.map((row) => (row.id === source.id ? source : row)) : [...rows, source];
  });
  void askAgain(client, "source.list");
  for (const op of ["source.get", "source.document", "source.tools"]) void client.invalidateQueries({ queryKey: [op, { id: source.id }] });
}

/** Wires the platform to the window; returns what undoes it. */
export function followFacts(platform: Platform, client: QueryClient, chats: Chats): () => void {
  const ends = [
    platform.onFact(({ fact }) => applyFact(client, chats, fact)),
    platform.onResync(() => {
      void client.invalidateQueries();
      chats.reloadAll();
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
