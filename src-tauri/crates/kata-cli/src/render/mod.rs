//! Results as text for a person. Pure functions: the same value and the same time give the same text.
//!
//! Much of what is shown was written by strangers (names, messages, a plugin's words), so every piece passes [`clean`] or
//! [`line()`] before it reaches a terminal.

mod approvals;
mod attention;
mod channels;
mod details;
mod devices;
mod hooks;
mod house;
mod life;
mod lists;
mod oauth;
mod permissions;
mod plans;
mod plugins;
mod route;
mod source_files;
mod trace;
mod update;
mod upkeep;
mod workspaces;

pub(crate) use approvals::{approval_outcome, approvals};
pub(crate) use attention::{attention, pause};
pub(crate) use channels::{audit, channels, directory, probe, step};
pub(crate) use details::{pairing, session, source, status};
pub(crate) use devices::{devices, gateway, offer};
pub(crate) use hooks::{hooks, trace_rules};
pub(crate) use house::{backups, candidates, findings, import_report, notices, setting, settings};
pub(crate) use life::{background, checks, crashes};
pub(crate) use lists::{detected, log_line, models, pairings, plugins, sessions, sources, traces};
pub(crate) use oauth::{account_line, accounts, provider, providers, sign_in};
pub(crate) use permissions::{explanation, permissions, tools};
pub(crate) use plans::{plan_outcome, plans, whole_plan};
pub(crate) use plugins::{asks, commands, discovery, fault, plugin, registered, report, signers};
pub(crate) use route::{keys, policy, refusals, route_explanation, routes};
pub(crate) use source_files::{elicitations, probed, source_document, source_tools, tried};
pub(crate) use trace::waterfall;
pub(crate) use update::update;
pub(crate) use upkeep::{hits, hygiene, letters, plan};
pub(crate) use workspaces::{files, git, notes, preferences, skill, skills, usage, workspace, workspaces};

use kata_protocol::{Ms, RunState, Status, UserAction};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Now.
pub(crate) fn now() -> Ms {
    Ms(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|d| u64::try_from(d.as_millis()).ok())
        .unwrap_or_default())
}

/// Text without control characters other than line ends and tabs: an escape sequence in a message must not reach the
/// terminal.
pub(crate) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Text as one line of at most `width` columns.
pub(crate) fn line(text: &str, width: usize) -> String {
    let one: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let one = one.chars().filter(|c| !c.is_control()).collect::<String>();
    if one.width() <= width {
        return one;
    }
    let (mut short, mut used) = (String::new(), 1);
    for c in one.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_owned() + "…"
}

/// Columns as wide as their widest cell, two blanks between them. Without rows: `none`.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() {
        return format!("{none}\n");
    }
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(i, title)| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|cell| cell.width())
                .max()
                .unwrap_or(0)
                .max(title.width())
        })
        .collect();
    let mut text = String::new();
    let head: Vec<String> = head.iter().map(|title| title.to_uppercase()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut out = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            out += cell;
            out += &" ".repeat(width.saturating_sub(cell.width()) + 2);
        }
        text += out.trim_end();
        text.push('\n');
    }
    text
}

/// A value of a small enum as it is on the wire.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// How long ago, in one unit.
pub(crate) fn ago(then: Ms, now: Ms) -> String {
    if then.0 == 0 {
        return "never".into();
    }
    match now.0.saturating_sub(then.0) / 1000 {
        0..2 => "now".into(),
        s @ 2..60 => format!("{s} s ago"),
        s @ 60..3600 => format!("{} min ago", s / 60),
        s @ 3600..86_400 => format!("{} h ago", s / 3600),
        s => format!("{} d ago", s / 86_400),
    }
}

/// How long until.
pub(crate) fn within(then: Ms, now: Ms) -> String {
    match then.0.saturating_sub(now.0).div_ceil(1000) {
        0 => "now".into(),
        s @ 1..100 => format!("in {s} s"),
        s => format!("in {} min", s.div_ceil(60)),
    }
}

