/** Where messages go: the table under edit, a message to try it with, the conversations there are, and what was refused. */
import { useState } from "react";
import { Button } from "@/components/Button";
import { ContentPane, Scroll } from "@/components/layout";
import { Failure, SkeletonRows } from "@/components/states";
import { Tabs } from "@/components/Tabs";
import { useRead } from "@/data/operations";
import type { RoutingTable } from "@/generated/protocol";
import { go, type RoutingPart } from "@/lib/route";
import { Choice } from "./fields";
import { Conversations } from "./Conversations";
import { Bindings, People, Profiles } from "./Lists";
import { Refused } from "./Refused";
import { TryMessage } from "./TryMessage";
import { type TableEditor, useTable } from "./useTable";

const TABLE_PARTS: readonly RoutingPart[] = ["bindings", "profiles", "people"];

export function RoutingView({ part }: { part: RoutingPart }) {
  const table = useRead("route.get", {});
  return (
    <ContentPane label="Routing">
      {table.isPending ? <SkeletonRows className="p-8" /> : table.isError ? <Failure error={table.error} onRetry={() => void table.refetch()} /> : <Body part={part} stored={table.data} />}
    </ContentPane>
  );
}

function Body({ part, stored }: { part: RoutingPart; stored: RoutingTable }) {
  const editor = useTable(stored);
  const [decided, setDecided] = useState<string | null>(null);
  const { table } = editor;
  return (
    <div className="flex h-full flex-col">
      <Head editor={editor} />
      <Scroll className="min-h-0 flex-1">
        <div className="mx-auto flex max-w-[1180px] flex-col gap-6 px-5 pb-12 @5xl:flex-row @xl:px-8">
          <div className="@container min-w-0 flex-1 pt-3">
            <Tabs
              label="Parts of routing"
              value={part}
              onChange={(id) => go({ view: "routing", part: id as RoutingPart })}
              tabs={[
                { id: "bindings", title: `Bindings ${table.bindings.length || ""}`, waits: editor.fault?.list === "bindings", content: <><Bindings editor={editor} decided={decided} /><Usual editor={editor} /></> },
                { id: "profiles", title: `Profiles ${table.profiles.length || ""}`, waits: editor.fault?.list === "profiles", content: <Profiles editor={editor} /> },
                { id: "people", title: `People ${table.people.length || ""}`, waits: editor.fault?.list === "people", content: <People editor={editor} /> },
                { id: "conversations", title: "Conversations", content: <Conversations /> },
                { id: "refused", title: "Refused", content: <Refused /> },
              ]}
            />
          </div>
          {TABLE_PARTS.includes(part) && (
            <div className="w-full shrink-0 @5xl:w-[360px] @5xl:pt-6">
              <TryMessage table={table} onDecided={setDecided} />
            </div>
          )}
        </div>
      </Scroll>
    </div>
  );
}

function Head({ editor: { dirty, saving, fault, save, discard } }: { editor: TableEditor }) {
  return (
    <header className="flex min-h-11 shrink-0 items-center gap-2 border-b border-line px-4 py-1">
      <h1 className="font-semibold">Routing</h1>
      {fault !== null && fault.list === null && (
        <p role="alert" className="min-w-0 flex-1 text-bad">
          {fault.words}
        </p>
      )}
      {dirty && (
        <>
          <span className="ml-auto text-sm text-warn">{fault === null ? "Not in force yet" : "Refused; nothing changed"}</span>
          <Button onClick={discard}>Discard</Button>
          <Button look="primary" data-testid="route-save" disabled={saving} onClick={save}>
            {saving ? "Saving" : "Put in force"}
          </Button>
        </>
      )}
    </header>
  );
}

/** Where no binding takes a message, or one does not say. */
function Usual({ editor: { table, change } }: { editor: TableEditor }) {
  const workspaces = useRead("workspace.list", {}).data ?? [];
  return (
    <section aria-label="Where nothing is said" className="flex flex-col gap-3">
      <h2 className="font-semibold">Where nothing is said</h2>
      <div className="grid grid-cols-1 gap-3.5 @md:grid-cols-2">
        <Choice label="Usual workspace" none="The active one" value={table.workspace} options={workspaces.map(({ id, name }) => [id, name] as const)} onChange={(workspace) => change({ workspace })} />
        <Choice label="Usual profile" none="None: read only" value={table.profile} options={table.profiles.map(({ id = "", name }) => [id, name ?? id] as const)} onChange={(profile) => change({ profile })} />
      </div>
    </section>
  );
}
