//! A program that brings a plugin, as somebody else would write it: a socket, JSON, and nothing of ours.

use futures::{SinkExt, StreamExt};
use kata_tests::{Kata, TestEngine, eventually};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// What a program does with a call: an answer's fields, or nothing at all.
pub(crate) type Does = Box<dyn Fn(&Value) -> Option<Value> + Send + Sync>;

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) calls: Vec<Value>,
    pub(crate) cancelled: Vec<u64>,
    pub(crate) responses: HashMap<u64, Value>,
    /// Reason of the goodbye and code of the close.
    pub(crate) ended: Option<(String, Option<u16>)>,
}

pub(crate) struct Program {
    pub(crate) seen: Arc<Mutex<Seen>>,
    out: mpsc::Sender<Value>,
    task: tokio::task::JoinHandle<()>,
    next: u64,
}

/// The token a person would give it.
pub(crate) fn token(engine: &TestEngine) -> String {
    let output = tokio::task::block_in_place(|| Kata(&engine.home).run(&["token"]));
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(!token.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    token
}

impl Program {
    /// Connects and is welcomed.
    pub(crate) async fn connect(engine: &TestEngine, does: Does) -> Self {
        let (port, token) = (engine.engine.gateway_port().unwrap(), token(engine));
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{port}/ws")).await.unwrap();
        let connect = json!({ "type": "connect", "version": 1, "token": token, "client": "a test's program" });
        socket.send(Message::text(connect.to_string())).await.unwrap();
        let seen: Arc<Mutex<Seen>> = Arc::default();
        let (out, mut frames) = mpsc::channel::<Value>(4096);
        let into = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut goodbye = String::new();
            loop {
                let message = tokio::select! {
                    frame = frames.recv() => match frame {
                        Some(frame) => {
                            if socket.send(Message::text(frame.to_string())).await.is_err() { break }
                            continue;
                        }
                        None => break,
                    },
                    message = socket.next() => message,
                };
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(close))) => {
                        into.lock().unwrap().ended = Some((goodbye, close.map(|c| c.code.into())));
                        return;
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => break,
                };
                let frame: Value = serde_json::from_str(&text).unwrap();
                match frame["type"].as_str().unwrap() {
                    "call" => {
                        let answer = does(&frame);
                        into.lock().unwrap().calls.push(frame.clone());
                        if let Some(mut answer) = answer {
                            answer["type"] = "answer".into();
                            if answer["call"].is_null() {
                                answer["call"] = frame["call"].clone();
                            }
                            if socket.send(Message::text(answer.to_string())).await.is_err() {
                                break;
                            }
                        }
                    }
                    "cancel" => into.lock().unwrap().cancelled.push(frame["call"].as_u64().unwrap()),
                    "response" => {
                        into.lock().unwrap().responses.insert(frame["id"].as_u64().unwrap(), frame);
                    }
                    "goodbye" => goodbye = frame["reason"].as_str().unwrap().to_owned(),
                    _ => {}
                }
            }
            into.lock().unwrap().ended = Some((goodbye, None));
        });
        Self { seen, out, task, next: 0 }
    }

    /// Connects and registers, which must be taken.
    pub(crate) async fn join(engine: &TestEngine, plugin: Value, does: Does) -> Self {
        let mut program = Self::connect(engine, does).await;
        let answer = program.register(plugin).await;
        assert!(answer["error"].is_null(), "{answer}");
        program
    }

    pub(crate) async fn send(&self, frame: Value) {
        self.out.send(frame).await.unwrap();
    }

    /// Sends a frame that is answered, and waits for the answer.
    pub(crate) async fn ask(&mut self, mut frame: Value) -> Value {
        self.next += 1;
        let id = self.next;
        frame["id"] = id.into();
        self.send(frame).await;
        eventually("a response comes", async || self.seen.lock().unwrap().responses.remove(&id)).await
    }

    pub(crate) async fn register(&mut self, plugin: Value) -> Value {
        self.ask(json!({ "type": "register", "plugin": plugin })).await
    }

    /// Hands a direct message in.
    pub(crate) async fn write(&mut self, plugin: &str, channel: &str, message: &str, text: &str) -> Value {
        let draft = json!({
            "account": "me", "messageId": message, "conversation": "ada", "chatType": "direct", "sender": { "id": "ada" }, "text": text,
        });
        self.ask(json!({ "type": "inbound", "plugin": plugin, "channel": channel, "message": draft }))
            .await
    }

    /// Calls of a kind, oldest first.
    pub(crate) fn calls(&self, kind: &str) -> Vec<Value> {
        let seen = self.seen.lock().unwrap();
        seen.calls.iter().filter(|call| call["kind"] == kind).cloned().collect()
    }

    /// Returns with the calls of a kind once there are so many.
    pub(crate) async fn called(&self, kind: &str, count: usize) -> Vec<Value> {
        eventually(&format!("{count} × {kind}"), async || {
            let calls = self.calls(kind);
            (calls.len() >= count).then_some(calls)
        })
        .await
    }

    pub(crate) async fn ended(&self) -> (String, Option<u16>) {
        eventually("the connection ends", async || self.seen.lock().unwrap().ended.clone()).await
    }

    /// As `kill -9` does: no goodbye, the system closes the socket.
    pub(crate) async fn kill(self) -> Arc<Mutex<Seen>> {
        self.task.abort();
        let _ = self.task.await;
        self.seen
    }
}
