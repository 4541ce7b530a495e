//! `fetch` on the host's side: the allow-list before every hop, redirects followed here, the answer bounded.

use crate::body::{Pieces, taken_back};
use crate::network::Blocked;
use crate::ports::Reach;
use crate::standing::Lease;
use bytes::Bytes;
use futures::StreamExt;
use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, PROXY_AUTHORIZATION,
};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Most redirects followed.
const MAX_HOPS: usize = 10;
/// Most bytes of a body that are taken along with the head.
const EARLY: usize = 256 << 10;
/// Most bytes of headers a plugin may send.
const MAX_HEADERS: usize = 64 << 10;

/// A request as JavaScript hands it over.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    url: String,
    method: String,
    headers: Vec<(String, String)>,
    redirect: String,
    /// Number of a body that is written piece by piece.
    #[serde(default)]
    pub(crate) upload: Option<u32>,
    /// Its length, where it is known.
    #[serde(default)]
    length: Option<u64>,
    /// No header of the plugin's goes on to another host.
    #[serde(skip)]
    guarded: bool,
}

impl Request {
    /// One whose answer is kept by the host.
    pub(crate) fn download(url: String, method: String, headers: Vec<(String, String)>) -> Self {
        Self {
            url,
            method,
            headers,
            redirect: "follow".into(),
            upload: None,
            length: None,
            guarded: true,
        }
    }
}

/// What JavaScript gets; the body goes beside it when it is not text.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    status: u16,
    status_text: &'static str,
    url: String,
    redirected: bool,
    opaque: bool,
    headers: Vec<(String, String)>,
    /// The whole body, when it is text and was there at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Number of a body that is still to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
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
    #[error("fetch: {host}: {open} answers are open already; read them or cancel them")]
    TooMany { host: String, open: usize },
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
            Self::BadRequest(_) | Self::Failed { .. } | Self::Redirected { .. } | Self::TooLarge { .. } | Self::TooMany { .. } => None,
        }
    }
}

/// A request's body.
pub(crate) enum Outgoing {
    None,
    Bytes(Bytes),
    /// Written piece by piece; cannot be sent twice.
    Pieces(reqwest::Body),
}

impl Outgoing {
    fn again(&self) -> bool {
        !matches!(self, Self::Pieces(_))
    }
}

