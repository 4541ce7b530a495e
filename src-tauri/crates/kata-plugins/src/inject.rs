//! A message that is handed in as if a plugin's channel had brought it. For authors who try a channel without its platform.

use crate::host::PluginHost;
use kata_protocol::{ChannelId, ErrorCode, InboundDraft, IngressAnswer, PluginId, WireError};

impl PluginHost {
    /// Hands a message in on a channel of a plugin, by the way its own messages take: the same front door, with the same
    /// answer. The plugin's code is not run for it.
    ///
    /// # Errors
    /// [`ErrorCode::Conflict`] when the plugin does not run, [`ErrorCode::NotFound`] when the channel is not its own.
    pub async fn inject(&self, plugin: &PluginId, channel: &ChannelId, draft: InboundDraft) -> Result<IngressAnswer, WireError> {
        let registry = self.registry.load_full();
        if !registry.members.contains_key(plugin) {
            return Err(WireError::new(ErrorCode::Conflict, format!("plugin “{plugin}” does not run")).hint("switch it on first"));
        }
        let own = registry.channels.get(channel).is_some_and(|c| c.generation.plugin == *plugin);
        if !own {
            return Err(WireError::not_found(&format!("channel of plugin “{plugin}”"), channel));
        }
        self.backend.ingest(plugin, channel, draft).await
    }
}
