//! What is kept of a trace under which rules.

use super::*;
use crate::ports::StoreError;
use crate::testing::disk::lock;
use crate::testing::{TestClock, TestEntropy};
use async_trait::async_trait;
use kata_protocol::TraceRules;
use serde_json::json;
use std::time::Duration;

#[derive(Default)]
struct Kept(Mutex<Vec<(Trace, u32)>>);

#[async_trait]
impl TraceStore for Kept {
    async fn record(&self, trace: &Trace, keep: u32) -> Result<(), StoreError> {
        lock(&self.0).push((trace.clone(), keep));
        Ok(())
    }
    async fn kept(&self) -> Result<u32, StoreError> {
        Ok(0)
    }
    async fn traces(&self, _: &TraceList) -> Result<Vec<Trace>, StoreError> {
        Ok(Vec::new())
    }
    async fn trace(&self, _: &TraceId) -> Result<Option<Trace>, StoreError> {
        Ok(None)
    }
}

fn tracer(rules: &TraceRules) -> (Tracer, Arc<Kept>, Arc<TestClock>) {
    let (store, clock) = (Arc::new(Kept::default()), Arc::new(TestClock::default()));
    let tracer = Tracer::new(
        clock.clone(),
        Arc::new(TestEntropy::default()),
        store.clone(),
        Arc::new(EventHub::default()),
    );
    tracer.rule(Rules::compile(rules).unwrap());
    (tracer, store, clock)
}

fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::new(name).unwrap()
}

fn session() -> SessionId {
    SessionId::new("s").unwrap()
}

#[tokio::test]
async fn a_workspace_that_is_off_leaves_no_trace_and_its_messages_still_have_a_name() {
    let rules = TraceRules {
        off: vec![workspace("private")],
        keep: 500,
        ..TraceRules::default()
    };
    let (tracer, store, _) = tracer(&rules);
    let exported = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&exported);
    tracer.export(Box::new(move |trace| lock(&told).push(trace.id.clone())));
    let mut ids = Vec::new();
    for place in ["private", "open"] {
        let live = tracer.begin("desktop");
        live.step(Gate::Ingress, "x", live.mark(), StepOutcome::Ok, None);
        live.session(&session(), &workspace(place));
        live.hook("message_received", "p", live.mark(), StepOutcome::Blocked, Some("no".into()), None);
        tracer.record(&live, true).await;
        ids.push(live.id());
    }
    let kept = lock(&store.0);
    assert_eq!((kept.len(), &kept[0].0.id, kept[0].1), (1, &ids[1], 500));
    assert_eq!(kept[0].0.steps.len(), 2);
    assert_eq!(*lock(&exported), [ids[1].clone()], "what is off is not exported either");
}

#[tokio::test]
async fn a_secret_that_a_rule_finds_is_in_no_label_note_or_diff_and_is_not_exported() {
    let rules = TraceRules {
        redact: vec!["hunter[0-9]+".into()],
        ..TraceRules::default()
    };
    let (tracer, store, _) = tracer(&rules);
    let exported = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&exported);
    tracer.export(Box::new(move |trace| *lock(&told) += &serde_json::to_string(trace).unwrap()));
    let live = tracer.begin("desktop");
    let diff = live.diff(
        &json!({"text": "a"}),
        &json!({"text": "the word is hunter2", "hunter3": [{"x": "hunter4"}]}),
    );
    live.step(Gate::Tool, "say hunter5", live.mark(), StepOutcome::Ok, None);
    live.hook(
        "message_received",
        "p",
        live.mark(),
        StepOutcome::Changed,
        Some("because hunter6".into()),
        diff,
    );
    tracer.record(&live, true).await;
    let kept = serde_json::to_string(&lock(&store.0)[0].0).unwrap();
    assert_eq!(kept.matches(REDACTED).count(), 5, "{kept}");
    assert!(!kept.contains("hunter") && !lock(&exported).contains("hunter"), "{kept}");
}

#[tokio::test]
async fn a_diff_that_is_too_big_is_a_note_with_its_size_and_all_diffs_together_have_a_bound() {
    let (tracer, store, _) = tracer(&TraceRules::default());
    let live = tracer.begin("desktop");
    let big = |n: usize| live.diff(&json!({"text": ""}), &json!({"text": "x".repeat(n)}));
    live.hook("message_received", "p", live.mark(), StepOutcome::Changed, None, big(MAX_DIFF));
    for _ in 0..40 {
        live.hook(
            "message_received",
            "p",
            live.mark(),
            StepOutcome::Changed,
            None,
            big(MAX_DIFF - 100),
        );
    }
    live.hook("message_received", "p", live.mark(), StepOutcome::Changed, None, big(1));
    tracer.record(&live, true).await;
    let kept = lock(&store.0)[0].0.clone();
    assert_eq!(kept.steps[0].diff, None);
    assert!(kept.steps[0].note.as_ref().unwrap().contains("bytes is left out"));
    let all: usize = kept.steps.iter().filter_map(|s| s.diff.as_ref()).map(size).sum();
    assert!(all <= MAX_DIFFS && all > MAX_DIFFS / 2, "{all}");
    assert!(
        kept.steps[30].diff.is_none() && kept.steps[41].diff.is_some(),
        "a small one still has room"
    );
}

#[test]
fn a_report_has_timings_plugins_outcomes_and_versions_and_nothing_that_was_written() {
    let (tracer, _, clock) = tracer(&TraceRules::default());
    let live = tracer.begin("telegram");
    let mark = live.mark();
    clock.advance(Duration::from_millis(2));
    live.step(Gate::Router, "telegram/bot/+44123", mark, StepOutcome::Ok, None);
    let diff = live.diff(&json!({"text": "my secret", "a|b": 1}), &json!({"text": "their secret"}));
    live.hook("message_received", "pirate", mark, StepOutcome::Changed, None, diff);
    let mark = live.mark();
    clock.advance(Duration::from_millis(6));
    live.hook(
        "message_sending",
        "wall",
        mark,
        StepOutcome::Blocked,
        Some("it said: my secret".into()),
        None,
    );
    let versions = Versions {
        app: "1.2.3".into(),
        system: "linux x86_64".into(),
        plugins: [("pirate".to_owned(), "4.5.6".to_owned())].into(),
    };
    let text = report(&live.lock().trace, &versions);
    for part in [
        "Kata Agents 1.2.3 on linux x86_64 · from telegram · 8.00 ms",
        "| router | session key |  | ok | 0.00 ms | 2.00 ms | `██████` |",
        "| hook | message_received | pirate | changed |",
        "| hook | message_sending | wall | blocked | 2.00 ms | 6.00 ms | `······▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒` |",
        "step 2, message_received: changed `/text`, `/a\\|b`",
        "step 3, message_sending: a reason of 18 characters",
        "Plugins: pirate 4.5.6, wall (not installed any more)",
    ] {
        assert!(text.contains(part), "“{part}” is missing in\n{text}");
    }
    for secret in ["secret", "+44123"] {
        assert!(!text.contains(secret), "“{secret}” is in\n{text}");
    }
}
