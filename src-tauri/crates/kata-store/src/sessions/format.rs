//! Lines of `session.jsonl`: the header as a list row and back, rows, and what counts as damaged.
//!
//! Whatever another program wrote stays: a header field is written only where its meaning changed, unknown fields keep their
//! place behind the known ones.

use super::facts::{Facts, ms_of};
use kata_core::ports::{NewSession, StoredRow};
use kata_protocol::{
    Ms, PermissionMode, SessionChannel, SessionClass, SessionId, SessionKey, SessionState, SessionSummary, TokenUsage, WorkspaceId,
};
use serde_json::{Map, Value, json};

/// Header keys in the order in which they are written.
const ORDER: &[&str] = &[
    "id",
    "workspaceRootPath",
    "createdAt",
    "lastUsedAt",
    "lastMessageAt",
    "name",
    "sdkSessionId",
    "isFlagged",
    "isArchived",
    "archivedAt",
    "todoState",
    "labels",
    "permissionMode",
    "lastReadMessageId",
    "hasUnread",
    "enabledSourceSlugs",
    "workingDirectory",
    "sdkCwd",
    "sharedUrl",
    "sharedId",
    "model",
    "agentProfile",
    "channel",
    "messageCount",
    "lastMessageRole",
    "preview",
    "tokenUsage",
    "lastFinalMessageId",
    "channelId",
    "externalConversationId",
    "conversationKeys",
    "sessionClass",
];

/// A header as written: an object with an `id`.
pub(crate) type Header = Map<String, Value>;

/// Why line 1 is no header. Names the place, never the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoHeader {
    #[error("it is empty")]
    Empty,
    #[error("it is not JSON (column {column})")]
    NotJson { column: usize },
    #[error("it is not an object")]
    NotAnObject,
    #[error("it has no id")]
    NoId,
}

/// The parts of a file: header line, the complete lines after it, and what is left of a line that was cut short.
pub(crate) struct Parts<'a> {
    /// Line 1 without its end.
    pub header: &'a [u8],
    /// Complete lines after line 1, ends included (the last end may be missing).
    pub body: &'a [u8],
    /// A last line that is not whole.
    pub torn: &'a [u8],
}

/// Cuts a file into its parts. A last line without an end that is whole JSON is not torn: a part of an object never is one.
pub(crate) fn parts(bytes: &[u8]) -> Parts<'_> {
    let header_end = bytes.iter().position(|byte| *byte == b'\n');
    let (header, rest) = match header_end {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &bytes[bytes.len()..]),
    };
    let (body, torn) = cut_tail(rest);
    Parts { header, body, torn }
}

/// Complete lines, and the torn rest.
pub(crate) fn cut_tail(bytes: &[u8]) -> (&[u8], &[u8]) {
    let start = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let tail = &bytes[start..];
    if tail.is_empty() || object(tail).is_some() {
        (bytes, &bytes[bytes.len()..])
    } else {
        (&bytes[..start], tail)
    }
}

/// A line as an object.
pub(crate) fn object(line: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Lines that are not blank.
pub(crate) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
}

/// Rows of a body and how many lines are not rows.
pub(crate) fn rows(body: &[u8]) -> (Vec<StoredRow>, u32) {
    let mut damaged = 0_u32;
    let mut rows = Vec::new();
    for line in lines(body) {
        match object(line) {
            Some(row) => rows.push(row),
            None => damaged = damaged.saturating_add(1),
        }
    }
    (rows, damaged)
}

/// Reads line 1.
///
/// # Errors
/// [`NoHeader`].
pub(crate) fn header(line: &[u8]) -> Result<Header, NoHeader> {
    if line.trim_ascii().is_empty() {
        return Err(NoHeader::Empty);
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(map)) if map.get("id").is_some_and(Value::is_string) => Ok(map),
        Ok(Value::Object(_)) => Err(NoHeader::NoId),
        Ok(_) => Err(NoHeader::NotAnObject),
        Err(error) => Err(NoHeader::NotJson { column: error.column() }),
    }
}

/// The list row that a header and its rows make.
pub(crate) fn summary(id: &SessionId, workspace: &WorkspaceId, header: &Header, facts: &Facts) -> SessionSummary {
    let created_at = created_at(id, header);
    let last_message_at = time(header, "lastMessageAt")
        .max(facts.last_at)
        .or_else(|| time(header, "lastUsedAt"))
        .unwrap_or(created_at);
    SessionSummary {
        id: id.clone(),
        workspace: workspace.clone(),
        name: text(header, "name"),
        preview: text(header, "preview").or_else(|| facts.preview.clone()),
        created_at,
        last_message_at,
        flagged: flag(header, "isFlagged"),
        status: text(header, "todoState"),
        labels: labels(header),
        unread: flag(header, "hasUnread"),
        mode: mode(header),
        model: text(header, "model"),
        channel: channel(header),
        message_count: facts.rows,
        usage: usage(header),
        state: SessionState::Idle,
        archived: flag(header, "isArchived"),
        working_directory: text(header, "workingDirectory"),
        profile: text(header, "agentProfile"),
    }
}

