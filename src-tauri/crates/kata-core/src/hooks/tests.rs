//! What handlers can and cannot do, against scripted ones.

use super::*;
use crate::EventHub;
use crate::ports::{HookInvoke, StoreError, TraceStore};
use crate::testing::{TestClock, TestEntropy};
use crate::trace::Tracer;
use async_trait::async_trait;
use kata_protocol::*;

type Answer = fn(&serde_json::Value) -> Result<Option<String>, HookFault>;

struct Scripted(Answer);

#[async_trait]
impl HookInvoke for Scripted {
    async fn invoke(&self, payload: Arc<str>, _: Duration) -> Result<Option<String>, HookFault> {
        (self.0)(&serde_json::from_str(&payload).unwrap())
    }
}

struct Never;

#[async_trait]
impl HookInvoke for Never {
    async fn invoke(&self, _: Arc<str>, _: Duration) -> Result<Option<String>, HookFault> {
        futures::future::pending().await
    }
}

struct Table(Arc<[HookHandler]>);

impl Hooks for Table {
    fn handlers(&self, _: HookName) -> Arc<[HookHandler]> {
        Arc::clone(&self.0)
    }
}

struct NoStore;

#[async_trait]
impl TraceStore for NoStore {
    async fn record(&self, _: &Trace, _: u32) -> Result<(), StoreError> {
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

fn handler(plugin: &str, invoke: Arc<dyn HookInvoke>) -> HookHandler {
    HookHandler {
        plugin: PluginId::new(plugin).unwrap(),
        origin: PluginOrigin::Bundled,
        priority: 0,
        order: 0,
        timeout: None,
        invoke,
    }
}

fn setup(handlers: Vec<HookHandler>) -> (Dispatcher, LiveTrace, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let tracer = Tracer::new(
        clock.clone(),
        Arc::new(TestEntropy::default()),
        Arc::new(NoStore),
        Arc::new(EventHub::default()),
    );
    (
        Dispatcher::new(Arc::new(Table(handlers.into())), clock.clone()),
        tracer.begin("test"),
        clock,
    )
}

fn received(text: &str) -> MessageReceived {
    MessageReceived {
        session: SessionId::new("s").unwrap(),
        text: text.into(),
        sender: None,
        channel: None,
    }
}

fn call() -> BeforeToolCall {
    BeforeToolCall {
        session: SessionId::new("s").unwrap(),
        turn: TurnId::new("t").unwrap(),
        call_id: CallId::new("c").unwrap(),
        tool: "echo".into(),
        params: Json(serde_json::json!({"a": 1})),
    }
}

#[tokio::test]
async fn each_handler_sees_what_the_one_before_made_and_every_change_leaves_a_diff() {
    let (hooks, trace, _) = setup(vec![
        handler("one", Arc::new(Scripted(|_| Ok(Some(r#"{"text":"b"}"#.into()))))),
        handler(
            "two",
            Arc::new(Scripted(|e| Ok(Some(format!(r#"{{"text":"{}c"}}"#, e["text"].as_str().unwrap()))))),
        ),
    ]);
    let Verdict::Pass { event, .. } = hooks.run(received("a"), &trace).await else {
        panic!("blocked")
    };
    assert_eq!(event.text, "bc");
    let steps = trace.lock().trace.steps.clone();
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1].plugin.as_deref(), Some("two"));
    assert_eq!(
        steps[1].diff,
        Some(Json(serde_json::json!([{"op": "replace", "path": "/text", "value": "bc"}])))
    );
}

#[tokio::test]
async fn a_block_is_final_and_names_its_plugin() {
    let (hooks, trace, _) = setup(vec![
        handler("wall", Arc::new(Scripted(|_| Ok(Some(r#"{"block":"no"}"#.into()))))),
        handler("late", Arc::new(Scripted(|_| panic!("must not run")))),
    ]);
    let verdict = hooks.run(received("a"), &trace).await;
    assert_eq!(
        verdict,
        Verdict::Stopped {
            plugin: PluginId::new("wall").unwrap(),
            reason: "no".into()
        }
    );
}

#[tokio::test]
async fn a_transform_that_fails_is_passed_over_and_a_gate_that_fails_blocks() {
    let broken = || {
        handler(
            "broken",
            Arc::new(Scripted(|_| Err(HookFault::Failed("boom at index.ts:3".into())))),
        )
    };
    let (hooks, trace, _) = setup(vec![broken()]);
    assert!(matches!(hooks.run(received("a"), &trace).await, Verdict::Pass { event, .. } if event.text == "a"));
    let Verdict::Stopped { plugin, reason } = hooks.run(call(), &trace).await else {
        panic!("a failed gate let a call through")
    };
    assert_eq!(plugin.as_str(), "broken");
    assert!(reason.contains("broken") && reason.contains("boom"), "{reason}");
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_is_the_handlers_fault() {
    let (hooks, trace, _) = setup(vec![handler("odd", Arc::new(Scripted(|_| Ok(Some(r#"{"txet":"b"}"#.into())))))]);
    assert!(matches!(hooks.run(received("a"), &trace).await, Verdict::Pass { event, .. } if event.text == "a"));
    assert_eq!(trace.lock().trace.steps[0].outcome, StepOutcome::Error);
}

#[tokio::test]
async fn a_handler_that_never_answers_costs_its_limit_and_no_more() {
    let (hooks, trace, clock) = setup(vec![handler("hangs", Arc::new(Never))]);
    let (verdict, ()) = tokio::join!(hooks.run(call(), &trace), async {
        tokio::task::yield_now().await;
        clock.advance(Duration::from_millis(15_500));
    });
    assert!(matches!(verdict, Verdict::Stopped { plugin, .. } if plugin.as_str() == "hangs"));
    assert_eq!(trace.lock().trace.steps[0].outcome, StepOutcome::Timeout);
}

#[tokio::test]
async fn tools_can_only_become_fewer() {
    let (hooks, trace, _) = setup(vec![handler(
        "narrow",
        Arc::new(Scripted(|_| Ok(Some(r#"{"tools":["b","z"],"addContext":"x"}"#.into())))),
    )]);
    let event = BeforeAgentStart {
        session: SessionId::new("s").unwrap(),
        turn: TurnId::new("t").unwrap(),
        model: "m".into(),
        tools: vec!["a".into(), "b".into()],
        context: vec![],
    };
    let Verdict::Pass { event, .. } = hooks.run(event, &trace).await else {
        panic!("blocked")
    };
    assert_eq!((event.tools, event.context), (vec!["b".to_owned()], vec!["x".to_owned()]));
}

#[tokio::test]
async fn the_order_says_why_each_handler_stands_where_it_stands_and_what_it_has_done() {
    let fails = || Arc::new(Scripted(|_| Err(HookFault::Failed("x".into()))));
    let fine = || Arc::new(Scripted(|_| Ok(None)));
    let at = |plugin: &str, origin, priority, order, timeout, invoke| HookHandler {
        origin,
        priority,
        order,
        timeout,
        ..handler(plugin, invoke)
    };
    let (hooks, trace, _) = setup(vec![
        at("b", PluginOrigin::Bundled, 10, 0, Some(Duration::from_secs(60)), fine()),
        at("c", PluginOrigin::Bundled, 0, 0, Some(Duration::from_millis(200)), fails()),
        at("a", PluginOrigin::Global, 0, 0, None, fine()),
        at("d", PluginOrigin::Global, 0, 0, None, fine()),
        at("d", PluginOrigin::Global, 0, 1, None, fails()),
    ]);
    for _ in 0..3 {
        hooks.run(received("x"), &trace).await;
    }
    let all = hooks.order();
    assert_eq!(all.iter().map(|e| e.event).collect::<Vec<_>>(), HookName::ALL);
    let event = all.iter().find(|e| e.event == HookName::MessageReceived).unwrap();
    assert_eq!(event.kind, "transform");
    let slots: Vec<_> = event
        .handlers
        .iter()
        .map(|s| (s.why.as_str(), s.timeout_ms, s.calls, s.failures))
        .collect();
    assert_eq!(
        slots,
        [
            ("first: no handler has a priority above 10", 15_000, 3, 0),
            ("priority 0 is below 10 of “b”", 200, 3, 3),
            ("same priority 0; a global plugin comes after a bundled plugin", 15_000, 3, 0),
            ("same priority 0 and origin; the id “d” sorts after “a”", 15_000, 3, 0),
            ("same plugin and priority 0; it was registered later", 15_000, 3, 3),
        ]
    );
    let kinds: std::collections::BTreeSet<_> = all.iter().map(|e| e.kind.as_str()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["gate", "observe", "transform"]);
    let observed = all.iter().find(|e| e.event == HookName::AgentEnd).unwrap();
    assert_eq!(observed.handlers[0].calls, 0, "each event counts for itself");
}
