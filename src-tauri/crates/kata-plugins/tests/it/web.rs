//! The web's globals as a plugin sees them, against values known from the standards and from other engines.

use crate::support::*;
use kata_plugins::{NetworkPolicy, discover};
use kata_protocol::PluginOrigin;
use serde_json::json;

/// An expression, and what `JSON.stringify` makes of it.
const EXPRESSIONS: &[(&str, &str)] = &[
    (
        "new URL('../b?x=1#y', 'https://u:p@Example.com:8080/a/c').href",
        r#""https://u:p@example.com:8080/b?x=1#y""#,
    ),
    (
        "(() => { const u = new URL('https://a.com/p?x=1'); u.searchParams.append('y', 'a b'); u.hash = 'h'; u.port = '81'; return [u.href, u.host, u.search, u.origin]; })()",
        r##"["https://a.com:81/p?x=1&y=a+b#h","a.com:81","?x=1&y=a+b","https://a.com:81"]"##,
    ),
    (
        "(() => { const u = new URL('https://a.com/'); u.search = 'q=%20z'; return [u.searchParams.get('q'), URL.canParse('::'), u + '']; })()",
        r#"[" z",false,"https://a.com/?q=%20z"]"#,
    ),
    (
        "(() => { try { new URL('nope'); } catch (e) { return e.name; } })()",
        r#""TypeError""#,
    ),
    (
        "[...new URLSearchParams({ a: '1', b: 'ü&' })].concat(new URLSearchParams('?c=3').toString())",
        r#"[["a","1"],["b","ü&"],"c=3"]"#,
    ),
    ("[...new TextEncoder().encode('é😀')]", "[195,169,240,159,152,128]"),
    (
        "new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 195, 169, 255]))",
        "\"é\u{fffd}\"",
    ),
    (
        "(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])); } catch (e) { return e.name; } })()",
        r#""TypeError""#,
    ),
    (
        "(() => { const d = new TextDecoder(); return d.decode(new Uint8Array([240, 159]), { stream: true }) + d.decode(new Uint8Array([152, 128])); })()",
        r#""😀""#,
    ),
    ("[btoa('\\xff\\0a'), atob('/wBh').length, atob(' Y Q ')]", r#"["/wBh",3,"a"]"#),
    (
        "[...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')))].slice(0, 4)",
        "[186,120,22,191]",
    ),
    (
        "await (async () => { const b = (t) => new TextEncoder().encode(t); const k = await crypto.subtle.importKey('raw', b('key'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']); const s = await crypto.subtle.sign('HMAC', k, b('The quick brown fox jumps over the lazy dog')); return [[...new Uint8Array(s)].slice(0, 4), await crypto.subtle.verify('HMAC', k, s, b('The quick brown fox jumps over the lazy dog')), await crypto.subtle.verify('HMAC', k, s, b('x'))]; })()",
        "[[247,188,131,244],true,false]",
    ),
    (
        "[/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), crypto.getRandomValues(new Uint8Array(8)).some((b) => b > 0)]",
        "[true,true]",
    ),
    (
        "(() => { const a = { d: new Date(5), m: new Map([[1, { x: 1 }]]), s: new Set([2]), u: new Uint8Array([3]) }; a.self = a; const c = structuredClone(a); return [c.d.getTime(), c.m.get(1).x, c.s.has(2), c.u[0], c.self === c, c.m.get(1) !== a.m.get(1)]; })()",
        "[5,1,true,3,true,true]",
    ),
    (
        "(() => { try { structuredClone(() => {}); } catch (e) { return e.name; } })()",
        r#""DataCloneError""#,
    ),
    (
        "(() => { const h = new Headers({ 'X-B': '1' }); h.append('x-b', '2'); h.set('A', ' v '); return [...h]; })()",
        r#"[["a","v"],["x-b","1, 2"]]"#,
    ),
    (
        "(() => { try { new Headers({ a: 'x\\r\\ny: z' }); } catch (e) { return e.name; } })()",
        r#""TypeError""#,
    ),
    (
        "await (async () => { const f = new FormData(); f.append('a', 'ü'); f.append('f', new Blob(['hi'], { type: 'text/x' }), 'n\"1.txt'); const t = await new Response(f).text(); return t.replace(/----kata[0-9a-f]+/g, 'B').split('\\r\\n'); })()",
        r#"["--B","Content-Disposition: form-data; name=\"a\"","","ü","--B","Content-Disposition: form-data; name=\"f\"; filename=\"n%221.txt\"","Content-Type: text/x","","hi","--B--",""]"#,
    ),
    ("await new Response(JSON.stringify({ a: 1 })).json()", r#"{"a":1}"#),
    (
        "await (async () => { const r = new Response('x'); await r.text(); try { await r.text(); } catch (e) { return e.name; } })()",
        r#""TypeError""#,
    ),
    (
        "await (async () => { const b = new Blob(['ab', new Uint8Array([99])]); return [b.size, await b.slice(1).text()]; })()",
        r#"[3,"bc"]"#,
    ),
    (
        "await (async () => { const o = []; for await (const x of ReadableStream.from([1, 2]).pipeThrough(new TransformStream({ transform(c, k) { k.enqueue(c * 2); } }))) o.push(x); const [a, b] = new Blob(['ab']).stream().tee(); return [o, await new Response(a).text(), await new Response(b).text()]; })()",
        r#"[[2,4],"ab","ab"]"#,
    ),
    (
        "await (async () => { let pulled = 0; const s = new ReadableStream({ pull(c) { c.enqueue(++pulled); } }, { highWaterMark: 2 }); await new Promise((r) => setTimeout(r, 5)); const before = pulled; await s.getReader().read(); await new Promise((r) => setTimeout(r, 5)); return [before, pulled]; })()",
        "[2,3]",
    ),
    (
        "await (async () => { const seen = []; const p = new ReadableStream({ pull(c) { c.error(new Error('source')); } }).pipeTo(new WritableStream({ abort(r) { seen.push(r.message); } })); try { await p; } catch (e) { seen.push(e.message); } return seen; })()",
        r#"["source","source"]"#,
    ),
    (
        "await (async () => { const t = []; for await (const c of ReadableStream.from(['a\\ud83d', '\\ude00']).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream())) t.push(c); return t.join(''); })()",
        r#""a😀""#,
    ),
    (
        "await (async () => { const f = new FormData(); f.append('a', 'ü\\r\\nx'); f.append('b', new File(['hi'], 'n.txt', { type: 'text/x' })); const g = await new Response(f).formData(); const b = g.get('b'); const q = await new Response(new URLSearchParams('x=1&y=2')).formData(); return [g.get('a'), b.name, b.type, await b.text(), q.get('y')]; })()",
        r#"["ü\r\nx","n.txt","text/x","hi","2"]"#,
    ),
    (
        "await (async () => { const r = new Response('once'); const c = r.clone(); return [await r.text(), await c.text(), r.bodyUsed]; })()",
        r#"["once","once",true]"#,
    ),
    (
        "(() => { const u = new URL('https://a.com/p'); u.host = 'b.com:99'; u.pathname = 'ü'; u.protocol = 'ftp'; u.port = ''; return u.href; })()",
        r#""ftp://b.com/%C3%BC""#,
    ),
    (
        "[new TextDecoder('utf-16le').decode(new Uint8Array([0x3d, 0xd8, 0, 0xde])), new TextDecoder('latin1').decode(new Uint8Array([0x80, 0xe9])), new TextDecoder('ascii').encoding]",
        r#"["😀","€é","windows-1252"]"#,
    ),
    (
        "(() => { const e = new DOMException('m', 'AbortError'); const seen = []; const t = new EventTarget(); t.addEventListener('x', { handleEvent(v) { seen.push(v.detail, v.defaultPrevented); v.preventDefault(); } }, { once: true }); const c = new CustomEvent('x', { detail: 3, cancelable: true }); return [e.name, e.code, e instanceof Error, t.dispatchEvent(c), t.dispatchEvent(new CustomEvent('x')), seen]; })()",
        r#"["AbortError",20,true,false,true,[3,false]]"#,
    ),
    (
        "(() => { const b = new ArrayBuffer(8); const c = structuredClone({ b }, { transfer: [b] }); return [c.b.byteLength, b.byteLength, structuredClone(new Map([[1, new Set([2])]])).get(1).has(2)]; })()",
        "[8,0,true]",
    ),
    (
        "await (async () => { const b = (t) => new TextEncoder().encode(t); const hex = (v) => [...new Uint8Array(v)].map((x) => x.toString(16).padStart(2, '0')).join(''); const s = crypto.subtle; const base = await s.importKey('raw', b('password'), 'PBKDF2', false, ['deriveBits']); const ikm = await s.importKey('raw', new Uint8Array(22).fill(0x0b), 'HKDF', false, ['deriveBits']); return [hex(await s.digest('SHA-1', b('abc'))), hex(await s.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: b('salt'), iterations: 2 }, base, 256)).slice(0, 16), hex(await s.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), info: new Uint8Array([0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9]) }, ikm, 336)).slice(0, 16)]; })()",
        r#"["a9993e364706816aba3e25717850c26c9cd0d89d","ae4d0c95af6b46d3","3cb25f25faacd57a"]"#,
    ),
    (
        "await (async () => { const s = crypto.subtle; const k = await s.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']); const iv = crypto.getRandomValues(new Uint8Array(12)); const t = await s.encrypt({ name: 'AES-GCM', iv }, k, new Uint8Array([1, 2, 3])); const p = await s.decrypt({ name: 'AES-GCM', iv }, k, t); new Uint8Array(t)[0] ^= 1; let wrong; try { await s.decrypt({ name: 'AES-GCM', iv }, k, t); } catch (e) { wrong = e.name; } return [t.byteLength, [...new Uint8Array(p)], wrong]; })()",
        r#"[19,[1,2,3],"OperationError"]"#,
    ),
    (
        "await (async () => { const s = crypto.subtle; const out = []; const data = new Uint8Array([1, 2, 3]); for (const [a, h] of [[{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-256' }], [{ name: 'Ed25519' }, 'Ed25519']]) { const { publicKey, privateKey } = await s.generateKey(a, true, ['sign', 'verify']); const sig = await s.sign(h, privateKey, data); const again = await s.importKey('jwk', await s.exportKey('jwk', publicKey), a, true, ['verify']); const spki = await s.importKey('spki', await s.exportKey('spki', publicKey), a, true, ['verify']); const own = await s.importKey('jwk', await s.exportKey('jwk', privateKey), a, false, ['sign']); out.push(sig.byteLength, await s.verify(h, again, sig, data), await s.verify(h, spki, await s.sign(h, own, data), data), await s.verify(h, publicKey, sig, new Uint8Array([1]))); } return out; })()",
        "[64,true,true,false,64,true,true,false]",
    ),
    (
        "await (async () => { const c = new AbortController(); const seen = []; c.signal.addEventListener('abort', () => seen.push(1), { once: true }); c.signal.onabort = () => seen.push(2); c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason.name]; })()",
        r#"[[1,2],true,"AbortError"]"#,
    ),
    (
        "await new Promise((r) => AbortSignal.any([AbortSignal.timeout(5)]).addEventListener('abort', (e) => r(e.target.reason.name)))",
        r#""TimeoutError""#,
    ),
    (
        "await new Promise((r) => { let n = 0; const t = setInterval(() => { if (++n === 3) { clearInterval(t); r(n); } }, 1); })",
        "3",
    ),
    (
        "await new Promise((r) => { const s = []; setTimeout((x) => { s.push(x); r(s); }, 0, 'timer'); queueMicrotask(() => s.push('micro')); s.push('sync'); })",
        r#"["sync","micro","timer"]"#,
    ),
    (
        "['require', 'process', 'Buffer', 'global', 'module', '__dirname', 'Deno', 'std', 'os', 'Atomics', 'SharedArrayBuffer'].filter((n) => n in globalThis)",
        "[]",
    ),
    (
        "[[3, 1, 2].sort(), [1, [2, [3]]].flat(Infinity), [10, 9].sort((a, b) => a - b), [1].concat([2], 3), [1, 2, 3].splice(1, 1), [1, 2].reverse(), [5, 6].indexOf(6), [1, 2, 3].slice(-2)]",
        "[[1,2,3],[1,2,3],[9,10],[1,2,3],[2],[2,1],1,[2,3]]",
    ),
    (
        "['a-b-c'.split('-'), 'aXbX'.replaceAll('X', '[$&]'), 'aXb'.replace('X', \"$'\"), 'ab'.replaceAll('', '-'), 'abc'.lastIndexOf('c'), 'aa'.replace(/a/g, (m, i) => m + i), 'x'.replace('x', () => '$&'), 'a$b'.replaceAll('$', '$$')]",
        r#"[["a","b","c"],"a[X]b[X]","abb","-a-b-",2,"a0a1","$&","a$b"]"#,
    ),
    (
        "(function () { return Array.prototype.slice.call(arguments, 1); })(1, 2, 3)",
        "[2,3]",
    ),
    (
        "[JSON.stringify({ a: 1, b: 2 }, ['b']), Array.from({ length: 2 }, (_, i) => i), [...'añ'], `${[1, [2, 3]]}`]",
        r#"["{\"b\":2}",[0,1],["a","ñ"],"1,2,3"]"#,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_globals_do_what_the_web_says() {
    let bench = Bench::new();
    let body = EXPRESSIONS
        .iter()
        .map(|(e, _)| format!("async () => {e}"))
        .collect::<Vec<_>>()
        .join(",\n");
    let module = format!(
        "const all = [{body}];\nexport default (api) => api.registerTool({{ name: 'w', description: '', parameters: {{}},\n\
         async execute(args) {{ try {{ return JSON.stringify(await all[args.i]()); }} catch (e) {{ return e.name + ': ' + e.message + e.stack; }} }} }});"
    );
    bench.run("w", &module).await.unwrap();
    for (i, (expression, wanted)) in EXPRESSIONS.iter().enumerate() {
        assert_eq!(bench.tool("w", json!({ "i": i })).await.text, *wanted, "{expression}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_gets_settings_state_and_a_signal() {
    let bench = Bench::new();
    let body = "await ctx.state.set('k', { n: 1 }); const had = await ctx.state.get('k'); await ctx.state.delete('k'); let frozen = false; try { ctx.config.a.b = 2; } catch { frozen = true; }\n\
                return JSON.stringify([had, (await ctx.state.get('k')) === undefined, ctx.config, frozen, ctx.signal.aborted]);";
    let mut manifest = manifest("t");
    manifest["settings"] = json!({ "type": "object", "properties": { "a": { "type": "object" } }, "required": ["a"] });
    let candidate = bench.write(
        "t",
        &manifest,
        &[("index.ts", &tool_module("t", body).replace("execute(", "async execute("))],
    );
    let error = bench
        .host
        .activate(candidate.clone(), json!({ "a": 5 }), vec![], NetworkPolicy::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("settings/a"), "{error}");
    bench
        .host
        .activate(candidate, json!({ "a": { "b": 1 } }), vec![], NetworkPolicy::default())
        .await
        .unwrap();
    assert_eq!(bench.tool("t", json!({})).await.text, r#"[{"n":1},true,{"a":{"b":1}},true,false]"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bundled_plugin_is_found_and_loads() {
    let bench = Bench::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../plugins");
    let found = discover(&[(PluginOrigin::Bundled, root)]);
    assert!(found.dropped.is_empty(), "{:?}", found.dropped);
    assert!(!found.found.is_empty());
    for candidate in found.found {
        let name = candidate.manifest.id.clone();
        bench.activate(candidate).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
