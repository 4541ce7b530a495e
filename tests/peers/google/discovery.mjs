// Google's own description of its APIs (the discovery documents of google-api-python-client), and whether a request and an answer keep
// it: methods, parameters, properties, their types and formats, what is required, which scope a method wants. Not shipped.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the documents lie in a virtual environment of Python. */
export function folderIn(environment) {
  const python = readdirSync(join(environment, "lib")).find((name) => name.startsWith("python3"));
  return join(environment, "lib", python, "site-packages/googleapiclient/discovery_cache/documents");
}

/** Parameters every method takes: https://cloud.google.com/apis/docs/system-parameters */
const COMMON = (document) => document.parameters ?? {};

function* methodsOf(node) {
  yield* Object.values(node.methods ?? {});
  for (const inner of Object.values(node.resources ?? {})) yield* methodsOf(inner);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const B64URL = /^[A-Za-z0-9_-]*={0,2}$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
/** Calendar's own documents let a time stand without its offset where its zone is named (EventDateTime.dateTime). */
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/;

export class Discovery {
  constructor(folder) {
    this.documents = ["gmail.v1", "calendar.v3"].map((name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")));
    this.revisions = this.documents.map((one) => one.revision);
    this.methods = this.documents.flatMap((document) =>
      [...methodsOf(document)].flatMap((method) => {
        const paths = [`/${document.servicePath}${method.flatPath ?? method.path}`];
        const upload = method.mediaUpload?.protocols?.simple?.path;
        if (upload !== undefined) paths.push(upload);
        return paths.map((path) => ({
          ...method,
          document,
          pattern: new RegExp(`^${path.split(/\{[^}]+\}/).map(escaped).join("([^/]+)")}$`),
        }));
      }),
    );
  }

  /** The method a request is; the one with the fewest variable parts where several fit. */
  method(verb, path) {
    return this.methods
      .filter((one) => one.httpMethod === verb && one.pattern.test(path))
      .sort((a, b) => a.pattern.source.split("([^/]+)").length - b.pattern.source.split("([^/]+)").length)[0];
  }

  /** What is wrong with a request; scopes are those of its token. */
  request(method, url, body, scopes) {
    const problems = [];
    const known = { ...COMMON(method.document), ...method.parameters };
    for (const name of new Set(url.searchParams.keys())) {
      const parameter = known[name];
      const values = url.searchParams.getAll(name);
      if (parameter === undefined || parameter.location !== "query") problems.push(`parameter ${name}: is not known`);
      else {
        if (values.length > 1 && parameter.repeated !== true) problems.push(`parameter ${name}: stands ${values.length} times`);
        for (const value of values) this.#parameter(name, parameter, value, problems);
      }
    }
    for (const [name, parameter] of Object.entries(method.parameters ?? {})) {
      if (parameter.required === true && parameter.location === "query" && !url.searchParams.has(name)) problems.push(`parameter ${name}: is missing`);
    }
    if (method.request === undefined) {
      if (body !== undefined) problems.push("body: the method takes none");
    } else if (body === undefined) problems.push("body: is missing");
    else this.#value(method.document, { $ref: method.request.$ref }, body, "body", problems, true);
    if (scopes !== undefined && !method.scopes.some((one) => scopes.includes(one))) problems.push(`scopes: ${method.id} wants one of ${method.scopes.join(", ")}`);
    return problems;
  }

  /** What is wrong with a good answer. */
  answer(method, body) {
    const problems = [];
    if (method.response === undefined) {
      if (body !== undefined && Object.keys(body).length > 0) problems.push("answer: the method has none");
    } else if (body === undefined) problems.push("answer: is missing");
    else this.#value(method.document, { $ref: method.response.$ref }, body, "answer", problems, false);
    return problems;
  }

  #parameter(name, parameter, value, problems) {
    const say = (what) => problems.push(`parameter ${name}: ${JSON.stringify(value)} ${what}`);
    if (parameter.type === "boolean" && !["true", "false"].includes(value)) say("is no boolean");
    if (parameter.type === "integer") {
      if (!/^-?\d+$/.test(value)) say("is no integer");
      if (parameter.minimum !== undefined && BigInt(value) < BigInt(parameter.minimum)) say(`is below ${parameter.minimum}`);
      if (parameter.maximum !== undefined && BigInt(value) > BigInt(parameter.maximum)) say(`is above ${parameter.maximum}`);
    }
    if (parameter.enum !== undefined && !parameter.enum.includes(value)) say(`is none of ${parameter.enum.join(", ")}`);
    this.#format(parameter.format, value, say);
  }

  #format(format, value, say) {
    if (format === "byte" && !B64URL.test(value)) say("is no base64url");
    if (format === "date-time" && !DATE_TIME.test(value) && !LOCAL_TIME.test(value)) say("is no date-time");
    if (format === "date" && !/^\d{4}-\d\d-\d\d$/.test(value)) say("is no date");
    if ((format === "uint64" || format === "int64") && !/^-?\d+$/.test(value)) say(`is no ${format}`);
  }

  #value(document, schema, value, place, problems, writes) {
    if (schema.$ref !== undefined) return this.#value(document, document.schemas[schema.$ref], value, place, problems, writes);
    const say = (what) => problems.push(`${place}: ${JSON.stringify(value)?.slice(0, 80)} ${what}`);
    if (schema.type === "any") return;
    // Only a patch writes null: it takes a property away.
    if (value === null) return writes === "patch" ? undefined : say("is null");
    if (schema.type === "object") {
      if (typeof value !== "object" || Array.isArray(value)) return say("is no object");
      for (const [name, inner] of Object.entries(value)) {
        const known = schema.properties?.[name] ?? schema.additionalProperties;
        if (known === undefined) problems.push(`${place}.${name}: is not known`);
        else if (!(writes && inner === null && ["date", "dateTime", "timeZone"].includes(name))) this.#value(document, known, inner, `${place}.${name}`, problems, writes);
      }
      return;
    }
    if (schema.type === "array") {
      if (!Array.isArray(value)) return say("is no list");
      for (const [index, inner] of value.entries()) this.#value(document, schema.items, inner, `${place}[${index}]`, problems, writes);
      return;
    }
    if (schema.type === "boolean") return typeof value === "boolean" ? undefined : say("is no boolean");
    if (schema.type === "integer") return Number.isInteger(value) ? undefined : say("is no integer");
    if (schema.type === "number") return typeof value === "number" ? undefined : say("is no number");
    if (typeof value !== "string") return say("is no text");
    if (schema.enum !== undefined && !schema.enum.includes(value)) say(`is none of ${schema.enum.join(", ")}`);
    this.#format(schema.format, value, say);
  }
}
