//! One call into a channel's `outbound`, whatever it is: send, edit, delete, react, stream. What the plugin throws as a `SendError` is
//! an answer; anything else is its fault, and nobody knows then what has left.
//!
//! Deliberately absent: trying again, and what a failure means for a message (the core's outbox).

use crate::engine::{CallFault, Kind};
use crate::host::PluginHost;
use crate::register::ChannelEntry;
use crate::registry::{ChannelRef, Registry, report};
use kata_protocol::{ChannelId, SendError, SendErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// What it answered, with the registry it was read from.
pub(crate) struct Answer {
    registry: Arc<Registry>,
    channel: ChannelId,
    what: String,
    json: Option<String>,
}

impl Answer {
    /// The answer as it should be; `wrong` is what the author is told when it is not.
    pub(crate) fn read<T: DeserializeOwned>(self, wrong: &str) -> Result<T, SendError> {
        serde_json::from_str(self.json.as_deref().unwrap_or("null")).map_err(|_| {
            let fault = CallFault::BadResult(wrong.into());
            if let Some(channel) = self.registry.channels.get(&self.channel) {
                report(&*channel.faults, &self.what, &fault);
            }
            unreachable(format!("{}: {fault}", self.what), false)
        })
    }
}

fn unreachable(message: String, certain: bool) -> SendError {
    SendError {
        code: SendErrorCode::Unreachable,
        message,
        retry_after_ms: None,
        certain,
    }
}

/// Whether the channel has the part that is called.
fn has(entry: &ChannelEntry, kind: Kind) -> bool {
    match kind {
        Kind::Edit => entry.has.edit,
        Kind::Stream => entry.has.stream,
        Kind::Delete => entry.has.delete,
        Kind::React => entry.has.react,
        _ => true,
    }
}

impl PluginHost {
    pub(crate) async fn outgoing(
        &self,
        kind: Kind,
        channel: &ChannelId,
        argument: &(impl Serialize + Sync),
        limit: Duration,
    ) -> Result<Answer, SendError> {
        let registry = self.registry.load_full();
        let Some(found) = registry.channels.get(channel) else {
            return Err(unreachable(format!("no plugin provides the channel “{channel}”"), true));
        };
        let what = format!("channel {channel}: {}", kind.as_str());
        if !has(&found.entry, kind) {
            return Err(SendError {
                code: SendErrorCode::Invalid,
                message: format!("{what}: the channel has no `outbound.{}`", kind.as_str()),
                retry_after_ms: None,
                certain: true,
            });
        }
        let payload = serde_json::to_string(argument).map_err(|e| unreachable(e.to_string(), true))?;
        let result = found
            .generation
            .call(kind, found.entry.handle, Some(payload.into()), Some(limit), None)
            .await;
        match result {
            Ok(json) => Ok(Answer {
                channel: channel.clone(),
                what,
                json,
                registry: Arc::clone(&registry),
            }),
            Err(fault) => Err(failed(found, &what, fault)),
        }
    }
}

fn failed(channel: &ChannelRef, what: &str, fault: CallFault) -> SendError {
    match fault {
        CallFault::Threw(words, thrown) => {
            let code = thrown.code.as_deref().filter(|_| thrown.name == "SendError");
            let code = code.and_then(|c| serde_json::from_value(serde_json::Value::from(c)).ok());
            match code {
                Some(code) => SendError {
                    code,
                    message: thrown.message,
                    retry_after_ms: thrown.retry_after_ms,
                    certain: thrown.certain,
                },
                None => {
                    report(&*channel.faults, what, &CallFault::Threw(words.clone(), thrown));
                    unreachable(format!("{what}: {words}"), false)
                }
            }
        }
        // It never reached the plugin, so nothing has left.
        fault @ CallFault::NotStarted(_) => unreachable(format!("{what}: {fault}"), true),
        fault => {
            report(&*channel.faults, what, &fault);
            unreachable(format!("{what}: {fault}"), false)
        }
    }
}
