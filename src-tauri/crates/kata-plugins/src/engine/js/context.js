// The rarer parts of `ctx`: sessions, the plugin's channels, events for clients, files. The host checks each capability at each call.
(function ({ n, op, bytesOf }) {
  const parse = (json) => JSON.parse(json);
  const sessions = Object.freeze({
    list: async () => parse(await op("sessions_list", "")),
    submit: async (session, text, options) => parse(await op("sessions_submit", JSON.stringify([`${session}`, `${text}`, options?.idempotencyKey ?? null]))),
  });
  // A copy for a further account has registered its channel under a name with the account behind it.
  const own = (channel) => (n.account ? `${channel}@${n.account}` : `${channel}`);
  const channels = Object.freeze({
    conversations: async (channel) => parse(await op("channel_conversations", JSON.stringify([own(channel)]))),
    send: async (channel, message, options) => {
      await op("channel_send", JSON.stringify([own(channel), message, options?.idempotencyKey ?? null]));
    },
  });
  const emit = async (name, payload) => {
    const json = JSON.stringify(payload === undefined ? null : payload);
    if (json === undefined) throw new TypeError("emit: the payload cannot be written as JSON");
    await op("emit", JSON.stringify([`${name}`, json]));
  };
  const folder = (root) => {
    const ask = (what, path, body) => op("files", JSON.stringify({ root, do: what, path: `${path}` }), body);
    const read = async (path) => (await ask("read", path)).bytes;
    return Object.freeze({
      read,
      readText: async (path) => n.decode(await read(path), "utf-8", false),
      write: async (path, data) => {
        await ask("write", path, typeof data === "string" ? data.toWellFormed() : bytesOf(data, "files.write"));
      },
      list: async (path = "") => parse(await ask("list", path)),
      delete: async (path) => {
        await ask("delete", path);
      },
    });
  };
  const files = Object.freeze({ state: folder("state"), workspace: folder("workspace") });

  const oauth = Object.freeze({
    token: async (provider) => {
      const { accessToken, expiresAt, scopes, account } = parse(await op("oauth_token", `${provider}`));
      return Object.freeze({ accessToken, expiresAt: expiresAt ?? undefined, scopes: Object.freeze(scopes), account: account ?? undefined });
    },
    refused: async (provider, accessToken) => {
      await op("oauth_refused", JSON.stringify([`${provider}`, `${accessToken}`]));
    },
  });

  // One request from outside: verified first, then handled. What it is given and what it answers are plain values.
  async function route(target, raw, ctx) {
    const bytes = n.bytes64(raw.body);
    const headers = { __proto__: null };
    for (const [name, value] of raw.headers) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    const request = Object.freeze({
      method: raw.method, path: raw.path, query: raw.query, headers: Object.freeze({ ...headers }), bytes,
      body: n.decode(bytes, "utf-8", false),
    });
    let verified = false;
    try {
      verified = (await target.verify(request, ctx)) === true;
    } catch (error) {
      ctx.logger.warn(`route ${raw.path}: verify threw ${error?.name ?? "something"}`);
    }
    if (!verified) return { status: 401, headers: [], body: "" };
    const answer = await target.handle(request, ctx);
    if (answer === undefined || answer === null) return { status: 200, headers: [], body: "" };
    if (typeof answer !== "object") throw new TypeError("handle: the answer must be an object with status, headers and body");
    const web = typeof answer.text === "function";
    const list = web ? [...answer.headers] : Object.entries(answer.headers ?? {});
    return {
      status: answer.status ?? 200,
      headers: list.map(([k, v]) => [`${k}`, `${v}`]),
      body: web ? await answer.text() : `${answer.body ?? ""}`,
    };
  }
  return { sessions, channels, emit, files, oauth, route };
})
