//! Slash commands of plugins.

use async_trait::async_trait;
use kata_protocol::{CommandInfo, WireError};

/// Commands of all plugins that serve.
#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// In order of name.
    fn list(&self) -> Vec<CommandInfo>;
    /// Runs one; `args` is everything after its name. Its time is limited.
    async fn run(&self, name: &str, args: &str) -> Result<String, WireError>;
}
