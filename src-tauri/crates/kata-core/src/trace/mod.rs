//! A message's life, written down step by step while it happens. What may stand in it is said by [`Rules`]; a complete one goes
//! to the store, and to whoever exports it.
//!
//! Deliberately absent: the text of messages outside a hook's diff, and the network.

mod report;
mod rules;

pub use report::{Versions, report};
pub use rules::{BadRule, REDACTED, Rules};

use crate::EventHub;
use crate::ports::{Clock, Entropy, TraceStore};
use arc_swap::ArcSwap;
use kata_protocol::{Fact, Gate, Json, Ms, SessionId, StepOutcome, Trace, TraceId, TraceList, TraceStep, WorkspaceId};
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Steps kept per trace; later ones are counted in the last note only.
const MAX_STEPS: usize = 256;
/// Biggest diff of one step, and all diffs of one trace, bytes of JSON.
const MAX_DIFF: usize = 16 * 1024;
const MAX_DIFFS: usize = 256 * 1024;

/// Takes complete traces on. Must not block.
pub type Exported = Box<dyn Fn(&Trace) + Send + Sync>;

/// Begins and keeps traces.
pub struct Tracer {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    store: Arc<dyn TraceStore>,
    events: Arc<EventHub>,
    rules: Arc<ArcSwap<Rules>>,
    exported: OnceLock<Exported>,
}

/// A trace that is being written. Clones write to the same trace.
#[derive(Clone)]
pub struct LiveTrace {
    clock: Arc<dyn Clock>,
    began_us: u64,
    rules: Arc<ArcSwap<Rules>>,
    written: Arc<Mutex<Written>>,
}

/// What is written so far.
pub(crate) struct Written {
    pub(crate) trace: Trace,
    workspace: Option<WorkspaceId>,
    /// Bytes of diffs so far.
    diffs: usize,
}

impl Tracer {
    /// Writes to `store` and tells `events`.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, store: Arc<dyn TraceStore>, events: Arc<EventHub>) -> Self {
        Self {
            clock,
            entropy,
            store,
            events,
            rules: Arc::default(),
            exported: OnceLock::new(),
        }
    }

    /// Puts other rules in force, for steps that are still to come too.
    pub fn rule(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// Sets who is given complete traces; once. The same trace may come again with a step more.
    pub fn export(&self, exported: Exported) {
        let _ = self.exported.set(exported);
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
            rules: Arc::clone(&self.rules),
            written: Arc::new(Mutex::new(Written {
                trace,
                workspace: None,
                diffs: 0,
            })),
        }
    }

    /// Keeps the trace as it is now, unless its workspace leaves none. `done`: the message has reached a terminal state.
    pub async fn record(&self, live: &LiveTrace, done: bool) {
        let rules = self.rules.load_full();
        let trace = {
            let mut written = live.lock();
            written.trace.done |= done;
            if rules.silent(written.workspace.as_ref()) {
                return;
            }
            written.trace.clone()
        };
        if let (true, Some(exported)) = (trace.done, self.exported.get()) {
            exported(&trace);
        }
        if let Err(error) = self.store.record(&trace, rules.keep).await {
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
        self.lock().trace.id.clone()
    }

    /// Names the session and its workspace once they are known. A workspace that leaves no trace keeps nothing from here on.
    pub fn session(&self, session: &SessionId, workspace: &WorkspaceId) {
        let silent = self.rules.load().silent(Some(workspace));
        let mut written = self.lock();
        written.trace.session = Some(session.clone());
        written.workspace = Some(workspace.clone());
        if silent {
            written.trace.steps.clear();
        }
    }

    /// The patch from one value to the other as a step may show it. `None`: nothing changed.
    pub fn diff(&self, before: &serde_json::Value, after: &serde_json::Value) -> Option<Json> {
        let rules = self.rules.load();
        if rules.silent(self.lock().workspace.as_ref()) {
            return None;
        }
        rules.diff(before, after)
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
        let rules = self.rules.load();
        let mut written = self.lock();
        if rules.silent(written.workspace.as_ref()) {
            return;
        }
        if written.trace.steps.len() >= MAX_STEPS {
            if let Some(last) = written.trace.steps.last_mut() {
                last.note = Some(format!("the trace is full at {MAX_STEPS} steps; later ones are missing"));
            }
            return;
        }
        let size = diff.as_ref().map_or(0, size);
        let fits = size <= MAX_DIFF && written.diffs + size <= MAX_DIFFS;
        let (diff, note) = if fits {
            written.diffs += size;
            (diff, note)
        } else {
            let left_out = format!("the diff of {size} bytes is left out");
            (
                None,
                Some(note.map_or_else(|| left_out.clone(), |note| format!("{note}; {left_out}"))),
            )
        };
        let step = TraceStep {
            gate,
            label: rules.text(&label).into_owned(),
            plugin,
            start_us: clamp(mark.saturating_sub(self.began_us)),
            duration_us: clamp(now.saturating_sub(mark)),
            outcome,
            note: note.map(|note| rules.note(note)),
            diff,
        };
        written.trace.steps.push(step);
    }

    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a list that was asked for has this trace in it; its limit is another matter.
pub fn wanted(list: &TraceList, trace: &Trace) -> bool {
    let steps = || trace.steps.iter();
    list.session.as_ref().is_none_or(|s| trace.session.as_ref() == Some(s))
        && list.origin.as_ref().is_none_or(|o| trace.origin == *o)
        && list.outcome.is_none_or(|o| steps().any(|s| s.outcome == o))
        && list
            .plugin
            .as_ref()
            .is_none_or(|p| steps().any(|s| s.plugin.as_deref() == Some(p.as_str())))
}

/// Bytes of a value as JSON, without making the text.
fn size(Json(value): &Json) -> usize {
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

fn clamp(us: u64) -> u32 {
    u32::try_from(us).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
