//! A messaging platform in bad weather, for the `loop` plugin: events come twice and mixed, sends are refused, slowed down, or
//! taken without an answer. Everything by a seed. It keeps what readers see, and what they were never to see.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use kata_core::ports::MessageStore;
use kata_protocol::{Ledger, OutboundMessage};
use kata_store::SqliteStore;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;

/// Events of one answer to a poll.
const BATCH: usize = 50;

/// A person's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its id on the platform.
    pub id: String,
    /// Conversation.
    pub conversation: String,
}

/// The platform. Lives as long as it is held.
pub struct Storm {
    /// `http://127.0.0.1:port`.
    pub base: String,
    sky: Arc<Sky>,
    server: tokio::task::JoinHandle<()>,
}

struct Sky {
    seed: Mutex<u64>,
    /// Whether it recognises a send it had.
    idempotent: bool,
    asked: Mutex<Vec<Asked>>,
    events: Mutex<Vec<Value>>,
    shown: Mutex<Vec<OutboundMessage>>,
    /// Keys that readers saw more than once.
    twice: Mutex<Vec<String>>,
    arrived: Notify,
    calm: AtomicU32,
}

impl Sky {
    fn draw(&self, below: u64) -> u64 {
        let mut seed = lock(&self.seed);
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    }

    fn show(&self, message: OutboundMessage) {
        let mut shown = lock(&self.shown);
        let known = shown.iter().any(|m| m.idempotency_key == message.idempotency_key);
        if known && !self.idempotent {
            lock(&self.twice).push(message.idempotency_key.clone());
        }
        if !known {
            shown.push(message);
        }
    }
}

