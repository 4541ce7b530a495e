//! The routes: `/healthz`, `/readyz`, `/ws`, `/hooks/…` of plugins, and files for everything else. The guard stands before all of them.

use crate::connection::{self, MAX_SOCKETS};
use crate::gateway::Shared;
use crate::hooks;
use crate::listener::Meter;
use crate::requests::MAX_INPUT;
use crate::ui;
use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Read buffer of one socket, bytes. The library's own is 128 KiB for each idle client.
const READ_BUFFER: usize = 16 * 1024;

/// Time in which a socket that has to go is gone.
const MAKING_ROOM: Duration = Duration::from_secs(1);

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { json(StatusCode::OK, r#"{"ok":true}"#) }))
        .route("/readyz", get(ready))
        .route("/ws", any(socket))
        .route("/hooks/{plugin}/{*path}", any(hooks::serve))
        .fallback(ui::serve)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

async fn guard(State(shared): State<Arc<Shared>>, ConnectInfo(meter): ConnectInfo<Meter>, request: Request, next: Next) -> Response {
    meter.busy();
    let response = guarded(shared, request, next).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        meter.upgraded();
    } else {
        meter.answered();
    }
    response
}

async fn guarded(shared: Arc<Shared>, request: Request, next: Next) -> Response {
    if let Some(reason) = shared.guard.refuses(request.uri(), request.headers()) {
        tracing::warn!(reason, "a request was refused before it was looked at");
        return (StatusCode::FORBIDDEN, reason).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if *shared.readiness.borrow() && !shared.stop.is_cancelled() {
        json(StatusCode::OK, r#"{"ready":true}"#)
    } else {
        json(StatusCode::SERVICE_UNAVAILABLE, r#"{"ready":false}"#)
    }
}

async fn socket(State(shared): State<Arc<Shared>>, ConnectInfo(meter): ConnectInfo<Meter>, upgrade: WebSocketUpgrade) -> Response {
    let Some(place) = place(&shared).await else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{MAX_SOCKETS} clients are connected; close one"),
        )
            .into_response();
    };
    if shared.stop.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the program ends").into_response();
    }
    let tracked = shared.tasks.token();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .max_message_size(MAX_INPUT)
        .max_frame_size(MAX_INPUT)
        .on_upgrade(async move |socket| {
            connection::run(shared, socket, meter).await;
            drop((place, tracked));
        })
}

/// A place for a socket. Where none is free, the oldest one that has not been welcomed yet gives up its own.
async fn place(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(&shared.sockets).try_acquire_owned() {
        return Some(place);
    }
    if !shared.strangers.end_oldest_socket() {
        return None;
    }
    tokio::select! {
        place = Arc::clone(&shared.sockets).acquire_owned() => place.ok(),
        () = shared.clock.sleep(MAKING_ROOM) => None,
    }
}

fn json(status: StatusCode, body: &'static str) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")],
        body,
    )
        .into_response()
}
