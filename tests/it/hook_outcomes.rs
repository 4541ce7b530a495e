//! A hook that rewrites, cancels, throws, hangs, spins or answers nonsense, in the real engine: what comes of the message, what
//! stands in its trace, and what a report of it says. The plugin `unruly` does what the message tells it to.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};

/// A turn and its trace.
struct Story {
    /// The last row of the session.
    answer: String,
    /// Text of the tool's row, where there is one.
    tool: Option<String>,
    trace: Trace,
    report: String,
}

impl Story {
    fn step(&self, event: &str) -> &TraceStep {
        let of_unruly = |s: &&TraceStep| s.label == event && s.plugin.as_deref() == Some("unruly");
        self.trace
            .steps
            .iter()
            .find(of_unruly)
            .unwrap_or_else(|| panic!("{event} left no step: {:?}", self.trace.steps))
    }

    /// The step of the event ended so, and so says the report, without a word of what was written.
    fn ended(&self, event: &str, outcome: StepOutcome) -> &TraceStep {
        let step = self.step(event);
        assert_eq!(step.outcome, outcome, "{step:?}");
        let word = serde_json::to_value(outcome).unwrap();
        let row = format!("| hook | {event} | unruly | {} |", word.as_str().unwrap());
        assert!(self.report.contains(&row), "“{row}” is missing in\n{}", self.report);
        assert!(self.report.contains("unruly 2.7.1"), "{}", self.report);
        for written in ["rewritten", "held back", "enough", "@", "original"] {
            assert!(!self.report.contains(written), "“{written}” is in\n{}", self.report);
        }
        step
    }
}

async fn engine() -> TestEngine {
    let engine = TestEngine::start(TestHome::with_plugins(&["unruly"])).await;
    engine.plugin_up("unruly").await;
    engine
}

async fn newest(engine: &TestEngine, session: &SessionId) -> (Trace, String) {
    let trace = engine.trace(session).await;
    let report = engine.ops.trace_report(&caller(), TraceRef { id: trace.id.clone() }).await.unwrap();
    (trace, report.text)
}

