//! WebSockets at the boundary: what a plugin hears and sends, where it may go, and what is bounded.

use crate::support::*;
use futures::{SinkExt, StreamExt};
use kata_plugins::HostOptions;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// An echo server. `flood` makes it send for as long as it can; `bye` makes it say goodbye. Tells of each socket's end.
async fn server() -> (u16, mpsc::Receiver<&'static str>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, ends) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let told = told.clone();
            tokio::spawn(async move {
                #[allow(clippy::result_large_err)]
                let choose = |request: &Request, mut response: Response| {
                    let wanted = request
                        .headers()
                        .get("sec-websocket-protocol")
                        .and_then(|v| v.to_str().ok())
                        .unwrap_or("");
                    if wanted.contains("second") {
                        response.headers_mut().insert("sec-websocket-protocol", "second".parse().unwrap());
                    }
                    Ok(response)
                };
                let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, choose).await else {
                    return;
                };
                told.send("opened").await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    match message {
                        Message::Text(text) if text.as_str() == "bye" => {
                            let frame = CloseFrame {
                                code: 4001.into(),
                                reason: "go".into(),
                            };
                            let _ = socket.close(Some(frame)).await;
                        }
                        Message::Text(text) if text.as_str() == "flood" => {
                            for i in 0..1000 {
                                if socket.send(Message::text(format!("{i}"))).await.is_err() {
                                    break;
                                }
                            }
                        }
                        message @ (Message::Text(_) | Message::Binary(_)) => {
                            let _ = socket.send(message).await;
                        }
                        _ => {}
                    }
                }
                told.send("ended").await.unwrap();
            });
        }
    });
    (port, ends)
}

fn with_net(id: &str, capabilities: &[String]) -> Value {
    let mut manifest = manifest(id);
    manifest["capabilities"]
        .as_array_mut()
        .unwrap()
        .extend(capabilities.iter().map(|c| json!(c)));
    manifest
}

/// What a body may use: `watch` writes a socket's events into `lines`, `until` waits for one.
const MODULE: &str = "const lines = [];\n\
  const watch = (ws) => { for (const t of ['open', 'message', 'error', 'close']) ws.addEventListener(t, (e) => lines.push([t, e.code ?? e.message ?? e.data ?? ws.protocol, e.reason ?? '', e.wasClean ?? null])); return ws; };\n\
  const until = (ws, type) => new Promise((r) => ws.addEventListener(type, r, { once: true }));\n";

