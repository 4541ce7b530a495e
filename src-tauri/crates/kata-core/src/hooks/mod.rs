//! Runs hook handlers. Each event's file says what its answers may do; the order, the limits and the failure rules are here.
//!
//! Observe: all at once, answers ignored. Transform: one after the other, each sees the value as the one before left it; a
//! handler that fails is passed over. Gate: one after the other; a handler that fails blocks, and is named.

mod after_tool_call;
mod agent_end;
mod before_agent_start;
mod before_tool_call;
mod config_change;
mod gateway_start;
mod gateway_stop;
mod message_received;
mod message_sending;
mod message_sent;
mod oauth_open;
mod order;
mod plan_submitted;
mod session_end;
mod session_start;

use crate::ports::{Clock, HookFault, HookHandler, Hooks};
use crate::trace::LiveTrace;
use kata_protocol::{HookKind, HookName, PluginId, StepOutcome};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// An event: the value that handlers see, and what their answers do to it.
pub trait HookEvent: Serialize + Clone + Send + Sync + 'static {
    /// Which event.
    const NAME: HookName;
    /// A handler's answer; absent fields change nothing.
    type Outcome: DeserializeOwned + Send;
    /// Applies one answer. Every rule of the event stands here and nowhere else.
    fn merge(&mut self, outcome: Self::Outcome) -> Merge;
}

/// What one answer did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The value may have changed; go on.
    Continue,
    /// Go on, and a person must be asked first.
    Ask(String),
    /// Stop here: blocked or cancelled, with the reason.
    Stop(String),
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<E> {
    /// It goes on.
    Pass {
        /// The value as the last handler left it.
        event: E,
        /// Plugins that want a person asked, with their reasons.
        asks: Vec<(PluginId, String)>,
    },
    /// It ends here.
    Stopped {
        /// Plugin that stopped it.
        plugin: PluginId,
        /// Its reason.
        reason: String,
    },
}

/// Longest time one handler may take.
pub fn limit(kind: HookKind) -> Duration {
    match kind {
        HookKind::Observe => Duration::from_secs(30),
        HookKind::Transform | HookKind::Gate => Duration::from_secs(15),
    }
}

/// Runs handlers.
pub struct Dispatcher {
    hooks: Arc<dyn Hooks>,
    clock: Arc<dyn Clock>,
    tallies: order::Tallies,
}

impl Dispatcher {
    /// Handlers come from `hooks`; the clock bounds a handler whose runtime does not answer at all.
    pub fn new(hooks: Arc<dyn Hooks>, clock: Arc<dyn Clock>) -> Self {
        Self {
            hooks,
            clock,
            tallies: order::Tallies::default(),
        }
    }

    /// Whether anybody listens; answers in nanoseconds.
    pub fn listened(&self, name: HookName) -> bool {
        !self.hooks.handlers(name).is_empty()
    }

