//! Workspaces, skills, preferences, notes, tokens by day, files, git.

use super::{clean, line, table, word};
use kata_protocol::{FileHit, GitState, Preferences, SessionNotes, Skill, SkillDocument, UsageRow, WorkspaceSettings, WorkspaceSummary};
use std::fmt::Write;
use time::OffsetDateTime;

pub(crate) fn workspaces(all: &[WorkspaceSummary]) -> String {
    let row = |one: &WorkspaceSummary| {
        vec![
            one.id.to_string(),
            line(&one.name, 32),
            if one.active { "active".into() } else { String::new() },
            one.session_count.to_string(),
            line(&one.path, 72),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    table(&["id", "name", "", "sessions", "folder"], &rows, "no workspace")
}

pub(crate) fn workspace(of: &WorkspaceSettings) -> String {
    let none = || "(not set)".to_owned();
    let mut text = format!("{} ({})\n", line(&of.name, 72), of.id);
    let _ = writeln!(text, "mode      {}", of.mode.as_ref().map_or_else(none, word));
    let _ = writeln!(text, "model     {}", of.model.as_deref().map_or_else(none, |model| line(model, 72)));
    let _ = writeln!(
        text,
        "folder    {}",
        of.working_directory.as_deref().map_or_else(none, |folder| line(folder, 100))
    );
    let names = |list: &serde_json::Value, key: &str| {
        let ids = list.as_array().into_iter().flatten();
        ids.filter_map(|one| one[key].as_str())
            .map(|name| line(name, 32))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let _ = writeln!(text, "statuses  {}", names(&of.statuses.0, "label"));
    let _ = writeln!(text, "labels    {}", names(&of.labels.0, "name"));
    text
}

pub(crate) fn skills(all: &[Skill]) -> String {
    let row = |one: &Skill| {
        let about = match &one.error {
            Some(error) => format!("cannot be used: {error}"),
            None => one.description.clone(),
        };
        vec![line(&one.slug, 32), line(&one.name, 32), line(&about, 72)]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    table(&["skill", "name", "for"], &rows, "no skills; `kata skills write` makes one")
}

pub(crate) fn skill(document: &SkillDocument) -> String {
    let mut text = String::new();
    if let Some(error) = &document.skill.error {
        let _ = writeln!(text, "cannot be used: {}\n", line(error, 100));
    }
    text + &clean(&document.text)
}

pub(crate) fn preferences(told: &Preferences) -> String {
    let fields = [
        ("name", &told.name),
        ("timezone", &told.timezone),
        ("language", &told.language),
        ("city", &told.city),
        ("country", &told.country),
        ("notes", &told.notes),
    ];
    let mut text = String::new();
    for (name, value) in fields {
        if let Some(value) = value {
            let _ = writeln!(text, "{name:9} {}", clean(value));
        }
    }
    if text.is_empty() {
        "nothing is known of you\n".into()
    } else {
        text
    }
}

pub(crate) fn notes(notes: &SessionNotes) -> String {
    match notes.text.as_deref().unwrap_or_default() {
        "" => "no notes\n".into(),
        text => clean(text.trim_end()) + "\n",
    }
}

pub(crate) fn usage(rows: &[UsageRow]) -> String {
    let day = |row: &UsageRow| {
        let seconds = i64::try_from(row.day.0 / 1000).unwrap_or_default();
        // The begin of a day here is never more than a day from that of UTC; the middle of it is the same date.
        let noon = OffsetDateTime::from_unix_timestamp(seconds + 12 * 3600).ok();
        noon.map(|at| at.date().to_string()).unwrap_or_default()
    };
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            vec![
                day(row),
                line(&row.model, 40),
                row.turns.0.to_string(),
                row.input.0.to_string(),
                row.output.0.to_string(),
            ]
        })
        .collect();
    let mut text = table(&["day", "model", "turns", "tokens in", "tokens out"], &cells, "no tokens were used");
    if !rows.is_empty() {
        let sum = |of: fn(&UsageRow) -> u64| rows.iter().map(of).sum::<u64>();
        let _ = writeln!(text, "{} in, {} out", sum(|row| row.input.0), sum(|row| row.output.0));
    }
    text
}

pub(crate) fn files(hits: &[FileHit]) -> String {
    let mut text = String::new();
    for hit in hits {
        let _ = writeln!(text, "{}{}", line(&hit.path, 200), if hit.folder { "/" } else { "" });
    }
    if text.is_empty() { "no file fits\n".into() } else { text }
}

pub(crate) fn git(state: &GitState) -> String {
    match &state.branch {
        None => "the folder is in no repository\n".into(),
        Some(branch) => format!("{} · {} changed\n", line(branch, 100), state.changed),
    }
}
