//! Hits of a search, letters, rules and plans of tidying up.

use super::{ago, line, table, word};
use kata_protocol::{ClassRules, HygienePlan, HygieneRules, Letter, Ms, SearchPage};
use std::fmt::Write;

pub(crate) fn hits(page: &SearchPage, now: Ms) -> String {
    if page.hits.is_empty() {
        return "nothing was found\n".into();
    }
    let mut text = String::new();
    for hit in &page.hits {
        let title = hit.session.name.as_deref().or(hit.session.preview.as_deref()).unwrap_or("(empty)");
        let at = hit.at.map(|at| ago(at, now)).unwrap_or_default();
        let archived = if hit.session.archived { " · archived" } else { "" };
        let _ = writeln!(
            text,
            "{}  {}  {} · {at}{archived}",
            hit.session.id,
            line(title, 48),
            word(&hit.kind)
        );
        // The isolates around a found word would be lost on most terminals.
        let marked = hit.snippet.replace('\u{2068}', "[").replace('\u{2069}', "]");
        let _ = writeln!(text, "    {}", line(&marked, 100));
    }
    text
}

pub(crate) fn letters(letters: &[Letter], now: Ms) -> String {
    let rows: Vec<_> = letters
        .iter()
        .map(|letter| {
            vec![
                letter.id.clone(),
                word(&letter.state).replace('_', " "),
                letter.channel.to_string(),
                line(&letter.conversation, 24),
                line(&letter.preview, 40),
                line(letter.error.as_deref().unwrap_or_default(), 48),
                letter.attempts.to_string(),
                ago(letter.at, now),
            ]
        })
        .collect();
    table(
        &["id", "state", "channel", "conversation", "text", "error", "tries", "when"],
        &rows,
        "every message got through",
    )
}

pub(crate) fn hygiene(rules: &HygieneRules) -> String {
    let number = |value: Option<u32>| value.map(|n| n.to_string()).unwrap_or_default();
    let row = |name: &str, of: &ClassRules| {
        vec![
            name.to_owned(),
            number(of.reset_after_minutes),
            of.reset_daily_at.clone().unwrap_or_default(),
            number(of.archive_after_days),
            number(of.most),
        ]
    };
    let rows = [
        row("desktop", &rules.desktop),
        row("direct", &rules.direct),
        row("group", &rules.group),
        row("thread", &rules.thread),
    ];
    let mut text = table(
        &["class", "resetAfterMinutes", "resetDailyAt", "archiveAfterDays", "most"],
        &rows,
        "",
    );
    let _ = match rules.delete_archived_after_days {
        Some(days) => writeln!(text, "archived sessions are deleted after {days} days"),
        None => writeln!(text, "archived sessions are never deleted by themselves"),
    };
    text
}

/// `done`: `was`, or `would be`.
pub(crate) fn plan(plan: &HygienePlan, done: &str, now: Ms) -> String {
    let rows: Vec<_> = plan
        .steps
        .iter()
        .map(|step| {
            let title = step
                .session
                .name
                .as_deref()
                .or(step.session.preview.as_deref())
                .unwrap_or("(empty)");
            vec![
                step.session.id.to_string(),
                line(title, 40),
                word(&step.class),
                word(&step.action),
                line(&step.reason, 56),
                ago(step.session.last_message_at, now),
            ]
        })
        .collect();
    let mut text = table(
        &["id", "title", "class", "action", "why", "last"],
        &rows,
        &format!("nothing {done} done"),
    );
    let _ = writeln!(text, "{} of {} sessions", plan.steps.len(), plan.looked_at);
    text
}
