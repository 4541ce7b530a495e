//! The plain HTTP side: health, readiness, files.

use crate::support::*;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

fn put(path: &std::path::Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
}

async fn with_ui() -> House {
    let house = house(quiet()).await;
    let home = house.home.path();
    put(&home.join("secret.txt"), "canary");
    put(&home.join("ui/index.html"), "<title>window</title>");
    put(&home.join("ui/assets/app.js"), "1");
    put(&home.join("ui/assets/app.css"), "a{}");
    put(&home.join("ui/.env"), "canary");
    house
}

/// A request with its path exactly as given; a client library would tidy it up.
fn raw(house: &House, path: &str, host: &str) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", house.gateway.port())).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn health_is_always_ok_and_readiness_follows_the_engine() {
    let house = house(quiet()).await;
    let get = async |path: &str| {
        let response = reqwest::get(house.url(path)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await, (200, r#"{"ok":true}"#.into()));
    assert_eq!(get("/readyz").await.0, 503);
    house.ready.send_replace(true);
    assert_eq!(get("/readyz").await.0, 200);
}

#[tokio::test]
async fn files_come_with_their_type_and_a_policy_and_pages_are_never_kept() {
    let house = with_ui().await;
    for (path, kind, cache, body) in [
        ("/", "text/html; charset=utf-8", "no-store", "<title>window</title>"),
        (
            "/sessions/260201-swift-river",
            "text/html; charset=utf-8",
            "no-store",
            "<title>window</title>",
        ),
        (
            "/assets/app.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
            "1",
        ),
        (
            "/assets/app.css",
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
            "a{}",
        ),
    ] {
        let response = reqwest::get(house.url(path)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
                .unwrap_or_default()
        };
        assert_eq!(
            (header("content-type"), header("cache-control")),
            (kind.into(), cache.into()),
            "{path}"
        );
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("script-src 'self';"),
            "{policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(response.text().await.unwrap(), body, "{path}");
    }
    assert_eq!(
        reqwest::get(house.url("/assets/gone.js")).await.unwrap().status(),
        404,
        "a missing script is no page"
    );
    let post = reqwest::Client::new().post(house.url("/")).send().await.unwrap();
    assert_eq!(post.status(), 405);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leads_out_of_the_folder() {
    let house = with_ui().await;
    #[cfg(unix)]
    std::os::unix::fs::symlink(house.home.path().join("secret.txt"), house.home.path().join("ui/link.txt")).unwrap();
    let host = format!("127.0.0.1:{}", house.gateway.port());
    for path in [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..\\secret.txt",
        "//../secret.txt",
        "/.env",
        "/link.txt",
        "/./../secret.txt",
    ] {
        let answer = raw(&house, path, &host);
        assert!(!answer.contains("canary"), "{path}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_host_gets_nothing_at_all() {
    let house = with_ui().await;
    for path in ["/", "/healthz", "/readyz", "/assets/app.js"] {
        let answer = raw(&house, path, "evil.example");
        assert!(answer.starts_with("HTTP/1.1 403"), "{path}: {answer}");
    }
    let response = reqwest::Client::new()
        .get(house.url("/healthz"))
        .header("origin", "https://evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
}

#[tokio::test]
async fn without_a_window_a_browser_gets_a_sentence() {
    let house = house_with(quiet(), |options| options.ui_dir = None).await;
    let response = reqwest::get(house.url("/anything")).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.unwrap().contains("Kata Agents runs here"));
}
