//! A messaging platform over loopback HTTP, for the `loop` plugin. It hands a message out until a later cursor confirms it,
//! dedupes sends by idempotency key where it is told to, and fails the test by itself when a conversation's parts come out
//! of order.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use kata_protocol::OutboundMessage;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// The platform. Lives as long as it is held.
pub struct FakePlatform {
    /// `http://127.0.0.1:port`.
    pub base: String,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

/// A message as a reader of the platform sees it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The message.
    pub message: OutboundMessage,
    /// How often it was handed in under its key.
    pub times: u32,
}

#[derive(Default)]
struct Shared {
    inbound: Mutex<Vec<Value>>,
    sent: Mutex<Vec<Sent>>,
    arrived: Notify,
    typing: AtomicU32,
    counted: AtomicU32,
    refusing: AtomicU32,
    losing: AtomicU32,
    /// Files of people, by reference, and those the bot sent, by id.
    files: Mutex<HashMap<String, Vec<u8>>>,
    uploads: Mutex<HashMap<String, Vec<u8>>>,
    /// References that were asked for.
    fetched: Mutex<Vec<String>>,
}

impl FakePlatform {
    /// Starts on a free port.
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let app = Router::new()
            .route("/poll", get(poll))
            .route("/send", post(send))
            .route("/files/{reference}", get(file))
            .route("/upload/{id}", post(upload))
            .layer(axum::extract::DefaultBodyLimit::max(20 << 20))
            .route(
                "/typing",
                post(|State(s): State<Arc<Shared>>| async move {
                    s.typing.fetch_add(1, Ordering::Relaxed);
                }),
            )
            .route(
                "/count",
                post(|State(s): State<Arc<Shared>>| async move { (s.counted.fetch_add(1, Ordering::Relaxed) + 1).to_string() }),
            )
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("the platform serves") });
        Self { base, shared, server }
    }

    /// A person writes in a direct conversation of their own.
    pub fn write(&self, person: &str, text: &str) {
        self.write_in(person, person, "direct", text);
    }

    /// A person writes in a conversation.
    pub fn write_in(&self, conversation: &str, person: &str, chat: &str, text: &str) {
        let n = self.shared.inbound.lock().expect("not poisoned").len() + 1;
        self.write_draft(json!({
            "account": "bot", "messageId": format!("in-{n}"), "conversation": conversation, "chatType": chat,
            "sender": { "id": person, "name": person }, "text": text, "mentionsBot": true,
        }));
    }

    /// A message as the platform has it.
    pub fn write_draft(&self, draft: Value) {
        let mut inbound = self.shared.inbound.lock().expect("not poisoned");
        let n = inbound.len() + 1;
        inbound.push(json!({ "n": n, "draft": draft }));
        drop(inbound);
        self.shared.arrived.notify_waiters();
    }

    /// Puts a file of a person there.
    pub fn put(&self, reference: &str, bytes: &[u8]) {
        let mut files = self.shared.files.lock().expect("not poisoned");
        files.insert(reference.to_owned(), bytes.to_vec());
    }

    /// References of files that were asked for, in order.
    pub fn fetched(&self) -> Vec<String> {
        self.shared.fetched.lock().expect("not poisoned").clone()
    }

    /// A file the bot sent.
    pub fn uploaded(&self, id: &str) -> Option<Vec<u8>> {
        self.shared.uploads.lock().expect("not poisoned").get(id).cloned()
    }

    /// Everything that readers see.
    pub fn sent(&self) -> Vec<Sent> {
        self.shared.sent.lock().expect("not poisoned").clone()
    }

    /// Waits until `count` messages have been delivered.
    pub async fn delivered(&self, count: usize) -> Vec<Sent> {
        crate::eventually(&format!("{count} messages are delivered"), async || {
            Some(self.sent()).filter(|s| s.len() >= count)
        })
        .await
    }

    /// Typing signals so far.
    pub fn typing(&self) -> u32 {
        self.shared.typing.load(Ordering::Relaxed)
    }

    /// How often the `count` tool has run.
    pub fn counted(&self) -> u32 {
        self.shared.counted.load(Ordering::Relaxed)
    }

    /// The next `times` sends arrive, and the answer that they did is lost on its way (504).
    pub fn lose(&self, times: u32) {
        self.shared.losing.store(times, Ordering::Relaxed);
    }

    /// The next `times` sends fail with 503, without taking the message.
    pub fn refuse(&self, times: u32) {
        self.shared.refusing.store(times, Ordering::Relaxed);
    }
}

impl Drop for FakePlatform {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn poll(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, usize>>) -> Json<Vec<Value>> {
    let after = query.get("after").copied().unwrap_or_default();
    let ready = |s: &Shared| {
        s.inbound
            .lock()
            .expect("not poisoned")
            .iter()
            .skip(after)
            .cloned()
            .collect::<Vec<_>>()
    };
    let arrived = shared.arrived.notified();
    let now = ready(&shared);
    if !now.is_empty() {
        return Json(now);
    }
    // A long poll: answers at once when something comes.
    let _ = tokio::time::timeout(Duration::from_secs(1), arrived).await;
    Json(ready(&shared))
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path(reference): Path<String>,
    headers: axum::http::HeaderMap,
) -> Result<Vec<u8>, StatusCode> {
    shared.fetched.lock().expect("not poisoned").push(reference.clone());
    if headers.get("authorization").is_none_or(|token| token != "Bearer loop") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let files = shared.files.lock().expect("not poisoned");
    files.get(&reference).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn upload(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: axum::body::Bytes) {
    shared.uploads.lock().expect("not poisoned").insert(id, body.to_vec());
}

async fn send(State(shared): State<Arc<Shared>>, body: String) -> Result<Json<Value>, StatusCode> {
    let message: OutboundMessage = serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    if shared
        .refusing
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
        .is_ok()
    {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let mut sent = shared.sent.lock().expect("not poisoned");
    if let Some(at) = sent.iter().position(|s| s.message.idempotency_key == message.idempotency_key) {
        sent[at].times += 1;
        return Ok(Json(json!({ "messageIds": [format!("out-{}", at + 1)] })));
    }
    let (stem, part) = message.idempotency_key.rsplit_once(':').unwrap_or((&message.idempotency_key, "0"));
    let part: usize = part.parse().unwrap_or_default();
    let earlier = sent
        .iter()
        .filter(|s| s.message.idempotency_key.rsplit_once(':').is_some_and(|(s, _)| s == stem))
        .count();
    assert_eq!(earlier, part, "parts of one reply must come in order");
    sent.push(Sent { message, times: 1 });
    if shared
        .losing
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
        .is_ok()
    {
        return Err(StatusCode::GATEWAY_TIMEOUT);
    }
    Ok(Json(json!({ "messageIds": [format!("out-{}", sent.len())] })))
}
