//! Requests to a provider: no redirect is followed, an answer has a bound, and what providers write in ways of their own is made
//! what RFC 6749 says before anybody reads it. A success that cannot be read would lose a refresh token that was just replaced.

use kata_core::ports::Clock;
use kata_protocol::Ms;
use oauth2::http::{Response, StatusCode, header};
use oauth2::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Longest answer, bytes.
const MAX_ANSWER: usize = 1 << 20;
/// For a whole request.
const TIMEOUT: Duration = Duration::from_secs(30);
/// For the connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The connection or the transfer failed.
    #[error("{0}")]
    Failed(String),
    /// Longer than it may be.
    #[error("the answer has more than {MAX_ANSWER} bytes")]
    TooLong,
}

/// What an answer said besides its body.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// HTTP status.
    pub(crate) status: Option<u16>,
    /// How long the provider asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// The connection was never there, so nothing was carried out.
    pub(crate) unsent: bool,
}

/// Said where no connection could be trusted.
const NO_ROOTS: &str = "this machine has no certificates of authorities (package ca-certificates)";

/// The client for all providers.
#[derive(Clone)]
pub(crate) struct Http {
    /// Made when first needed: reading the system's roots of trust takes memory that somebody without accounts never pays.
    client: Arc<OnceLock<Option<reqwest::Client>>>,
    clock: Arc<dyn Clock>,
    /// How far the provider's clock was ahead of ours at the last answer that said its time, milliseconds.
    skew_ms: Arc<Mutex<Option<i64>>>,
}

impl Http {
    /// Nothing is connected yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            client: Arc::default(),
            clock,
            skew_ms: Arc::default(),
        }
    }

    /// A client that follows no redirect; nothing where this machine has no roots of trust.
    fn client(&self) -> Option<&reqwest::Client> {
        let made = self.client.get_or_init(|| {
            let built = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(TIMEOUT)
                .connect_timeout(CONNECT)
                .user_agent(concat!("kata-agents/", env!("CARGO_PKG_VERSION")))
                .build();
            if let Err(error) = &built {
                tracing::error!(%error, "no HTTP client for providers");
            }
            built.ok()
        });
        made.as_ref()
    }

    /// How far the provider's clock was ahead of ours at the last answer that said its time.
    pub(crate) fn skew_ms(&self) -> Option<i64> {
        *self.skew_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request; what the answer said besides its body is put into `seen`.
    pub(crate) async fn send(&self, request: HttpRequest, seen: &Mutex<Seen>) -> Result<HttpResponse, NoAnswer> {
        let note = |change: &dyn Fn(&mut Seen)| change(&mut seen.lock().unwrap_or_else(PoisonError::into_inner));
        let failed = |error: reqwest::Error| {
            if error.is_connect() || error.is_builder() {
                note(&|seen| seen.unsent = true);
            }
            // Without the address: a revocation or an odd provider may have a token in it.
            NoAnswer::Failed(words(&error.without_url()))
        };
        let (parts, body) = request.into_parts();
        let Some(client) = self.client() else {
            note(&|seen| seen.unsent = true);
            return Err(NoAnswer::Failed(NO_ROOTS.into()));
        };
        let request = client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(body);
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        self.note_time(answer.headers());
        let retry_after = retry_after(answer.headers(), self.clock.now());
        note(&|seen| {
            seen.status = Some(status.as_u16());
            seen.retry_after = retry_after;
        });
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(NoAnswer::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        let (status, body) = plain(status, body);
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Ok(response)
    }

    fn note_time(&self, headers: &header::HeaderMap) {
        let date = headers.get(header::DATE).and_then(|d| d.to_str().ok());
        let Some(theirs) = date.and_then(|d| httpdate::parse_http_date(d).ok()) else {
            return;
        };
        let Ok(theirs) = theirs.duration_since(std::time::UNIX_EPOCH) else {
            return;
        };
        let (theirs, ours) = (i64::try_from(theirs.as_millis()), i64::try_from(self.clock.now().0));
        if let (Ok(theirs), Ok(ours)) = (theirs, ours) {
            *self.skew_ms.lock().unwrap_or_else(PoisonError::into_inner) = Some(theirs - ours);
        }
    }
}

/// The innermost reason, which says what happened; the outer ones say “error sending request”.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".into();
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// RFC 9110 §10.2.3: seconds, or a date.
fn retry_after(headers: &header::HeaderMap, now: Ms) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    at.checked_sub(Duration::from_millis(now.0))
}

