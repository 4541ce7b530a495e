/**
 * What makes this program the linked device: its credentials and the sessions with each person, in one journal. One change of Baileys (a
 * transaction of its own) is one line, so that a message is never decrypted with one half of it.
 */

import { renameSync } from "node:fs";
import { type AuthenticationCreds, type AuthenticationState, BufferJSON, initAuthCreds, proto, type SignalDataSet, type SignalDataTypeMap } from "baileys";
import { Journal } from "./journal.ts";

type Kept = Map<string, Map<string, unknown>>;

export class Keys {
  readonly #path: string;
  #journal: Journal;
  #kept: Kept = new Map();
  #creds: AuthenticationCreds;

  constructor(path: string) {
    this.#path = path;
    let creds: AuthenticationCreds | undefined;
    this.#journal = new Journal(path, (text) => {
      const line = JSON.parse(text, BufferJSON.reviver) as { creds?: AuthenticationCreds; keys?: SignalDataSet };
      if (line.creds !== undefined) creds = line.creds;
      if (line.keys !== undefined) this.#apply(line.keys);
    });
    this.#creds = creds ?? initAuthCreds();
    if (this.#journal.long) this.#compact();
  }

  /** Whether a person has linked it. */
  get linked(): boolean {
    return this.#creds.me !== undefined;
  }

  /** Says whose device it is; for peers that do not pair. */
  claim(id: string): void {
    this.#creds.me ??= { id };
  }

  get state(): AuthenticationState {
    return {
      creds: this.#creds,
      keys: {
        get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
          const found: { [id: string]: SignalDataTypeMap[T] } = {};
          for (const id of ids) {
            const value = this.#kept.get(type)?.get(id);
            if (value === undefined) continue;
            // Baileys wants this one as its own class.
            found[id] = (type === "app-state-sync-key" ? proto.Message.AppStateSyncKeyData.fromObject(value as object) : value) as SignalDataTypeMap[T];
          }
          return found;
        },
        set: (keys) => {
          this.#append({ keys });
        },
        clear: () => {
          this.#kept = new Map();
          this.#compact();
        },
      },
    };
  }

  /** Takes over what Baileys says of the credentials. */
  update(change: Partial<AuthenticationCreds>): void {
    Object.assign(this.#creds, change);
    this.#append({ creds: this.#creds });
  }

  /** The device was unlinked: what is left lies beside, and the next start asks for a code. */
  forget(): void {
    this.#journal.close();
    renameSync(this.#path, `${this.#path}.unlinked`);
    this.#kept = new Map();
    this.#creds = initAuthCreds();
    this.#journal = new Journal(this.#path, () => {});
  }

  close(): void {
    this.#journal.close();
  }

  #append(line: { creds?: AuthenticationCreds; keys?: SignalDataSet }): void {
    this.#journal.append(JSON.stringify(line, BufferJSON.replacer));
    // Before the file is written anew from what is known, or the newest would be missing there.
    if (line.keys !== undefined) this.#apply(line.keys);
    if (this.#journal.long) this.#compact();
  }

  #apply(keys: SignalDataSet): void {
    for (const [type, entries] of Object.entries(keys)) {
      const kept = this.#kept.get(type) ?? new Map<string, unknown>();
      this.#kept.set(type, kept);
      for (const [id, value] of Object.entries(entries ?? {})) {
        if (value === null || value === undefined) kept.delete(id);
        else kept.set(id, value);
      }
    }
  }

  #compact(): void {
    const keys = Object.fromEntries([...this.#kept].map(([type, entries]) => [type, Object.fromEntries(entries)]));
    this.#journal.rewrite([JSON.stringify({ creds: this.#creds }, BufferJSON.replacer), JSON.stringify({ keys }, BufferJSON.replacer)]);
  }
}
