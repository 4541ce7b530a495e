//! Named points at which a test kills the process. Nothing in a release build.

use std::sync::OnceLock;

/// Every point that each message with a tool call passes, in order.
pub const POINTS: [&str; 11] = [
    "after_ingress_commit",
    "after_routed",
    "after_row_written",
    "during_turn",
    "after_tool_started",
    "after_tool_done",
    "after_turn_ended",
    "after_reply_queued",
    "after_sending_marked",
    "after_send_before_receipt",
    "after_receipt",
];

/// Points of a call that a person is asked about.
pub const APPROVAL_POINTS: [&str; 2] = ["after_approval_asked", "after_approval_resolved"];

/// Points of a message with files.
pub const FILE_POINTS: [&str; 1] = ["after_files_kept"];

/// Points of a plan: it waits and its row is not written; it is answered and nothing came of it yet.
pub const PLAN_POINTS: [&str; 2] = ["after_plan_handed_in", "after_plan_answered"];

/// Points of a start: with settings that no start was ready with before, and when all is ready.
pub const START_POINTS: [&str; 2] = ["starting_with_new_settings", "ready"];

static HOOK: OnceLock<fn(&str)> = OnceLock::new();

/// Sets what happens at each point; the engine does this once, in debug builds, when a test asks for it.
pub fn on_point(hook: fn(&str)) {
    let _ = HOOK.set(hook);
}

/// Marks one of [`POINTS`], [`APPROVAL_POINTS`], [`FILE_POINTS`], [`PLAN_POINTS`] or [`START_POINTS`].
pub fn point(name: &str) {
    debug_assert!(
        [&POINTS[..], &APPROVAL_POINTS, &FILE_POINTS, &PLAN_POINTS, &START_POINTS]
            .iter()
            .any(|points| points.contains(&name)),
        "{name} is no point"
    );
    if cfg!(debug_assertions)
        && let Some(hook) = HOOK.get()
    {
        hook(name);
    }
}
