//! A message's life, written down step by step while it happens.

use crate::EventHub;
use crate::ports::{Clock, Entropy, TraceStore};
use kata_protocol::{Fact, Gate, Json, Ms, SessionId, StepOutcome, Trace, TraceId, TraceStep};
use std::sync::{Arc, Mutex, PoisonError};

/// Steps kept per trace; later ones are counted in the last note only.
const MAX_STEPS: usize = 256;

/// Begins and keeps traces.
pub struct Tracer {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    store: Arc<dyn TraceStore>,
    events: Arc<EventHub>,
}

/// A trace that is being written. Clones write to the same trace.
#[derive(Clone)]
pub struct LiveTrace {
    clock: Arc<dyn Clock>,
    began_us: u64,
    trace: Arc<Mutex<Trace>>,
}

impl Tracer {
    /// Writes to `store` and tells `events`.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, store: Arc<dyn TraceStore>, events: Arc<EventHub>) -> Self {
        Self {
            clock,
            entropy,
            store,
            events,
        }
    }

    /// A new trace. `origin` is a channel id, `desktop`, or a client's name.
    pub fn begin(&self, origin: &str) -> LiveTrace {
        let now: Ms = self.clock.now();
        let id = format!("{:012x}{:016x}", now.0, self.entropy.next_u64());
        let trace = Trace {
            // Hex digits are always a valid identifier.
            id: TraceId::new(id).unwrap_or_else(|_| unreachable!("hex digits make an identifier")),
            started_at: now,
            origin: origin.to_owned(),
            session: None,
            steps: Vec::new(),
            done: false,
        };
        LiveTrace {
            clock: Arc::clone(&self.clock),
            began_us: self.clock.monotonic_us(),
            trace: Arc::new(Mutex::new(trace)),
        }
    }

    /// Keeps the trace as it is now. `done`: the message has reached a terminal state.
    pub async fn record(&self, live: &LiveTrace, done: bool) {
        let trace = {
            let mut trace = live.lock();
            trace.done |= done;
            trace.clone()
        };
        if let Err(error) = self.store.record(&trace).await {
            tracing::warn!(%error, "a trace was not kept");
            return;
        }
        self.events.publish(Fact::TraceRecorded {
            id: trace.id,
            session: trace.session,
            started_at: trace.started_at,
        });
    }
}

impl LiveTrace {
    /// Its id.
    pub fn id(&self) -> TraceId {
        self.lock().id.clone()
    }

    /// Names the session once it is known.
    pub fn session(&self, session: &SessionId) {
        self.lock().session = Some(session.clone());
    }

    /// A mark to measure a step from.
    pub fn mark(&self) -> u64 {
        self.clock.monotonic_us()
    }

    /// Writes a step that began at `mark` and ends now.
    pub fn step(&self, gate: Gate, label: impl Into<String>, mark: u64, outcome: StepOutcome, note: Option<String>) {
        self.full(gate, label.into(), None, mark, outcome, note, None);
    }

    /// Writes a hook handler's step.
    pub fn hook(&self, label: &str, plugin: &str, mark: u64, outcome: StepOutcome, note: Option<String>, diff: Option<Json>) {
        self.full(Gate::Hook, label.to_owned(), Some(plugin.to_owned()), mark, outcome, note, diff);
    }

    #[allow(clippy::too_many_arguments, reason = "one row of a table, written in one place")]
    fn full(
        &self,
        gate: Gate,
        label: String,
        plugin: Option<String>,
        mark: u64,
        outcome: StepOutcome,
        note: Option<String>,
        diff: Option<Json>,
    ) {
        let now = self.clock.monotonic_us();
        let step = TraceStep {
            gate,
            label,
            plugin,
            start_us: clamp(mark.saturating_sub(self.began_us)),
            duration_us: clamp(now.saturating_sub(mark)),
            outcome,
            note,
            diff,
        };
        let mut trace = self.lock();
        if trace.steps.len() < MAX_STEPS {
            trace.steps.push(step);
        } else if let Some(last) = trace.steps.last_mut() {
            last.note = Some(format!("the trace is full at {MAX_STEPS} steps; later ones are missing"));
        }
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Trace> {
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn clamp(us: u64) -> u32 {
    u32::try_from(us).unwrap_or(u32::MAX)
}
