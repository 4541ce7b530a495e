//! Why an engine does not start.

use kata_protocol::{ErrorCode, WireError};
use std::path::PathBuf;

/// Why an engine does not start, or a setting cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another engine has this home.
    #[error("Kata Agents runs already for {} (process {pid})", home.display())]
    AlreadyRunning {
        /// Home.
        home: PathBuf,
        /// Process that has it.
        pid: String,
    },
    /// A file of the home cannot be read or written.
    #[error("{}: {reason}", path.display())]
    Home {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The keychain refused.
    #[error("the keychain refused: {0}")]
    Keychain(String),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] kata_core::ports::StoreError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] kata_agent::HttpError),
    /// The gateway cannot listen.
    #[error(transparent)]
    Gateway(#[from] kata_gateway::GatewayError),
    /// The session files cannot be opened.
    #[error(transparent)]
    Transcripts(#[from] kata_core::ports::TranscriptError),
}

impl From<EngineError> for WireError {
    fn from(error: EngineError) -> Self {
        tracing::error!(%error, "a change could not be kept");
        WireError::new(ErrorCode::Internal, error.to_string()).hint("is the disk full or the folder read-only?")
    }
}
