//! The mark on a message that waits behind another one's turn: a reaction, taken away when its own turn begins or it ends without
//! one. Best effort: one that fails is a line in the log, and one that a kill leaves stays.

use super::SessionDeps;
use kata_protocol::ReplyRoute;
use std::sync::Arc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What is set.
const WAITS: &str = "👀";

/// Sets it where the channel can and its owner wants it; it is taken away when the guard falls.
pub(super) fn waits(deps: &Arc<SessionDeps>, route: &ReplyRoute) -> Option<DropGuard> {
    let message = route.reply_to.clone()?;
    let can = deps.channels.info(&route.channel)?.1.capabilities.reactions;
    let wanted = deps.rules.load().get(&route.channel).is_some_and(|rules| rules.waiting_mark);
    if !can || !wanted {
        return None;
    }
    let over = CancellationToken::new();
    let (deps, route, ended, stopping) = (Arc::clone(deps), route.clone(), over.clone(), deps.tasks.stopping());
    let tasks = deps.tasks.clone();
    tasks.spawn("mark of a message that waits", async move {
        for emoji in [Some(WAITS), None] {
            if let Err(error) = deps.channels.react(&message, emoji, &route).await {
                tracing::info!(channel = %route.channel, code = ?error.code, "a message that waits was not marked");
                return;
            }
            if emoji.is_some() {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = ended.cancelled() => {}
                }
            }
        }
    });
    Some(over.drop_guard())
}
