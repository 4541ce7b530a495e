//! A new plugin from a template, for an author: written, trusted in development mode with what it declares, switched on. And
//! a message handed in as if its channel had brought it.

use super::install::{Staging, no_room};
use super::{Plugins, channels_of};
use crate::author::new_plugin;
use kata_plugins::valid_id;
use kata_protocol::{
    AccountId, ChatType, ConversationId, ErrorCode, InboundDraft, PlatformMessageId, PluginCreate, PluginInject, PluginInjected, Sender,
    SenderId, WireError,
};
use kata_store::{atomic_write, private_dir};
use std::path::Path;
use std::sync::Arc;

impl Plugins {
    /// Writes a new plugin into the global extensions folder.
    pub(crate) async fn create(self: &Arc<Self>, params: PluginCreate) -> Result<(), WireError> {
        let id = params.id.clone();
        if !valid_id(id.as_str()) {
            return Err(WireError::invalid(format!("“id”: “{id}” has other characters than a-z, 0-9 and -")).hint("e.g. my-plugin"));
        }
        {
            let _turn = self.deciding.lock().await;
            let taken = self.candidate(&id).map(|c| c.folder.display().to_string());
            if let Ok(folder) = taken {
                return Err(
                    WireError::new(ErrorCode::Conflict, format!("“id”: {folder} has the id “{id}” already")).hint("choose another id"),
                );
            }
            let this = Arc::clone(self);
            let written = tokio::task::spawn_blocking(move || this.write_new(&params)).await;
            written.map_err(|_| WireError::internal("the plugin could not be written"))??;
            self.look_through().await;
            self.trust_own(&id).await?;
        }
        self.settings
            .change(|s| s.plugins.entry(id.to_string()).or_default().enabled = Some(true))?;
        if let Err(error) = self.start(&id).await {
            // It is there to be worked on; how it fares is in its state.
            tracing::warn!(plugin = %id, %error, "a new plugin did not load");
        }
        Ok(())
    }

    /// Blocks.
    fn write_new(&self, params: &PluginCreate) -> Result<(), WireError> {
        let extensions = self.extensions();
        let target = extensions.join(params.id.as_str());
        if std::fs::symlink_metadata(&target).is_ok() {
            return Err(
                WireError::new(ErrorCode::Conflict, format!("{} is there already", target.display()))
                    .hint("choose another id, or move it away"),
            );
        }
        let staging = Staging::beside(&extensions).map_err(|e| no_room(&extensions, &e))?;
        for file in new_plugin(params.template, &params.id, params.name.as_deref()) {
            let path = staging.path().join(file.path);
            let folder = path.parent().unwrap_or_else(|| Path::new("."));
            private_dir(folder)
                .and_then(|()| atomic_write(&path, file.text.as_bytes(), 0o600))
                .map_err(|e| no_room(&path, &e))?;
        }
        std::fs::rename(staging.path(), &target).map_err(|e| no_room(&target, &e))
    }

    /// Hands a message in.
    pub(crate) async fn inject(&self, params: PluginInject) -> Result<PluginInjected, WireError> {
        let candidate = self.candidate(&params.id)?;
        let channels: Vec<_> = channels_of(&candidate.manifest.contributes).collect();
        let names = || channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let channel = match (&params.channel, channels.as_slice()) {
            (_, []) => {
                return Err(
                    WireError::new(ErrorCode::Conflict, format!("plugin “{}” has no channel", params.id))
                        .hint("only a channel brings messages"),
                );
            }
            (Some(name), _) => channels.iter().find(|c| c.as_str() == name).ok_or_else(|| {
                WireError::invalid(format!(
                    "“channel”: plugin “{}” has no channel “{name}”; it has {}",
                    params.id,
                    names()
                ))
            })?,
            (None, [one]) => one,
            (None, _) => return Err(WireError::invalid(format!("“channel”: which one? {}", names()))),
        };
        let field = |name: &str, error: &dyn std::fmt::Display| WireError::invalid(format!("“{name}”: {error}"));
        let sender = params.sender.unwrap_or_else(|| "author".into());
        let conversation = params.conversation.unwrap_or_else(|| "direct".into());
        let draft = InboundDraft {
            account: AccountId::new("injected").map_err(|e| field("account", &e))?,
            message_id: PlatformMessageId::new(format!("injected-{}", uuid::Uuid::new_v4())).map_err(|e| field("messageId", &e))?,
            conversation: ConversationId::new(conversation).map_err(|e| field("conversation", &e))?,
            conversation_name: None,
            chat_type: ChatType::Direct,
            thread: None,
            sender: Sender {
                id: SenderId::new(sender.clone()).map_err(|e| field("sender", &e))?,
                name: Some(sender),
                is_bot: false,
            },
            text: params.text,
            reply_to: None,
            mentions_bot: true,
            sent_at: Some(self.clock.now()),
            attachments: Vec::new(),
        };
        let answer = self.host.inject(&params.id, channel, draft).await?;
        Ok(PluginInjected { answer })
    }
}
