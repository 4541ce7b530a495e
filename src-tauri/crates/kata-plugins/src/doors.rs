//! The host as the core's tools, hooks and channels. Each call reads one registry snapshot.

use crate::engine::{CallFault, Kind};
use crate::host::PluginHost;
use crate::registry::report;
use async_trait::async_trait;
use kata_core::ports::{Channels, HookHandler, Hooks, ToolOutcome, ToolRequest, Tools};
use kata_protocol::{
    AccountId, ChannelId, ChannelInfo, DraftAttachment, HookName, Media, OutboundMessage, PlatformMessageId, PluginId, Receipt, ReplyRoute,
    SendError, SendErrorCode, StreamPreview, ToolInfo,
};
use serde::Deserialize;
use std::sync::Arc;

/// What the prelude makes of a tool's result.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) is_error: bool,
}

#[async_trait]
impl Tools for PluginHost {
    fn list(&self) -> Arc<[ToolInfo]> {
        self.registry.load().tool_list.clone().unwrap_or_else(|| Arc::from([]))
    }

    async fn call(&self, request: ToolRequest) -> ToolOutcome {
        let failed = |text: String| ToolOutcome { text, is_error: true };
        let registry = self.registry.load_full();
        let Some(tool) = registry.tools.get(&request.name) else {
            return failed(format!("there is no tool named “{}”", request.name));
        };
        if let Some(error) = tool.arguments.iter_errors(&request.params).next() {
            let at = error.instance_path().to_string();
            let at = if at.is_empty() { at } else { format!("{at}: ") };
            return failed(format!("the arguments do not fit: {at}{error}"));
        }
        let payload: Arc<str> = match tool.generation.far() {
            Some(_) => crate::far::tool_params(&request),
            None => request.params.to_string(),
        }
        .into();
        tool.faults.busy(None);
        let options = self.options();
        if payload.len() > options.payload_bytes {
            return failed(format!("the arguments are over {} bytes", options.payload_bytes));
        }
        let result = tool
            .generation
            .call(
                Kind::Tool,
                tool.handle,
                Some(payload),
                Some(tool.timeout.unwrap_or(options.tool_timeout)),
                Some(&request.cancel),
            )
            .await;
        match result {
            Ok(json) => match serde_json::from_str::<Answer>(json.as_deref().unwrap_or("{\"text\":\"\"}")) {
                Ok(answer) => ToolOutcome {
                    text: cut(answer.text, options.tool_text_bytes),
                    is_error: answer.is_error,
                },
                Err(e) => failed(format!("the tool's result cannot be read: {e}")),
            },
            // What a tool throws is for the model; it is no fault of the plugin. Its author still wants to know the line, and the
            // message may have the model's words in it: the log has the place alone.
            Err(CallFault::Threw(_, thrown)) => {
                if let Some(at) = &thrown.position {
                    let (plugin, name) = (tool.generation.plugin.as_str(), &request.name);
                    tracing::info!(target: "plugin", plugin, "tool {name} threw at {}:{}:{}", at.file, at.line, at.column);
                }
                failed(cut(thrown.message, options.tool_text_bytes))
            }
            Err(fault) => {
                report(&*tool.faults, &format!("tool {}", request.name), &fault);
                failed(format!("tool “{}” of plugin “{}”: {fault}", request.name, tool.generation.plugin))
            }
        }
    }
}

/// At most `max` bytes, at a character's edge, saying so.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let note = "\n[cut: the result is longer than the host passes on]";
        let mut at = max.saturating_sub(note.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.truncate(at);
        text.push_str(note);
    }
    text
}

impl Hooks for PluginHost {
    fn handlers(&self, event: HookName) -> Arc<[HookHandler]> {
        self.registry.load().handlers(event)
    }
}

#[async_trait]
impl Channels for PluginHost {
    fn info(&self, channel: &ChannelId) -> Option<(PluginId, ChannelInfo)> {
        let registry = self.registry.load();
        registry
            .channels
            .get(channel)
            .map(|c| (c.generation.plugin.clone(), c.entry.info.clone()))
    }

    async fn send(&self, message: OutboundMessage) -> Result<Receipt, SendError> {
        let limit = self.options().send_timeout;
        let answer = self.outgoing(Kind::Send, &message.route.channel, &message, limit).await?;
        answer.read("the answer is no receipt: `messageIds` must be a list of texts")
    }

