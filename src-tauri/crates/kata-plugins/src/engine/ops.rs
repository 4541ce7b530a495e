//! Calls from a plugin to the host. Each runs on the host's pool and is answered by a settlement in the plugin's inbox.
//! Capabilities are checked here, on the host's side of the boundary.

use super::inbox::Settled;
use crate::fetch::{self, FetchError};
use crate::ports::Reach;
use bytes::Bytes;
use kata_core::ports::PluginPart;
use kata_protocol::{ChannelId, InboundDraft, Json, WireError};
use serde_json::{Value, json};

/// Longest key of the plugin's state, bytes.
const MAX_KEY: usize = 512;

/// What a plugin asks for.
#[derive(Debug)]
pub(crate) enum Op {
    Secret(String),
    StateGet(String),
    StateSet { key: String, value: String },
    StateDelete(String),
    Receive { channel: ChannelId, draft: Value },
    Fetch { request: fetch::Request, body: Option<Bytes> },
}

/// Why a host call failed; becomes an exception in the plugin.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct OpError {
    /// `Error` or `TypeError`.
    name: &'static str,
    code: Option<String>,
    message: String,
}

impl OpError {
    pub(crate) fn of_type(message: impl Into<String>) -> Self {
        Self {
            name: "TypeError",
            code: None,
            message: message.into(),
        }
    }

    /// As the prelude takes it: JSON `{name, code, message}`.
    pub(crate) fn to_json(&self) -> String {
        json!({ "name": self.name, "code": self.code, "message": self.message }).to_string()
    }

    fn denied(error: &crate::capability::Denied) -> Self {
        Self {
            name: "Error",
            code: Some("forbidden".into()),
            message: error.to_string(),
        }
    }
}

impl From<WireError> for OpError {
    fn from(error: WireError) -> Self {
        let code = serde_json::to_value(error.code).ok().and_then(|c| c.as_str().map(str::to_owned));
        Self {
            name: "Error",
            code,
            message: error.message,
        }
    }
}

impl From<FetchError> for OpError {
    /// A `TypeError`, as the web's `fetch` rejects with.
    fn from(error: FetchError) -> Self {
        Self {
            code: error.code().map(str::to_owned),
            ..Self::of_type(error.to_string())
        }
    }
}

impl Op {
    /// Decodes a request. `channels` are the plugin's own: an envelope that names another is refused before its payload is
    /// looked at.
    pub(crate) fn decode(name: &str, args: String, body: Option<Bytes>, channels: &[ChannelId]) -> Result<Self, OpError> {
        let bad = |e: serde_json::Error| OpError::of_type(format!("{name}: {e}"));
        let op = match name {
            "secret" => Self::Secret(args),
            "state_get" => Self::StateGet(args),
            "state_delete" => Self::StateDelete(args),
            "state_set" => {
                let (key, value) = serde_json::from_str(&args).map_err(bad)?;
                Self::StateSet { key, value }
            }
            "receive" => {
                let (channel, draft): (String, Value) =
                    serde_json::from_str(&args).map_err(|_| OpError::of_type("receive: the draft is missing or nested too deep"))?;
                let channel = channels.iter().find(|c| c.as_str() == channel);
                let channel = channel
                    .ok_or_else(|| OpError::of_type("receive: this plugin has registered no such channel"))?
                    .clone();
                Self::Receive { channel, draft }
            }
            "fetch" => Self::Fetch {
                request: serde_json::from_str(&args).map_err(bad)?,
                body,
            },
            _ => return Err(OpError::of_type(format!("the host knows no “{name}”"))),
        };
        match &op {
            Self::StateGet(key) | Self::StateDelete(key) | Self::StateSet { key, .. } if key.is_empty() || key.len() > MAX_KEY => {
                Err(OpError::of_type(format!("state: a key has 1 to {MAX_KEY} bytes")))
            }
            _ => Ok(op),
        }
    }
}

/// Runs one and gives its settlement.
pub(crate) async fn settle(id: u32, op: Op, reach: &Reach) -> Settled {
    Settled {
        id,
        result: run(op, reach).await,
    }
}

async fn run(op: Op, reach: &Reach) -> Result<(Option<String>, Option<Vec<u8>>), OpError> {
    let text = |t: Option<String>| Ok((t, None));
    match op {
        Op::Secret(name) => {
            reach.standing.check(&format!("secret:{name}")).map_err(|e| OpError::denied(&e))?;
            let secret = reach.backend.secret(&reach.plugin, &name).await?;
            text(secret.map(|s| Value::String(s).to_string()))
        }
        Op::StateGet(key) => text(reach.backend.state_get(&reach.plugin, &key).await?.map(|v| v.0.to_string())),
        Op::StateDelete(key) => {
            reach.backend.state_set(&reach.plugin, &key, None).await?;
            text(None)
        }
        Op::StateSet { key, value } => {
            let value = serde_json::from_str(&value).map_err(|_| OpError::of_type("state.set: the value is nested too deep"))?;
            reach.backend.state_set(&reach.plugin, &key, Some(Json(value))).await?;
            text(None)
        }
        Op::Receive { channel, draft } => {
            let draft = decode_draft(&channel, draft).inspect_err(|e| reach.reporter.fault("bad_result", e.message.clone()))?;
            let answer = reach.backend.ingest(&reach.plugin, &channel, draft).await?;
            text(Some(serde_json::to_string(&answer).map_err(|e| OpError::of_type(e.to_string()))?))
        }
        Op::Fetch { request, body } => {
            let options = &reach.options;
            let (answer, bytes) = fetch::fetch(
                &reach.clients,
                &reach.standing,
                request,
                body,
                options.fetch_timeout,
                options.fetch_bytes,
            )
            .await?;
            Ok((
                Some(serde_json::to_string(&answer).map_err(|e| OpError::of_type(e.to_string()))?),
                bytes,
            ))
        }
    }
}

/// A message as a channel hands it in; the error names the field and no value.
pub(crate) fn decode_draft(channel: &ChannelId, draft: Value) -> Result<InboundDraft, OpError> {
    serde_path_to_error::deserialize(draft).map_err(|e| {
        let field = e.path().to_string();
        let field = if field == "." {
            "draft".to_owned()
        } else {
            format!("draft.{field}")
        };
        let words = without_values(&e.inner().to_string()).to_owned();
        OpError::of_type(format!("channel {channel}: receive: {field}: {words}"))
    })
}

/// A decoder's words without the value it found: that may be somebody's message.
fn without_values(message: &str) -> &str {
    let names_value = message.starts_with("invalid ") || message.starts_with("unknown variant");
    match message.find("expected ") {
        Some(at) if names_value => &message[at..],
        _ if names_value => "is not valid",
        _ => message,
    }
}

/// The part of a plugin a status is about.
pub(crate) fn part(kind: &str, name: &str) -> Option<PluginPart> {
    match kind {
        "channel" => ChannelId::new(name).ok().map(PluginPart::Channel),
        "service" => Some(PluginPart::Service(name.to_owned())),
        _ => None,
    }
}
