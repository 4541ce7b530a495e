//! `/hooks/<plugin>/<path>`: requests from outside for a plugin's own paths. No token of ours: the plugin verifies its
//! caller. The guard stands before it all the same, so a web page reaches nothing here.

use crate::gateway::Shared;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kata_core::ports::{RouteAnswer, RouteRefusal, RouteRequest};
use std::sync::Arc;
use std::time::Duration;

/// Largest body, bytes.
const MAX_BODY: usize = 1 << 20;
/// Time a caller has to send it.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Requests at once, over all plugins.
pub(crate) const AT_ONCE: usize = 32;

pub(crate) async fn serve(State(shared): State<Arc<Shared>>, Path((plugin, path)): Path<(String, String)>, request: Request) -> Response {
    let Some(routes) = shared.routes.get() else {
        return refuse(RouteRefusal::NotFound);
    };
    let Ok(_place) = shared.hooks.try_acquire() else {
        return say(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once; try again");
    };
    if shared.stop.is_cancelled() {
        return refuse(RouteRefusal::Down);
    }
    let (parts, body) = request.into_parts();
    let read = tokio::select! {
        read = to_bytes(body, MAX_BODY) => read,
        () = shared.clock.sleep(BODY_TIME) => return say(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    };
    let Ok(body) = read else {
        return say(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MiB or broke off");
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = RouteRequest {
        plugin,
        path,
        method: parts.method.as_str().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: body.to_vec(),
    };
    match routes.serve(request).await {
        Ok(answer) => respond(answer),
        Err(refusal) => refuse(refusal),
    }
}

fn respond(answer: RouteAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    // What a plugin answers is never a page of this origin.
    let policy = HeaderValue::from_static("sandbox; default-src 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
        .headers_mut()
        .entry(header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn refuse(refusal: RouteRefusal) -> Response {
    let status = match &refusal {
        RouteRefusal::NotFound => StatusCode::NOT_FOUND,
        RouteRefusal::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        RouteRefusal::Down => StatusCode::SERVICE_UNAVAILABLE,
        RouteRefusal::Late => StatusCode::GATEWAY_TIMEOUT,
        RouteRefusal::Failed => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = say(status, &refusal.to_string());
    if let RouteRefusal::Method(methods) = refusal
        && let Ok(methods) = HeaderValue::try_from(methods)
    {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

fn say(status: StatusCode, words: &str) -> Response {
    (status, words.to_owned()).into_response()
}
