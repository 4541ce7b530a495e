//! Calls from a plugin to the host. Each runs on the host's pool and is answered by a settlement in the plugin's inbox.
//! Capabilities are checked here, on the host's side of the boundary.

use super::account::Account;
use super::crypto;
use super::inbox::Settled;
use super::talk::Talk;
use crate::body::Bodies;
use crate::budget::{REFUSAL, goes_on_at};
use crate::fetch::{self, FetchError, Outgoing};
use crate::files::{self, Done, FilesError};
use crate::jobs::HOST_KEY;
use crate::media;
use crate::ports::Reach;
use crate::socket::{self, Incoming, SocketError};
use crate::tcp::{self, TcpError};
use bytes::Bytes;
use kata_core::ports::{MAX_FILES, PluginPart};
use kata_protocol::{ChannelId, DraftAttachment, InboundDraft, IngressAnswer, Json, MediaId, Ms, SessionId, WireError};
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Longest key of the plugin's state, bytes.
pub(super) const MAX_KEY: usize = 512;
/// Longest secret a plugin may keep, bytes.
const MAX_SECRET: usize = 16 << 10;
/// Largest payload of an event for clients, bytes of JSON.
const MAX_EVENT: usize = 16 << 10;
/// Events for clients in a minute.
const MAX_EVENTS: u32 = 600;