/// Date and time in UTC, always with milliseconds, so that lines stay aligned.
pub(crate) fn stamp(at: Ms) -> String {
    let second = i64::try_from(at.0 / 1000)
        .ok()
        .and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    match second.and_then(|t| t.format(&Rfc3339).ok()) {
        Some(text) => format!("{}.{:03}Z", text.trim_end_matches('Z'), at.0 % 1000),
        None => format!("{} ms", at.0),
    }
}

/// A state with its reason, for a column.
pub(crate) fn state(status: &Status, now: Ms) -> String {
    state_within(status, now, 80)
}

/// A state with its reason, of at most so many columns.
pub(crate) fn state_within(status: &Status, now: Ms, columns: usize) -> String {
    let state = match &status.state {
        RunState::Stopped => "stopped".into(),
        RunState::Starting => "starting".into(),
        RunState::Connecting => "connecting".into(),
        RunState::Running => "running".into(),
        RunState::Degraded => "degraded".into(),
        RunState::Backoff { attempt, until } => format!("failed {attempt}×, tries again {}", within(*until, now)),
        RunState::NeedsUser { action } => match action {
            UserAction::Configure { field } => format!("needs you: set {}", line(field, 40)),
            UserAction::Trust => "needs you: grant its capabilities".into(),
            UserAction::Relogin => "needs you: sign in again".into(),
            UserAction::Pair => "needs you: approve a person".into(),
            UserAction::AddModel => "needs you: choose a model".into(),
        },
        RunState::Failed { recoverable: true } => "failed; a restart may help".into(),
        RunState::Failed { recoverable: false } => "failed".into(),
        RunState::Quarantined { until } => format!("quarantined, ends {}", within(*until, now)),
        RunState::Stopping => "stopping".into(),
    };
    if status.message.is_empty() {
        state
    } else {
        format!("{state} ({})", line(&status.message, columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_in_a_message_never_reaches_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\r\n\tc\u{9b}d"), "a[2Jb\n\tcd");
        assert_eq!(line("a\x1b]0;title\x07b\nc", 40), "a]0;titleb c");
    }

    #[test]
    fn columns_line_up_also_with_wide_characters() {
        let rows = [vec!["日本".into(), "x".into()], vec!["abcdef".into(), "y".into()]];
        assert_eq!(table(&["name", "v"], &rows, "none"), "NAME    V\n日本    x\nabcdef  y\n");
        assert_eq!(table(&["name"], &[], "no sessions"), "no sessions\n");
    }

    #[test]
    fn a_long_text_is_cut_by_columns_not_by_bytes() {
        assert_eq!(line("abcdef", 6), "abcdef");
        assert_eq!(line("abcdefg", 6), "abcde…");
        assert_eq!(line("日本語です", 6), "日本…");
    }

    #[test]
    fn times_are_told_in_one_unit() {
        let now = Ms(10_000_000_000);
        let told: Vec<_> = [0, 30_000, 90_000, 7_200_000, 200_000_000].map(|d| ago(Ms(now.0 - d), now)).into();
        assert_eq!(told, ["now", "30 s ago", "1 min ago", "2 h ago", "2 d ago"]);
        assert_eq!(ago(Ms(0), now), "never");
        assert_eq!((within(Ms(now.0 + 4_500), now), within(now, now)), ("in 5 s".into(), "now".into()));
        assert_eq!(stamp(Ms(1_767_225_600_123)), "2026-01-01T00:00:00.123Z");
    }

    #[test]
    fn a_state_says_what_to_do() {
        let status = |state, message: &str| Status {
            state,
            code: String::new(),
            message: message.into(),
            since: Ms(0),
        };
        let configure = RunState::NeedsUser {
            action: UserAction::Configure { field: "botToken".into() },
        };
        assert_eq!(state(&status(configure, ""), Ms(0)), "needs you: set botToken");
        let backoff = RunState::Backoff {
            attempt: 3,
            until: Ms(4_000),
        };
        assert_eq!(
            state(&status(backoff, "connection refused"), Ms(0)),
            "failed 3×, tries again in 4 s (connection refused)"
        );
    }
}