/// An answer as RFC 6749 says it.
fn plain(status: StatusCode, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(&body) else {
        return (status, body);
    };
    // Slack: the person's own token stands below `authed_user`.
    if !answer.contains_key("access_token")
        && let Some(Value::Object(user)) = answer.get("authed_user").cloned()
        && user.contains_key("access_token")
    {
        answer.extend(user);
    }
    let has_token = answer.get("access_token").is_some_and(Value::is_string);
    // GitHub and Slack say no with 200.
    let says_no = answer.get("error").is_some_and(Value::is_string) && !has_token;
    if !status.is_success() || says_no {
        let status = if status.is_success() { StatusCode::BAD_REQUEST } else { status };
        return (status, write(answer, body));
    }
    if has_token {
        tidy_tokens(&mut answer);
    }
    if let Some(interval) = answer.get("interval").and_then(whole) {
        answer.insert("interval".into(), interval.into());
    }
    // RFC 6749 §5.1 wants 200; some say 201.
    (StatusCode::OK, write(answer, body))
}

fn tidy_tokens(answer: &mut Map<String, Value>) {
    match answer.get("expires_in").and_then(whole) {
        Some(seconds) => answer.insert("expires_in".into(), seconds.into()),
        None => answer.remove("expires_in"),
    };
    if !answer.get("token_type").is_some_and(Value::is_string) {
        answer.insert("token_type".into(), "bearer".into());
    }
    if answer.get("refresh_token").and_then(Value::as_str).is_none_or(str::is_empty) {
        answer.remove("refresh_token");
    }
    let scopes = match answer.get("scope") {
        // GitHub and Slack write commas.
        Some(Value::String(text)) => Some(text.replace(',', " ")),
        Some(Value::Array(list)) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")),
        _ => None,
    };
    match scopes.filter(|s| !s.trim().is_empty()) {
        Some(text) => answer.insert("scope".into(), text.split_whitespace().collect::<Vec<_>>().join(" ").into()),
        None => answer.remove("scope"),
    };
}

/// A number of seconds, however it is written; what is below zero is nothing left.
fn whole(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n
            .as_u64()
            .or_else(|| n.as_f64().filter(|f| f.is_finite()).map(|f| f.max(0.0) as u64)),
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|f| f.is_finite()).map(|f| f.max(0.0) as u64),
        _ => None,
    }
}

fn write(answer: Map<String, Value>, otherwise: Vec<u8>) -> Vec<u8> {
    serde_json::to_vec(&Value::Object(answer)).unwrap_or(otherwise)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(status: u16, body: &Value) -> (u16, Value) {
        let (status, body) = plain(StatusCode::from_u16(status).unwrap(), body.to_string().into_bytes());
        (status.as_u16(), serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn a_success_is_read_however_a_provider_writes_it() {
        let tidy = json!({"access_token":"a","token_type":"bearer","expires_in":3600,"scope":"repo gist"});
        for odd in [
            json!({"access_token":"a","token_type":"bearer","expires_in":"3600","scope":"repo,gist"}),
            json!({"access_token":"a","expires_in":3600.4,"scope":["repo","gist"],"refresh_token":null}),
            json!({"access_token":"a","token_type":"bearer","expires_in":3600,"scope":" repo  gist ","refresh_token":""}),
        ] {
            assert_eq!(read(200, &odd), (200, tidy.clone()), "{odd}");
        }
        assert_eq!(read(201, &tidy), (200, tidy.clone()));
        let past = read(200, &json!({"access_token":"a","token_type":"bearer","expires_in":-5})).1;
        assert_eq!(past["expires_in"], 0);
        let slack = read(
            200,
            &json!({"ok":true,"authed_user":{"access_token":"xoxp","scope":"a,b","token_type":"user"}}),
        )
        .1;
        assert_eq!((&slack["access_token"], &slack["scope"]), (&json!("xoxp"), &json!("a b")));
    }

    #[test]
    fn a_no_that_comes_with_200_is_a_no() {
        assert_eq!(read(200, &json!({"error":"bad_refresh_token"})).0, 400);
        assert_eq!(read(200, &json!({"ok":false,"error":"invalid_refresh_token"})).0, 400);
        assert_eq!(read(503, &json!({"error":"server_error"})).0, 503);
    }
}