    async fn preview(&self, preview: StreamPreview) -> Result<Option<PlatformMessageId>, SendError> {
        let limit = self.options().stop_timeout;
        let answer = self.outgoing(Kind::Stream, &preview.route.channel, &preview, limit).await?;
        answer.read("the answer is no id: it must be a text, or nothing")
    }

    async fn edit(&self, message_id: &PlatformMessageId, message: OutboundMessage) -> Result<(), SendError> {
        let limit = self.options().send_timeout;
        let channel = &message.route.channel;
        self.outgoing(Kind::Edit, channel, &(message_id, &message), limit).await.map(drop)
    }

    async fn delete(&self, message_id: &PlatformMessageId, route: &ReplyRoute) -> Result<(), SendError> {
        let limit = self.options().send_timeout;
        self.outgoing(Kind::Delete, &route.channel, &(message_id, route), limit)
            .await
            .map(drop)
    }

    async fn react(&self, message_id: &PlatformMessageId, emoji: Option<&str>, route: &ReplyRoute) -> Result<(), SendError> {
        let limit = self.options().stop_timeout;
        self.outgoing(Kind::React, &route.channel, &(message_id, emoji, route), limit)
            .await
            .map(drop)
    }

    async fn typing(&self, route: &ReplyRoute) {
        let registry = self.registry.load_full();
        let Some(channel) = registry.channels.get(&route.channel).filter(|c| c.entry.types) else {
            return;
        };
        let Ok(payload) = serde_json::to_string(route) else { return };
        let limit = self.options().stop_timeout;
        let result = channel
            .generation
            .call(Kind::Typing, channel.entry.handle, Some(payload.into()), Some(limit), None)
            .await;
        if let Err(fault) = result {
            tracing::debug!(plugin = %channel.generation.plugin, channel = %route.channel, "typing failed: {fault}");
        }
    }

    async fn download(&self, channel: &ChannelId, _account: &AccountId, attachment: DraftAttachment) -> Result<Media, SendError> {
        let failed = |code: SendErrorCode, message: String| SendError {
            code,
            message,
            retry_after_ms: None,
            certain: true,
        };
        let what = format!("channel {channel}: download");
        let registry = self.registry.load_full();
        let Some(found) = registry.channels.get(channel) else {
            return Err(failed(
                SendErrorCode::Unreachable,
                format!("no plugin provides the channel “{channel}”"),
            ));
        };
        if !found.entry.has.download {
            return Err(failed(
                SendErrorCode::Invalid,
                format!("the channel “{channel}” cannot fetch files"),
            ));
        }
        let payload = serde_json::to_string(&attachment).map_err(|e| failed(SendErrorCode::Invalid, e.to_string()))?;
        let limit = self.options().fetch_timeout;
        let result = found
            .generation
            .call(Kind::Download, found.entry.handle, Some(payload.into()), Some(limit), None)
            .await;
        match result {
            Ok(json) => serde_json::from_str(json.as_deref().unwrap_or("null")).map_err(|_| {
                let fault = CallFault::BadResult("the answer is no file: return what `ctx.media.fetch` or `ctx.media.put` gave".into());
                report(&*found.faults, &what, &fault);
                failed(SendErrorCode::Invalid, format!("{what}: {fault}"))
            }),
            Err(CallFault::Threw(words, thrown)) => {
                let said = thrown.code.as_deref().unwrap_or_default();
                let own = (thrown.name == "SendError")
                    .then(|| serde_json::from_value(serde_json::Value::from(said)).ok())
                    .flatten();
                // What `ctx.media` rejects with, where the plugin let it through.
                let code = own.or(match said {
                    "not_found" => Some(SendErrorCode::NotFound),
                    "forbidden" => Some(SendErrorCode::Forbidden),
                    "too_large" => Some(SendErrorCode::Invalid),
                    "failed" => Some(SendErrorCode::Unreachable),
                    _ => None,
                });
                match code {
                    Some(code) => Err(SendError {
                        retry_after_ms: thrown.retry_after_ms,
                        ..failed(code, thrown.message)
                    }),
                    None => {
                        report(&*found.faults, &what, &CallFault::Threw(words.clone(), thrown));
                        Err(failed(SendErrorCode::Unreachable, format!("{what}: {words}")))
                    }
                }
            }
            Err(fault @ CallFault::NotStarted(_)) => Err(failed(SendErrorCode::Unreachable, format!("{what}: {fault}"))),
            Err(fault) => {
                report(&*found.faults, &what, &fault);
                Err(failed(SendErrorCode::Unreachable, format!("{what}: {fault}")))
            }
        }
    }
}
