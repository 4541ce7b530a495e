// Checks a request's parameters against the Bot API's own description, as aiogram's source archive carries it
// (`.butcher/schema/schema.json`): every parameter is known, every required one is there, every value has its type.
// The description is fetched when the peers are installed and is no part of this repository.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Finds the description in the folder the archive was unpacked into. */
export function schemaFile(folder) {
  if (!existsSync(folder)) return undefined;
  const place = readdirSync(folder).find((name) => name.startsWith("aiogram-"));
  return place === undefined ? undefined : join(folder, place, ".butcher/schema/schema.json");
}

export class Schema {
  #entries = new Map();
  version;

  constructor(file) {
    const { api, items } = JSON.parse(readFileSync(file, "utf8"));
    this.version = api.version;
    for (const { children } of items) for (const entry of children) this.#entries.set(entry.name, entry.annotations ?? []);
  }

  knows(method) {
    return this.#entries.has(method);
  }

  /** What is wrong with a call, as sentences. `form`: values came as text. */
  problems(method, params, form) {
    return this.#object(method, params, form, method);
  }

  #object(name, value, form, path) {
    const known = this.#entries.get(name);
    if (known === undefined) return [`${path}: ${name} is not described`];
    const problems = [];
    for (const key of Object.keys(value)) {
      const field = known.find((one) => one.name === key);
      // A form may hold files under any name; they are not among the parameters.
      if (field === undefined) problems.push(`${path}.${key} is not described`);
      else problems.push(...this.#value(field.type, value[key], form, `${path}.${key}`));
    }
    for (const { name: key, required } of known) if (required && value[key] === undefined) problems.push(`${path}.${key} is missing`);
    return problems;
  }

  #value(type, value, form, path) {
    // “A, B and C” and “A or B” are alternatives: one of them must fit.
    const alternatives = type.startsWith("Array of") ? [type] : type.split(/ or |, | and /);
    let first;
    for (const one of alternatives) {
      const problems = this.#single(one.trim(), value, form, path);
      if (problems.length === 0) return [];
      first ??= problems;
    }
    return first;
  }

  #single(type, value, form, path) {
    const wrong = [`${path} is no ${type}: ${JSON.stringify(value).slice(0, 80)}`];
    if (type.startsWith("Array of ")) {
      if (!Array.isArray(value)) return wrong;
      return value.flatMap((one, index) => this.#value(type.slice(9), one, false, `${path}[${index}]`));
    }
    switch (type) {
      case "Integer":
        return Number.isInteger(form ? Number(value) : value) ? [] : wrong;
      case "Float":
        return Number.isFinite(form ? Number(value) : value) ? [] : wrong;
      case "Boolean":
      case "True":
        return typeof (form ? JSON.parse(value) : value) === "boolean" ? [] : wrong;
      case "String":
      case "InputFile":
        return typeof value === "string" ? [] : wrong;
      default:
        if (typeof value !== "object" || value === null) return wrong;
        if (type === "InputMedia" || type === "ReactionType") return this.#kind(type, value, path);
        return this.#object(type, value, false, path);
    }
  }

  /** Types that are told apart by their `type`. */
  #kind(type, value, path) {
    const name = String(value.type).replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
    return this.#object(type + name, value, false, path);
  }
}
