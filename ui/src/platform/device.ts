/**
 * What makes this browser a device: an ECDSA P-256 key that cannot be read out, kept in IndexedDB with the name the gateway gave it.
 * The code it was paired with stands in the address after `#` and is taken out of it at once.
 */
import type { Scope } from "@/generated/protocol";

export interface Identity {
  device: string;
  scope: Scope;
  key: CryptoKey;
}

/** Where the identity lies. What the tests replace. */
export interface Vault {
  load(): Promise<Identity | null>;
  keep(identity: Identity): Promise<void>;
  forget(): Promise<void>;
  /** A new key, and its public half as SubjectPublicKeyInfo in base64url. */
  make(): Promise<{ key: CryptoKey; publicKey: string }>;
  /** The signature in base64url. */
  sign(key: CryptoKey, text: string): Promise<string>;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
const DATABASE = "kata";
const STORE = "device";
const SELF = "self";

/** What a device signs to come in; kata-gateway's `devices.rs` reads it. */
export const signedText = (nonce: string, device: string): string => `kata-connect-1\n${nonce}\n${device}`;

export function base64url(bytes: ArrayBuffer): string {
  const text = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Null where the browser has no keys: a page that came neither by https nor from this machine. */
export function browserVault(): Vault | null {
  if (globalThis.crypto?.subtle === undefined || globalThis.indexedDB === undefined) return null;
  const { subtle } = globalThis.crypto;
  return {
    load: async () => ((await inStore("readonly", (store) => store.get(SELF))) as Identity | undefined) ?? null,
    async keep(identity) {
      await inStore("readwrite", (store) => store.put(identity, SELF));
      // A browser that needs room shall not begin here; it may say no.
      await navigator.storage?.persist?.().catch(() => false);
    },
    forget: async () => void (await inStore("readwrite", (store) => store.delete(SELF))),
    async make() {
      const pair = await subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
      return { key: pair.privateKey, publicKey: base64url(await subtle.exportKey("spki", pair.publicKey)) };
    },
    sign: async (key, text) => base64url(await subtle.sign(SIGNING, key, new TextEncoder().encode(text))),
  };
}

async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.addEventListener("upgradeneeded", () => void opening.result.createObjectStore(STORE));
    opening.addEventListener("success", () => resolve(opening.result));
    opening.addEventListener("error", () => reject(opening.error ?? new Error("IndexedDB cannot be opened")));
  });
  try {
    const transaction = database.transaction(STORE, mode);
    return await new Promise<T>((resolve, reject) => {
      const request = work(transaction.objectStore(STORE));
      transaction.addEventListener("complete", () => resolve(request.result));
      transaction.addEventListener("abort", () => reject(transaction.error ?? new Error("IndexedDB refused")));
    });
  } finally {
    database.close();
  }
}

/** The code of `#/pair/CODE`, once: it is gone from the address and the history when this returns. */
export function takeCode(place: Location = window.location, past: History = window.history): string | null {
  const found = /^#\/pair\/([^/]+)/.exec(place.hash);
  if (found?.[1] === undefined) return null;
  past.replaceState(null, "", `${place.pathname}${place.search}#/`);
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return found[1];
  }
}