/// What a plugin asks for.
pub(crate) enum Op {
    Secret(String),
    SecretSet {
        name: String,
        value: Option<String>,
    },
    RouteUrl(String),
    Account(Account),
    StateGet(String),
    StateSet {
        key: String,
        value: String,
    },
    StateDelete(String),
    Receive {
        channel: ChannelId,
        draft: Value,
    },
    Talk(Talk),
    Fetch {
        request: fetch::Request,
        body: Outgoing,
    },
    BodyNext(u32),
    BodyAll(u32),
    UploadPiece {
        id: u32,
        piece: Bytes,
    },
    SocketOpen(socket::Opening),
    SocketNext(u32),
    TcpOpen(tcp::Opening),
    TcpRead(u32),
    TcpWrite {
        id: u32,
        bytes: Bytes,
    },
    TcpShut(u32),
    TcpTls {
        from: u32,
        to: u32,
    },
    Pbkdf2 {
        wanted: Derive,
        secret: Bytes,
    },
    Sessions,
    Submit {
        session: SessionId,
        text: String,
        key: Option<String>,
    },
    Emit {
        name: String,
        payload: String,
    },
    Files {
        wanted: files::Wanted,
        bytes: Bytes,
    },
    MediaFetch(media::Wanted),
    MediaPut {
        info: media::Info,
        bytes: Bytes,
    },
    MediaRead(MediaId),
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

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self {
            name: "Error",
            code: Some("too_large".into()),
            message: message.into(),
        }
    }

    /// As the prelude takes it: JSON `{name, code, message}`.
    pub(crate) fn to_json(&self) -> String {
        json!({ "name": self.name, "code": self.code, "message": self.message }).to_string()
    }

    pub(super) fn coded(code: &str, message: impl Into<String>) -> Self {
        Self {
            name: "Error",
            code: Some(code.to_owned()),
            message: message.into(),
        }
    }

    pub(super) fn with_code(self, code: &str) -> Self {
        Self {
            code: Some(code.to_owned()),
            ..self
        }
    }

    pub(super) fn denied(error: &crate::capability::Denied) -> Self {
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

impl From<media::Failure> for OpError {
    fn from(error: media::Failure) -> Self {
        Self {
            name: "Error",
            code: Some(error.code().to_owned()),
            message: error.to_string(),
        }
    }
}

impl From<FilesError> for OpError {
    fn from(error: FilesError) -> Self {
        Self {
            name: "Error",
            code: Some(error.code().to_owned()),
            message: error.to_string(),
        }
    }
}

impl From<SocketError> for OpError {
    fn from(error: SocketError) -> Self {
        Self {
            name: "Error",
            code: error.code().map(str::to_owned),
            message: error.to_string(),
        }
    }
}

impl From<TcpError> for OpError {
    fn from(error: TcpError) -> Self {
        Self {
            name: "Error",
            code: error.code().map(str::to_owned),
            message: error.to_string(),
        }
    }
}

impl Op {
    /// Decodes a request. `channels` are the plugin's own: an envelope that names another is refused before its payload is
    /// looked at.
    pub(crate) fn decode(name: &str, args: String, body: Option<Bytes>, channels: &[ChannelId], bodies: &Bodies) -> Result<Self, OpError> {
        let bad = |e: serde_json::Error| OpError::of_type(format!("{name}: {e}"));
        let op = match name {
            "secret" => Self::Secret(args),
            "secret_set" => {
                let (name, value) = serde_json::from_str::<(String, Option<String>)>(&args).map_err(bad)?;
                if value.as_ref().is_some_and(|v| v.len() > MAX_SECRET) {
                    return Err(OpError::of_type(format!("secrets.set: a secret has at most {MAX_SECRET} bytes")));
                }
                Self::SecretSet { name, value }
            }
            "route_url" => Self::RouteUrl(args),
            "oauth_token" | "oauth_refused" => Self::Account(Account::decode(name, &args)?),
            "state_get" => Self::StateGet(args),
            "state_delete" => Self::StateDelete(args),
            "state_set" => {
                let (key, value) = serde_json::from_str(&args).map_err(bad)?;
                Self::StateSet { key, value }
            }
            "receive" => {
                let (channel, draft): (String, Value) =
                    serde_json::from_str(&args).map_err(|_| OpError::of_type("receive: the draft is missing or nested too deep"))?;
                let channel = own_channel(name, &channel, channels)?;
                Self::Receive { channel, draft }
            }
            "press" | "notice" | "channel_conversations" | "channel_send" => Self::Talk(Talk::decode(name, &args, channels)?),
            "fetch" => {
                let request: fetch::Request = serde_json::from_str(&args).map_err(bad)?;
                let body = match (request.upload, body) {
                    (Some(id), _) => Outgoing::Pieces(reqwest::Body::wrap_stream(bodies.upload(id))),
                    (None, Some(bytes)) => Outgoing::Bytes(bytes),
                    (None, None) => Outgoing::None,
                };
                Self::Fetch { request, body }
            }
            "body_next" => Self::BodyNext(serde_json::from_str(&args).map_err(bad)?),
            "body_all" => Self::BodyAll(serde_json::from_str(&args).map_err(bad)?),
            "upload_piece" => Self::UploadPiece {
                id: serde_json::from_str(&args).map_err(bad)?,
                piece: body.unwrap_or_default(),
            },
            "socket_open" => Self::SocketOpen(serde_json::from_str(&args).map_err(bad)?),
            "socket_next" => Self::SocketNext(serde_json::from_str(&args).map_err(bad)?),
            "tcp_open" => Self::TcpOpen(serde_json::from_str(&args).map_err(bad)?),
            "tcp_read" => Self::TcpRead(serde_json::from_str(&args).map_err(bad)?),
            "tcp_write" => Self::TcpWrite {
                id: serde_json::from_str(&args).map_err(bad)?,
                bytes: body.unwrap_or_default(),
            },
            "tcp_shut" => Self::TcpShut(serde_json::from_str(&args).map_err(bad)?),
            "tcp_tls" => {
                let (from, to) = serde_json::from_str(&args).map_err(bad)?;
                Self::TcpTls { from, to }
            }
            "sessions_list" => Self::Sessions,
            "sessions_submit" => {
                let (session, text, key) = serde_json::from_str(&args).map_err(bad)?;
                Self::Submit { session, text, key }
            }
            "emit" => {
                let (name, payload) = serde_json::from_str(&args).map_err(bad)?;
                Self::Emit { name, payload }
            }
            "files" => Self::Files {
                wanted: serde_json::from_str(&args).map_err(bad)?,
                bytes: body.unwrap_or_default(),
            },
            "media_fetch" => Self::MediaFetch(serde_json::from_str(&args).map_err(bad)?),
            "media_put" => Self::MediaPut {
                info: serde_json::from_str(&args).map_err(bad)?,
                bytes: body.unwrap_or_default(),
            },
            "media_read" => Self::MediaRead(MediaId::new(args).map_err(|_| OpError::of_type("media.read: that is no file's id"))?),
            "pbkdf2" => Self::Pbkdf2 {
                wanted: serde_json::from_str(&args).map_err(bad)?,
                secret: body.unwrap_or_default(),
            },
            _ => return Err(OpError::of_type(format!("the host knows no “{name}”"))),
        };
        match &op {
            Self::StateGet(key) | Self::StateDelete(key) | Self::StateSet { key, .. } if key.is_empty() || key.len() > MAX_KEY => {
                Err(OpError::of_type(format!("state: a key has 1 to {MAX_KEY} bytes")))
            }
            Self::StateGet(key) | Self::StateDelete(key) | Self::StateSet { key, .. } if key.starts_with(HOST_KEY) => Err(
                OpError::of_type(format!("state: keys that begin with “{HOST_KEY}” are the host's own")),
            ),
            _ => Ok(op),
        }
    }
}

/// Counts a request against the budget. A refusal takes its time: whoever asks again at once shall not ask without end.
async fn may_ask(reach: &Reach) -> Result<(), OpError> {
    let Err(refusal) = reach.budget.request().await else {
        return Ok(());
    };
    let wait = u64::try_from(refusal.wait.as_millis()).unwrap_or(u64::MAX);
    let until = Ms(reach.clock.now().0.saturating_add(wait));
    reach.reporter.over_budget(&refusal.message, refusal.wait);
    reach.clock.sleep(REFUSAL).await;
    Err(OpError {
        name: "Error",
        code: Some("budget".into()),
        message: format!("plugin “{}”: {}; {}", reach.plugin, refusal.message, goes_on_at(until)),
    })
}

/// Runs one and gives its settlement.
pub(crate) async fn settle(id: u32, op: Op, reach: &Arc<Reach>) -> Settled {
    Settled {
        id,
        result: run(op, reach).await,
    }
}

async fn run(op: Op, reach: &Arc<Reach>) -> Result<(Option<String>, Option<Vec<u8>>), OpError> {
    let text = |t: Option<String>| Ok((t, None));
    match op {
        Op::Secret(name) => {
            reach.standing.check(&format!("secret:{name}")).map_err(|e| OpError::denied(&e))?;
            let secret = reach.backend.secret(&reach.plugin, &name).await?;
            text(secret.map(|s| Value::String(s).to_string()))
        }
        Op::SecretSet { name, value } => {
            reach.standing.check(&format!("secret:{name}")).map_err(|e| OpError::denied(&e))?;
            reach.backend.secret_set(&reach.plugin, &name, value).await?;
            text(None)
        }
        Op::RouteUrl(path) => {
            reach.standing.check(&format!("route:{path}")).map_err(|e| OpError::denied(&e))?;
            text(
                reach
                    .backend
                    .route_url(&reach.plugin, &path)
                    .map(|url| Value::String(url).to_string()),
            )
        }
        Op::Account(account) => text(account.run(reach).await?),
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
            if answer == IngressAnswer::Admitted {
                reach.earn();
            }
            text(Some(serde_json::to_string(&answer).map_err(|e| OpError::of_type(e.to_string()))?))
        }
        Op::Talk(talk) => text(talk.run(reach).await?),
        Op::Fetch { request, body } => {
            let upload = request.upload;
            may_ask(reach).await?;
            reach.pace.turn().await;
            let done = fetch::fetch(reach, request, body).await;
            if let (Some(upload), Err(_)) = (upload, &done) {
                // Whoever still writes is told that there is nobody to write to. An answer may well begin before that.
                reach.bodies.written(upload, false);
            }
            let (answer, bytes) = done?;
            Ok((Some(json_of(&answer)?), bytes))
        }
        Op::BodyNext(id) => Ok((None, reach.bodies.read(id, None, &reach.standing).await?)),
        Op::BodyAll(id) => {
            let all = reach.bodies.read(id, Some(reach.options.fetch_bytes), &reach.standing).await?;
            Ok(fetch::text_or_bytes(all.unwrap_or_default()))
        }
        Op::UploadPiece { id, piece } => {
            reach.bodies.write(id, piece).await.map_err(OpError::of_type)?;
            text(None)
        }
        Op::SocketOpen(opening) => {
            may_ask(reach).await?;
            reach.pace.turn().await;
            text(Some(json_of(&socket::open(reach, opening).await?)?))
        }
        Op::SocketNext(id) => match reach.sockets.next(id).await {
            Incoming::Text(message) => text(Some(format!("t{message}"))),
            Incoming::Bytes(bytes) => Ok((None, Some(bytes))),
            Incoming::Closed(closed) => text(Some(format!("c{}", json_of(&closed)?))),
        },
        Op::TcpOpen(opening) => {
            may_ask(reach).await?;
            reach.pace.turn().await;
            tcp::open(reach, opening).await?;
            text(None)
        }
        Op::TcpRead(id) => Ok((None, tcp::read(reach, id).await?)),
        Op::TcpWrite { id, bytes } => {
            tcp::write(reach, id, &bytes).await?;
            text(None)
        }
        Op::TcpShut(id) => {
            tcp::shut(reach, id).await?;
            text(None)
        }
        Op::TcpTls { from, to } => {
            tcp::start_tls(reach, from, to).await?;
            text(None)
        }
        Op::Sessions => {
            reach.standing.check("sessions:read").map_err(|e| OpError::denied(&e))?;
            text(Some(json_of(&reach.backend.sessions(&reach.plugin).await?)?))
        }
        Op::Submit { session, text: said, key } => {
            reach.standing.check("sessions:submit").map_err(|e| OpError::denied(&e))?;
            reach.reporter.busy(None);
            if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
                return Err(OpError::of_type(format!(
                    "sessions.submit: idempotencyKey has 1 to {MAX_KEY} bytes"
                )));
            }
            text(Some(json_of(&reach.backend.submit(&reach.plugin, &session, said, key).await?)?))
        }
        Op::Emit { name, payload } => {
            if name.is_empty() || name.len() > 64 {
                return Err(OpError::of_type("emit: the name has 1 to 64 bytes"));
            }
            if payload.len() > MAX_EVENT {
                return Err(OpError::of_type(format!(
                    "emit: the payload has {} bytes, over the limit of {MAX_EVENT}",
                    payload.len()
                )));
            }
            if reach.emitted.count() > MAX_EVENTS {
                return Err(OpError::of_type(format!("emit: at most {MAX_EVENTS} events a minute")));
            }
            let payload = serde_json::from_str(&payload).map_err(|_| OpError::of_type("emit: the payload is nested too deep"))?;
            reach.backend.emit(&reach.plugin, &name, Json(payload));
            text(None)
        }
        Op::Files { wanted, bytes } => {
            files::allowed(&wanted, &reach.standing)?;
            let root = reach.backend.folder(&reach.plugin, wanted.root.root(reach.workspace.as_ref()))?;
            let most = reach.options.payload_bytes;
            if bytes.len() > most {
                return Err(OpError::of_type(format!("files: a file has at most {most} bytes")));
            }
            let done = tokio::task::spawn_blocking(move || files::perform(&wanted, &root, &bytes, most)).await;
            match done.map_err(|_| OpError::of_type("files: the disk failed"))?? {
                Done::Nothing => text(None),
                Done::Bytes(bytes) => Ok((None, Some(bytes))),
                Done::List(list) => text(Some(json_of(&list)?)),
            }
        }
        Op::MediaFetch(wanted) => {
            may_ask(reach).await?;
            reach.pace.turn().await;
            text(Some(json_of(&media::download(reach, wanted).await?)?))
        }
        Op::MediaPut { info, bytes } => text(Some(json_of(&media::put(reach, info, bytes).await?)?)),
        Op::MediaRead(id) => {
            let read = reach.backend.media_read(&reach.plugin, &id).await;
            Ok((None, Some(read.map_err(|error| media::Failure::Media("read", error))?)))
        }
        Op::Pbkdf2 { wanted, secret } => {
            let Derive {
                hash,
                iterations,
                length,
                salt,
            } = wanted;
            let rounds = NonZeroU32::new(iterations).filter(|r| r.get() <= crypto::MAX_ROUNDS && length <= crypto::MAX_DERIVED);
            let most = "deriveBits: at most 2,000,000 iterations and 1,024 bytes";
            let rounds = rounds.ok_or_else(|| OpError::of_type(most))?;
            let derive = move || crypto::pbkdf2_derive(&hash, &secret, &salt, rounds, length);
            let derived = tokio::task::spawn_blocking(derive).await.ok().flatten();
            Ok((
                None,
                Some(derived.ok_or_else(|| OpError::of_type("deriveBits: the hash is not supported"))?),
            ))
        }
    }
}

