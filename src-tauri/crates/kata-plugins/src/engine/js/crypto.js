// `crypto`: random values and the part of `crypto.subtle` that signs, verifies, encrypts and derives. The host computes.
(function ({ n, op, lib, bytesOf }) {
  const { domError } = lib("events");
  const cannot = (what) => domError("NotSupportedError", `${what} is not supported`);
  const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
  const nameOf = (algorithm) => {
    const name = typeof algorithm === "string" ? algorithm : algorithm?.name;
    if (name === undefined) throw new TypeError("the algorithm has no name");
    return `${name}`.toUpperCase();
  };
  const hashOf = (algorithm) => {
    const name = nameOf(algorithm);
    if (!HASHES.includes(name)) throw cannot(`the hash “${name}”`);
    return name;
  };
  const BLOCK = { "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };
  const CURVES = { "P-256": "SHA-256", "P-384": "SHA-384" };
  // What each algorithm's keys can be used for: [secret or private, public].
  const USES = {
    HMAC: [["sign", "verify"]],
    "AES-GCM": [["encrypt", "decrypt", "wrapKey", "unwrapKey"]],
    HKDF: [["deriveBits", "deriveKey"]],
    PBKDF2: [["deriveBits", "deriveKey"]],
    ECDSA: [["sign"], ["verify"]],
    ED25519: [["sign"], ["verify"]],
    "RSASSA-PKCS1-V1_5": [["sign"], ["verify"]],
  };
  const CANON = { ED25519: "Ed25519", "RSASSA-PKCS1-V1_5": "RSASSA-PKCS1-v1_5" };
  const material = new WeakMap();
  class CryptoKey {
    #own;
    constructor(key, own) {
      if (key !== MAKE) throw new TypeError("a CryptoKey comes from crypto.subtle");
      this.#own = own;
    }
    get type() { return this.#own.type; }
    get extractable() { return this.#own.extractable; }
    get algorithm() { return this.#own.algorithm; }
    get usages() { return this.#own.usages; }
    get [Symbol.toStringTag]() { return "CryptoKey"; }
  }
  const MAKE = Symbol("make");
  const keyOf = (bytes, type, name, details, extractable, usages) => {
    const allowed = USES[name][type === "public" ? 1 : 0];
    const asked = [...usages].map(String);
    const wrong = asked.find((u) => !allowed.includes(u));
    if (wrong !== undefined) throw domError("SyntaxError", `a ${type} ${CANON[name] ?? name} key cannot be used for ${wrong}`);
    if (type !== "public" && asked.length === 0) throw domError("SyntaxError", "the key has no use");
    const key = new CryptoKey(MAKE, {
      type, extractable: Boolean(extractable), algorithm: Object.freeze({ name: CANON[name] ?? name, ...details }),
      usages: Object.freeze(allowed.filter((u) => asked.includes(u))),
    });
    material.set(key, bytes);
    return key;
  };
  const use = (key, usage, name) => {
    if (!(key instanceof CryptoKey)) throw new TypeError(`${usage}: a CryptoKey is needed`);
    if (key.algorithm.name.toUpperCase() !== name) throw domError("InvalidAccessError", `the key is for ${key.algorithm.name}, not ${name}`);
    if (!key.usages.includes(usage)) throw domError("InvalidAccessError", `the key may not be used for ${usage}`);
    return material.get(key);
  };
  const must = (value, name, message) => {
    if (value === undefined) throw domError(name, message);
    return value;
  };
  const b64 = (text) => {
    if (typeof text !== "string" || /[^A-Za-z0-9_-]/.test(text)) throw domError("DataError", "the JWK has a field that is not base64url");
    return Uint8Array.from(n.unb64(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  };
  const unb64 = (bytes) => {
    let text = "";
    for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
    return n.b64(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
  };

  async function importKey(format, data, algorithm, extractable, usages) {
    const name = nameOf(algorithm);
    if (!USES[name]) throw cannot(`the algorithm “${name}”`);
    const jwk = format === "jwk" ? data : undefined;
    if (jwk !== undefined && (typeof jwk !== "object" || jwk === null || !("kty" in jwk))) throw domError("DataError", "importKey: the JWK has no kty");
    if (!["raw", "pkcs8", "spki", "jwk"].includes(format)) throw cannot(`the format “${format}”`);
    const bytes = jwk ? undefined : bytesOf(data, "importKey").slice();
    const kty = (wanted) => {
      if (jwk.kty !== wanted) throw domError("DataError", `importKey: the JWK's kty must be ${wanted}`);
    };
    if (["HMAC", "AES-GCM", "HKDF", "PBKDF2"].includes(name)) {
      if (jwk) kty("oct");
      else if (format !== "raw") throw cannot(`the format “${format}” for ${name}`);
      const secret = jwk ? b64(jwk.k) : bytes;
      if (name === "HMAC") {
        if (secret.length === 0) throw domError("DataError", "importKey: the key is empty");
        const length = algorithm.length === undefined ? secret.length * 8 : Number(algorithm.length);
        if (length > secret.length * 8 || length <= secret.length * 8 - 8) throw domError("DataError", "importKey: the length does not fit the key");
        return keyOf(secret, "secret", name, { hash: { name: hashOf(algorithm.hash) }, length }, extractable, usages);
      }
      if (name === "AES-GCM") {
        if (![16, 24, 32].includes(secret.length)) throw domError("DataError", "importKey: an AES key has 128, 192 or 256 bits");
        return keyOf(secret, "secret", name, { length: secret.length * 8 }, extractable, usages);
      }
      if (extractable) throw domError("SyntaxError", `a ${name} key cannot be extractable`);
      return keyOf(secret, "secret", name, {}, false, usages);
    }
    const details = {};
    let kind = CANON[name] ?? name;
    if (name === "ECDSA") {
      details.namedCurve = `${algorithm.namedCurve}`;
      if (!CURVES[details.namedCurve]) throw cannot(`the curve “${details.namedCurve}”`);
      kind = details.namedCurve;
      if (jwk) {
        kty("EC");
        if (jwk.crv !== details.namedCurve) throw domError("DataError", "importKey: the JWK is of another curve");
      }
    } else if (name === "ED25519") {
      if (jwk) {
        kty("OKP");
        if (jwk.crv !== "Ed25519") throw domError("DataError", "importKey: the JWK is of another curve");
      }
    } else {
      details.hash = { name: hashOf(algorithm.hash) };
      if (jwk) throw cannot("a JWK for RSA");
    }
    const isPrivate = format === "pkcs8" || Boolean(jwk?.d);
    let given = bytes;
    let shape = format;
    if (jwk) {
      shape = isPrivate ? "private" : "raw";
      const point = kind === "Ed25519" ? b64(jwk.x) : Uint8Array.of(4, ...b64(jwk.x), ...b64(jwk.y));
      given = isPrivate ? Uint8Array.of(...b64(jwk.d), ...point) : point;
    }
    const made = must(n.keyImport(kind, shape, given), "DataError", `importKey: this is no ${CANON[name] ?? name} key in the format ${format}`);
    if (name === "RSASSA-PKCS1-V1_5") {
      details.modulusLength = made[0] * 256 + made[1];
      details.publicExponent = Uint8Array.of(1, 0, 1);
      return keyOf(made.slice(2), isPrivate ? "private" : "public", name, details, extractable, usages);
    }
    return keyOf(made, isPrivate ? "private" : "public", name, details, extractable, usages);
  }
  async function exportKey(format, key) {
    if (!(key instanceof CryptoKey)) throw new TypeError("exportKey: a CryptoKey is needed");
    if (!key.extractable) throw domError("InvalidAccessError", "exportKey: the key is not extractable");
    const bytes = material.get(key);
    const { name } = key.algorithm;
    if (key.type === "secret") {
      if (format === "raw") return bytes.slice().buffer;
      if (format !== "jwk") throw cannot(`the format “${format}” for ${name}`);
      const alg = name === "HMAC" ? `HS${key.algorithm.hash.name.slice(4)}` : `A${key.algorithm.length}GCM`;
      return { kty: "oct", k: unb64(bytes), alg, ext: true, key_ops: [...key.usages] };
    }
    const kind = key.algorithm.namedCurve ?? name;
    if (format === "pkcs8" && key.type === "private") return bytes.slice().buffer;
    const point = key.type === "public" ? bytes : n.keyPublic(kind, bytes, "raw");
    if (format === "spki" && key.type === "public") return must(n.keyPublic(kind, bytes, "spki"), "NotSupportedError", "exportKey: no spki").buffer;
    if (format === "raw" && key.type === "public" && name !== "RSASSA-PKCS1-v1_5") return bytes.slice().buffer;
    if (format === "jwk" && name !== "RSASSA-PKCS1-v1_5") {
      const half = (point.length - 1) / 2;
      const shape = kind === "Ed25519"
        ? { kty: "OKP", crv: kind, x: unb64(point) }
        : { kty: "EC", crv: kind, x: unb64(point.subarray(1, 1 + half)), y: unb64(point.subarray(1 + half)) };
      if (key.type === "private") shape.d = unb64(n.keyPublic(kind, bytes, "secret"));
      return { ...shape, ext: true, key_ops: [...key.usages] };
    }
    throw cannot(`the format “${format}” for a ${key.type} ${name} key`);
  }
  async function generateKey(algorithm, extractable, usages) {
    const name = nameOf(algorithm);
    if (name === "HMAC") {
      const hash = hashOf(algorithm.hash);
      const length = algorithm.length === undefined ? BLOCK[hash] * 8 : Number(algorithm.length);
      if (!(length > 0 && length <= 8192)) throw domError("OperationError", "generateKey: the length is not possible");
      return keyOf(n.random(Math.ceil(length / 8)), "secret", name, { hash: { name: hash }, length }, extractable, usages);
    }
    if (name === "AES-GCM") {
      const length = Number(algorithm.length);
      if (![128, 192, 256].includes(length)) throw domError("OperationError", "generateKey: an AES key has 128, 192 or 256 bits");
      return keyOf(n.random(length / 8), "secret", name, { length }, extractable, usages);
    }
    if (name !== "ECDSA" && name !== "ED25519") throw cannot(`generating a key for “${name}”`);
    const details = name === "ECDSA" ? { namedCurve: `${algorithm.namedCurve}` } : {};
    if (name === "ECDSA" && !CURVES[details.namedCurve]) throw cannot(`the curve “${details.namedCurve}”`);
    const kind = details.namedCurve ?? "Ed25519";
    const wrong = [...usages].find((u) => u !== "sign" && u !== "verify");
    if (wrong !== undefined) throw domError("SyntaxError", `such a key cannot be used for ${wrong}`);
    const secret = must(n.keyGenerate(kind), "OperationError", "generateKey failed");
    const of = (use) => [...usages].filter((u) => u === use);
    return {
      publicKey: keyOf(n.keyPublic(kind, secret, "raw"), "public", name, details, true, of("verify")),
      privateKey: keyOf(secret, "private", name, details, extractable, of("sign")),
    };
  }
  const signing = (algorithm, key) => {
    const name = nameOf(algorithm);
    const kind = key.algorithm.namedCurve ?? key.algorithm.name;
    const hash = name === "ECDSA" ? hashOf(algorithm.hash) : (key.algorithm.hash?.name ?? "");
    return { name, kind, hash };
  };
  async function sign(algorithm, key, data) {
    const bytes = bytesOf(data, "sign");
    const secret = use(key, "sign", nameOf(algorithm));
    const { name, kind, hash } = signing(algorithm, key);
    if (name === "HMAC") return n.hmac(hash, secret, bytes).buffer;
    return must(n.sign(kind, hash, secret, bytes), "NotSupportedError", `${kind} with ${hash} is not supported`).buffer;
  }
  async function verify(algorithm, key, signature, data) {
    const [given, bytes] = [bytesOf(signature, "verify"), bytesOf(data, "verify")];
    const own = use(key, "verify", nameOf(algorithm));
    const { name, kind, hash } = signing(algorithm, key);
    if (name === "HMAC") return n.hmacVerify(hash, own, given, bytes);
    return must(n.verify(kind, hash, own, given, bytes), "NotSupportedError", `${kind} with ${hash} is not supported`);
  }
  async function gcm(algorithm, key, data, encrypt) {
    const name = nameOf(algorithm);
    if (name !== "AES-GCM") throw cannot(`${encrypt ? "encrypt" : "decrypt"} with “${name}”`);
    const bytes = bytesOf(data, "data");
    const iv = bytesOf(algorithm.iv, "iv");
    const aad = algorithm.additionalData === undefined ? new Uint8Array(0) : bytesOf(algorithm.additionalData, "additionalData");
    if (algorithm.tagLength !== undefined && Number(algorithm.tagLength) !== 128) throw cannot("a tag of another length than 128 bits");
    if (iv.length !== 12) throw cannot("an iv of another length than 96 bits");
    const secret = use(key, encrypt ? "encrypt" : "decrypt", name);
    return must(n.gcm(encrypt, secret, iv, aad, bytes), "OperationError", encrypt ? "encrypt failed" : "decrypt: key, iv or data do not fit").buffer;
  }
  async function bitsOf(algorithm, key, length, usage) {
    const name = nameOf(algorithm);
    if (name !== "HKDF" && name !== "PBKDF2") throw cannot(`deriving with “${name}”`);
    const secret = use(key, usage, name);
    if (length === null || length === undefined || length % 8 !== 0) throw domError("OperationError", "deriveBits: the length is a number of whole bytes, in bits");
    if (length === 0) return new ArrayBuffer(0);
    const hash = hashOf(algorithm.hash);
    const salt = bytesOf(algorithm.salt, "salt");
    if (name === "HKDF") {
      const made = n.hkdf(hash, secret, salt, bytesOf(algorithm.info, "info"), length / 8);
      return must(made, "OperationError", "deriveBits: HKDF gives no more than 255 hashes").buffer;
    }
    const iterations = Number(algorithm.iterations);
    if (!(iterations >= 1)) throw domError("OperationError", "deriveBits: iterations must be at least 1");
    const answer = await op("pbkdf2", JSON.stringify({ hash, iterations, length: length / 8, salt: [...salt] }), secret);
    return answer.bytes.buffer;
  }
  const lengthFor = (algorithm) => {
    const name = nameOf(algorithm);
    if (name === "AES-GCM") return Number(algorithm.length);
    if (name === "HMAC") return algorithm.length === undefined ? BLOCK[hashOf(algorithm.hash)] * 8 : Number(algorithm.length);
    throw cannot(`deriving a key for “${name}”`);
  };
  const INTEGERS = new Set(["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array"]);
  const subtle = Object.freeze({
    async digest(algorithm, data) { return n.digest(hashOf(algorithm), bytesOf(data, "digest")).buffer; },
    importKey, exportKey, generateKey, sign, verify,
    encrypt: (algorithm, key, data) => gcm(algorithm, key, data, true),
    decrypt: (algorithm, key, data) => gcm(algorithm, key, data, false),
    deriveBits: (algorithm, key, length) => bitsOf(algorithm, key, length, "deriveBits"),
    async deriveKey(algorithm, key, wanted, extractable, usages) {
      const bits = await bitsOf(algorithm, key, lengthFor(wanted), "deriveKey");
      return importKey("raw", bits, wanted, extractable, usages);
    },
  });
  const crypto = Object.freeze({
    getRandomValues(into) {
      if (!ArrayBuffer.isView(into) || !INTEGERS.has(into[Symbol.toStringTag])) throw domError("TypeMismatchError", "getRandomValues: an array of integers is needed");
      const view = bytesOf(into, "getRandomValues");
      if (view.length > 65536) throw domError("QuotaExceededError", "getRandomValues: at most 65536 bytes");
      view.set(n.random(view.length));
      return into;
    },
    randomUUID() {
      const b = n.random(16);
      b[6] = (b[6] & 0x0f) | 0x40;
      b[8] = (b[8] & 0x3f) | 0x80;
      const hex = [...b].map((v) => v.toString(16).padStart(2, "0")).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
    subtle,
  });
  return { crypto, CryptoKey };
})