/// A message that calls the tool and tells the plugin what to do.
async fn told(engine: &TestEngine, order: &str) -> Story {
    let session = engine.session().await;
    let text = format!(r#"/tool say {{"text":"original {order}"}}"#);
    let detail = engine.ask(&session, &text).await;
    let last = detail.messages.last().unwrap();
    let (trace, report) = newest(engine, &session).await;
    let mut tools = detail.messages.iter().filter_map(|m| m.tool.as_ref());
    Story {
        answer: last.content.clone(),
        tool: tools.next_back().and_then(|t| t.result.clone()),
        trace,
        report,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hook_rewrites_takes_its_place_and_the_trace_has_the_difference() {
    let engine = engine().await;
    for (event, path) in [
        ("message_received", "/text"),
        ("before_tool_call", "/params/text"),
        ("after_tool_call", "/result"),
    ] {
        let story = told(&engine, &format!("@{event}:rewrite")).await;
        let step = story.ended(event, StepOutcome::Changed);
        let diff = step.diff.as_ref().unwrap().0.to_string();
        assert!(diff.contains(path) && diff.contains("rewritten"), "{diff}");
        assert!(story.report.contains(&format!("changed `{path}`")), "{}", story.report);
        assert!(
            story
                .tool
                .as_ref()
                .is_some_and(|t| t.contains("rewritten") && !t.contains("original")),
            "{event}: {:?}",
            story.tool
        );
    }
    let story = told(&engine, "@message_sending:rewrite").await;
    story.ended("message_sending", StepOutcome::Changed);
    assert_eq!(story.answer, "rewritten");
    let story = told(&engine, "@before_agent_start:rewrite").await;
    let step = story.ended("before_agent_start", StepOutcome::Changed);
    assert!(step.diff.as_ref().unwrap().0.to_string().contains("/context"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_hook_cancels_ends_there_with_its_reason() {
    let engine = engine().await;
    let session = engine.session().await;
    let blocked = SessionSubmit {
        id: session.clone(),
        text: "original @message_received:cancel".into(),
        delivery: None,
        idempotency_key: None,
        attachments: None,
    };
    let error = engine.ops.session_submit(&caller(), blocked).await.unwrap_err();
    assert!(error.message.contains("held back by unruly"), "{error:?}");
    let (trace, report) = newest(&engine, &session).await;
    let story = Story {
        answer: String::new(),
        tool: None,
        trace,
        report,
    };
    let step = story.ended("message_received", StepOutcome::Blocked);
    assert_eq!(step.note.as_deref(), Some("held back by unruly"));

    let story = told(&engine, "@before_tool_call:cancel").await;
    story.ended("before_tool_call", StepOutcome::Blocked);
    assert!(
        story.tool.is_some_and(|t| t.contains("held back by unruly")),
        "the model is told why"
    );
    let story = told(&engine, "@message_sending:cancel").await;
    story.ended("message_sending", StepOutcome::Blocked);
    assert!(
        story.answer.contains("unruly") && story.answer.contains("held back"),
        "{}",
        story.answer
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_throws_hangs_spins_or_answers_nonsense_is_passed_over_and_at_the_gate_it_blocks() {
    let engine = engine().await;
    let outcomes = [
        ("throw", StepOutcome::Error, "unruly has had enough"),
        ("nonsense", StepOutcome::Error, "does not fit"),
        ("hang", StepOutcome::Timeout, "no answer within"),
        ("spin", StepOutcome::Error, ""),
    ];
    for (how, outcome, reason) in outcomes {
        // A plugin that spins is torn down, so what the same message asks of it next finds it gone, and the gate is closed.
        let all = [
            "message_received",
            "before_agent_start",
            "after_tool_call",
            "message_sending",
            "before_tool_call",
        ];
        for event in if how == "spin" { &all[3..] } else { &all[..] } {
            engine.plugin_up("unruly").await;
            let story = told(&engine, &format!("@{event}:{how}")).await;
            // A busy machine reaches the time limit before it has counted a tenth of a second of the plugin's own.
            let late = how == "spin" && story.step(event).outcome == StepOutcome::Timeout;
            let outcome = if late { StepOutcome::Timeout } else { outcome };
            let step = story.ended(event, outcome);
            assert!(step.note.as_ref().is_some_and(|n| n.contains(reason)), "{event} {how}: {step:?}");
            assert_eq!(step.diff, None);
            let tool = story.tool.unwrap();
            if *event == "before_tool_call" {
                assert!(
                    tool.contains("unruly") && tool.contains("did not answer") && !tool.contains("said"),
                    "fails closed: {tool}"
                );
            } else {
                assert!(tool.contains("said original"), "fails open: {event} {how}: {tool}");
                assert!(!story.answer.contains("rewritten"), "{}", story.answer);
            }
        }
    }
    let hooks = engine.ops.hook_list(&caller(), Empty {}).await.unwrap();
    for (event, failures) in [
        (HookName::MessageReceived, 3),
        (HookName::BeforeToolCall, 4),
        (HookName::MessageSending, 4),
    ] {
        let slot = &hooks.iter().find(|h| h.event == event).unwrap().handlers[0];
        assert_eq!((slot.plugin.as_str(), slot.timeout_ms), ("unruly", 400), "{event:?} {slot:?}");
        assert!(slot.failures >= failures && slot.calls > slot.failures, "{event:?} {slot:?}");
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_throws_or_hangs_changes_nothing_and_is_in_the_trace() {
    let engine = engine().await;
    for (how, outcome) in [("throw", StepOutcome::Error), ("hang", StepOutcome::Timeout)] {
        let session = engine.session().await;
        let detail = engine.ask(&session, &format!("original @agent_end:{how}")).await;
        assert_eq!(detail.state, SessionState::Idle);
        eventually("the observer's end is in the trace", async || {
            let trace = engine.trace(&session).await;
            trace
                .steps
                .iter()
                .any(|s| s.label == "agent_end" && s.outcome == outcome)
                .then_some(())
        })
        .await;
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_a_hook_would_send_elsewhere_goes_where_it_was_asked() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["unruly", "loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let engine = TestEngine::start(home).await;
    engine.plugin_up("unruly").await;
    for (person, how) in [("ada", "nonsense"), ("bob", "rewrite"), ("cy", "cancel")] {
        platform.write(person, &format!("original @message_sending:{how}"));
        eventually("the message has ended", async || {
            let l = engine.ledger().await;
            (l.pending.0 == 0 && l.accepted.0 >= 1).then_some(())
        })
        .await;
    }
    platform.write("dan", "last");
    platform.delivered(3).await;
    let to: Vec<_> = platform.sent().iter().map(|s| s.message.route.conversation.to_string()).collect();
    assert_eq!(to, ["ada", "bob", "dan"], "what was cancelled went nowhere");
    let of_cy = TraceList {
        plugin: Some(PluginId::new("unruly").unwrap()),
        outcome: Some(StepOutcome::Blocked),
        ..TraceList::default()
    };
    let found = engine.ops.trace_list(&caller(), of_cy).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(
        found[0].done && found[0].steps.iter().all(|s| s.gate != Gate::Outbox),
        "{:?}",
        found[0].steps
    );
    engine.engine.shutdown().await;
}
