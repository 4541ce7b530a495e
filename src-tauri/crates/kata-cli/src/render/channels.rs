//! Channels as text.

use super::{ago, clean, line, state, table, word};
use kata_protocol::{ChannelDirectory, DirectoryEntry, Ms, Probe, SecurityWarning, SetupStep, SourceSummary};
use qrcode::{Color, QrCode};
use std::fmt::Write;

pub(crate) fn channels(sources: &[SourceSummary], now: Ms) -> String {
    let rows: Vec<_> = sources
        .iter()
        .map(|s| {
            vec![
                s.id.as_str().strip_prefix("channel:").unwrap_or(s.id.as_str()).to_owned(),
                line(&s.name, 32),
                if s.enabled { state(&s.status, now) } else { "off".into() },
                s.workspace.as_ref().map(ToString::to_string).unwrap_or_default(),
                s.last_activity.map(|at| ago(at, now)).unwrap_or_default(),
            ]
        })
        .collect();
    table(&["channel", "name", "state", "workspace", "last"], &rows, "no channels")
}

pub(crate) fn probe(probe: &Probe) -> String {
    let state = if probe.ok { "works" } else { "does not work" };
    format!("{state} ({} ms): {}\n", probe.latency_ms, line(&probe.message, 300))
}

pub(crate) fn audit(warnings: &[SecurityWarning]) -> String {
    if warnings.is_empty() {
        return "nothing to warn of\n".into();
    }
    let all = warnings
        .iter()
        .map(|w| format!("{}: {}\n", line(&w.code, 40), line(&w.message, 400)));
    all.collect()
}

pub(crate) fn directory(directory: &ChannelDirectory) -> String {
    let mut text = String::new();
    if let Some(me) = &directory.me {
        let name = me.name.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{} ({})", line(name, 60), line(me.id.as_str(), 80));
    }
    for (title, entries) in [("people", &directory.peers), ("groups", &directory.groups)] {
        let _ = match entries {
            None => writeln!(text, "{title}: the channel does not list them"),
            Some(entries) => write!(text, "{title}:\n{}", list(entries)),
        };
    }
    text
}

fn list(entries: &[DirectoryEntry]) -> String {
    let rows: Vec<_> = entries
        .iter()
        .map(|e| vec![line(&e.name, 40), word(&e.chat_type), line(e.id.as_str(), 80)])
        .collect();
    table(&["name", "kind", "id"], &rows, "none")
}

/// A step of a set-up, for a person who answers below it.
pub(crate) fn step(step: &SetupStep) -> String {
    let (title, help, error, more) = match step {
        SetupStep::Input {
            title, help, error, copy, ..
        }
        | SetupStep::Secret {
            title, help, error, copy, ..
        } => {
            let copy = copy.as_deref().map(|text| format!("\nCopy this:\n\n{}\n", clean(text)));
            (title, help.as_str(), error, copy.unwrap_or_default())
        }
        SetupStep::Open { url, title, help, error } => (
            title,
            help.as_str(),
            error,
            format!("\nOpen {}\n(waiting; Ctrl-C leaves)", line(url, 4096)),
        ),
        SetupStep::Qr { text, title, help, error } => (title, help.as_str(), error, format!("\n{}(waiting; Ctrl-C leaves)", qr(text))),
        SetupStep::Choice {
            title,
            help,
            options,
            error,
            ..
        } => {
            let options = options
                .iter()
                .enumerate()
                .map(|(i, o)| format!("\n  {}  {}", i + 1, line(&o.label, 100)));
            (title, help.as_str(), error, options.collect())
        }
        SetupStep::Done { .. } => return String::new(),
    };
    let mut text = format!("\n{}\n", line(title, 200));
    if !help.trim().is_empty() {
        let _ = writeln!(text, "{}", clean(help).trim());
    }
    if let Some(error) = error {
        let _ = writeln!(text, "! {}", line(error, 500));
    }
    text + &more
}

/// A code to scan: two rows in one line of characters, light as the code's paper wherever the terminal is dark, with the margin
/// that cameras need.
pub(super) fn qr(text: &str) -> String {
    const MARGIN: usize = 2;
    let Ok(code) = QrCode::new(text.as_bytes()) else {
        return format!("(too long to draw: {})\n", line(text, 200));
    };
    let width = code.width();
    let dark = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(MARGIN).filter(|at| *at < width);
        matches!((inside(x), inside(y)), (Some(x), Some(y)) if code[(x, y)] == Color::Dark)
    };
    let mut drawn = String::new();
    for y in (0..width + 2 * MARGIN).step_by(2) {
        // Black on white whatever the terminal's colours are.
        drawn += "\x1b[38;5;16;48;5;231m";
        for x in 0..width + 2 * MARGIN {
            drawn.push(match (dark(x, y), dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        drawn += "\x1b[0m\n";
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_drawn_with_its_three_corners_and_a_margin() {
        let drawn = qr("https://example.com/x");
        let lines: Vec<String> = drawn
            .lines()
            .map(|l| {
                l.trim_start_matches("\x1b[38;5;16;48;5;231m")
                    .trim_end_matches("\x1b[0m")
                    .to_owned()
            })
            .collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|l| l.chars().count() == width));
        assert!(lines[0].chars().all(|c| c == ' '), "the margin");
        let row: Vec<char> = lines[1].chars().collect();
        // A finder's upper edge is seven dark modules over five light ones.
        let corner: String = row[2..9].iter().collect();
        let other: String = row[width - 9..width - 2].iter().collect();
        assert_eq!((corner.as_str(), other.as_str()), ("█▀▀▀▀▀█", "█▀▀▀▀▀█"));
    }

    #[test]
    fn a_step_shows_what_was_wrong_and_no_control_characters_of_the_plugin() {
        let shown = step(&SetupStep::Secret {
            secret: "token".into(),
            title: "Tok\x1b[2Jen".into(),
            help: "Write to @BotFather.".into(),
            error: Some("Refused.".into()),
            copy: None,
        });
        assert!(
            !shown.contains('\x1b') && shown.contains("! Refused.") && shown.contains("@BotFather"),
            "{shown}"
        );
    }
}
