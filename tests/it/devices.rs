//! Devices at the real program: paired by a code from the command line, in force after a restart, shut out while connected.

use futures::{SinkExt, StreamExt};
use kata_tests::{Kata, TestHome, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Line {
    async fn open(kata: &Kata<'_>) -> Self {
        let port = kata.json(&["gateway"])["port"].as_u64().unwrap();
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{port}/ws")).await.unwrap();
        let mut line = Self(socket);
        assert_eq!(line.next().await.unwrap()["type"], "hello");
        line
    }
    async fn say(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }
    /// The next frame, or the code of the close.
    async fn next(&mut self) -> Result<Value, u16> {
        loop {
            match tokio::time::timeout(Duration::from_secs(20), self.0.next())
                .await
                .expect("a frame in time")
            {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(close))) => return Err(close.map_or(1006, |c| c.code.into())),
                Some(Ok(_)) => {}
                _ => return Err(1006),
            }
        }
    }
    async fn connect(&mut self, token: &str) -> Result<Value, u16> {
        self.say(json!({"type": "connect", "version": 1, "client": "it", "token": token, "topics": []}))
            .await;
        loop {
            match self.next().await? {
                frame if frame["type"] == "goodbye" => {}
                frame => return Ok(frame),
            }
        }
    }
}

#[tokio::test]
async fn a_device_is_paired_by_a_code_of_the_command_line_comes_back_after_a_restart_and_is_out_within_a_second() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let offer = kata.json(&[
        "devices",
        "pair",
        "--name",
        "watch",
        "--scope",
        "read",
        "--expires-days",
        "7",
        "--no-wait",
    ]);
    let code = offer["code"].as_str().unwrap().to_owned();
    assert!(
        offer["url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/#/pair/{}", code.replace('-', ""))),
        "{offer}"
    );

    let mut line = Line::open(&kata).await;
    line.say(json!({"type": "pair", "version": 1, "code": code.to_lowercase(), "client": "watch"}))
        .await;
    let paired = line.next().await.unwrap();
    assert_eq!((paired["type"].as_str(), paired["scope"].as_str()), (Some("paired"), Some("read")));
    assert_eq!(line.next().await, Err(1000));
    let token = paired["token"].as_str().unwrap().to_owned();
    serve.stop().await;

    let serve = kata.serve(None).await;
    let mut line = Line::open(&kata).await;
    let welcome = line.connect(&token).await.unwrap();
    assert_eq!(
        (welcome["type"].as_str(), welcome["scope"].as_str()),
        (Some("welcome"), Some("read"))
    );
    line.say(json!({"type": "request", "id": 1, "op": "device.pair", "params": {"name": "x", "scope": "admin", "expiresAfterDays": null}}))
        .await;
    assert_eq!(
        line.next().await.unwrap()["error"]["code"],
        "forbidden",
        "it cannot pair a stronger one"
    );
    let listed = &kata.json(&["devices", "list"])[0];
    assert_eq!(
        (listed["name"].as_str(), listed["connected"].as_bool(), listed["keyed"].as_bool()),
        (Some("watch"), Some(true), Some(false))
    );
    assert!(listed["seenAt"].is_u64() && listed["expiresAt"].is_u64());

    let began = Instant::now();
    kata.json(&["devices", "revoke", "watch"]);
    let mut reason = String::new();
    let closed = loop {
        match line.next().await {
            Ok(frame) => reason = frame["reason"].as_str().unwrap_or_default().to_owned(),
            Err(code) => break code,
        }
    };
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}, the command included",
        began.elapsed()
    );
    assert_eq!((closed, reason.as_str()), (4003, "the token was withdrawn"));
    assert!(matches!(Line::open(&kata).await.connect(&token).await, Err(4001)));
    assert_eq!(kata.json(&["devices", "list"]), json!([]));
    // Nothing it showed is anywhere in the home.
    serve.stop().await;
    for entry in walk(&home.path()) {
        let bytes = std::fs::read(&entry).unwrap_or_default();
        for secret in [token.as_bytes(), code.as_bytes()] {
            assert!(
                !bytes.windows(secret.len()).any(|w| w == secret),
                "a secret lies in {}",
                entry.display()
            );
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path))
        } else {
            found.push(path)
        }
    }
    found
}

#[tokio::test]
async fn the_command_that_pairs_waits_until_the_device_is_there() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let _serve = kata.serve(None).await;
    let mut waiting = kata
        .command(&["--json", "pair", "device", "--name", "tablet"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(waiting.stdout.take().unwrap()));
    let offer: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let mut line = Line::open(&kata).await;
    line.say(json!({"type": "pair", "version": 1, "code": offer["code"], "client": "tablet"}))
        .await;
    assert_eq!(line.next().await.unwrap()["type"], "paired");
    let device: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(device["name"], "tablet");
    let ended = eventually("the command ends", async || waiting.try_wait().unwrap()).await;
    assert!(ended.success());
}
