//! Rows of `session.jsonl`: made here, and read into what clients see. Field names are those of the existing files; fields
//! we do not know stay in the row.

use crate::names;
use crate::ports::{Clock, Entropy, InboxId, StoredRow};
use kata_protocol::{CallId, Json, Message, MessageId, MessageKind, Ms, Sender, ToolCall, ToolStatus, TurnId};
use serde_json::{Value, json};

/// A new row id, `msg-{ms}-{6}` as in the existing files.
pub(super) fn new_id(clock: &dyn Clock, entropy: &dyn Entropy) -> MessageId {
    id(format!("msg-{}-{:06x}", clock.now().0, entropy.next_u64() & 0xff_ffff))
}

/// The row id of a channel's message: the same in every run, so that it is never written twice.
pub(super) fn inbox_row_id(inbox: InboxId) -> MessageId {
    id(format!("msg-in-{}", inbox.0))
}

pub(super) fn id(text: String) -> MessageId {
    MessageId::new(text).unwrap_or_else(|_| unreachable!("digits and dashes make an identifier"))
}

fn row(value: Value) -> StoredRow {
    match value {
        Value::Object(map) => map,
        _ => StoredRow::new(),
    }
}

/// A person's row.
pub(super) fn user(id: &MessageId, text: &str, at: Ms, sender: Option<&Sender>, inbox: Option<InboxId>, key: Option<&str>) -> StoredRow {
    let mut row = row(json!({ "id": id, "type": "user", "content": text, "timestamp": at }));
    if let Some(sender) = sender {
        row.insert("senderId".into(), json!(sender.id));
        row.insert("senderName".into(), json!(sender.name));
    }
    if let Some(inbox) = inbox {
        row.insert("inboxId".into(), json!(inbox.0));
    }
    if let Some(key) = key {
        row.insert("idempotencyKey".into(), json!(key));
    }
    row
}

/// The agent's row.
pub(super) fn assistant(id: &MessageId, text: &str, at: Ms, turn: &TurnId, intermediate: bool, thinking: Option<&str>) -> StoredRow {
    let mut row = row(json!({ "id": id, "type": "assistant", "content": text, "timestamp": at, "turnId": turn }));
    if intermediate {
        row.insert("isIntermediate".into(), json!(true));
    }
    if let Some(thinking) = thinking {
        row.insert("thinking".into(), json!(thinking));
    }
    row
}

/// The row of a plan that was handed in.
pub(super) fn plan(id: &MessageId, plan: &str, at: Ms, turn: &TurnId, path: &str) -> StoredRow {
    row(json!({ "id": id, "type": "plan", "content": plan, "timestamp": at, "turnId": turn, "planPath": path }))
}

/// A tool call's row, as it stands.
pub(super) fn tool(id: &MessageId, call: &ToolCall, at: Ms, turn: &TurnId) -> StoredRow {
    let mut row = row(json!({
        "id": id, "type": "tool", "content": "", "timestamp": at, "toolName": call.name, "toolUseId": call.call_id,
        "toolInput": call.input, "toolStatus": call.status, "turnId": turn,
    }));
    if let Some(result) = &call.result {
        row.insert("toolResult".into(), json!(result));
    }
    if let Some(ms) = call.duration_ms {
        row.insert("toolDuration".into(), json!(ms));
    }
    if call.status == ToolStatus::Error {
        row.insert("isError".into(), json!(true));
    }
    row
}

/// A row that tells the person something: `error`, `info` or `warning`.
pub(super) fn notice(id: &MessageId, kind: MessageKind, text: &str, at: Ms, turn: Option<&TurnId>, code: Option<&str>) -> StoredRow {
    let mut row = row(json!({ "id": id, "type": kind, "content": text, "timestamp": at }));
    if let Some(turn) = turn {
        row.insert("turnId".into(), json!(turn));
    }
    if let Some(code) = code {
        row.insert("errorCode".into(), json!(code));
        row.insert("errorCanRetry".into(), json!(true));
    }
    row
}

/// Who wrote a message, as data for the model, before its text.
pub(super) fn writer(name: Option<&str>, id: &str) -> String {
    let who = json!({ "name": name.map(names::quoted), "id": id });
    format!("Written by (data): {who}")
}

/// The same of a row of a channel's message.
pub(super) fn writer_of(row: &StoredRow) -> Option<String> {
    Some(writer(field(row, "senderName"), field(row, "senderId")?))
}

/// What clients see of a row; `None` for rows without a usable id or kind.
pub fn view(row: &StoredRow) -> Option<Message> {
    let text = |key: &str| row.get(key).and_then(Value::as_str);
    let kind: MessageKind = serde_json::from_value(row.get("type")?.clone()).ok()?;
    let tool = (kind == MessageKind::Tool).then(|| {
        Some(ToolCall {
            call_id: CallId::new(text("toolUseId").or(text("id"))?).ok()?,
            name: text("toolName").unwrap_or("unknown").to_owned(),
            input: Json(row.get("toolInput").cloned().unwrap_or_default()),
            result: text("toolResult").map(str::to_owned),
            status: row
                .get("toolStatus")
                .and_then(|s| serde_json::from_value(s.clone()).ok())
                .unwrap_or(ToolStatus::Completed),
            duration_ms: row.get("toolDuration").and_then(Value::as_f64).map(|ms| ms as u32),
        })
    });
    Some(Message {
        id: MessageId::new(text("id")?).ok()?,
        kind,
        content: text("content").unwrap_or_default().to_owned(),
        timestamp: row.get("timestamp").and_then(Value::as_f64).map(|ms| Ms(ms as u64)),
        turn_id: text("turnId").map(str::to_owned),
        intermediate: row.get("isIntermediate").and_then(Value::as_bool).unwrap_or_default(),
        sender: text("senderName").or(text("senderId")).map(str::to_owned),
        tool: tool.flatten(),
        thinking: text("thinking").map(str::to_owned),
        attachments: super::attachments::view(row),
    })
}

/// Kind of a row without building the whole view.
pub(super) fn kind(row: &StoredRow) -> Option<&str> {
    row.get("type").and_then(Value::as_str)
}

/// A text field of a row.
pub(super) fn field<'a>(row: &'a StoredRow, key: &str) -> Option<&'a str> {
    row.get(key).and_then(Value::as_str)
}
