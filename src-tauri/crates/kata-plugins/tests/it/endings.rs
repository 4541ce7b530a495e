//! What a plugin cannot keep: a connection after it was taken out, a request after its capability was taken back.

use crate::support::*;
use kata_plugins::NetworkPolicy;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// A plugin whose request hangs at a server that answers nobody; and the server's end of the connection.
async fn hanging(bench: &Bench) -> TcpStream {
    hanging_and(bench, "").await
}

/// The same, and it does something more.
async fn hanging_and(bench: &Bench, more: &str) -> TcpStream {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut asks = manifest("p");
    asks["capabilities"] = json!([format!("net:127.0.0.1:{port}")]);
    let body = format!("fetch('http://127.0.0.1:{port}/').catch((e) => console.log('ended: ' + e.message)); {more} return 'asked'");
    let candidate = bench.write("p", &asks, &[("index.ts", &tool_module("p", &body))]);
    let granted = candidate.manifest.capabilities.clone();
    bench
        .host
        .activate(candidate, json!({}), granted, NetworkPolicy::default())
        .await
        .unwrap();
    assert_eq!(bench.tool("p", json!({})).await.text, "asked");
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut first = [0; 16];
    socket.read_exact(&mut first).await.unwrap();
    assert_eq!(&first[..5], b"GET /");
    socket
}

/// Whether the other side closes.
async fn closed(mut socket: TcpStream) {
    let mut rest = Vec::new();
    // An end of file or a reset: either way the other side is gone.
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), socket.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the connection is still open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_was_taken_out_keeps_no_connection() {
    let bench = Bench::new();
    let socket = hanging(&bench).await;
    bench.host.deactivate(&id("p")).await;
    closed(socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_replaced_keeps_no_connection() {
    let bench = Bench::with(kata_plugins::HostOptions {
        trial: std::time::Duration::from_millis(20),
        ..quick()
    });
    let socket = hanging(&bench).await;
    bench.run("p", &tool_module("p", "return 'new'")).await.unwrap();
    assert_eq!(bench.tool("p", json!({})).await.text, "new");
    closed(socket).await;
}

/// It comes to no `dispose`: the rests that are due in the middle of its loop would take minutes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_in_a_loop_of_its_own_does_not_work_on_beside_the_one_that_took_its_place() {
    let long = std::time::Duration::from_secs(3600);
    let bench = Bench::with(kata_plugins::HostOptions {
        trial: std::time::Duration::from_millis(20),
        stop_timeout: long,
        slice: long,
        stuck: long,
        ..quick()
    });
    let socket = hanging_and(&bench, "setTimeout(() => { for (;;) {} }, 0);").await;
    bench.run("p", &tool_module("p", "return 'new'")).await.unwrap();
    assert_eq!(bench.tool("p", json!({})).await.text, "new");
    closed(socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_ends_at_once_when_its_capability_is_taken_back_and_the_next_is_denied() {
    let bench = Bench::new();
    let socket = hanging(&bench).await;
    let capability = bench.discover().found[0].manifest.capabilities[0].clone();
    bench.host.revoke(&id("p"), &capability);
    bench
        .until("the end of the request", |b| {
            b.logs.lock().unwrap().iter().any(|(_, l)| l.starts_with("ended: "))
        })
        .await;
    closed(socket).await;
    bench.backend.logs.lock().unwrap().clear();
    assert_eq!(bench.tool("p", json!({})).await.text, "asked");
    bench
        .until("the denial", |b| {
            b.logs.lock().unwrap().iter().any(|(_, l)| l.starts_with("ended: "))
        })
        .await;
}
