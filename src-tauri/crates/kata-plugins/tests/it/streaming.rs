//! Bodies that stream: an answer is read as it is asked for, a request as it is written, and neither fills memory.

use crate::support::*;
use kata_plugins::{HostOptions, NetworkPolicy};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

/// What the server has written and seen.
#[derive(Default)]
struct Seen {
    written: AtomicUsize,
    gone: Notify,
    go: Notify,
}

/// `/slow`: one chunk at once, the next when told. `/endless`: bytes without end. `/echo`: the body of the request, decoded.
/// `/again`: a redirect to `/echo`.
async fn server() -> (u16, Arc<Seen>, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let (told, heads) = mpsc::channel(64);
    let shared = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (seen, told) = (Arc::clone(&shared), told.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = socket.read_u8().await else { return };
                    head.push(byte);
                }
                let head = String::from_utf8(head).unwrap();
                told.send(head.clone()).await.unwrap();
                let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n";
                match head.split(' ').nth(1).unwrap() {
                    "/slow" => {
                        socket.write_all(chunked).await.unwrap();
                        socket.write_all(b"3\r\none\r\n").await.unwrap();
                        seen.go.notified().await;
                        let _ = socket.write_all(b"3\r\ntwo\r\n0\r\n\r\n").await;
                    }
                    "/endless" => {
                        socket.write_all(chunked).await.unwrap();
                        let piece = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
                        while socket.write_all(&piece).await.is_ok() {
                            seen.written.fetch_add(0x4000, Ordering::Relaxed);
                        }
                        seen.gone.notify_one();
                    }
                    "/again" => {
                        let answer = b"HTTP/1.1 307 Again\r\nlocation: /echo\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                        socket.write_all(answer).await.unwrap();
                        // Closing on what is still being written would reset the connection, and with it the answer.
                        let mut rest = Vec::new();
                        while !rest.ends_with(b"0\r\n\r\n") && socket.read_buf(&mut rest).await.is_ok_and(|n| n > 0) {}
                    }
                    _ => {
                        let mut body = Vec::new();
                        let mut buffer = [0; 65536];
                        let length = head
                            .to_lowercase()
                            .split("content-length: ")
                            .nth(1)
                            .map(|l| l.lines().next().unwrap().parse::<usize>().unwrap());
                        loop {
                            let n = socket.read(&mut buffer).await.unwrap_or(0);
                            body.extend_from_slice(&buffer[..n]);
                            if n == 0 || body.ends_with(b"0\r\n\r\n") || length.is_some_and(|l| body.len() >= l) {
                                break;
                            }
                        }
                        let say = format!("{} {}", body.len(), body.ends_with(b"0\r\n\r\n"));
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{say}", say.len());
                        let _ = socket.write_all(answer.as_bytes()).await;
                    }
                }
            });
        }
    });
    (port, seen, heads)
}

