//! A clock the test moves, and a short way to ask.

use crate::fake::FakeProvider;
use crate::{Catalog, ModelOptions, ProviderConfig};
use async_trait::async_trait;
use kata_core::ports::{Clock, Entropy, HistoryItem, Model, ModelError, ModelEvent, ModelRequest, ModelStep, Models};
use kata_protocol::{CallId, Json, Ms, ProviderKind, ProviderSettings, SessionId, ToolInfo};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Silence a provider is allowed in these tests.
pub(super) const IDLE: Duration = Duration::from_secs(90);

/// Sleeps shorter than the idle limit (retry waits) end at once and are written down; the others end when the test moves the
/// clock past them.
#[derive(Default)]
pub(super) struct TestClock {
    state: Mutex<State>,
    waiting: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    now: Duration,
    short: Vec<Duration>,
    long: Vec<(Duration, oneshot::Sender<()>)>,
}

impl TestClock {
    pub(super) fn short_sleeps(&self) -> Vec<Duration> {
        self.state.lock().unwrap().short.clone()
    }
    /// The longest wait somebody is in.
    pub(super) fn longest_wait(&self) -> Option<Duration> {
        let state = self.state.lock().unwrap();
        state
            .long
            .iter()
            .filter(|(_, wake)| !wake.is_closed())
            .map(|(until, _)| *until - state.now)
            .max()
    }
    pub(super) fn advance(&self, by: Duration) {
        let mut state = self.state.lock().unwrap();
        state.now += by;
        let now = state.now;
        let (due, rest) = state.long.drain(..).partition(|(until, _)| *until <= now);
        state.long = rest;
        let due: Vec<(Duration, oneshot::Sender<()>)> = due;
        for (_, wake) in due {
            let _ = wake.send(());
        }
    }
    /// Lets silence pass until an attempt is given up for it.
    pub(super) async fn silence(&self) {
        let given_up = || !self.state.lock().unwrap().short.is_empty();
        while !given_up() {
            self.somebody_waits().await;
            self.advance(IDLE);
            // Either it is given up, or something came in the same moment and the wait began anew.
            let until = self.state.lock().unwrap().now + IDLE;
            let mut waiting = self.waiting.subscribe();
            waiting.wait_for(|_| given_up() || self.waits_until(until)).await.unwrap();
        }
    }
    fn waits_until(&self, until: Duration) -> bool {
        self.state
            .lock()
            .unwrap()
            .long
            .iter()
            .any(|(at, wake)| *at >= until && !wake.is_closed())
    }
    /// Returns once somebody waits for the whole idle limit from now on.
    pub(super) async fn somebody_waits(&self) {
        self.somebody_waits_for(IDLE).await;
    }
    /// Returns once somebody waits for at least this long from now on.
    pub(super) async fn somebody_waits_for(&self, duration: Duration) {
        let mut waiting = self.waiting.subscribe();
        let until = self.state.lock().unwrap().now + duration;
        waiting.wait_for(|_| self.waits_until(until)).await.unwrap();
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Ms {
        Ms(1_700_000_000_000)
    }
    fn monotonic_us(&self) -> u64 {
        0
    }
    async fn sleep(&self, duration: Duration) {
        if duration < IDLE {
            self.state.lock().unwrap().short.push(duration);
            self.waiting.send_modify(|count| *count += 1);
            return tokio::task::yield_now().await;
        }
        let (wake, woken) = oneshot::channel();
        {
            let mut state = self.state.lock().unwrap();
            let until = state.now + duration;
            state.long.retain(|(_, wake)| !wake.is_closed());
            state.long.push((until, wake));
        }
        self.waiting.send_modify(|count| *count += 1);
        let _ = woken.await;
    }
}

/// Always the same bits: no jitter.
pub(super) struct NoChance;
impl Entropy for NoChance {
    fn next_u64(&self) -> u64 {
        0
    }
}

pub(super) const WIRES: [ProviderKind; 2] = [ProviderKind::Anthropic, ProviderKind::OpenaiChat];

pub(super) fn settings(kind: ProviderKind, base_url: Option<&str>) -> ProviderSettings {
    ProviderSettings {
        id: "p".into(),
        kind,
        base_url: base_url.map(str::to_owned),
        model: "fake-model".into(),
        max_tokens: None,
    }
}

pub(super) fn options() -> ModelOptions {
    ModelOptions {
        retries: 2,
        idle: IDLE,
        connect: Duration::from_secs(10),
        demo_pause: Duration::ZERO,
    }
}

pub(super) fn catalog(clock: &Arc<TestClock>) -> Catalog {
    Catalog::new(clock.clone(), Arc::new(NoChance), options()).unwrap()
}

/// A model against `base_url` with `extra` parameters, and the clock it reads.
pub(super) fn model_with(kind: ProviderKind, base_url: &str, extra: Map<String, Value>) -> (Arc<dyn Model>, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let catalog = catalog(&clock);
    let key = Some("sk-test-canary-key-0123456789".into());
    catalog.replace(
        vec![ProviderConfig {
            settings: settings(kind, Some(base_url)),
            key,
            extra,
        }],
        None,
    );
    (catalog.find(Some("p")).unwrap(), clock)
}

pub(super) fn model(kind: ProviderKind, fake: &FakeProvider) -> (Arc<dyn Model>, Arc<TestClock>) {
    model_with(kind, &fake.base_url, Map::new())
}

pub(super) fn tool(name: &str) -> ToolInfo {
    let parameters = Json(json!({"type": "object", "properties": {"city": {"type": "string"}}}));
    ToolInfo {
        name: name.into(),
        description: "A tool".into(),
        parameters,
        read_only: true,
        plugin: None,
        source: None,
    }
}

pub(super) fn user(text: &str) -> HistoryItem {
    HistoryItem::User {
        text: text.into(),
        context: Vec::new(),
        files: Vec::new(),
    }
}

pub(super) fn assistant(family: &str, blocks: Value) -> HistoryItem {
    HistoryItem::Assistant {
        blocks: blocks.as_array().unwrap().clone(),
        family: family.into(),
    }
}

pub(super) fn result(id: &str, text: &str) -> HistoryItem {
    HistoryItem::ToolResult {
        call_id: CallId::new(id).unwrap(),
        text: text.into(),
        is_error: false,
    }
}

pub(super) fn request(history: Vec<HistoryItem>) -> ModelRequest {
    let tools = vec![tool("weather")].into();
    ModelRequest {
        session: SessionId::new("s").unwrap(),
        system: "You are terse.".into(),
        history: history.into(),
        tools,
    }
}

/// Asks and collects what was said on the way. Fails rather than hang.
pub(super) async fn ask(model: &Arc<dyn Model>, request: ModelRequest) -> (Result<ModelStep, ModelError>, Vec<ModelEvent>) {
    ask_until(model, request, &CancellationToken::new()).await
}

pub(super) async fn ask_until(
    model: &Arc<dyn Model>,
    request: ModelRequest,
    cancel: &CancellationToken,
) -> (Result<ModelStep, ModelError>, Vec<ModelEvent>) {
    let (events, mut heard) = mpsc::channel(4);
    let listen = async {
        let mut all = Vec::new();
        while let Some(event) = heard.recv().await {
            all.push(event);
        }
        all
    };
    let both = async { tokio::join!(model.step(request, events, cancel.clone()), listen) };
    tokio::time::timeout(Duration::from_secs(30), both).await.expect("the step hangs")
}

/// Text said since the last reset.
pub(super) fn text(events: &[ModelEvent]) -> String {
    let from = events.iter().rposition(|event| *event == ModelEvent::Reset).map_or(0, |at| at + 1);
    events[from..]
        .iter()
        .filter_map(|event| {
            if let ModelEvent::Text(text) = event {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect()
}

pub(super) fn thinking(events: &[ModelEvent]) -> String {
    events
        .iter()
        .filter_map(|event| {
            if let ModelEvent::Thinking(text) = event {
                Some(text.as_str())
            } else {
                None
            }
        })
        .collect()
}

/// Attempts that were announced, with their waits.
pub(super) fn retries(events: &[ModelEvent]) -> Vec<(u32, u32)> {
    let retry = |event: &ModelEvent| {
        if let ModelEvent::Retry { attempt, wait_ms, .. } = event {
            Some((*attempt, *wait_ms))
        } else {
            None
        }
    };
    events.iter().filter_map(retry).collect()
}
