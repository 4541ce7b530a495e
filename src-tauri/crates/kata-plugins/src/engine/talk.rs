//! What a plugin asks of its own channels besides handing messages in: presses, notices, whom the agent may write to, and a
//! message to one of them. An envelope that names a channel the plugin has not registered is refused before its payload is
//! looked at, so that no plugin writes in another one's conversations.

use super::ops::{MAX_KEY, OpError, decode_payload, json_of, own_channel};
use crate::ports::Reach;
use kata_protocol::{ButtonPress, ChannelId, ChannelNotice, DirectMessage, ErrorCode};
use serde_json::Value;

/// What it asks.
#[derive(Debug)]
pub(crate) enum Talk {
    Press(ChannelId, Value),
    Notice(ChannelId, Value),
    Conversations(ChannelId),
    Send(ChannelId, Value, Option<String>),
}

impl Talk {
    pub(super) fn decode(op: &str, args: &str, channels: &[ChannelId]) -> Result<Self, OpError> {
        let bad = |_| OpError::of_type(format!("{op}: the argument is missing or nested too deep"));
        Ok(match op {
            "channel_conversations" => {
                let (channel,): (String,) = serde_json::from_str(args).map_err(bad)?;
                Self::Conversations(own_channel("channels.conversations", &channel, channels)?)
            }
            "channel_send" => {
                let (channel, message, key): (String, Value, Option<String>) = serde_json::from_str(args).map_err(bad)?;
                if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
                    return Err(OpError::of_type(format!("channels.send: idempotencyKey has 1 to {MAX_KEY} bytes")));
                }
                Self::Send(own_channel("channels.send", &channel, channels)?, message, key)
            }
            _ => {
                let (channel, payload): (String, Value) = serde_json::from_str(args).map_err(bad)?;
                let channel = own_channel(op, &channel, channels)?;
                match op {
                    "press" => Self::Press(channel, payload),
                    _ => Self::Notice(channel, payload),
                }
            }
        })
    }

    pub(super) async fn run(self, reach: &Reach) -> Result<Option<String>, OpError> {
        let (backend, plugin) = (&reach.backend, &reach.plugin);
        // What does not fit is the plugin's fault where it speaks of what happened at its platform.
        let fault = |error: &OpError| reach.reporter.fault("bad_result", error.to_string());
        Ok(match self {
            Self::Press(channel, press) => {
                let press: ButtonPress = decode_payload(&channel, "press", "press", press).inspect_err(fault)?;
                Some(json_of(&backend.press(plugin, &channel, press).await?)?)
            }
            Self::Notice(channel, notice) => {
                let notice: ChannelNotice = decode_payload(&channel, "notice", "notice", notice).inspect_err(fault)?;
                backend.notice(plugin, &channel, notice).await?;
                None
            }
            Self::Conversations(channel) => Some(json_of(&backend.conversations(plugin, &channel).await?)?),
            Self::Send(channel, message, key) => {
                // What the model wrote went through the plugin unread: no fault of it.
                let message: DirectMessage = decode_payload(&channel, "channels.send", "message", message)?;
                let sent = backend.direct(plugin, &channel, message, key).await;
                // Two conversations have the name: the code that the SDK promises.
                sent.map_err(|error| match error.code {
                    ErrorCode::Conflict => OpError::from(error).with_code("ambiguous"),
                    _ => error.into(),
                })?;
                None
            }
        })
    }
}