/// The channel of that name, if it is the plugin's own. In the copy for a further account a plugin says its channel's plain name.
pub(super) fn own_channel(op: &str, name: &str, channels: &[ChannelId]) -> Result<ChannelId, OpError> {
    let plain = |own: &&ChannelId| own.as_str().split_once('@').is_some_and(|(plain, _)| plain == name);
    let own = channels
        .iter()
        .find(|own| own.as_str() == name)
        .or_else(|| channels.iter().find(plain));
    own.cloned()
        .ok_or_else(|| OpError::of_type(format!("{op}: this plugin has registered no such channel")))
}

/// A message as a channel hands it in; the error names the field and no value.
pub(crate) fn decode_draft(channel: &ChannelId, draft: Value) -> Result<InboundDraft, OpError> {
    let draft: InboundDraft = decode_payload(channel, "receive", "draft", draft)?;
    let wrong = |what: String| Err(OpError::of_type(format!("channel {channel}: receive: {what}")));
    if draft.attachments.len() > MAX_FILES {
        return wrong(format!("draft.attachments: a message has at most {MAX_FILES} files"));
    }
    for (n, file) in draft.attachments.iter().enumerate() {
        if let Some((field, why)) = unfit(file) {
            return wrong(format!("draft.attachments[{n}].{field}: {why}"));
        }
    }
    Ok(draft)
}

