//! The HTTP side of the fake.

use super::wire::{Step, steps};
use super::{Script, Trouble, anthropic, openai, wire};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The fake cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("the fake provider cannot listen on loopback: {0}")]
pub struct FakeError(#[from] std::io::Error);

/// A request as the fake got it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Path.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Value,
}

impl Recorded {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Book {
    requests: Vec<Recorded>,
    violations: Vec<String>,
}

struct Inner {
    script: Script,
    book: Mutex<Book>,
    gate: Semaphore,
    stalled: watch::Sender<usize>,
    asked: watch::Sender<usize>,
}

impl Inner {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running fake; it stops when dropped.
pub struct FakeProvider {
    /// Its address without a path, such as `http://127.0.0.1:40123`. OpenAI clients want `/v1` behind it.
    pub base_url: String,
    inner: Arc<Inner>,
    server: JoinSet<()>,
}

impl FakeProvider {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(script: Script) -> Result<Self, FakeError> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let inner = Arc::new(Inner {
            script,
            book: Mutex::default(),
            gate: Semaphore::new(0),
            stalled: watch::Sender::new(0),
            asked: watch::Sender::new(0),
        });
        let router = Router::new()
            .route("/v1/messages", post(answer))
            .route("/v1/chat/completions", post(answer))
            .route("/v1/messages/count_tokens", post(count_tokens))
            .route("/v1/models", get(models))
            .route("/api/tags", get(tags))
            .with_state(inner.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            // It ends with the listener, when the set is dropped; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { base_url, inner, server })
    }

    /// Questions so far (not the small ones: token counts, lists).
    pub fn requests(&self) -> Vec<Recorded> {
        self.inner.book().requests.clone()
    }

    /// What was wrong with them.
    pub fn violations(&self) -> Vec<String> {
        self.inner.book().violations.clone()
    }

    /// Lets `events` more events of gated answers through.
    pub fn release(&self, events: usize) {
        self.inner.gate.add_permits(events);
    }

    /// Returns once an answer has stalled.
    pub async fn stalled(&self) {
        let mut stalled = self.inner.stalled.subscribe();
        let _ = stalled.wait_for(|count| *count > 0).await;
    }

    /// Returns once `count` questions have come.
    pub async fn asked(&self, count: usize) {
        let mut asked = self.inner.asked.subscribe();
        let _ = asked.wait_for(|so_far| *so_far >= count).await;
    }

    /// Serves until the task is dropped.
    pub async fn serve(mut self) {
        self.server.join_next().await;
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request<Body>) -> Response {
    let path = request.uri().path().to_owned();
    let headers = listed(request.headers());
    let Ok(bytes) = axum::body::to_bytes(request.into_body(), 64 << 20).await else {
        return refusal(413, "request_too_large", "too large");
    };
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let messages = path.ends_with("/messages");
    let violation = if messages {
        anthropic::violation(&body)
    } else {
        openai::violation(&body)
    };
    let nth = {
        let mut book = inner.book();
        book.requests.push(Recorded {
            path,
            headers,
            body: body.clone(),
        });
        book.violations.extend(violation.clone());
        book.requests.len() - 1
    };
    inner.asked.send_modify(|count| *count += 1);
    if let Some(violation) = violation {
        return refusal(400, "invalid_request_error", &violation);
    }
    let answer = inner.script.answer(nth, &body);
    if let Some(Trouble::Refuse(status, headers, body)) = answer.troubles.iter().find(|t| matches!(t, Trouble::Refuse(..))) {
        let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
        let mut response = Response::builder().status(*status).header("content-type", kind);
        for (name, value) in headers {
            response = response.header(name, value);
        }
        return response
            .body(Body::from(body.clone()))
            .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    let frames = match &answer.raw {
        Some(lines) => lines
            .iter()
            .map(|line| {
                let event = serde_json::from_str::<Value>(line)
                    .ok()
                    .and_then(|data| data["type"].as_str().map(str::to_owned));
                wire::Frame {
                    event: event.filter(|_| messages),
                    data: line.clone(),
                }
            })
            .collect(),
        None if messages => anthropic::frames(&answer, &body["model"], nth),
        None => openai::frames(&answer, &body, nth),
    };
    let steps = steps(&answer, frames, messages, &body);
    let stream = futures::stream::iter(steps).then(move |step| {
        let inner = inner.clone();
        async move {
            // Giving way makes the server write what it has, so that each step travels alone.
            tokio::task::yield_now().await;
            match step {
                Step::Send(bytes) => Ok(bytes),
                Step::Gate => {
                    if let Ok(permit) = inner.gate.acquire().await {
                        permit.forget();
                    }
                    Ok(Bytes::new())
                }
                Step::Stall => {
                    inner.stalled.send_modify(|count| *count += 1);
                    futures::future::pending().await
                }
                Step::Break => Err(std::io::Error::other("broken on purpose")),
            }
        }
    });
    let stream = stream.filter(|step| futures::future::ready(!step.as_ref().is_ok_and(Bytes::is_empty)));
    (
        [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")],
        Body::from_stream(stream),
    )
        .into_response()
}

async fn count_tokens(body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    match body["messages"].is_array() {
        true => Json(json!({"input_tokens": body.to_string().len() / 4})).into_response(),
        false => refusal(400, "invalid_request_error", "messages: Field required"),
    }
}

async fn models() -> Json<Value> {
    Json(json!({"object": "list", "data": [{"id": "fake-model", "object": "model"}, {"id": "fake-embed", "object": "model"}]}))
}

async fn tags() -> Json<Value> {
    Json(json!({"models": [{"name": "fake-llama:latest"}, {"name": "nomic-embed-text:latest"}]}))
}

fn refusal(status: u16, kind: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Json(json!({"type": "error", "error": {"type": kind, "message": message}}))).into_response()
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect()
}
