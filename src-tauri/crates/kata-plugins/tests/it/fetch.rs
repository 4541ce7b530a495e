//! `fetch` at the boundary: where it leads, what it sends, and what a plugin can tell from a failure.

use crate::support::*;
use kata_plugins::{HostOptions, NetworkPolicy};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Answers every request on a port with what `reply` says for its first line and body; keeps what came.
async fn server(reply: impl Fn(&str) -> String + Send + 'static) -> (u16, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = std::sync::Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            let mut buffer = [0; 65536];
            loop {
                let n = socket.read(&mut buffer).await.unwrap_or(0);
                text.push_str(&String::from_utf8_lossy(&buffer[..n]));
                let length = text
                    .to_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|l| l.lines().next()?.parse::<usize>().ok())
                    .unwrap_or(0);
                if n == 0 || text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length) {
                    break;
                }
            }
            kept.lock().unwrap().push(text.clone());
            let _ = socket.write_all(reply(&text).as_bytes()).await;
        }
    });
    (port, seen)
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetch_reaches_what_was_named_and_no_redirect_leads_it_elsewhere() {
    let bench = Bench::new();
    let (inner, inner_seen) = server(|_| answer("200 OK", "", "inner")).await;
    let (port, seen) = server(move |text| match text.split(' ').nth(1).unwrap_or("") {
        "/json" => answer("200 OK", "content-type: application/json\r\nx-a: b\r\n", "{\"a\":1}"),
        "/away" => answer("302 Found", &format!("location: http://127.0.0.1:{inner}/x\r\n"), ""),
        "/decimal" => answer("307 Moved", &format!("location: http://2130706433:{inner}/x\r\n"), ""),
        "/home" => answer("302 Found", "location: /json\r\n", ""),
        "/huge" => answer("200 OK", "", &"x".repeat(5 << 20)),
        _ => answer("404 Not Found", "", "nothing"),
    })
    .await;
    let module = tool_module("f", "const r = await fetch(args.url, args.init); return { text: JSON.stringify([r.status, r.redirected, r.headers.get('x-a'), args.json ? await r.json() : await r.text()]) }")
        .replace("execute(args", "async execute(args");
    let candidate = bench.write("f", &manifest("f"), &[("index.ts", &module)]);
    let policy = NetworkPolicy {
        extra_hosts: vec![format!("127.0.0.1:{port}")],
    };
    bench.host.activate(candidate, json!({}), vec![], policy).await.unwrap();
    let get = async |path: &str| {
        bench
            .tool("f", json!({ "url": format!("http://127.0.0.1:{port}{path}") }))
            .await
            .text
    };
    assert_eq!(
        bench
            .tool("f", json!({ "url": format!("http://127.0.0.1:{port}/json"), "json": true }))
            .await
            .text,
        r#"[200,false,"b",{"a":1}]"#
    );
    assert_eq!(get("/home").await, r#"[200,true,"b","{\"a\":1}"]"#);
    assert_eq!(get("/none").await, r#"[404,false,null,"nothing"]"#);
    for path in ["/away", "/decimal"] {
        assert!(
            get(path).await.contains("redirected to a place that is refused"),
            "{}",
            get(path).await
        );
    }
    assert!(get("/huge").await.contains("over 4194304 bytes"));
    for url in [
        format!("http://127.0.0.1:{inner}/"),
        format!("http://localhost:{port}/"),
        format!("http://a@127.0.0.1:{port}/"),
        "https://example.com/".into(),
    ] {
        let said = bench.tool("f", json!({ "url": url })).await;
        assert!(said.is_error && said.text.starts_with("fetch: "), "{url}: {}", said.text);
    }
    assert!(
        inner_seen.lock().unwrap().is_empty(),
        "nothing reached the host behind the redirect"
    );
    let post = json!({ "url": format!("http://127.0.0.1:{port}/json"), "init": { "method": "POST", "body": "grüße", "headers": { "X-Key": "v", "Host": "evil.com" } } });
    bench.tool("f", post).await;
    let sent = seen.lock().unwrap().last().unwrap().clone();
    assert!(
        sent.starts_with("POST /json") && sent.ends_with("grüße") && sent.contains("x-key: v") && !sent.contains("evil.com"),
        "{sent}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_fetch_has_a_code_and_connect_and_forbidden_mean_that_nothing_left() {
    let bench = Bench::with(HostOptions {
        fetch_timeout: Duration::from_millis(500),
        ..quick()
    });
    // Bound, so that nobody else takes the port, and not listening, so that every connection is refused.
    let refusing = tokio::net::TcpSocket::new_v4().unwrap();
    refusing.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = refusing.local_addr().unwrap().port();
    // Connections wait in its backlog and are never answered.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let (port, seen) = server(move |text| match text.split(' ').nth(1).unwrap_or("") {
        "/to-closed" => answer("307 Moved", &format!("location: http://127.0.0.1:{closed}/\r\n"), ""),
        "/to-forbidden" => answer("307 Moved", "location: https://example.com/\r\n", ""),
        // No HTTP: the server has had the request, and what it says is no answer.
        _ => "nonsense\r\n\r\n".to_owned(),
    })
    .await;
    let body = "try { await fetch(args.url, { method: 'POST', body: 'x' }); return 'no failure'; }\n\
                catch (e) { return JSON.stringify([e.name, e.code ?? null]); }";
    let module = tool_module("f", body).replace("execute(args", "async execute(args");
    let candidate = bench.write("f", &manifest("f"), &[("index.ts", &module)]);
    let policy = NetworkPolicy {
        extra_hosts: [port, closed, silent_port].map(|p| format!("127.0.0.1:{p}")).to_vec(),
    };
    bench.host.activate(candidate, json!({}), vec![], policy).await.unwrap();
    let here = |port: u16, path: &str| format!("http://127.0.0.1:{port}{path}");
    for (url, code, reached) in [
        (here(closed, "/"), json!("connect"), 0),
        ("https://example.com/".to_owned(), json!("forbidden"), 0),
        ("ftp://example.com/".to_owned(), json!("forbidden"), 0),
        (here(silent_port, "/"), json!("timeout"), 0),
        (here(port, "/nonsense"), json!(null), 1),
        // The first server has had the request, so it must not look as if nothing had left.
        (here(port, "/to-closed"), json!(null), 2),
        (here(port, "/to-forbidden"), json!(null), 3),
    ] {
        let said = bench.tool("f", json!({ "url": url })).await.text;
        assert_eq!(said, json!(["TypeError", code]).to_string(), "{url}");
        assert_eq!(seen.lock().unwrap().len(), reached, "{url}");
    }
    drop((refusing, silent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_beyond_the_burst_wait_for_their_turn() {
    let bench = Bench::with(HostOptions {
        requests_per_second: 10,
        request_burst: 2,
        ..quick()
    });
    let (port, seen) = server(|_| answer("200 OK", "", "ok")).await;
    let module = tool_module(
        "f",
        "const all = Array.from({ length: 7 }, () => fetch(args.url).then((r) => r.text())); return (await Promise.all(all)).join()",
    )
    .replace("execute(args", "async execute(args");
    let candidate = bench.write("f", &manifest("f"), &[("index.ts", &module)]);
    let policy = NetworkPolicy {
        extra_hosts: vec![format!("127.0.0.1:{port}")],
    };
    bench.host.activate(candidate, json!({}), vec![], policy).await.unwrap();
    let began = std::time::Instant::now();
    let all = bench.tool("f", json!({ "url": format!("http://127.0.0.1:{port}/") })).await;
    assert_eq!(all.text, "ok,ok,ok,ok,ok,ok,ok", "none is refused");
    assert_eq!(seen.lock().unwrap().len(), 7);
    // Two at once and the third when it is due; the other four come a tenth of a second apart.
    assert!(began.elapsed() >= Duration::from_millis(390), "{:?}", began.elapsed());
}
