//! Named points at which a test kills the process. Nothing in a release build.

use std::sync::OnceLock;

static HOOK: OnceLock<fn(&str)> = OnceLock::new();

/// Sets what happens at each point; the engine does this once, in debug builds, when a test asks for it.
pub fn on_point(hook: fn(&str)) {
    let _ = HOOK.set(hook);
}

/// Marks a point of the data path: `after_ingress_commit`, `during_turn`, `after_tool_started`, `after_reply_queued`,
/// `after_send_before_receipt`.
pub fn point(name: &str) {
    if cfg!(debug_assertions)
        && let Some(hook) = HOOK.get()
    {
        hook(name);
    }
}