fn module(id: &str, body: &str) -> String {
    format!(
        "{MODULE}export default (api) => api.registerTool({{ name: '{id}', description: '', parameters: {{}}, async execute(args, ctx) {{\n\
         try {{ {body} }} catch (e) {{ return `${{e.name}}|${{e.code}}|${{e.message}}`; }} }} }});"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_opens_talks_in_text_and_bytes_and_closes_from_either_side() {
    let bench = Bench::new();
    let (port, _ends) = server().await;
    let body = "const ws = watch(new WebSocket(args.url, ['first', 'second'])); ws.binaryType = 'arraybuffer'; await until(ws, 'open');\n\
      const states = [ws.readyState, ws.url === args.url]; ws.send('grüße'); await until(ws, 'message');\n\
      ws.send(new Uint8Array([1, 2])); const bytes = [...new Uint8Array((await until(ws, 'message')).data)]; lines.pop();\n\
      ws.binaryType = 'blob'; ws.send(new Blob(['b'])); const blob = (await until(ws, 'message')).data; lines.pop();\n\
      if (args.bye) ws.send('bye'); else ws.close(3000, 'done');\n\
      await until(ws, 'close'); ws.send('late'); return JSON.stringify([states, bytes, await blob.text(), lines.splice(0), ws.readyState, ws.bufferedAmount]);";
    let candidate = bench.write(
        "s",
        &with_net("s", &[format!("net:127.0.0.1:{port}")]),
        &[("index.ts", &module("s", body))],
    );
    bench.activate(candidate).await.unwrap();
    let url = format!("ws://127.0.0.1:{port}/x?y=1");
    assert_eq!(
        bench.tool("s", json!({ "url": url })).await.text,
        r#"[[1,true],[1,2],"b",[["open","second","",null],["message","grüße","",null],["close",3000,"done",true]],3,4]"#
    );
    assert_eq!(
        bench.tool("s", json!({ "url": url, "bye": true })).await.text,
        r#"[[1,true],[1,2],"b",[["open","second","",null],["message","grüße","",null],["close",4001,"go",true]],3,4]"#
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_goes_only_where_the_manifest_says_and_never_to_a_local_address_behind_a_name() {
    let bench = Bench::new();
    let (port, _ends) = server().await;
    let body = "const ws = watch(new WebSocket(args.url)); await until(ws, 'close'); return JSON.stringify(lines.splice(0));";
    let capabilities = [format!("net:*.in.localhost:{port}"), "net:known.example".into()];
    let candidate = bench.write("s", &with_net("s", &capabilities), &[("index.ts", &module("s", body))]);
    bench.activate(candidate).await.unwrap();
    for (url, words) in [
        (format!("ws://127.0.0.1:{port}/"), "does not list the capability “net:127.0.0.1”"),
        (format!("ws://a.in.localhost:{port}/"), "an address of this machine or network"),
        (
            "wss://known.example:444/".into(),
            "does not list the capability “net:known.example”",
        ),
        ("ws://2130706433/".into(), "does not list the capability “net:127.0.0.1”"),
    ] {
        let said = bench.tool("s", json!({ "url": url })).await.text;
        assert!(
            said.contains(words) && said.ends_with(r#"["close",1006,"",false]]"#),
            "{url}: {said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_too_fast_waits_with_its_sender_and_nothing_is_lost() {
    let bench = Bench::new();
    let (port, _ends) = server().await;
    let body = "const ws = new WebSocket(args.url); await until(ws, 'open'); const got = [];\n\
      const all = new Promise((r) => ws.addEventListener('message', (e) => { got.push(Number(e.data)); if (got.length === 1000) r(); }));\n\
      ws.send('flood'); await all; ws.close(); return JSON.stringify([got.length, got.every((v, i) => v === i)]);";
    let candidate = bench.write(
        "s",
        &with_net("s", &[format!("net:127.0.0.1:{port}")]),
        &[("index.ts", &module("s", body))],
    );
    bench.activate(candidate).await.unwrap();
    assert_eq!(
        bench.tool("s", json!({ "url": format!("ws://127.0.0.1:{port}/") })).await.text,
        "[1000,true]"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_send_queue_that_is_full_says_so_and_a_ninth_socket_is_refused() {
    let bench = Bench::with(HostOptions {
        fetch_bytes: 1 << 20,
        ..quick()
    });
    // Accepts sockets and then reads nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            kept.push(tokio_tungstenite::accept_async(stream).await.unwrap());
        }
    });
    let body = "if (!args.url) return ''; if (args.many) { const all = []; for (let i = 0; i < 9; i++) { const ws = watch(new WebSocket(args.url)); all.push(ws); await Promise.race([until(ws, 'open'), until(ws, 'close')]); } return JSON.stringify(lines.map((l) => l[1])); }\n\
      const ws = new WebSocket(args.url); await until(ws, 'open'); const piece = 'x'.repeat(200000); for (let i = 0; i < 400; i++) { ws.send(piece); await new Promise((r) => setTimeout(r)); } return 'all of it';";
    let candidate = bench.write(
        "s",
        &with_net("s", &[format!("net:127.0.0.1:{port}")]),
        &[("index.ts", &module("s", body))],
    );
    bench.activate(candidate).await.unwrap();
    let url = format!("ws://127.0.0.1:{port}/");
    let full = bench.tool("s", json!({ "url": url })).await.text;
    assert!(
        full.starts_with("QuotaExceededError|22|send: the other side takes nothing"),
        "{full}"
    );
    let many = bench.tool("s", json!({ "url": url, "many": true })).await.text;
    assert!(many.contains("WebSocket: 8 sockets are open already"), "{many}");
    // Figures are told after each batch; this call comes after the one before.
    bench.tool("s", json!({})).await;
    let usage = bench.host.usage(&id("s")).unwrap();
    assert_eq!(
        (usage.sockets, usage.calls_in_flight),
        (8, 0),
        "a socket that waits is no call in flight"
    );
    assert_eq!(usage.requests_last_minute, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_keeps_no_socket_after_it_was_disposed_or_its_capability_taken_back() {
    let bench = Bench::new();
    let (port, mut ends) = server().await;
    let body = "globalThis.last = watch(new WebSocket(args.url)); await until(last, 'open'); return 'open';";
    // The server may learn of the end first.
    let said = "if (last.readyState !== WebSocket.CLOSED) await until(last, 'close'); return JSON.stringify(lines);";
    let capability = format!("net:127.0.0.1:{port}");
    let full = module("s", &format!("if (!args.url) {{ {said} }} {body}"));
    let candidate = bench.write("s", &with_net("s", std::slice::from_ref(&capability)), &[("index.ts", &full)]);
    bench.activate(candidate.clone()).await.unwrap();
    let url = json!({ "url": format!("ws://127.0.0.1:{port}/") });
    assert_eq!(bench.tool("s", url.clone()).await.text, "open");
    assert_eq!(ends.recv().await, Some("opened"));

    bench.activate(candidate).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), ends.recv()).await;
    assert_eq!(ended.expect("the generation that was replaced lets go of it"), Some("ended"));

    assert_eq!(bench.tool("s", url.clone()).await.text, "open");
    assert_eq!(ends.recv().await, Some("opened"));
    bench.host.revoke(&id("s"), &capability);
    let ended = tokio::time::timeout(Duration::from_secs(20), ends.recv()).await;
    assert_eq!(ended.expect("a capability taken back ends it"), Some("ended"));
    let lines = bench.tool("s", json!({})).await.text;
    assert!(
        lines.contains("has not been granted") && lines.contains(r#"["close",1006"#),
        "{lines}"
    );

    bench.host.deactivate(&id("s")).await;
    assert!(bench.host.usage(&id("s")).is_none_or(|usage| usage.sockets == 0));
}

/// Names that this machine's own table gives an address that is not public, and that do not say so themselves.
#[cfg(target_os = "linux")]
fn local_names() -> Vec<String> {
    let table = std::fs::read_to_string("/etc/hosts").unwrap();
    let lines = table.lines().filter(|l| !l.trim_start().starts_with('#'));
    lines
        .flat_map(|l| l.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| name != "localhost" && !name.ends_with(".localhost"))
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_name_that_resolves_to_this_machine_or_network_is_refused_by_fetch_and_socket() {
    let bench = Bench::new();
    let (port, _ends) = server().await;
    let names = local_names();
    assert!(!names.is_empty(), "every Linux names at least ip6-loopback or itself in /etc/hosts");
    let body = "const ws = watch(new WebSocket(`ws://${args.host}/`)); await until(ws, 'close'); let fetched; try { fetched = await fetch(`http://${args.host}/`); } catch (e) { fetched = e.message; }\n\
      return JSON.stringify([lines.splice(0)[0][1], fetched]);";
    let capabilities: Vec<String> = names.iter().map(|name| format!("net:{name}:{port}")).collect();
    let candidate = bench.write("s", &with_net("s", &capabilities), &[("index.ts", &module("s", body))]);
    bench.activate(candidate).await.unwrap();
    for name in names {
        let said = bench.tool("s", json!({ "host": format!("{name}:{port}") })).await.text;
        let refused = format!("{name} is an address of this machine or network; a plugin reaches it only where a capability names it");
        assert_eq!(
            said,
            json!([format!("WebSocket: {refused}"), format!("fetch: {refused}")]).to_string()
        );
    }
}

/// Opens a socket and then says nothing; with `alive` it answers pings, as every WebSocket does.
async fn mute(alive: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        if alive {
            while let Some(Ok(_)) = socket.next().await {}
        }
        std::future::pending::<()>().await;
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_socket_is_found_and_a_quiet_one_that_answers_pings_stays() {
    let bench = Bench::with(HostOptions {
        socket_silence: Duration::from_millis(300),
        ..HostOptions::default()
    });
    let (dead, quiet) = (mute(false).await, mute(true).await);
    let body = "const quiet = watch(new WebSocket(args.quiet)); await until(quiet, 'open'); lines.splice(0);\n\
      const ws = watch(new WebSocket(args.dead)); await until(ws, 'close');\n\
      return JSON.stringify([lines, quiet.readyState]);";
    let candidate = bench.write(
        "s",
        &with_net("s", &[format!("net:127.0.0.1:{dead}"), format!("net:127.0.0.1:{quiet}")]),
        &[("index.ts", &module("s", body))],
    );
    bench.activate(candidate).await.unwrap();
    let urls = json!({ "dead": format!("ws://127.0.0.1:{dead}/"), "quiet": format!("ws://127.0.0.1:{quiet}/") });
    assert_eq!(
        bench.tool("s", urls).await.text,
        r#"[[["open","","",null],["error","WebSocket: the other side has been silent for 300ms","",null],["close",1006,"",false]],1]"#
    );
}
