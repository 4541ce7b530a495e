//! A trace as a waterfall: every gate in order, when it began, how long it took, and a bar on a common scale.

use super::{line, stamp, table, word};
use kata_protocol::{Ms, StepOutcome, Trace, TraceStep};

/// Columns of the bars.
const BAR: u64 = 28;

/// Microseconds from the first step to the end of the last.
pub(super) fn end(trace: &Trace) -> u64 {
    trace
        .steps
        .iter()
        .map(|s| u64::from(s.start_us) + u64::from(s.duration_us))
        .max()
        .unwrap_or(0)
}

pub(super) fn duration(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{:02} ms", us / 1000, us % 1000 / 10),
        10_000..10_000_000 => format!("{} ms", us / 1000),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

pub(crate) fn waterfall(trace: &Trace) -> String {
    let total = end(trace);
    let session = trace.session.as_ref().map(|s| format!(" → session {s}")).unwrap_or_default();
    let mut text = format!(
        "trace {}\n{}{session} · {} · {} · {}\n\n",
        trace.id,
        line(&trace.origin, 60),
        stamp(Ms(trace.started_at.0)),
        duration(total),
        if trace.done { "done" } else { "on its way" }
    );
    let rows: Vec<_> = trace.steps.iter().map(|step| row(step, total)).collect();
    text += &table(&["gate", "what", "plugin", "outcome", "start", "took", ""], &rows, "no steps yet");
    for step in &trace.steps {
        if let Some(note) = &step.note {
            text += &format!("  {} “{}”: {}\n", word(&step.gate), line(&step.label, 40), line(note, 160));
        }
        if let Some(diff) = &step.diff {
            text += &format!(
                "  {} “{}” changed {}\n",
                word(&step.gate),
                line(&step.label, 40),
                line(&diff.0.to_string(), 200)
            );
        }
    }
    text
}

fn row(step: &TraceStep, total: u64) -> Vec<String> {
    vec![
        word(&step.gate),
        line(&step.label, 40),
        step.plugin.as_ref().map(ToString::to_string).unwrap_or_default(),
        word(&step.outcome),
        duration(step.start_us.into()),
        duration(step.duration_us.into()),
        bar(step, total),
    ]
}

fn bar(step: &TraceStep, total: u64) -> String {
    let scale = |us: u64| (us * BAR).checked_div(total).unwrap_or(0);
    let begin = scale(step.start_us.into()).min(BAR - 1);
    // What took next to nothing still has its place.
    let width = (scale(u64::from(step.start_us) + u64::from(step.duration_us)).saturating_sub(begin)).max(1);
    let mark = match step.outcome {
        StepOutcome::Ok | StepOutcome::Changed => "█",
        StepOutcome::Blocked | StepOutcome::Error | StepOutcome::Timeout => "▒",
    };
    let (begin, width) = (usize::try_from(begin).unwrap_or(0), usize::try_from(width).unwrap_or(1));
    format!("{}{}", " ".repeat(begin), mark.repeat(width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_waterfall_shows_every_gate_with_plugin_outcome_and_timings() {
        let step = |gate: &str, label: &str, plugin: Option<&str>, start: u32, took: u32, outcome: &str, note: Option<&str>| {
            json!({"gate": gate, "label": label, "plugin": plugin, "startUs": start, "durationUs": took, "outcome": outcome,
                "note": note, "diff": null})
        };
        let trace: Trace = serde_json::from_value(json!({"id": "t1", "startedAt": 1_767_225_600_000_u64, "origin": "telegram",
        "session": "260201-swift-river", "done": true, "steps": [
            step("ingress", "admitted", None, 0, 500, "ok", None),
            step("hook", "message_received", Some("echo"), 500, 500, "changed", None),
            step("model", "demo", None, 1_000, 2_000, "ok", None),
            step("send", "telegram", Some("telegram"), 3_000, 1_000, "error", Some("429, tries again")),
        ]}))
        .unwrap();
        assert_eq!(
            waterfall(&trace),
            "trace t1\ntelegram → session 260201-swift-river · 2026-01-01T00:00:00.000Z · 4.00 ms · done\n\n\
             GATE     WHAT              PLUGIN    OUTCOME  START    TOOK\n\
             ingress  admitted                    ok       0.00 ms  0.50 ms  ███\n\
             hook     message_received  echo      changed  0.50 ms  0.50 ms     ████\n\
             model    demo                        ok       1.00 ms  2.00 ms         ██████████████\n\
             send     telegram          telegram  error    3.00 ms  1.00 ms                       ▒▒▒▒▒▒▒\n  \
             send “telegram”: 429, tries again\n"
        );
    }

    #[test]
    fn a_trace_without_steps_is_said_so() {
        let trace: Trace =
            serde_json::from_value(json!({"id": "t", "startedAt": 0, "origin": "cli", "session": null, "done": false, "steps": []}))
                .unwrap();
        assert!(waterfall(&trace).ends_with("no steps yet\n"));
    }

    #[test]
    fn durations_keep_three_digits_or_so() {
        assert_eq!(
            [5, 1_234, 45_678, 12_300_000].map(duration),
            ["0.00 ms", "1.23 ms", "45 ms", "12.3 s"]
        );
    }
}