    /// Runs a transform or gate event.
    pub async fn run<E: HookEvent>(&self, mut event: E, trace: &LiveTrace) -> Verdict<E> {
        let handlers = self.hooks.handlers(E::NAME);
        let mut asks = Vec::new();
        let mut before = None;
        for handler in handlers.iter() {
            let mark = trace.mark();
            // Serialised once, and again only after a change.
            let (value, text) = match before.take() {
                Some(kept) => kept,
                None => snapshot(&event),
            };
            let tally = self.tallies.of(E::NAME, handler);
            tally.called();
            let answer = self.invoke(handler, Arc::clone(&text), E::NAME.kind()).await;
            let record = |outcome, note, diff| trace.hook(E::NAME.as_str(), handler.plugin.as_str(), mark, outcome, note, diff);
            let outcome = match answer.and_then(|text| parse::<E>(text)) {
                Ok(None) => {
                    record(StepOutcome::Ok, None, None);
                    before = Some((value, text));
                    continue;
                }
                Ok(Some(outcome)) => outcome,
                Err(fault) => {
                    tally.failed();
                    let kind = if matches!(fault, HookFault::Timeout(_)) {
                        StepOutcome::Timeout
                    } else {
                        StepOutcome::Error
                    };
                    record(kind, Some(fault.to_string()), None);
                    tracing::warn!(plugin = %handler.plugin, event = E::NAME.as_str(), %fault, "a hook handler gave no answer");
                    if E::NAME.kind() == HookKind::Gate {
                        let reason = format!("plugin “{}” did not answer {}: {fault}", handler.plugin, E::NAME.as_str());
                        return Verdict::Stopped {
                            plugin: handler.plugin.clone(),
                            reason,
                        };
                    }
                    before = Some((value, text));
                    continue;
                }
            };
            let merged = event.merge(outcome);
            let now = snapshot(&event);
            let changed = now.1 != text;
            let diff = if changed { trace.diff(&value, &now.0) } else { None };
            before = Some(now);
            match merged {
                Merge::Continue => record(if changed { StepOutcome::Changed } else { StepOutcome::Ok }, None, diff),
                Merge::Ask(reason) => {
                    record(StepOutcome::Changed, Some(format!("asks a person: {reason}")), diff);
                    asks.push((handler.plugin.clone(), reason));
                }
                Merge::Stop(reason) => {
                    record(StepOutcome::Blocked, Some(reason.clone()), diff);
                    return Verdict::Stopped {
                        plugin: handler.plugin.clone(),
                        reason,
                    };
                }
            }
        }
        Verdict::Pass { event, asks }
    }

    /// Runs an observe event: all handlers at once, faults logged, answers ignored.
    pub async fn observe<E: HookEvent>(&self, event: E, trace: Option<&LiveTrace>) {
        let handlers = self.hooks.handlers(E::NAME);
        if handlers.is_empty() {
            return;
        }
        let (_, text) = snapshot(&event);
        let calls = handlers.iter().map(|handler| {
            let text = Arc::clone(&text);
            async move {
                let mark = trace.map(LiveTrace::mark);
                let tally = self.tallies.of(E::NAME, handler);
                tally.called();
                let answer = self.invoke(handler, text, HookKind::Observe).await;
                let (outcome, note) = match &answer {
                    Ok(_) => (StepOutcome::Ok, None),
                    Err(HookFault::Timeout(_)) => (StepOutcome::Timeout, answer.as_ref().err().map(ToString::to_string)),
                    Err(fault) => (StepOutcome::Error, Some(fault.to_string())),
                };
                if answer.is_err() {
                    tally.failed();
                }
                if let (Some(trace), Some(mark)) = (trace, mark) {
                    trace.hook(E::NAME.as_str(), handler.plugin.as_str(), mark, outcome, note, None);
                }
            }
        });
        futures::future::join_all(calls).await;
    }

    /// Calls one handler. The host stops it at `limit`; should even the host not answer, half a second later we stop waiting.
    async fn invoke(&self, handler: &HookHandler, payload: Arc<str>, kind: HookKind) -> Result<Option<String>, HookFault> {
        let limit = handler.timeout.map_or(limit(kind), |t| t.min(limit(kind)));
        tokio::select! {
            answer = handler.invoke.invoke(payload, limit) => answer,
            () = self.clock.sleep(limit + Duration::from_millis(500)) => Err(HookFault::Timeout(limit)),
        }
    }
}

fn snapshot<E: HookEvent>(event: &E) -> (serde_json::Value, Arc<str>) {
    let value = serde_json::to_value(event).unwrap_or_default();
    let text = value.to_string().into();
    (value, text)
}

fn parse<E: HookEvent>(text: Option<String>) -> Result<Option<E::Outcome>, HookFault> {
    match text.as_deref() {
        None | Some("null" | "undefined" | "") => Ok(None),
        Some(text) => serde_json::from_str(text)
            .map(Some)
            .map_err(|e| HookFault::Failed(format!("its answer to {} does not fit: {e}", E::NAME.as_str()))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