/// The header of a session that begins now.
pub(crate) fn new_header(id: &SessionId, root: &str, new: &NewSession, now: Ms) -> Header {
    let mut header = Header::new();
    header.insert("id".into(), json!(id));
    header.insert("workspaceRootPath".into(), json!(root));
    for name in ["createdAt", "lastUsedAt", "lastMessageAt"] {
        header.insert(name.into(), json!(now));
    }
    let optional = [
        ("name", new.name.as_ref().map(|v| json!(v))),
        ("permissionMode", Some(json!(new.mode))),
        ("workingDirectory", new.working_directory.as_ref().map(|v| json!(v))),
        ("model", new.model.as_ref().map(|v| json!(v))),
        ("agentProfile", new.profile.as_ref().map(|v| json!(v))),
        ("channel", new.channel.as_ref().map(channel_value)),
        ("messageCount", Some(json!(0))),
        ("tokenUsage", Some(json!(TokenUsage::default()))),
        ("channelId", new.channel_id.as_ref().map(|v| json!(v))),
        ("externalConversationId", new.external_conversation.as_ref().map(|v| json!(v))),
        (
            "sessionClass",
            Some(json!(new.class)).filter(|_| new.class != SessionClass::Desktop),
        ),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            header.insert(name.into(), value);
        }
    }
    header
}

/// How a session is tidied up. A channel's session that says nothing of it is a direct conversation.
pub(crate) fn class(header: &Header) -> SessionClass {
    let written = header
        .get("sessionClass")
        .and_then(|class| serde_json::from_value(class.clone()).ok());
    written.unwrap_or(match channel(header) {
        Some(_) => SessionClass::Direct,
        None => SessionClass::Desktop,
    })
}

/// When it went into the archive.
pub(crate) fn archived_at(header: &Header) -> Option<Ms> {
    time(header, "archivedAt").filter(|_| flag(header, "isArchived"))
}

/// The header brought in line with the list row and the rows, in the documented order.
pub(crate) fn updated(mut header: Header, summary: &SessionSummary, facts: &Facts, archived_at: Option<Ms>, now: Ms) -> Header {
    let archived_at = archived_at.filter(|_| summary.archived);
    if self::archived_at(&header) != archived_at {
        set(&mut header, "archivedAt", archived_at.map(|at| json!(at)));
    }
    set(&mut header, "lastUsedAt", Some(json!(now)));
    if time(&header, "lastMessageAt") != Some(summary.last_message_at) {
        set(&mut header, "lastMessageAt", Some(json!(summary.last_message_at)));
    }
    if !header.contains_key("createdAt") {
        set(&mut header, "createdAt", Some(json!(summary.created_at)));
    }
    // Each field only where its meaning changed, so that a value this program does not know stays as it was written.
    if text(&header, "name") != summary.name {
        set(&mut header, "name", summary.name.as_ref().map(|v| json!(v)));
    }
    if flag(&header, "isArchived") != summary.archived {
        set(&mut header, "isArchived", Some(json!(summary.archived)));
    }
    if text(&header, "workingDirectory") != summary.working_directory {
        let folder = summary.working_directory.as_ref().map(|v| json!(v));
        set(&mut header, "workingDirectory", folder);
    }
    if flag(&header, "isFlagged") != summary.flagged {
        set(&mut header, "isFlagged", Some(json!(summary.flagged)));
    }
    if text(&header, "todoState") != summary.status {
        set(&mut header, "todoState", summary.status.as_ref().map(|v| json!(v)));
    }
    if labels(&header) != summary.labels {
        set(&mut header, "labels", Some(json!(summary.labels)));
    }
    if mode(&header) != summary.mode {
        set(&mut header, "permissionMode", Some(json!(summary.mode)));
    }
    if flag(&header, "hasUnread") != summary.unread {
        set(&mut header, "hasUnread", Some(json!(summary.unread)));
    }
    if text(&header, "model") != summary.model {
        set(&mut header, "model", summary.model.as_ref().map(|v| json!(v)));
    }
    if channel(&header) != summary.channel {
        set(&mut header, "channel", summary.channel.as_ref().map(channel_value));
    }
    if text(&header, "preview") != summary.preview {
        set(&mut header, "preview", summary.preview.as_ref().map(|v| json!(v)));
    }
    if !header.contains_key("tokenUsage") || usage(&header) != summary.usage {
        let merged = merged(header.get("tokenUsage"), json!(summary.usage));
        set(&mut header, "tokenUsage", Some(merged));
    }
    set(&mut header, "messageCount", Some(json!(facts.rows)));
    if let Some(role) = &facts.last_role {
        set(&mut header, "lastMessageRole", Some(json!(role)));
    }
    if let Some(id) = &facts.last_final {
        set(&mut header, "lastFinalMessageId", Some(json!(id)));
    }
    ordered(header)
}

