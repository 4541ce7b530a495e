//! Who runs when, and why: the order as a person reads it, and what each handler has done since the start.

use super::{Dispatcher, limit};
use crate::ports::HookHandler;
use kata_protocol::{HookEvent, HookKind, HookName, HookSlot, PluginId, PluginOrigin};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts of one handler; they outlive a reload of its plugin.
#[derive(Debug, Default)]
pub(super) struct Tally {
    calls: AtomicU32,
    failures: AtomicU32,
}

impl Tally {
    pub(super) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts by event and handler. An event that nobody listens to never comes here.
#[derive(Debug, Default)]
pub(super) struct Tallies([Mutex<OfEvent>; HookName::ALL.len()]);

/// By plugin, and by the order in which it registered them.
type OfEvent = HashMap<PluginId, HashMap<u32, Arc<Tally>>>;

impl Tallies {
    pub(super) fn of(&self, event: HookName, handler: &HookHandler) -> Arc<Tally> {
        let mut known = self.0[event as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = known.get(&handler.plugin).and_then(|of| of.get(&handler.order)) {
            return Arc::clone(tally);
        }
        let of = known.entry(handler.plugin.clone()).or_default();
        Arc::clone(of.entry(handler.order).or_default())
    }
}

impl Dispatcher {
    /// Every event, in the order of a message's life, with its handlers in the order they run.
    pub fn order(&self) -> Vec<HookEvent> {
        HookName::ALL.iter().map(|event| self.event(*event)).collect()
    }

    fn event(&self, event: HookName) -> HookEvent {
        let kind = event.kind();
        let handlers = self.hooks.handlers(event);
        let slots = handlers.iter().enumerate().map(|(n, handler)| {
            let tally = self.tallies.of(event, handler);
            let allowed = handler.timeout.map_or(limit(kind), |t| t.min(limit(kind)));
            HookSlot {
                plugin: handler.plugin.clone(),
                origin: handler.origin,
                priority: handler.priority,
                timeout_ms: u32::try_from(allowed.as_millis()).unwrap_or(u32::MAX),
                why: why(n.checked_sub(1).map(|above| &handlers[above]), handler),
                calls: tally.calls.load(Ordering::Relaxed),
                failures: tally.failures.load(Ordering::Relaxed),
            }
        });
        HookEvent {
            event,
            kind: match kind {
                HookKind::Observe => "observe",
                HookKind::Transform => "transform",
                HookKind::Gate => "gate",
            }
            .into(),
            rule: rule(event).into(),
            handlers: slots.collect(),
        }
    }
}

/// Why a handler stands below the one above it, by the first sort key that differs.
fn why(above: Option<&HookHandler>, here: &HookHandler) -> String {
    let priority = here.priority;
    let Some(above) = above else {
        return format!("first: no handler has a priority above {priority}");
    };
    if above.priority != priority {
        return format!("priority {priority} is below {} of “{}”", above.priority, above.plugin);
    }
    if above.origin != here.origin {
        let of = |origin| match origin {
            PluginOrigin::Bundled => "a bundled plugin",
            PluginOrigin::Global => "a global plugin",
            PluginOrigin::Workspace => "a workspace's plugin",
            PluginOrigin::Gateway => "a program over the gateway",
        };
        return format!("same priority {priority}; {} comes after {}", of(here.origin), of(above.origin));
    }
    if above.plugin != here.plugin {
        return format!(
            "same priority {priority} and origin; the id “{}” sorts after “{}”",
            here.plugin, above.plugin
        );
    }
    format!("same plugin and priority {priority}; it was registered later")
}

/// How answers are merged, and what a failure does.
fn rule(event: HookName) -> &'static str {
    match event {
        HookName::MessageReceived => {
            "One after the other; each sees the text as the one before left it. A block is final. A handler that fails is passed over."
        }
        HookName::BeforeAgentStart => {
            "One after the other; context adds up, tools only become fewer, the last model wins. A handler that fails is passed over."
        }
        HookName::BeforeToolCall => {
            "One after the other; each sees the parameters as the one before left them. A block is final. A handler that fails blocks the call."
        }
        HookName::AfterToolCall => {
            "One after the other; each sees the result as the one before left it. A handler that fails is passed over."
        }
        HookName::MessageSending => {
            "One after the other; each sees the text as the one before left it; where it goes cannot be changed. A cancel is final. A handler that fails is passed over."
        }
        HookName::MessageSent
        | HookName::SessionStart
        | HookName::AgentEnd
        | HookName::SessionEnd
        | HookName::GatewayStart
        | HookName::GatewayStop
        | HookName::PlanSubmitted
        | HookName::OauthOpen
        | HookName::ConfigChange => "All at once; answers are ignored, and so are failures.",
    }
}
