//! A session as a text to keep: Markdown for a person, or JSON as clients see it.

use crate::engine::Inner;
use jiff::{Timestamp, tz::TimeZone};
use kata_protocol::{Document, Message, MessageKind, Ms, SessionDetail, SessionExport, ToolCall, ToolStatus, WireError};
use std::fmt::Write as _;

/// Longest result of a tool in an export, characters; the session's file has all of it.
const RESULT: usize = 4_000;
/// Characters of a file's name.
const NAME: usize = 60;

impl Inner {
    pub(crate) async fn export(&self, params: SessionExport) -> Result<Document, WireError> {
        let ending = match params.format.as_str() {
            "markdown" => "md",
            "json" => "json",
            other => return Err(WireError::invalid(format!("format: there is no “{other}”")).hint("use “markdown” or “json”")),
        };
        let detail = self.sessions.detail(&params.id, None, None).await?;
        let name = format!("{}.{ending}", file_name(&detail));
        let text = match ending {
            "json" => serde_json::to_string_pretty(&detail)
                .map_err(|error| WireError::internal(format!("the session cannot be written: {error}")))?,
            _ => markdown(&detail, &TimeZone::system()),
        };
        Ok(Document { name, text })
    }
}

fn title(detail: &SessionDetail) -> &str {
    let summary = &detail.summary;
    summary
        .name
        .as_deref()
        .or(summary.preview.as_deref())
        .unwrap_or_else(|| summary.id.as_str())
}

/// Letters and digits of the title; the session's id where there are none.
fn file_name(detail: &SessionDetail) -> String {
    let mut name = String::new();
    for c in title(detail).chars().take(NAME) {
        if c.is_alphanumeric() {
            name.extend(c.to_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() {
        detail.summary.id.to_string()
    } else {
        name.to_owned()
    }
}

fn when(at: Ms, zone: &TimeZone) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map(|at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

fn markdown(detail: &SessionDetail, zone: &TimeZone) -> String {
    let summary = &detail.summary;
    let mut text = format!("# {}\n\n", title(detail).split_whitespace().collect::<Vec<_>>().join(" "));
    let _ = write!(
        text,
        "{} · begun {} · {} messages",
        summary.id,
        when(summary.created_at, zone),
        summary.message_count
    );
    if let Some(channel) = &summary.channel {
        let _ = write!(text, " · {}", channel.display_name.as_deref().unwrap_or(&channel.adapter));
    }
    text.push('\n');
    for message in &detail.messages {
        row(&mut text, message, zone);
    }
    text
}

fn row(text: &mut String, message: &Message, zone: &TimeZone) {
    let at = message.timestamp.map(|at| format!(" · {}", when(at, zone))).unwrap_or_default();
    let who = match message.kind {
        MessageKind::User => message.sender.as_deref().unwrap_or("You"),
        MessageKind::Assistant | MessageKind::Plan => "Agent",
        MessageKind::Error => "Failed",
        MessageKind::Warning => "Warning",
        MessageKind::Info | MessageKind::AuthRequest | MessageKind::Status => "Note",
        MessageKind::Tool => return tool(text, message.tool.as_ref()),
    };
    let who: String = who.chars().filter(|c| !c.is_control()).collect();
    let _ = write!(text, "\n## {who}{at}\n\n{}\n", message.content.trim_end());
    for file in &message.attachments {
        let _ = writeln!(text, "\n- file: {} ({} bytes)", file.name, file.bytes.0);
    }
}

fn tool(text: &mut String, call: Option<&ToolCall>) {
    let Some(call) = call else { return };
    let end = match call.status {
        ToolStatus::Error => ", failed",
        ToolStatus::Pending | ToolStatus::Executing => ", not ended",
        ToolStatus::Completed | ToolStatus::Backgrounded => "",
    };
    let input = serde_json::to_string_pretty(&call.input).unwrap_or_default();
    let _ = write!(text, "\n### Tool {}{end}\n\n{}", call.name, fenced(&input, "json"));
    if let Some(result) = call.result.as_deref().filter(|result| !result.is_empty()) {
        let short: String = result.chars().take(RESULT).collect();
        let cut = if short.len() < result.len() { "\n…" } else { "" };
        let _ = write!(text, "\n{}", fenced(&format!("{short}{cut}"), ""));
    }
}

/// A block whose fence is longer than any in it.
fn fenced(code: &str, language: &str) -> String {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", code.trim_end())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn detail() -> SessionDetail {
        let message = |id: &str, kind: &str, content: &str, more: serde_json::Value| {
            let mut row = json!({ "id": id, "kind": kind, "content": content, "timestamp": 0, "turnId": null, "intermediate": false, "sender": null, "tool": null, "thinking": null });
            for (key, value) in more.as_object().unwrap() {
                row[key] = value.clone();
            }
            row
        };
        serde_json::from_value(json!({
            "summary": {
                "id": "260101-a-b", "workspace": "w", "name": "Why does the export/job fail?", "preview": null, "createdAt": 0, "lastMessageAt": 0,
                "flagged": false, "status": null, "labels": [], "unread": false, "mode": "ask", "model": null, "channel": null, "messageCount": 3,
                "usage": {}, "state": "idle"
            },
            "messages": [
                message("1", "user", "Look.", json!({})),
                message("2", "tool", "", json!({ "tool": { "callId": "c", "name": "grep", "input": { "pattern": "x" }, "result": "a ```` b", "status": "error", "durationMs": null } })),
                message("3", "assistant", "It is **late**.\n", json!({})),
            ],
            "earlier": 0, "approvals": [], "state": "idle"
        }))
        .unwrap()
    }

    #[test]
    fn a_session_reads_as_a_conversation_and_no_result_ends_its_own_block() {
        let text = markdown(&detail(), &TimeZone::UTC);
        assert!(
            text.starts_with("# Why does the export/job fail?\n\n260101-a-b · begun 1970-01-01 00:00 · 3 messages\n"),
            "{text}"
        );
        assert!(text.contains("\n## You · 1970-01-01 00:00\n\nLook.\n"), "{text}");
        assert!(
            text.contains("### Tool grep, failed\n\n```json\n{\n  \"pattern\": \"x\"\n}\n```\n"),
            "{text}"
        );
        assert!(text.contains("`````\na ```` b\n`````\n"), "{text}");
        assert!(text.ends_with("\n## Agent · 1970-01-01 00:00\n\nIt is **late**.\n"), "{text}");
    }

    #[test]
    fn the_files_name_has_no_part_that_leads_elsewhere() {
        let mut detail = detail();
        assert_eq!(file_name(&detail), "why-does-the-export-job-fail");
        detail.summary.name = Some("../../…".into());
        assert_eq!(file_name(&detail), "260101-a-b");
    }
}
