// `ctx.media`: files on their way. A download goes past this side; only `put` and `read` have bytes here.
(function ({ op, lib, bytesOf }) {
  const parse = (json) => JSON.parse(json);
  const media = Object.freeze({
    fetch: async (url, options = {}) => {
      const headers = options.headers === undefined ? [] : [...new (lib("fetch").Headers)(options.headers)];
      const { method, name, kind, maxBytes } = options;
      const address = new (lib("url").URL)(`${url}`);
      return parse(await op("media_fetch", JSON.stringify({ url: address.href, method, headers, name, kind, maxBytes })));
    },
    put: async (bytes, info) => parse(await op("media_put", JSON.stringify({ name: `${info?.name ?? ""}`, mime: info?.mime, kind: info?.kind }), bytesOf(bytes, "media.put"))),
    read: async (id) => (await op("media_read", `${id}`)).bytes,
  });
  return { media };
})
