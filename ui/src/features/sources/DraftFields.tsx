/** The fields of a source by files, kind by kind; each with its error below it. */
import { type ReactNode, useId } from "react";
import { Field, Input, Select, Textarea } from "@/components/controls";
import { cn } from "@/lib/cn";
import { focusOnMount } from "@/lib/focus";
import type { ApiAuth, Draft, DraftKey, McpAuth, Transport } from "./draft";
import type { DraftForm } from "./useDraft";

type TextKey = { [K in DraftKey]: Draft[K] extends string ? K : never }[DraftKey];

interface TextProps {
  form: DraftForm;
  name: Exclude<TextKey, "kind" | "transport" | "mcpAuth" | "apiAuth" | "testMethod" | "format">;
  label: string;
  hint?: string;
  placeholder?: string;
  mono?: boolean;
  lines?: number;
  first?: boolean;
}

export function TextField({ form, name, label, hint, placeholder, mono = false, lines, first = false }: TextProps) {
  return (
    <Field label={label} hint={hint ?? null} error={form.errors[name]}>
      {(ids) => {
        const common = { ...ids, "data-testid": `draft-${name}`, placeholder, value: form.draft[name], autoComplete: "off", className: mono ? "font-mono text-sm" : "" };
        return lines === undefined ? (
          <Input {...common} spellCheck={false} ref={first ? focusOnMount : undefined} onChange={(event) => form.set(name, event.target.value)} />
        ) : (
          <Textarea {...common} rows={lines} onChange={(event) => form.set(name, event.target.value)} />
        );
      }}
    </Field>
  );
}

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, words: string])[];
  onChange: (value: T) => void;
}

/** One of a few, side by side. Arrow keys move between them, as in every group of radio buttons. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  const name = useId();
  return (
    <fieldset>
      <legend className="mb-1 font-medium">{label}</legend>
      <div className="flex rounded-md border border-line-strong bg-sunken p-0.5">
        {options.map(([each, words]) => (
          <label key={each} className={cn("flex h-6 min-w-0 flex-1 items-center justify-center rounded px-2 text-center focus-within:outline-2 focus-within:outline-accent", each === value ? "bg-raised font-medium text-ink shadow-sm" : "text-muted hover:text-ink")}>
            <input type="radio" name={name} value={each} checked={each === value} onChange={() => onChange(each)} className="sr-only" />
            <span className="truncate">{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const TRANSPORTS: readonly (readonly [Transport, string])[] = [["stdio", "A program here"], ["http", "An address"]];
const MCP_AUTH: Record<McpAuth, string> = { oauth: "In the browser, if it asks for it", bearer: "With a token", none: "Never" };
const API_AUTH: Record<ApiAuth, string> = { none: "Nothing", bearer: "A token (Authorization: Bearer …)", header: "A key in a header", query: "A key in the address", basic: "A user name and a password" };

const KeyLater = () => <p className="text-sm text-faint">You give it in the next step. It goes into the secret store, not into the files.</p>;

function McpFields({ form }: { form: DraftForm }) {
  const { transport, mcpAuth } = form.draft;
  return (
    <>
      <Segments label="How it is reached" value={transport === "sse" ? "http" : transport} options={TRANSPORTS} onChange={(next) => form.set("transport", next)} />
      {transport === "stdio" ? (
        <>
          <TextField form={form} name="command" label="Command" mono hint="As its documentation says to start it. No shell reads it." placeholder="npx -y @modelcontextprotocol/server-filesystem ~/Notes" />
          <TextField form={form} name="env" label="Environment (optional)" mono lines={2} hint="NAME=value, one a line, as it will stand in config.json. Write ${secret:NAME} for what is secret; you give it in the next step." placeholder="API_KEY=${secret:key}" />
        </>
      ) : (
        <>
          <TextField form={form} name="url" label="Address" mono placeholder="https://mcp.example.com/mcp" />
          <label className="flex items-center gap-2">
            <input type="checkbox" className="accent-accent" checked={transport === "sse"} onChange={(event) => form.set("transport", event.target.checked ? "sse" : "http")} />
            <span>It is an old server that speaks SSE</span>
          </label>
          <Field label="Signing in" error={form.errors.mcpAuth}>
            {(ids) => (
              <Select {...ids} data-testid="draft-mcpAuth" value={mcpAuth} onChange={(event) => form.set("mcpAuth", event.target.value as McpAuth)}>
                {Object.entries(MCP_AUTH).map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {mcpAuth === "bearer" && <KeyLater />}
        </>
      )}
    </>
  );
}

function ApiFields({ form }: { form: DraftForm }) {
  const { apiAuth, account, testMethod } = form.draft;
  return (
    <>
      <TextField form={form} name="baseUrl" label="Base address" mono hint="Everything the agent asks begins with it." placeholder="https://api.example.com/v1/" />
      {account === "" ? (
        <>
          <Field label="What it asks for" error={form.errors.apiAuth}>
            {(ids) => (
              <Select {...ids} data-testid="draft-apiAuth" value={apiAuth} onChange={(event) => form.set("apiAuth", event.target.value as ApiAuth)}>
                {Object.entries(API_AUTH).map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {apiAuth === "header" && <TextField form={form} name="headerName" label="Name of the header" mono />}
          {apiAuth === "query" && <TextField form={form} name="queryParam" label="Name of the parameter" mono />}
          {apiAuth !== "none" && <KeyLater />}
        </>
      ) : (
        <p className="text-muted">It works with your account at {account}; you sign in on its page.</p>
      )}
      <div className="grid grid-cols-[6.5rem_1fr] gap-2">
        <Field label="Test with">
          {(ids) => (
            <Select {...ids} value={testMethod} onChange={(event) => form.set("testMethod", event.target.value === "POST" ? "POST" : "GET")}>
              <option>GET</option>
              <option>POST</option>
            </Select>
          )}
        </Field>
        <TextField form={form} name="testPath" label="Path (optional)" mono hint="A request that changes nothing and needs the key." placeholder="me" />
      </div>
    </>
  );
}

function LocalFields({ form }: { form: DraftForm }) {
  return (
    <>
      <TextField form={form} name="path" label="Folder" mono hint="The agent may list, search and read what is in it, and nothing beside it." placeholder="~/Notes" />
      <Segments label="What it is" value={form.draft.format} options={[["folder", "A folder"], ["obsidian", "An Obsidian vault"]]} onChange={(next) => form.set("format", next)} />
    </>
  );
}

export function DraftFields({ form }: { form: DraftForm }): ReactNode {
  const { kind } = form.draft;
  return (
    <>
      <div className="grid grid-cols-[1fr_5.5rem] gap-2">
        <TextField form={form} name="name" label="Name" first placeholder={kind === "mcp" ? "Linear" : kind === "api" ? "Status page" : "Handbook"} />
        <TextField form={form} name="icon" label="Sign" placeholder="🙂" />
      </div>
      {kind === "mcp" ? <McpFields form={form} /> : kind === "api" ? <ApiFields form={form} /> : <LocalFields form={form} />}
    </>
  );
}
