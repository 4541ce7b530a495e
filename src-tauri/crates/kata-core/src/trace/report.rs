//! A trace as text for a bug report. What was written, and what only the person should see, stays out: no note (a plugin's reason
//! may quote the message), of a diff only the paths, no session key and no identifier of a conversation.

use kata_protocol::{Gate, StepOutcome, Trace, TraceStep};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Columns of the bars.
const BAR: u64 = 24;
/// Paths shown of one diff.
const PATHS: usize = 8;

/// What the report says of versions.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// The app's.
    pub app: String,
    /// Operating system and machine.
    pub system: String,
    /// Of each plugin that acted, where it is known.
    pub plugins: BTreeMap<String, String>,
}

/// The trace as Markdown.
pub fn report(trace: &Trace, versions: &Versions) -> String {
    let total = trace.steps.iter().map(end).max().unwrap_or_default();
    let state = if trace.done { "complete" } else { "on its way" };
    let mut text = format!(
        "### Trace `{}`\n\nKata Agents {} on {} · from {} · {} · {state}\n\n",
        trace.id,
        versions.app,
        versions.system,
        cell(&trace.origin),
        duration(total),
    );
    text += "| gate | what | plugin | outcome | start | took | |\n|---|---|---|---|---:|---:|---|\n";
    for step in &trace.steps {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | `{}` |",
            word(&step.gate),
            cell(label(step)),
            cell(step.plugin.as_deref().unwrap_or_default()),
            word(&step.outcome),
            duration(step.start_us.into()),
            duration(step.duration_us.into()),
            bar(step, total),
        );
    }
    let details: Vec<String> = trace.steps.iter().enumerate().filter_map(|(n, step)| detail(n + 1, step)).collect();
    if !details.is_empty() {
        text += "\n";
        details.iter().for_each(|line| {
            let _ = writeln!(text, "- {line}");
        });
    }
    let plugins: std::collections::BTreeSet<&str> = trace.steps.iter().filter_map(|s| s.plugin.as_deref()).collect();
    if !plugins.is_empty() {
        let named = plugins.iter().map(|p| match versions.plugins.get(*p) {
            Some(version) => format!("{} {}", cell(p), cell(version)),
            None => format!("{} (not installed any more)", cell(p)),
        });
        let _ = write!(text, "\nPlugins: {}\n", named.collect::<Vec<_>>().join(", "));
    }
    let _ = write!(text, "\nReasons and values are left out; `kata trace {}` shows them.\n", trace.id);
    text
}

/// What a step was about, without who wrote.
fn label(step: &TraceStep) -> &str {
    match step.gate {
        Gate::Router if step.outcome == StepOutcome::Ok => "session key",
        _ => &step.label,
    }
}

fn detail(n: usize, step: &TraceStep) -> Option<String> {
    let mut words = Vec::new();
    if let Some(diff) = &step.diff {
        let operations = diff.0.as_array().map(Vec::as_slice).unwrap_or_default();
        let paths = operations.iter().filter_map(|op| op["path"].as_str());
        let mut shown: Vec<String> = paths
            .take(PATHS)
            .map(|path| format!("`{}`", cell(path).replace('`', "'")))
            .collect();
        if operations.len() > PATHS {
            shown.push(format!("{} more", operations.len() - PATHS));
        }
        words.push(format!("changed {}", shown.join(", ")));
    }
    if let Some(note) = &step.note {
        words.push(format!("a reason of {} characters", note.chars().count()));
    }
    (!words.is_empty()).then(|| format!("step {n}, {}: {}", cell(label(step)), words.join("; ")))
}

fn end(step: &TraceStep) -> u64 {
    u64::from(step.start_us) + u64::from(step.duration_us)
}

fn bar(step: &TraceStep, total: u64) -> String {
    let scale = |us: u64| (us * BAR).checked_div(total).unwrap_or(0);
    let begin = scale(step.start_us.into()).min(BAR - 1);
    // What took next to nothing still has its place.
    let width = scale(end(step)).saturating_sub(begin).max(1);
    let mark = match step.outcome {
        StepOutcome::Ok | StepOutcome::Changed => "█",
        StepOutcome::Blocked | StepOutcome::Error | StepOutcome::Timeout => "▒",
    };
    let of = |n: u64| usize::try_from(n).unwrap_or(0);
    format!("{}{}", "·".repeat(of(begin)), mark.repeat(of(width)))
}

fn duration(us: u64) -> String {
    format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
}

fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Safe in a cell of a table.
fn cell(text: &str) -> String {
    let one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120);
    one_line.collect::<String>().replace('|', "\\|")
}