async fn bench_with(body: &str, options: HostOptions, port: u16) -> Bench {
    let bench = Bench::with(options);
    let module = format!(
        "export default (api) => api.registerTool({{ name: 'f', description: '', parameters: {{}}, async execute(args, ctx) {{\n\
         const base = 'http://127.0.0.1:{port}'; try {{ {body} }} catch (e) {{ return `${{e.name}}|${{e.message}}`; }} }} }});"
    );
    let candidate = bench.write("f", &manifest("f"), &[("index.ts", &module)]);
    let policy = NetworkPolicy {
        extra_hosts: vec![format!("127.0.0.1:{port}")],
    };
    bench.host.activate(candidate, json!({}), vec![], policy).await.unwrap();
    bench
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_read_piece_by_piece_while_the_server_still_writes() {
    let (port, seen, _heads) = server().await;
    let body = "const r = await fetch(base + '/slow'); const text = new TextDecoder(); const got = [];\n\
      for await (const piece of r.body) { got.push(text.decode(piece, { stream: true })); if (got.length === 1) { api_first(got[0]); } }\n\
      return JSON.stringify([got, r.bodyUsed]);"
        .replace("api_first(got[0])", "ctx.logger.info(got[0])");
    let bench = bench_with(&body, quick(), port).await;
    let call = bench.tool("f", json!({}));
    let go = async {
        bench
            .until("the first piece", |b| b.logs.lock().unwrap().iter().any(|l| l.1 == "one"))
            .await;
        seen.go.notify_one();
    };
    let (said, ()) = tokio::join!(call, go);
    assert_eq!(said.text, r#"[["one","two"],true]"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_answer_is_held_back_and_let_go_when_it_is_cancelled() {
    let (port, seen, _heads) = server().await;
    let body = "const r = await fetch(base + '/endless'); const reader = r.body.getReader(); let size = 0;\n\
      while (size < 300000) size += (await reader.read()).value.length;\n\
      if (args.hold) { await new Promise((r) => setTimeout(r, 200)); ctx.logger.info('held'); } await reader.cancel(); return 'let go';";
    let bench = bench_with(body, quick(), port).await;
    assert_eq!(bench.tool("f", json!({ "hold": true })).await.text, "let go");
    tokio::time::timeout(Duration::from_secs(20), seen.gone.notified())
        .await
        .expect("the connection is closed");
    let written = seen.written.load(Ordering::Relaxed);
    assert!(written < 16 << 20, "the server got rid of {written} bytes while 300 KB were read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_ends_a_body_that_is_being_read_and_text_is_bounded() {
    let (port, seen, _heads) = server().await;
    let body = "if (args.text) return (await (await fetch(base + '/endless')).text()).length;\n\
      const c = new AbortController(); const r = await fetch(base + '/slow', { signal: c.signal }); const reader = r.body.getReader();\n\
      await reader.read(); setTimeout(() => c.abort(new Error('enough')), 1); await reader.read(); return 'read on';";
    let bench = bench_with(
        body,
        HostOptions {
            fetch_bytes: 100_000,
            ..quick()
        },
        port,
    )
    .await;
    assert_eq!(bench.tool("f", json!({})).await.text, "Error|enough");
    seen.go.notify_one();
    let said = bench.tool("f", json!({ "text": true })).await.text;
    assert_eq!(said, "TypeError|fetch: 127.0.0.1: the answer is over 100000 bytes");
    tokio::time::timeout(Duration::from_secs(20), seen.gone.notified())
        .await
        .expect("the connection is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_written_piece_by_piece_and_a_large_one_with_its_length() {
    let (port, _seen, mut heads) = server().await;
    let body = "if (args.large) return await (await fetch(base + '/echo', { method: 'POST', body: new Uint8Array(3000000) })).text();\n\
      let n = 0; const stream = new ReadableStream({ pull(c) { if (n++ < 5) c.enqueue(new Uint8Array(1000)); else if (args.broken) throw new Error('torn'); else c.close(); } });\n\
      const r = await fetch(base + (args.path ?? '/echo'), { method: 'POST', body: stream, duplex: 'half' }); return await r.text();";
    let bench = bench_with(body, quick(), port).await;
    let said = bench.tool("f", json!({})).await.text;
    assert!(said.ends_with(" true"), "chunked, with its end: {said}");
    assert!(heads.recv().await.unwrap().contains("transfer-encoding: chunked"));
    assert_eq!(bench.tool("f", json!({ "large": true })).await.text, "3000000 false");
    assert!(heads.recv().await.unwrap().contains("content-length: 3000000"));
    let broken = bench.tool("f", json!({ "broken": true })).await.text;
    assert!(
        broken.starts_with("TypeError|fetch: 127.0.0.1:"),
        "a body that breaks off is no whole one: {broken}"
    );
    let again = bench.tool("f", json!({ "path": "/again" })).await.text;
    assert!(again.contains("cannot be sent twice"), "{again}");
}
