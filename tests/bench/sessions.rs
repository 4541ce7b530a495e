//! A home with many sessions, in the files as the existing program writes them.

use crate::plugins::write_file;
use anyhow::Result;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

/// Sessions of the home.
pub(crate) const SESSIONS: u32 = 10_000;
/// Messages of a long session.
pub(crate) const MESSAGES: u32 = 10_000;
/// Long sessions: one for each way of opening, since the second look at one is answered from memory.
pub(crate) const LONG: [&str; 2] = ["260101-long-river", "260101-long-shore"];

/// Fills a home with [`SESSIONS`] sessions, two of them with [`MESSAGES`] messages, the others with two.
pub(crate) fn fill(home: &Path) -> Result<()> {
    let workspace = home.join("workspaces/my-workspace");
    let config = json!({
        "workspaces": [{"id": "ws-bench", "name": "Bench", "rootPath": workspace, "createdAt": 1_769_700_000_000_u64}],
        "activeWorkspaceId": "ws-bench",
    });
    write_file(&home.join("config.json"), &config.to_string())?;
    let defaults = json!({"permissionMode": "safe"});
    let config =
        json!({"id": "ws-bench", "name": "Bench", "slug": "my-workspace", "defaults": defaults, "createdAt": 1_769_700_000_000_u64});
    write_file(&workspace.join("config.json"), &config.to_string())?;
    for n in 2..SESSIONS {
        session(&workspace, &format!("260101-bench-{n:05}"), u64::from(n), 2)?;
    }
    session(&workspace, LONG[0], 0, MESSAGES)?;
    session(&workspace, LONG[1], 1, MESSAGES)
}

fn session(workspace: &Path, id: &str, n: u64, messages: u32) -> Result<()> {
    let began = 1_767_225_600_000 + n * 60_000;
    let header = json!({
        "id": id, "workspaceRootPath": workspace, "createdAt": began, "lastUsedAt": began, "lastMessageAt": began + u64::from(messages),
        "name": format!("Session {n} of the benchmark"), "permissionMode": "safe", "hasUnread": false, "messageCount": messages,
        "preview": "Please look at the build, it fails on two machines", "labels": [], "todoState": "todo",
        "tokenUsage": {"inputTokens": 1200, "outputTokens": 300, "totalTokens": 1500, "contextTokens": 1200, "costUsd": 0.01},
    });
    let mut text = format!("{header}\n");
    for m in 1..=messages {
        let kind = if m % 2 == 1 { "user" } else { "assistant" };
        let row = json!({
            "id": format!("msg-{m}"), "type": kind, "timestamp": began + u64::from(m), "turnId": format!("turn-{}", m / 2),
            "content": format!("Message {m}: the build fails on two machines, and a **third** one is not asked; `cargo check` says nothing. \
                                What it needs is a second look at the folder where the generated files lie."),
        });
        writeln!(text, "{row}")?;
    }
    write_file(&workspace.join("sessions").join(id).join("session.jsonl"), &text)
}
