//! Why a provider gave no tokens. A closed set, so that whoever gets one knows whether to ask a person, to wait, or to give up.

use std::time::Duration;

/// Why a provider gave no tokens. Never holds a token, a code or a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// `invalid_grant` and its kin: the account was taken back, or the code was used up.
    #[error("the grant does not count any more ({code})")]
    GrantGone {
        /// As the provider named it.
        code: String,
    },
    /// The provider does not know the app, or the app may not do this.
    #[error("the provider does not take the app's id or secret ({code})")]
    Client {
        /// As the provider named it.
        code: String,
    },
    /// A scope does not exist or may not be asked for.
    #[error("the provider does not give what was asked for ({code})")]
    Scope {
        /// As the provider named it.
        code: String,
    },
    /// The person said no.
    #[error("the sign-in was refused")]
    Denied,
    /// A device's code has not been entered yet.
    #[error("waiting for the person")]
    Pending,
    /// The same, and it was asked too often.
    #[error("waiting for the person; asked too often")]
    SlowDown,
    /// The code's time is over.
    #[error("the code's time is over")]
    Expired,
    /// Nobody answers, or the answer is one of a server in trouble.
    #[error("{reason}")]
    Unreachable {
        /// What happened.
        reason: String,
        /// How long the provider asks to be left alone.
        retry_after: Option<Duration>,
        /// Whether the request may have been carried out.
        certain: bool,
    },
    /// Anything else the provider says no with.
    #[error("the provider refused: {code}")]
    Refused {
        /// As the provider named it, or its HTTP status.
        code: String,
    },
}

impl Failure {
    /// From the provider's own word (RFC 6749 §5.2, RFC 8628 §3.5, and what GitHub and Slack say instead).
    pub(crate) fn named(code: &str) -> Self {
        // It goes into states and messages: short, and nothing but a word.
        let word: String = code.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
        match code {
            "invalid_grant"
            | "bad_refresh_token"
            | "bad_verification_code"
            | "invalid_refresh_token"
            | "token_revoked"
            | "token_expired"
            | "account_inactive"
            | "invalid_code"
            | "code_already_used"
            | "interaction_required"
            | "login_required"
            | "consent_required" => Self::GrantGone { code: word },
            "invalid_client"
            | "unauthorized_client"
            | "unsupported_grant_type"
            | "incorrect_client_credentials"
            | "invalid_client_id"
            | "bad_client_secret"
            | "redirect_uri_mismatch"
            | "device_flow_disabled" => Self::Client { code: word },
            "invalid_scope" | "insufficient_scope" => Self::Scope { code: word },
            "access_denied" => Self::Denied,
            "authorization_pending" => Self::Pending,
            "slow_down" => Self::SlowDown,
            "expired_token" => Self::Expired,
            "temporarily_unavailable" | "server_error" | "ratelimited" => Self::Unreachable {
                reason: format!("the provider says {word}"),
                retry_after: None,
                certain: true,
            },
            _ => Self::Refused { code: word },
        }
    }
}