impl Storm {
    /// Starts on a free port.
    pub async fn start(seed: u64, idempotent: bool) -> Self {
        let sky = Arc::new(Sky {
            seed: Mutex::new(seed),
            idempotent,
            asked: Mutex::default(),
            events: Mutex::default(),
            shown: Mutex::default(),
            twice: Mutex::default(),
            arrived: Notify::new(),
            calm: AtomicU32::new(0),
        });
        let app = Router::new()
            .route("/poll", get(poll))
            .route("/send", post(send))
            .route("/typing", post(async || ()))
            .route("/count", post(async || "1"))
            .with_state(Arc::clone(&sky));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("the platform serves") });
        Self { base, sky, server }
    }

    /// People write `count` messages in `conversations` conversations. The order within a conversation is kept; a fifth of the
    /// events come a second time, somewhere later.
    pub fn write(&self, count: usize, conversations: u64) {
        let mut asked = lock(&self.sky.asked);
        let mut events = lock(&self.sky.events);
        for _ in 0..count {
            let n = asked.len();
            let place = format!("c/{}", self.sky.draw(conversations));
            let id = format!("m{n}");
            // Every fourth one has the agent call a tool.
            let text = if n.is_multiple_of(4) {
                "/tool count {}".to_owned()
            } else {
                format!("message {n}")
            };
            events.push(json!({
                "account": "bot", "messageId": id, "conversation": place, "chatType": "direct",
                "sender": { "id": place, "name": place }, "text": text, "mentionsBot": true,
            }));
            asked.push(Asked { id, conversation: place });
            if self.sky.draw(5) == 0 {
                let again = events[self.sky.draw(events.len() as u64) as usize].clone();
                events.push(again);
            }
        }
        drop((asked, events));
        self.sky.arrived.notify_waiters();
    }

    /// A number below `below`, by the seed.
    pub fn draw(&self, below: u64) -> u64 {
        self.sky.draw(below)
    }

    /// From now on every send is taken at once.
    pub fn calm(&self) {
        self.sky.calm.store(1, Ordering::Relaxed);
    }

    /// What people wrote, in order.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.sky.asked).clone()
    }

    /// What readers see, in order.
    pub fn shown(&self) -> Vec<OutboundMessage> {
        lock(&self.sky.shown).clone()
    }

    /// Keys of messages that a reader saw more than once.
    pub fn twice(&self) -> Vec<String> {
        lock(&self.sky.twice).clone()
    }

    /// Every reply that readers see is in the conversation that asked, and in each conversation the replies have the order of the
    /// questions. Answers how many questions have one.
    pub fn verify(&self) -> usize {
        let asked = self.asked();
        let place: HashMap<&str, (usize, &str)> = asked
            .iter()
            .enumerate()
            .map(|(n, a)| (a.id.as_str(), (n, a.conversation.as_str())))
            .collect();
        let shown = self.shown();
        let mut answered = HashSet::new();
        let mut last: HashMap<String, usize> = HashMap::new();
        for message in &shown {
            let id = message.route.reply_to.as_ref().expect("a short reply quotes its question").as_str();
            let (n, conversation) = place[id];
            assert_eq!(
                message.route.conversation.as_str(),
                conversation,
                "the reply to {id} left for another conversation"
            );
            assert!(answered.insert(id.to_owned()), "{id} was answered twice: {message:?}");
            let before = last.insert(conversation.to_owned(), n);
            assert!(
                before.is_none_or(|before| before < n),
                "{conversation}: the answer to m{n} came after that to m{before:?}"
            );
        }
        answered.len()
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn poll(State(sky): State<Arc<Sky>>, Query(query): Query<HashMap<String, usize>>) -> Json<Vec<Value>> {
    let after = query.get("after").copied().unwrap_or_default();
    let ready = |sky: &Sky| -> Vec<Value> {
        let events = lock(&sky.events);
        let new = events.iter().enumerate().skip(after).take(BATCH);
        new.map(|(n, draft)| json!({ "n": n + 1, "draft": draft })).collect()
    };
    let arrived = sky.arrived.notified();
    let now = ready(&sky);
    if !now.is_empty() {
        return Json(now);
    }
    let _ = tokio::time::timeout(Duration::from_secs(1), arrived).await;
    Json(ready(&sky))
}

async fn send(State(sky): State<Arc<Sky>>, body: String) -> (StatusCode, HeaderMap, String) {
    let plain = |status| (status, HeaderMap::new(), String::new());
    let Ok(message) = serde_json::from_str::<OutboundMessage>(&body) else {
        return plain(StatusCode::BAD_REQUEST);
    };
    let weather = if sky.calm.load(Ordering::Relaxed) == 1 { 99 } else { sky.draw(100) };
    match weather {
        0..5 => plain(StatusCode::SERVICE_UNAVAILABLE),
        5..10 => {
            let wait = HeaderMap::from_iter([(axum::http::header::RETRY_AFTER, HeaderValue::from_static("0.2"))]);
            (StatusCode::TOO_MANY_REQUESTS, wait, String::new())
        }
        10..14 => {
            // Taken, and the answer is lost on the way.
            sky.show(message);
            plain(StatusCode::GATEWAY_TIMEOUT)
        }
        14..16 => plain(StatusCode::GATEWAY_TIMEOUT),
        _ => {
            sky.show(message);
            (StatusCode::OK, HeaderMap::new(), json!({ "messageIds": ["x"] }).to_string())
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("not poisoned")
}

/// Waits until every one of `all` messages has ended.
pub async fn settled(store: &SqliteStore, all: u64) -> Ledger {
    let mut last = None;
    loop {
        // Each look waits for some progress, so that a long run may take as long as it needs.
        let now = crate::eventually("something more is settled", async || {
            let open = (store.unfinished().await.ok()?.len(), store.unsent().await.ok()?.len());
            // Read last: what was open a moment ago may have ended since.
            let ledger = store.ledger().await.ok()?;
            let now = (ledger.accepted.0, open, ledger);
            (last.as_ref() != Some(&now)).then_some(now)
        })
        .await;
        if (now.0, now.1) == (all, (0, 0)) {
            return now.2;
        }
        last = Some(now);
    }
}

/// Fails where a message is in no state, or in two.
pub fn balanced(ledger: &Ledger) {
    let sum = ledger.delivered.0 + ledger.refused.0 + ledger.dead.0 + ledger.pending.0;
    assert_eq!(ledger.accepted.0, sum, "{ledger:?}");
}
