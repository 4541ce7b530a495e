//! The one error that crosses a boundary.

use crate::Json;
use serde::{Deserialize, Serialize};

/// A code exists only where a client branches on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The parameters do not fit; `message` names the field.
    Invalid,
    /// Nothing by that name.
    NotFound,
    /// The caller lacks the scope, or the plugin lacks the capability.
    Forbidden,
    /// No or a wrong token.
    Unauthorized,
    /// Not possible in the present state; the hint says what to do first.
    Conflict,
    /// A queue is full or a limit is reached; try again later.
    Busy,
    /// A person has to do something first (add a model, approve, sign in).
    NeedsUser,
    /// Somebody else's program (model, platform, plugin) failed.
    Upstream,
    /// It took longer than it may.
    Timeout,
    /// It was stopped on request.
    Cancelled,
    /// A fault of this program; it is in the log.
    Internal,
}

/// What every refused or failed operation returns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct WireError {
    /// What a client branches on.
    pub code: ErrorCode,
    /// What went wrong, in words, naming the field or the plugin. Never contains message text or a secret.
    pub message: String,
    /// What the person can do about it.
    #[serde(default)]
    pub hint: Option<String>,
    /// Machine-readable extras (field path, limits).
    #[serde(default)]
    pub details: Option<Json>,
}

impl WireError {
    /// An error without a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            details: None,
        }
    }
    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// The parameters do not fit.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }
    /// Nothing by that name: `not_found("session", id)`.
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ErrorCode::NotFound, format!("no {kind} named “{id}”"))
    }
    /// A fault of this program.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, message)
    }
}