/// Performs one request, until the head of its answer is there. What of the body has come by then goes along when it is
/// the whole of it; else the plugin asks for it by number.
pub(crate) async fn fetch(reach: &Reach, request: Request, body: Outgoing) -> Result<(Answer, Option<Vec<u8>>), FetchError> {
    let url = Url::parse(&request.url).map_err(|_| FetchError::BadRequest("the URL is not valid"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let limit = reach.options.fetch_timeout;
    let exchange = follow(reach, request, url, body);
    let head = tokio::time::timeout(limit, exchange)
        .await
        .unwrap_or(Err(FetchError::Timeout { host, limit }))?;
    head.begin(reach).await
}

/// An answer whose body is still to come.
pub(crate) struct Began {
    pub(crate) host: String,
    pub(crate) status: u16,
    /// Media type it claims to have.
    pub(crate) mime: Option<String>,
    /// Length it claims to have.
    pub(crate) length: Option<u64>,
    pub(crate) lease: Arc<Lease>,
    pub(crate) pieces: Pieces,
}

/// Begins a request whose answer the host takes itself.
pub(crate) async fn begin(reach: &Reach, request: Request) -> Result<Began, FetchError> {
    let url = Url::parse(&request.url).map_err(|_| FetchError::BadRequest("the URL is not valid"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let limit = reach.options.fetch_timeout;
    let head = tokio::time::timeout(limit, follow(reach, request, url, Outgoing::None))
        .await
        .unwrap_or(Err(FetchError::Timeout { host, limit }))?;
    let host = head.url.host_str().unwrap_or_default().to_owned();
    let (told, redirected) = (host.clone(), head.redirected);
    let mime = head
        .response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    Ok(Began {
        host,
        status: head.response.status().as_u16(),
        mime,
        length: head.response.content_length(),
        lease: head.lease,
        pieces: head
            .response
            .bytes_stream()
            .map(move |piece| piece.map_err(|e| failed(&told, &e, redirected)))
            .boxed(),
    })
}

/// The head of an answer, and what keeps its connection.
struct Head {
    response: reqwest::Response,
    lease: Arc<Lease>,
    url: Url,
    redirected: bool,
    opaque: bool,
}

async fn follow(reach: &Reach, request: Request, mut url: Url, mut body: Outgoing) -> Result<Head, FetchError> {
    let standing = &*reach.standing;
    let mut method = Method::from_bytes(request.method.as_bytes()).map_err(|_| FetchError::BadRequest("the method is not valid"))?;
    if matches!(method, Method::CONNECT | Method::TRACE) {
        return Err(FetchError::BadRequest("the method is not allowed"));
    }
    let mut headers = header_map(&request.headers)?;
    if let Some(length) = request.length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut lease = standing.lease(&url, &reach.stop)?;
    let mut how = standing.reach(&url)?;
    for hop in 0..=MAX_HOPS {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut builder = reach
            .clients
            .for_reach(how)
            .ok_or_else(|| FetchError::Failed {
                host: host.clone(),
                reason: "this machine has no certificates of authorities",
            })?
            .request(method.clone(), url.clone())
            .headers(headers.clone());
        let once = !body.again();
        body = match body {
            Outgoing::None => Outgoing::None,
            Outgoing::Bytes(bytes) => {
                builder = builder.body(bytes.clone());
                Outgoing::Bytes(bytes)
            }
            Outgoing::Pieces(pieces) => {
                builder = builder.body(pieces);
                Outgoing::None
            }
        };
        let response = tokio::select! {
            biased;
            () = lease.ended() => return Err(FetchError::Blocked(taken_back(standing, &url))),
            sent = builder.send() => sent.map_err(|e| failed(&host, &e, hop > 0))?,
        };
        let target = redirect_target(&response, &url);
        let opaque = request.redirect == "manual" && target.is_some();
        let Some(next) = target.filter(|_| request.redirect != "manual") else {
            return Ok(Head {
                response,
                lease,
                url,
                redirected: hop > 0,
                opaque,
            });
        };
        if request.redirect == "error" {
            return Err(FetchError::Failed {
                host,
                reason: "the server redirects, and the request says not to follow",
            });
        }
        let refused = |blocked| FetchError::Redirected {
            host: host.clone(),
            blocked,
        };
        lease = standing.lease(&next, &reach.stop).map_err(refused)?;
        how = standing.reach(&next).map_err(refused)?;
        let status = response.status();
        let becomes_get = status == StatusCode::SEE_OTHER && method != Method::HEAD
            || matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND) && method == Method::POST;
        if becomes_get {
            method = Method::GET;
            body = Outgoing::None;
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_LENGTH);
        } else if once {
            return Err(FetchError::Failed {
                host,
                reason: "the server redirects, and a body that is a stream cannot be sent twice",
            });
        }
        if next.origin() != url.origin() && request.guarded {
            headers.clear();
        } else if next.origin() != url.origin() {
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

impl Head {
    /// Takes what is there of the body already, and keeps the rest.
    async fn begin(self, reach: &Reach) -> Result<(Answer, Option<Vec<u8>>), FetchError> {
        let (status, redirected) = (self.response.status(), self.redirected);
        let latin = |v: &HeaderValue| v.as_bytes().iter().copied().map(char::from).collect();
        let headers = self.response.headers().iter().map(|(k, v)| (k.as_str().to_owned(), latin(v)));
        let mut answer = Answer {
            status: status.as_u16(),
            status_text: status.canonical_reason().unwrap_or(""),
            url: self.url.to_string(),
            redirected,
            opaque: self.opaque,
            headers: headers.collect(),
            body: None,
            id: None,
        };
        let host = self.url.host_str().unwrap_or_default().to_owned();
        let told = host.clone();
        let pieces = self.response.bytes_stream();
        let mut pieces: Pieces = pieces.map(move |piece| piece.map_err(|e| failed(&told, &e, redirected))).boxed();
        let mut early = VecDeque::new();
        let (mut size, mut turns) = (0, 0);
        let whole = loop {
            match futures::future::poll_immediate(pieces.next()).await {
                Some(Some(piece)) => {
                    let piece = piece?;
                    size += piece.len();
                    early.push_back(piece);
                    if size > EARLY {
                        break false;
                    }
                }
                Some(None) => break true,
                // What came in one packet with the head is a turn of the pool away.
                None if turns < 3 => {
                    turns += 1;
                    tokio::task::yield_now().await;
                }
                None => break false,
            }
        };
        if whole {
            let bytes = early.into_iter().fold(Vec::with_capacity(size), |mut all, piece| {
                all.extend_from_slice(&piece);
                all
            });
            let (body, bytes) = text_or_bytes(bytes);
            answer.body = body;
            return Ok((answer, bytes));
        }
        let idle = reach.options.fetch_timeout;
        let id = reach.bodies.keep(&reach.tasks, &self.url, self.lease, early, pieces, idle)?;
        answer.id = Some(id);
        Ok((answer, None))
    }
}

/// Most answers are text, and text crosses into JavaScript at a third of the cost of bytes.
pub(crate) fn text_or_bytes(bytes: Vec<u8>) -> (Option<String>, Option<Vec<u8>>) {
    match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(e) => (None, Some(e.into_bytes())),
    }
}

fn header_map(list: &[(String, String)]) -> Result<HeaderMap, FetchError> {
    if list.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>() > MAX_HEADERS {
        return Err(FetchError::BadRequest("the headers are over 64 KB"));
    }
    let mut map = HeaderMap::new();
    for (name, value) in list {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| FetchError::BadRequest("a header name is not valid"))?;
        let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        let value = value.ok_or(FetchError::BadRequest("a header value is not valid"))?;
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
