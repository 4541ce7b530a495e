//! Files at the boundary: downloads that go past the plugin, bytes it has, files of drafts, and `messaging.download`.

use crate::support::*;
use kata_core::ports::Channels;
use kata_plugins::{HostOptions, NetworkPolicy};
use kata_protocol::{AccountId, DraftAttachment, MediaKind, SendErrorCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Answers what `reply` gives for a request's head; keeps the heads.
async fn server(reply: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = String::new();
            let mut buffer = [0; 4096];
            while !head.contains("\r\n\r\n") {
                match socket.read(&mut buffer).await {
                    Ok(n) if n > 0 => head.push_str(&String::from_utf8_lossy(&buffer[..n])),
                    _ => break,
                }
            }
            let answer = reply(&head);
            kept.lock().unwrap().push(head);
            // The client may hang up in the middle of what is too large.
            let _ = socket.write_all(&answer).await;
        }
    });
    (port, seen)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut all = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n").into_bytes();
    all.extend_from_slice(body);
    all
}

fn sized(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    answer(status, &format!("content-length: {}\r\n{headers}", body.len()), body)
}

/// A plugin whose tool `m` runs `body` and gives what it returns, or the error's code, as JSON.
async fn with_tool(bench: &Bench, body: &str, ports: &[u16]) {
    let body = format!(
        "try {{ return JSON.stringify(await (async () => {{ {body} }})()); }} catch (e) {{ return `error ${{e.code}}: ${{e.message}}`; }}"
    );
    let module = tool_module("m", &body).replace("execute(args", "async execute(args");
    let candidate = bench.write("m", &manifest("m"), &[("index.ts", &module)]);
    let policy = NetworkPolicy {
        extra_hosts: ports.iter().map(|p| format!("127.0.0.1:{p}")).collect(),
    };
    bench.host.activate(candidate, json!({}), vec![], policy).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_goes_past_the_plugin_under_its_allow_list_and_its_headers_stay_with_their_host() {
    // Half of what the plugin's memory holds would not fit twice: the file never gets there.
    let bench = Bench::with(HostOptions { memory_mb: 4, ..quick() });
    let big = vec![b'x'; 8 << 20];
    let (other, other_seen) = server(|_| sized("200 OK", "content-type: image/png\r\n", b"\x89PNG\r\n\x1a\n!")).await;
    let (forbidden, forbidden_seen) = server(|_| sized("200 OK", "", b"inner")).await;
    let file = big.clone();
    let (port, seen) = server(move |head| match head.split(' ').nth(1).unwrap_or("") {
        "/big/a%20b.bin?sig=secret" => sized("200 OK", "", &file),
        "/endless" => answer("200 OK", "", &file),
        "/moved" => sized("302 Found", &format!("location: http://127.0.0.1:{other}/x\r\n"), b""),
        "/away" => sized("302 Found", &format!("location: http://127.0.0.1:{forbidden}/x\r\n"), b""),
        "/denied" => sized("403 Forbidden", "", b""),
        "/broken" => sized("500 Oh", "", b""),
        _ => sized("404 Not Found", "", b""),
    })
    .await;
    with_tool(&bench, "return await ctx.media.fetch(args.url, args.options)", &[port, other]).await;
    let get = async |path: &str, options: Value| {
        let url = format!("http://127.0.0.1:{port}{path}");
        bench.tool("m", json!({ "url": url, "options": options })).await.text
    };
    let media: Value = serde_json::from_str(&get("/big/a%20b.bin?sig=secret", json!({})).await).unwrap();
    assert_eq!(
        media,
        json!({"id": "m0", "kind": "file", "name": "a b.bin", "mime": "application/octet-stream", "bytes": 8 << 20})
    );
    assert_eq!(bench.backend.media.lock().unwrap()[0].1, big);
    let media: Value = serde_json::from_str(
        &get(
            "/moved",
            json!({"headers": {"authorization": "Bearer t", "x-token": "t"}, "name": "cat"}),
        )
        .await,
    )
    .unwrap();
    assert_eq!(
        (&media["mime"], &media["kind"], &media["name"]),
        (&json!("image/png"), &json!("image"), &json!("cat"))
    );
    assert!(
        seen.lock()
            .unwrap()
            .iter()
            .any(|head| head.contains("x-token: t") && head.contains("authorization: Bearer t"))
    );
    let sent_on = other_seen.lock().unwrap().join("");
    assert!(!sent_on.contains("x-token") && !sent_on.contains("authorization"), "{sent_on}");
    for (path, options, code) in [
        ("/away", json!({}), "forbidden"),
        ("/none", json!({}), "not_found"),
        ("/denied", json!({}), "forbidden"),
        ("/broken", json!({}), "failed"),
        ("/big/a%20b.bin?sig=secret", json!({"maxBytes": 1000}), "too_large"),
        ("/endless", json!({"maxBytes": 1000}), "too_large"),
    ] {
        let said = get(path, options).await;
        assert!(
            said.starts_with(&format!("error {code}: media.fetch")) && !said.contains("secret"),
            "{path}: {said}"
        );
    }
    for url in ["https://example.com/a".to_owned(), format!("http://127.0.0.1:{forbidden}/")] {
        let said = bench.tool("m", json!({ "url": url })).await.text;
        assert!(said.starts_with("error forbidden"), "{url}: {said}");
    }
    assert!(
        forbidden_seen.lock().unwrap().is_empty(),
        "nothing reached what the allow-list does not name"
    );
    assert_eq!(bench.backend.media.lock().unwrap().len(), 2, "what failed is not kept");
    assert_eq!(bench.fault_kinds(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_is_longer_than_the_host_takes_whatever_the_plugin_asks_for() {
    let bench = Bench::new();
    let (port, _) = server(|_| answer("200 OK", "", &vec![b'x'; (16 << 20) + 1])).await;
    with_tool(&bench, "return await ctx.media.fetch(args.url, { maxBytes: 1e12 })", &[port]).await;
    let said = bench.tool("m", json!({ "url": format!("http://127.0.0.1:{port}/") })).await.text;
    assert!(said.starts_with("error too_large") && said.contains("16777216"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_a_plugin_has_are_kept_and_given_back_and_what_does_not_fit_its_memory_is_an_error() {
    let bench = Bench::new();
    with_tool(
        &bench,
        "const big = new Uint8Array(args.bytes).fill(7);\n\
         const kept = await ctx.media.put(big, { name: 'a\\u202e\\n.txt', mime: 'text/plain', kind: 'voice' });\n\
         const back = await ctx.media.read(kept.id);\n\
         return [kept, back.length, back[back.length - 1], back instanceof Uint8Array];",
        &[],
    )
    .await;
    let said: Value = serde_json::from_str(&bench.tool("m", json!({ "bytes": 6 << 20 })).await.text).unwrap();
    assert_eq!(said[0]["name"], "a.txt");
    assert_eq!(
        (&said[0]["kind"], &said[1], &said[2], &said[3]),
        (&json!("voice"), &json!(6 << 20), &json!(7), &json!(true))
    );
    let said = bench.tool("m", json!({ "bytes": 16 << 20 })).await.text;
    assert!(said.starts_with("error too_large") && said.contains("memory of 32 MB"), "{said}");
    assert_eq!(bench.fault_kinds(), Vec::<String>::new(), "the plugin goes on");
    with_tool(&bench, "return await ctx.media.read('nothing')", &[]).await;
    let said = bench.tool("m", json!({})).await.text;
    assert!(said.starts_with("error not_found: media.read"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_with_files_that_do_not_fit_is_refused_by_field_and_is_the_plugins_fault() {
    let bench = Bench::new();
    let module = channel_module(
        "const draft = (attachments) => ({ account: 'a', messageId: 'm', conversation: 'c', chatType: 'direct', sender: { id: 'u' }, text: '', attachments });\n\
         const file = { reference: 'r', name: 'n' };\n\
         for (const attachments of [\n\
           Array(11).fill(file), [file, { ...file, reference: '' }], [{ ...file, reference: 'x'.repeat(4097) }], [{ ...file, name: 'x'.repeat(256) }],\n\
           [{ ...file, mime: 'x'.repeat(256) }], [{ ...file, kind: 'hologram' }], [{ ...file, bytes: -1 }], [{ name: 'n' }], [{ ...file, token: 'secret' }],\n\
         ]) {\n\
           await ctx.receive(draft(attachments)).then(() => ctx.logger.info('taken'), (e) => ctx.logger.info(e.message));\n\
         }\n\
         await ctx.receive(draft(Array(10).fill({ ...file, reference: 'x'.repeat(4096), kind: 'voice', bytes: 3 })));\n\
         ctx.logger.info('done');",
    );
    let mut manifest = manifest("p");
    manifest["contributes"]["channels"] = json!(["c"]);
    bench.activate(bench.write("p", &manifest, &[("index.ts", &module)])).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    bench
        .until("all of them", |b| b.logs.lock().unwrap().iter().any(|(_, line)| line == "done"))
        .await;
    let logs = bench.backend.logs.lock().unwrap();
    let fields: Vec<&str> = logs
        .iter()
        .filter_map(|(_, line)| line.strip_prefix("channel c: receive: draft.")?.split(": ").next())
        .collect();
    assert_eq!(
        fields,
        [
            "attachments",
            "attachments[1].reference",
            "attachments[0].reference",
            "attachments[0].name",
            "attachments[0].mime",
            "attachments[0].kind",
            "attachments[0].bytes",
            "attachments[0]",
            "attachments[0].token",
        ],
        "{logs:?}"
    );
    assert!(!format!("{logs:?}").contains("secret"));
    let drafts = bench.backend.drafts.lock().unwrap();
    assert_eq!(drafts.len(), 1);
    assert_eq!(
        (drafts[0].1.attachments.len(), drafts[0].1.attachments[9].kind),
        (10, MediaKind::Voice)
    );
}

fn file(reference: &str) -> DraftAttachment {
    serde_json::from_value(json!({ "reference": reference, "name": "a.txt" })).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_fetches_a_file_when_it_is_asked_and_says_why_it_cannot() {
    let bench = Bench::new();
    let module = "class SendError extends Error { name = 'SendError'; constructor(code, more) { super(code); this.code = code; Object.assign(this, more); } }\n\
        export default (api) => api.registerChannel({ id: 'c', meta: { label: 'C' }, capabilities: {}, outbound: { send() {} }, messaging: {\n\
          connect() {},\n\
          async download(file, ctx) {\n\
            if (file.reference === 'slow') throw new SendError('rate_limited', { retryAfterMs: 1500 });\n\
            if (file.reference === 'gone') await ctx.media.read('nothing');\n\
            if (file.reference === 'bug') throw new TypeError('oops');\n\
            if (file.reference === 'lie') return { id: 7 };\n\
            return ctx.media.put(new TextEncoder().encode(file.reference), { name: file.name });\n\
          } } });";
    let mut manifest = manifest("p");
    manifest["contributes"]["channels"] = json!(["c"]);
    bench.activate(bench.write("p", &manifest, &[("index.ts", module)])).await.unwrap();
    let account = AccountId::new("a").unwrap();
    let ask = async |reference: &str| bench.host.download(&channel("c"), &account, file(reference)).await;
    let media = ask("hello").await.unwrap();
    assert_eq!((media.name.as_str(), media.bytes.0), ("a.txt", 5));
    let slow = ask("slow").await.unwrap_err();
    assert_eq!(
        (slow.code, slow.retry_after_ms, slow.certain),
        (SendErrorCode::RateLimited, Some(1500), true)
    );
    assert_eq!(ask("gone").await.unwrap_err().code, SendErrorCode::NotFound);
    assert_eq!(bench.fault_kinds(), Vec::<String>::new());
    assert_eq!(ask("bug").await.unwrap_err().code, SendErrorCode::Unreachable);
    assert_eq!(ask("lie").await.unwrap_err().code, SendErrorCode::Invalid);
    assert_eq!(bench.fault_kinds().len(), 2, "the plugin is blamed for both");
    let none = bench.host.download(&channel("d"), &account, file("x")).await.unwrap_err();
    assert_eq!(none.code, SendErrorCode::Unreachable);
}
