//! Hook events with their handlers, and the rules of traces.

use super::{line, table, word};
use kata_protocol::{HookEvent, TraceState};
use std::fmt::Write;

pub(crate) fn hooks(events: &[HookEvent]) -> String {
    let mut text = String::new();
    for event in events {
        let _ = writeln!(text, "{} ({})\n  {}", event.event.as_str(), event.kind, event.rule);
        let rows: Vec<_> = event
            .handlers
            .iter()
            .enumerate()
            .map(|(n, slot)| {
                vec![
                    format!("  {}", n + 1),
                    slot.plugin.to_string(),
                    word(&slot.origin),
                    slot.priority.to_string(),
                    format!("{} ms", slot.timeout_ms),
                    slot.calls.to_string(),
                    slot.failures.to_string(),
                    line(&slot.why, 100),
                ]
            })
            .collect();
        text += &table(
            &["  #", "plugin", "from", "priority", "at most", "calls", "failures", "why here"],
            &rows,
            "  no handler",
        );
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

pub(crate) fn trace_rules(state: &TraceState) -> String {
    let rules = &state.rules;
    let mut text = format!("{} traces kept, of at most {}\n", state.kept, rules.keep);
    let lists = [
        ("off in", rules.off.iter().map(ToString::to_string).collect()),
        ("redacted", rules.redact.clone()),
        ("redacted fields", rules.redact_fields.clone()),
    ];
    for (what, values) in lists {
        let values: Vec<String> = values;
        if !values.is_empty() {
            let _ = writeln!(
                text,
                "{what}: {}",
                values.iter().map(|v| line(v, 80)).collect::<Vec<_>>().join("  ")
            );
        }
    }
    match &rules.otlp {
        None => text += "export: off\n",
        Some(url) => {
            let _ = writeln!(text, "export: {}; {} sent, {} failed", line(url, 100), state.exported, state.failed);
        }
    }
    if let Some(error) = &state.error {
        let _ = writeln!(text, "last problem: {}", line(error, 160));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_shows_its_rule_and_who_runs_in_which_order_and_why() {
        let slot = |plugin: &str, why: &str, failures: u32| json!({"plugin": plugin, "origin": "bundled", "priority": 5, "timeoutMs": 15000, "why": why, "calls": 3, "failures": failures});
        let events: Vec<HookEvent> = serde_json::from_value(json!([
            {"event": "message_sending", "kind": "transform", "rule": "One after the other.", "handlers": [
                slot("a", "first: no handler has a priority above 5", 0), slot("bee", "same priority 5 and origin; the id “bee” sorts after “a”", 2)]},
            {"event": "agent_end", "kind": "observe", "rule": "All at once.", "handlers": []},
        ]))
        .unwrap();
        assert_eq!(
            hooks(&events),
            "message_sending (transform)\n  One after the other.\n  \
             #  PLUGIN  FROM     PRIORITY  AT MOST   CALLS  FAILURES  WHY HERE\n  \
             1  a       bundled  5         15000 ms  3      0         first: no handler has a priority above 5\n  \
             2  bee     bundled  5         15000 ms  3      2         same priority 5 and origin; the id “bee” sorts after “a”\n\n\
             agent_end (observe)\n  All at once.\n  no handler\n"
        );
    }

    #[test]
    fn the_rules_say_what_is_off_what_is_redacted_and_how_the_export_stands() {
        let state: TraceState = serde_json::from_value(json!({
            "rules": {"off": ["private"], "redact": ["sk-.+"], "redactFields": [], "keep": 2000, "otlp": "http://127.0.0.1:4318"},
            "kept": 12, "exported": 5, "failed": 1, "error": "the collector answers 404 Not Found"}))
        .unwrap();
        assert_eq!(
            trace_rules(&state),
            "12 traces kept, of at most 2000\noff in: private\nredacted: sk-.+\n\
             export: http://127.0.0.1:4318; 5 sent, 1 failed\nlast problem: the collector answers 404 Not Found\n"
        );
    }
}
