// Runs vectors that others wrote inside a plugin's own runtime. Each area takes its data and gives one outcome a case:
// nothing when it holds, words when it does not.

type Case = { name: string; run: () => unknown };
type Data = Record<string, unknown> & { testGroups?: Group[] };
type Group = Record<string, unknown> & { tests: Vector[] };
type Vector = Record<string, unknown> & { tcId: number; comment: string; result: string };

const bytes = (hex: unknown) => Uint8Array.from(`${hex}`.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (data: ArrayBuffer) => [...new Uint8Array(data)].map((b) => b.toString(16).padStart(2, "0")).join("");
const same = (found: unknown, wanted: unknown, what: string) => {
  if (found !== wanted) throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
};
const PARTS = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"] as const;

/** `urltestdata.json` of the Web Platform Tests. */
function url(data: unknown): Case[] {
  const all = (data as Record<string, string | boolean | null>[]).filter((entry) => typeof entry === "object");
  return all.map((entry) => ({
    name: `${JSON.stringify(entry.input)} against ${JSON.stringify(entry.base)}`,
    run() {
      const { input, base } = entry as { input: string; base: string | null };
      let made: URL | undefined;
      try {
        made = base === null ? new URL(input) : new URL(input, base);
      } catch (error) {
        if (!entry.failure) throw error;
        return;
      }
      if (entry.failure) throw new Error(`parsed as ${made.href}`);
      for (const part of PARTS) same(made[part], entry[part], part);
      if (typeof entry.origin === "string") same(made.origin, entry.origin, "origin");
    },
  }));
}

/** `setters_tests.json` of the Web Platform Tests. */
function setters(data: unknown): Case[] {
  const all = Object.entries(data as Record<string, { href: string; new_value: string; expected: Record<string, string> }[]>);
  return all
    .filter(([part]) => part !== "comment")
    .flatMap(([part, entries]) =>
      entries.map((entry) => ({
        name: `${part} of ${JSON.stringify(entry.href)} to ${JSON.stringify(entry.new_value)}`,
        run() {
          const made = new URL(entry.href) as unknown as Record<string, string>;
          made[part] = entry.new_value;
          for (const [key, wanted] of Object.entries(entry.expected)) same(made[key], wanted, key);
        },
      })),
    );
}

/** Cases of Project Wycheproof: `holds` answers whether the vector was accepted; it must be so exactly when it is valid. */
function wycheproof(data: unknown, holds: (test: Vector, group: Group) => Promise<boolean>): Case[] {
  return ((data as Data).testGroups ?? []).flatMap((group) =>
    group.tests.map((test) => ({
      name: `${test.tcId}: ${test.comment || (test.flags as string[]).join(" ")}`,
      async run() {
        const accepted = await holds(test, group).catch((error: Error) => {
          if (test.result === "valid") throw error;
          return false;
        });
        if (test.result !== "acceptable") same(accepted, test.result === "valid", "accepted");
      },
    })),
  );
}
const { subtle } = crypto;
const hmac = (hash: string) => (data: unknown) =>
  wycheproof(data, async (test, group) => {
    const key = await subtle.importKey("raw", bytes(test.key), { name: "HMAC", hash }, false, ["sign", "verify"]);
    const full = hex(await subtle.sign("HMAC", key, bytes(test.msg)));
    // The web has whole tags only; a shorter one is the beginning of it.
    return full.slice(0, (group.tagSize as number) / 4) === test.tag;
  });
const gcm = (data: unknown) =>
  wycheproof(data, async (test) => {
    const algorithm = { name: "AES-GCM", iv: bytes(test.iv), additionalData: bytes(test.aad) };
    const key = await subtle.importKey("raw", bytes(test.key), "AES-GCM", false, ["encrypt", "decrypt"]);
    const sealed = `${test.ct}${test.tag}`;
    if (test.result === "valid") same(hex(await subtle.encrypt(algorithm, key, bytes(test.msg))), sealed, "encrypt");
    return hex(await subtle.decrypt(algorithm, key, bytes(sealed))) === test.msg;
  });
const hkdf = (hash: string) => (data: unknown) =>
  wycheproof(data, async (test) => {
    const key = await subtle.importKey("raw", bytes(test.ikm), "HKDF", false, ["deriveBits"]);
    const algorithm = { name: "HKDF", hash, salt: bytes(test.salt), info: bytes(test.info) };
    return hex(await subtle.deriveBits(algorithm, key, (test.size as number) * 8)) === test.okm;
  });
const signed = (imported: object, algorithm: string | { name: string; hash: string }) => (data: unknown) =>
  wycheproof(data, async (test, group) => {
    const key = await subtle.importKey("spki", bytes(group.publicKeyDer), imported as { name: string }, false, ["verify"]);
    return subtle.verify(algorithm, key, bytes(test.sig), bytes(test.msg));
  });

const areas: Record<string, (data: unknown) => Case[]> = {
  url,
  "url-setters": setters,
  "hmac-sha1": hmac("SHA-1"),
  "hmac-sha256": hmac("SHA-256"),
  "hmac-sha384": hmac("SHA-384"),
  "hmac-sha512": hmac("SHA-512"),
  "aes-gcm": gcm,
  "hkdf-sha256": hkdf("SHA-256"),
  "hkdf-sha512": hkdf("SHA-512"),
  "ecdsa-p256": signed({ name: "ECDSA", namedCurve: "P-256" }, { name: "ECDSA", hash: "SHA-256" }),
  "ecdsa-p384": signed({ name: "ECDSA", namedCurve: "P-384" }, { name: "ECDSA", hash: "SHA-384" }),
  ed25519: signed({ name: "Ed25519" }, "Ed25519"),
  "rsa-sha256": signed({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, "RSASSA-PKCS1-v1_5"),
  "rsa-sha512": signed({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-512" }, "RSASSA-PKCS1-v1_5"),
};

/** Runs cases `from` to `from + count` of an area. */
export async function run(area: string, data: unknown, from: number, count: number): Promise<string> {
  const cases = areas[area]?.(data) ?? [];
  const failed: [string, string][] = [];
  for (const one of cases.slice(from, from + count)) {
    try {
      await one.run();
    } catch (error) {
      failed.push([one.name, (error as Error).message]);
    }
    // A slice of its own for each.
    await new Promise((resolve) => setTimeout(resolve));
  }
  return JSON.stringify({ all: cases.length, failed });
}
