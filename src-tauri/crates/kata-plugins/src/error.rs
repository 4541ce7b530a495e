//! Why a plugin could not be brought up.

use crate::engine::CallFault;
use kata_protocol::{PluginId, SourcePosition};
use std::time::Duration;

/// Why one copy of a plugin did not get to serve; the reason of [`PluginError::Load`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadFault {
    /// The system gives no thread.
    #[error("no thread for it: {0}")]
    NoThread(std::io::Error),
    /// The host's own script failed before the plugin's was begun.
    #[error("the prelude failed: {0}")]
    Prelude(String),
    /// The module or `register` threw; the position is the author's.
    #[error("{0}")]
    Register(CallFault),
    /// `register` waits for something that does not come.
    #[error("register did not end within {0:?}")]
    Unended(Duration),
    /// Over a limit while it was loaded; says which.
    #[error("{0}")]
    OverLimit(String),
    /// The thread is gone without a word.
    #[error("its thread ended")]
    ThreadEnded,
    /// The thread is in native code and answers nothing.
    #[error("it was stuck while loading")]
    Stuck,
}

impl LoadFault {
    /// Where in the author's source, when it threw.
    pub(crate) fn position(&self) -> Option<SourcePosition> {
        match self {
            Self::Register(CallFault::Threw(_, thrown)) => thrown.position.clone(),
            _ => None,
        }
    }
}

impl PluginError {
    /// Where in the author's source, when it threw.
    pub fn position(&self) -> Option<SourcePosition> {
        match self {
            Self::Load { position, .. } => position.clone(),
            _ => None,
        }
    }
}

/// Why a plugin was not activated, or not reloaded (the version before goes on serving then).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// Its entry module is not there or is outside its folder.
    #[error("plugin “{plugin}”: {reason}")]
    Entry {
        /// Plugin.
        plugin: PluginId,
        /// Why.
        reason: String,
    },
    /// It threw, looped or timed out while it was loaded or registered; the reason has the author's position.
    #[error("plugin “{plugin}” could not be loaded: {reason}")]
    Load {
        /// Plugin.
        plugin: PluginId,
        /// Why.
        reason: String,
        /// Where in the author's source, when it threw.
        position: Option<SourcePosition>,
    },
    /// It registers what another plugin provides.
    #[error("plugin “{plugin}”: {reason}")]
    Conflict {
        /// Plugin.
        plugin: PluginId,
        /// What, and by whom.
        reason: String,
    },
    /// Its settings do not fit its own schema.
    #[error("plugin “{plugin}”: settings{field}: {reason}")]
    Settings {
        /// Plugin.
        plugin: PluginId,
        /// JSON pointer.
        field: String,
        /// Why.
        reason: String,
    },
    /// Several of its threads are stuck in native code; another would be the next.
    #[error(
        "plugin “{plugin}” has {threads} threads that are stuck in native code and cannot be ended; restart the app before it is loaded again"
    )]
    Stuck {
        /// Plugin.
        plugin: PluginId,
        /// How many.
        threads: usize,
    },
}