/// What is wrong with a file of a draft: the field, and why.
fn unfit(file: &DraftAttachment) -> Option<(&'static str, &'static str)> {
    if file.reference.is_empty() || file.reference.len() > 4096 {
        return Some(("reference", "has 1 to 4,096 bytes"));
    }
    if file.name.len() > 255 {
        return Some(("name", "has at most 255 bytes"));
    }
    if file.mime.as_ref().is_some_and(|mime| mime.len() > 255) {
        return Some(("mime", "has at most 255 bytes"));
    }
    None
}

/// What a channel hands in besides messages; the error names the field and no value.
pub(super) fn decode_payload<T: serde::de::DeserializeOwned>(
    channel: &ChannelId,
    op: &str,
    what: &str,
    value: Value,
) -> Result<T, OpError> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let field = e.path().to_string();
        let field = if field == "." { what.to_owned() } else { format!("{what}.{field}") };
        let words = without_values(&e.inner().to_string()).to_owned();
        OpError::of_type(format!("channel {channel}: {op}: {field}: {words}"))
    })
}

/// What PBKDF2 is to give.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Derive {
    hash: String,
    iterations: u32,
    length: usize,
    salt: Vec<u8>,
}

pub(super) fn json_of(value: &impl serde::Serialize) -> Result<String, OpError> {
    serde_json::to_string(value).map_err(|e| OpError::of_type(e.to_string()))
}

/// A decoder's words without the value it found: that may be somebody's message.
pub(crate) fn without_values(message: &str) -> &str {
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