/// Session keys in a header. `conversationKeys` is ours; without it `externalConversationId` counts where it is a key of ours:
/// one that begins with the channel, or a person's. Another program's id of a conversation is none.
pub(crate) fn keys(header: &Header) -> Vec<SessionKey> {
    if let Some(keys) = header.get("conversationKeys").and_then(Value::as_array) {
        let keys = keys.iter().filter_map(Value::as_str);
        return keys.filter_map(|key| SessionKey::new(key).ok()).collect();
    }
    plain_key(header).into_iter().collect()
}

fn plain_key(header: &Header) -> Option<SessionKey> {
    let (key, channel) = (text(header, "externalConversationId")?, text(header, "channelId")?);
    let ours = key.strip_prefix(&channel).is_some_and(|rest| rest.starts_with(':')) || key.starts_with("=person:");
    SessionKey::new(key).ok().filter(|_| ours)
}

/// The header with these keys. Other programs know one conversation of a session, and that only beside its channel.
pub(crate) fn with_keys(mut header: Header, keys: &[SessionKey]) -> Header {
    set(&mut header, "externalConversationId", keys.first().map(|key| json!(key)));
    set(&mut header, "conversationKeys", None);
    if keys.len() > 1 || plain_key(&header).as_ref() != keys.first() {
        set(&mut header, "conversationKeys", Some(json!(keys)));
    }
    ordered(header)
}

/// A header or row as a line with its end.
pub(crate) fn line(map: &Map<String, Value>) -> Vec<u8> {
    let mut line = Value::Object(map.clone()).to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Known keys first, in order; the others behind them as they came.
fn ordered(mut header: Header) -> Header {
    let mut sorted = Header::with_capacity(header.len());
    for key in ORDER {
        if let Some(value) = header.shift_remove(*key) {
            sorted.insert((*key).into(), value);
        }
    }
    sorted.extend(header);
    sorted
}

fn set(header: &mut Header, key: &str, value: Option<Value>) {
    match value {
        Some(value) => header.insert(key.into(), value),
        None => header.shift_remove(key),
    };
}

/// `new` over `old`, with the fields of `old` that `new` does not have.
fn merged(old: Option<&Value>, new: Value) -> Value {
    match (old, new) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let mut merged = old.clone();
            merged.extend(new);
            Value::Object(merged)
        }
        (_, new) => new,
    }
}

fn channel_value(channel: &SessionChannel) -> Value {
    let mut value = json!({ "adapter": channel.adapter, "slug": channel.slug });
    if let Some(name) = &channel.display_name {
        value["displayName"] = json!(name);
    }
    value
}

fn text(header: &Header, key: &str) -> Option<String> {
    header.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn flag(header: &Header, key: &str) -> bool {
    header.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn time(header: &Header, key: &str) -> Option<Ms> {
    header.get(key).and_then(Value::as_f64).and_then(ms_of)
}

fn labels(header: &Header) -> Vec<String> {
    let list = header.get("labels").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Modes of other programs that this one does not know (`daemon`) may do the least.
fn mode(header: &Header) -> PermissionMode {
    header
        .get("permissionMode")
        .and_then(|mode| serde_json::from_value(mode.clone()).ok())
        .unwrap_or_default()
}

fn channel(header: &Header) -> Option<SessionChannel> {
    header
        .get("channel")
        .and_then(|channel| serde_json::from_value(channel.clone()).ok())
}

fn usage(header: &Header) -> TokenUsage {
    header
        .get("tokenUsage")
        .and_then(|usage| serde_json::from_value(usage.clone()).ok())
        .unwrap_or_default()
}

/// The existing program writes the time of each save into `createdAt`; where that is more than two days after the date in the
/// id, the id is right.
fn created_at(id: &SessionId, header: &Header) -> Ms {
    const TWO_DAYS: u64 = 2 * 86_400_000;
    match (super::names::date_of(id.as_str()), time(header, "createdAt")) {
        (Some(day), Some(written)) if written.0 > day.0 + TWO_DAYS => day,
        (_, Some(written)) => written,
        (Some(day), None) => day,
        (None, None) => Ms(0),
    }
}
