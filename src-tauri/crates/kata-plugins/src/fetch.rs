//! `fetch` on the host's side: the allow-list before every hop, redirects followed here, the answer bounded.

use crate::network::{Blocked, Clients};
use crate::standing::Standing;
use bytes::Bytes;
use futures::StreamExt;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, PROXY_AUTHORIZATION,
};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Most redirects followed.
const MAX_HOPS: usize = 10;
/// Most bytes of headers a plugin may send.
const MAX_HEADERS: usize = 64 << 10;

/// A request as JavaScript hands it over.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    redirect: String,
}

/// What JavaScript gets; the body goes beside it when it is not text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    status: u16,
    status_text: &'static str,
    url: String,
    redirected: bool,
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

/// Why there is no answer. Never contains the URL's path or query: they may carry a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("fetch: {0}")]
    Blocked(#[from] Blocked),
    #[error("fetch: {0}")]
    BadRequest(&'static str),
    #[error("fetch: {host}: cannot connect")]
    Connect { host: String },
    #[error("fetch: {host}: {reason}")]
    Failed { host: String, reason: &'static str },
    #[error("fetch: {host}: redirected to a place that is refused: {blocked}")]
    Redirected { host: String, blocked: Blocked },
    #[error("fetch: {host}: the answer is over {limit} bytes")]
    TooLarge { host: String, limit: usize },
    #[error("fetch: {host}: no answer within {limit:?}")]
    Timeout { host: String, limit: Duration },
    #[error("fetch: {host}: timed out")]
    TimedOut { host: String },
}

impl FetchError {
    /// What a plugin branches on. `connect` and `forbidden` say that no request has left, so that it may send again; what
    /// fails on the way to a redirect's target has neither, because the first server has had the request by then.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Blocked(_) => Some("forbidden"),
            Self::Connect { .. } => Some("connect"),
            Self::Timeout { .. } | Self::TimedOut { .. } => Some("timeout"),
            Self::BadRequest(_) | Self::Failed { .. } | Self::Redirected { .. } | Self::TooLarge { .. } => None,
        }
    }
}

/// Performs one request.
pub(crate) async fn fetch(
    clients: &Clients,
    standing: &Standing,
    request: Request,
    body: Option<Bytes>,
    limit: Duration,
    max: usize,
) -> Result<(Answer, Option<Vec<u8>>), FetchError> {
    let url = Url::parse(&request.url).map_err(|_| FetchError::BadRequest("the URL is not valid"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let lease = standing.lease(&url, &CancellationToken::new())?;
    let exchange = follow(clients, standing, request, url.clone(), body, max);
    tokio::select! {
        answered = tokio::time::timeout(limit, exchange) => answered.unwrap_or(Err(FetchError::Timeout { host, limit })),
        () = lease.ended() => {
            let reason = "its capability was taken back while it was on its way";
            Err(standing.reach(&url).map_or_else(FetchError::Blocked, |_| FetchError::Failed { host, reason }))
        }
    }
}

async fn follow(
    clients: &Clients,
    standing: &Standing,
    request: Request,
    mut url: Url,
    mut body: Option<Bytes>,
    max: usize,
) -> Result<(Answer, Option<Vec<u8>>), FetchError> {
    let mut method = Method::from_bytes(request.method.as_bytes()).map_err(|_| FetchError::BadRequest("the method is not valid"))?;
    if matches!(method, Method::CONNECT | Method::TRACE) {
        return Err(FetchError::BadRequest("the method is not allowed"));
    }
    let mut headers = header_map(&request.headers)?;
    let mut reach = standing.reach(&url)?;
    for hop in 0..=MAX_HOPS {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut builder = clients
            .for_reach(reach)
            .request(method.clone(), url.clone())
            .headers(headers.clone());
        if let Some(bytes) = &body {
            builder = builder.body(bytes.clone());
        }
        let response = builder.send().await.map_err(|e| failed(&host, &e, hop > 0))?;
        let target = redirect_target(&response, &url);
        let Some(next) = target.filter(|_| request.redirect != "manual") else {
            return read(response, host, hop > 0, max).await;
        };
        if request.redirect == "error" {
            return Err(FetchError::Failed {
                host,
                reason: "the server redirects, and the request says not to follow",
            });
        }
        reach = standing.reach(&next).map_err(|blocked| FetchError::Redirected { host, blocked })?;
        let status = response.status();
        let becomes_get = status == StatusCode::SEE_OTHER && method != Method::HEAD
            || matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND) && method == Method::POST;
        if becomes_get {
            method = Method::GET;
            body = None;
            headers.remove(CONTENT_TYPE);
        }
        if next.origin() != url.origin() {
            for private in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                headers.remove(private);
            }
        }
        url = next;
    }
    Err(FetchError::Failed {
        host: url.host_str().unwrap_or_default().to_owned(),
        reason: "too many redirects",
    })
}

fn header_map(list: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    if list.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > MAX_HEADERS {
        return Err(FetchError::BadRequest("the headers are over 64 KB"));
    }
    let mut map = HeaderMap::new();
    for (name, value) in list {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::BadRequest("a header name is not valid"))?;
        let value = HeaderValue::from_str(value).map_err(|_| FetchError::BadRequest("a header value is not valid"))?;
        // The host decides where a request goes and how long it is.
        if ![HOST, CONTENT_LENGTH].contains(&name) && !["transfer-encoding", "connection", "upgrade"].contains(&name.as_str()) {
            map.append(name, value);
        }
    }
    Ok(map)
}

fn redirect_target(response: &reqwest::Response, base: &Url) -> Option<Url> {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308).then_some(())?;
    base.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

async fn read(response: reqwest::Response, host: String, redirected: bool, max: usize) -> Result<(Answer, Option<Vec<u8>>), FetchError> {
    let status = response.status();
    let headers = response
        .headers()
        .iter()
        .map(|(k, v)| (k.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
        .collect();
    let url = response.url().to_string();
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(FetchError::TooLarge { host, limit: max });
    }
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|e| failed(&host, &e, redirected))?;
        if bytes.len() + chunk.len() > max {
            return Err(FetchError::TooLarge { host, limit: max });
        }
        bytes.extend_from_slice(&chunk);
    }
    // Most answers are text, and text crosses into JavaScript at a third of the cost of bytes.
    let (body, bytes) = match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(e) => (None, Some(e.into_bytes())),
    };
    let status_text = status.canonical_reason().unwrap_or("");
    Ok((
        Answer {
            status: status.as_u16(),
            status_text,
            url,
            redirected,
            headers,
            body,
        },
        bytes,
    ))
}

fn failed(host: &str, error: &reqwest::Error, redirected: bool) -> FetchError {
    let host = host.to_owned();
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(e) = cause {
        if let Some(Blocked::Local(_)) = e.downcast_ref::<Blocked>() {
            let blocked = Blocked::Local(host.clone());
            return if redirected {
                FetchError::Redirected { host, blocked }
            } else {
                FetchError::Blocked(blocked)
            };
        }
        cause = e.source();
    }
    let reason = if error.is_connect() {
        if !redirected {
            return FetchError::Connect { host };
        }
        "cannot connect to where the server redirects"
    } else if error.is_timeout() {
        return FetchError::TimedOut { host };
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the request failed"
    };
    FetchError::Failed { host, reason }
}
