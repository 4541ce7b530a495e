//! Why a source does not work, in terms of what happens next.

use kata_protocol::UserAction;

/// What the supervisor does about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It waits for a person.
    Person(UserAction),
    /// It is tried again by itself.
    Again,
    /// It goes on, with something wrong.
    Limp,
    /// It is not tried again before its files change or a person says so.
    Stay,
}

/// Why a source does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    /// What happens next.
    pub next: Next,
    /// Short and stable.
    pub code: &'static str,
    /// One sentence for a person; no secret.
    pub message: String,
}

impl Trouble {
    /// It may pass.
    pub fn again(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            next: Next::Again,
            code,
            message: message.into(),
        }
    }

    /// It will not pass by itself.
    pub fn stay(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            next: Next::Stay,
            code,
            message: message.into(),
        }
    }

    /// Somebody has to sign in.
    pub fn sign_in(message: impl Into<String>) -> Self {
        Self {
            next: Next::Person(UserAction::Relogin),
            code: "needs_auth",
            message: message.into(),
        }
    }

    /// Something has to be filled in.
    pub fn missing(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            next: Next::Person(UserAction::Configure { field: field.into() }),
            code: "needs_secret",
            message: message.into(),
        }
    }
}
