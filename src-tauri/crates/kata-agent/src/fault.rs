//! Why one attempt failed, in words a person may see.
//!
//! What a provider says about a failure is somebody else's text: it may echo the key or the conversation. Only its error
//! type and one short line get through, after [`scrub`]; where the line repeats the conversation it is dropped whole.

use crate::retry::Retry;
use kata_core::ports::{HistoryItem, ModelError, ModelErrorCode, ModelRequest};
use serde_json::Value;

/// Longest line of a provider that is shown, in characters.
const LONGEST_LINE: usize = 200;
/// A stretch this long (in characters) that also stands in the conversation is taken for an echo of it.
const ECHO: usize = 12;

/// One failed attempt.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) code: ModelErrorCode,
    pub(crate) message: String,
    pub(crate) retry: Retry,
}

impl Fault {
    pub(crate) fn new(code: ModelErrorCode, retry: Retry, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry,
        }
    }
    /// The answer is not what the protocol allows; asking again would bring the same.
    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ModelErrorCode::Protocol, Retry::No, message)
    }
    /// The answer broke off.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self::new(ModelErrorCode::Protocol, Retry::Backoff, message)
    }
    /// The failure of a whole step that never got to an answer.
    pub(crate) fn into_error(self) -> ModelError {
        ModelError {
            code: self.code,
            message: self.message,
            partial: Vec::new(),
        }
    }
    pub(crate) fn cancelled() -> Self {
        Self::new(ModelErrorCode::Cancelled, Retry::No, "stopped on request")
    }
}

/// What must not get into an error text.
pub(crate) struct Secrets<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) request: &'a ModelRequest,
}

/// What a provider said about a failure: `{"error":{"type","message","code"}}`, with or without the wrapping.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) kind: Option<String>,
    pub(crate) line: Option<String>,
}

impl Said {
    /// Reads an error object; anything else (an HTML page) says nothing.
    pub(crate) fn read(body: &Value, secrets: &Secrets<'_>) -> Self {
        let error = body.get("error").unwrap_or(body);
        let word = |name: &str| {
            let text = error.get(name)?.as_str()?;
            let plain = !text.is_empty() && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
            (plain && secrets.key != Some(text)).then(|| text.to_owned())
        };
        let line = error
            .get("message")
            .or(body.get("error"))
            .and_then(Value::as_str)
            .and_then(|text| scrub(text, secrets));
        Self {
            kind: word("code").or_else(|| word("type")),
            line,
        }
    }

    /// The failure this stands for, where the HTTP status is known.
    pub(crate) fn fault(self, status: u16, retry: Retry) -> Fault {
        let code = match status {
            _ if self.exceeded() || status == 413 => ModelErrorCode::ContextExceeded,
            401 | 403 => ModelErrorCode::Unauthorized,
            429 => ModelErrorCode::RateLimited,
            408 | 409 => ModelErrorCode::Unavailable,
            500.. => ModelErrorCode::Unavailable,
            _ => ModelErrorCode::Rejected,
        };
        let retry = if code == ModelErrorCode::ContextExceeded {
            Retry::No
        } else {
            retry
        };
        Fault::new(code, retry, self.sentence(code, &format!("HTTP {status}")))
    }

    /// The failure an error inside a stream stands for; the type is all there is to go by.
    pub(crate) fn stream_fault(self) -> Fault {
        let kind = self.kind.as_deref().unwrap_or_default();
        let (code, retry) = match kind {
            _ if self.exceeded() || kind == "request_too_large" => (ModelErrorCode::ContextExceeded, Retry::No),
            "authentication_error" | "permission_error" | "invalid_api_key" => (ModelErrorCode::Unauthorized, Retry::No),
            "rate_limit_error" | "rate_limit_exceeded" => (ModelErrorCode::RateLimited, Retry::Backoff),
            "invalid_request_error" | "not_found_error" | "billing_error" => (ModelErrorCode::Rejected, Retry::No),
            _ => (ModelErrorCode::Unavailable, Retry::Backoff),
        };
        Fault::new(code, retry, self.sentence(code, "an error in the stream"))
    }

    fn exceeded(&self) -> bool {
        self.kind.as_deref() == Some("context_length_exceeded")
            || self.line.as_deref().is_some_and(|line| {
                let line = line.to_ascii_lowercase();
                [
                    "prompt is too long",
                    "maximum context length",
                    "context window",
                    "exceed context limit",
                ]
                .iter()
                .any(|w| line.contains(w))
            })
    }

    fn sentence(&self, code: ModelErrorCode, source: &str) -> String {
        let what = match code {
            ModelErrorCode::Unauthorized => "the provider refuses the key",
            ModelErrorCode::RateLimited => "the provider says too many requests",
            ModelErrorCode::Unavailable => "the provider is overloaded or failing",
            ModelErrorCode::ContextExceeded => "the conversation no longer fits the model",
            _ => "the provider refuses the request",
        };
        let kind = self.kind.as_deref().map(|kind| format!(", {kind}")).unwrap_or_default();
        let line = self.line.as_deref().map(|line| format!(": {line}")).unwrap_or_default();
        format!("{what} ({source}{kind}){line}")
    }
}

/// One short line without the key, without anything that looks like a key, and nothing at all when it repeats the
/// conversation.
fn scrub(text: &str, secrets: &Secrets<'_>) -> Option<String> {
    let line = text.lines().next()?;
    // The key goes before the line is cut, or a cut key would stay.
    let line = match secrets.key {
        Some(key) if !key.is_empty() => line.replace(key, "[key]"),
        _ => line.to_owned(),
    };
    let line: String = line.chars().filter(|c| !c.is_control()).take(LONGEST_LINE).collect();
    let line = line
        .split(' ')
        .map(|word| if looks_like_a_key(word) { "[key]" } else { word })
        .collect::<Vec<_>>()
        .join(" ");
    (!line.trim().is_empty() && !echoes(&line, secrets.request)).then_some(line)
}

fn looks_like_a_key(word: &str) -> bool {
    // Providers mask keys their own way (`sk-ab***yz`), so the start decides, not the length alone.
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    word.starts_with("sk-") || word.starts_with("Bearer") || (word.len() >= 32 && word.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn echoes(line: &str, request: &ModelRequest) -> bool {
    let starts: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    let found = |text: &str| starts.windows(ECHO + 1).any(|w| text.contains(&line[w[0]..w[ECHO]]));
    found(&request.system)
        || request.history.iter().any(|item| match item {
            HistoryItem::User { text, context, .. } => found(text) || context.iter().any(|text| found(text)),
            HistoryItem::ToolResult { text, .. } => found(text),
            HistoryItem::Assistant { blocks, .. } => blocks.iter().any(|block| strings(block, &found)),
        })
}

fn strings(value: &Value, found: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().any(|item| strings(item, found)),
        Value::Object(map) => map.values().any(|item| strings(item, found)),
        _ => false,
    }
}
