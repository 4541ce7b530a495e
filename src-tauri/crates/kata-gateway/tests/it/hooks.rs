//! Plugins' own paths behind the gateway, with plugins that are not there.

use crate::support::*;
use async_trait::async_trait;
use kata_core::ports::{RouteAnswer, RouteRefusal, RouteRequest, Routes};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Answers by the path it is asked for; keeps what it was asked.
#[derive(Default)]
struct Paths(Mutex<Vec<RouteRequest>>);

#[async_trait]
impl Routes for Paths {
    async fn serve(&self, request: RouteRequest) -> Result<RouteAnswer, RouteRefusal> {
        let path = request.path.clone();
        self.0.lock().unwrap().push(request);
        match path.as_str() {
            "v1/events" => Ok(RouteAnswer {
                status: 202,
                headers: vec![("x-a".into(), "b".into()), ("bad name".into(), "x".into())],
                body: "taken".into(),
            }),
            "method" => Err(RouteRefusal::Method("POST, PUT".into())),
            "down" => Err(RouteRefusal::Down),
            "late" => Err(RouteRefusal::Late),
            "failed" => Err(RouteRefusal::Failed),
            _ => Err(RouteRefusal::NotFound),
        }
    }
}

#[tokio::test]
async fn a_plugins_path_is_reached_without_a_token_and_gets_the_request_as_it_came() {
    let house = house(quiet()).await;
    let client = reqwest::Client::new();
    assert_eq!(
        client.post(house.url("/hooks/p/v1/events")).send().await.unwrap().status(),
        404,
        "no plugins yet"
    );
    let paths = Arc::new(Paths::default());
    house.gateway.serve_routes(Arc::clone(&paths) as _);
    let sent = client
        .post(house.url("/hooks/p/v1/events?a=%20b&c"))
        .header("X-Sig", "1")
        .body(vec![0, 255]);
    let answer = sent.send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()["x-a"], "b");
    assert_eq!(answer.headers()["content-security-policy"], "sandbox; default-src 'none'");
    assert_eq!(answer.text().await.unwrap(), "taken");
    let got = paths.0.lock().unwrap().pop().unwrap();
    assert_eq!(
        (
            got.plugin.as_str(),
            got.path.as_str(),
            got.method.as_str(),
            got.query.as_str(),
            got.body
        ),
        ("p", "v1/events", "POST", "a=%20b&c", vec![0, 255])
    );
    assert!(got.headers.contains(&("x-sig".into(), "1".into())));
}

#[tokio::test]
async fn what_a_plugin_does_not_answer_has_a_status_of_its_own() {
    let house = house(quiet()).await;
    house.gateway.serve_routes(Arc::new(Paths::default()));
    let client = reqwest::Client::new();
    for (path, status) in [("none", 404), ("method", 405), ("down", 503), ("late", 504), ("failed", 500)] {
        let answer = client.post(house.url(&format!("/hooks/p/{path}"))).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        if path == "method" {
            assert_eq!(answer.headers()["allow"], "POST, PUT");
        }
    }
    let large = client.post(house.url("/hooks/p/v1/events")).body(vec![b'x'; (1 << 20) + 1]);
    assert_eq!(large.send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn a_web_page_and_a_foreign_host_reach_no_plugins_path() {
    let house = house(quiet()).await;
    let paths = Arc::new(Paths::default());
    house.gateway.serve_routes(Arc::clone(&paths) as _);
    let client = reqwest::Client::new();
    let request = || client.post(house.url("/hooks/p/v1/events"));
    assert_eq!(
        request().header("origin", "https://evil.example").send().await.unwrap().status(),
        403
    );
    assert_eq!(request().header("host", "evil.example").send().await.unwrap().status(), 403);
    assert!(paths.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let house = house(quiet()).await;
    house.gateway.serve_routes(Arc::new(Paths::default()));
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", house.gateway.port())).await.unwrap();
    let head = format!(
        "POST /hooks/p/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 5\r\n\r\nab",
        house.gateway.port()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    house.clock.sleeper(Duration::from_secs(10)).await;
    house.clock.advance(Duration::from_secs(10));
    let mut answer = vec![0; 12];
    soon("an answer", tokio::io::AsyncReadExt::read_exact(&mut socket, &mut answer))
        .await
        .unwrap();
    assert_eq!(String::from_utf8(answer).unwrap(), "HTTP/1.1 408");
}
