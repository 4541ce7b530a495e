//! `ctx.oauth`: a token of the account the person signed in with, and the platform's refusal of one. The provider has to be declared
//! and granted, and a token without the scopes that were granted is none. No refresh token comes this way.

use super::ops::OpError;
use crate::ports::Reach;
use kata_core::ports::AccountError;
use secrecy::ExposeSecret;
use serde_json::json;

/// Longest token a plugin may report, bytes.
const MAX_TOKEN: usize = 64 << 10;

/// What it asks.
pub(crate) enum Account {
    Token(String),
    Refused { provider: String, access: String },
}

impl Account {
    pub(super) fn decode(op: &str, args: &str) -> Result<Self, OpError> {
        if op == "oauth_token" {
            return Ok(Self::Token(args.to_owned()));
        }
        let (provider, access): (String, String) =
            serde_json::from_str(args).map_err(|_| OpError::of_type("oauth.refused: takes a provider and the token that was refused"))?;
        if access.len() > MAX_TOKEN {
            return Err(OpError::of_type(format!("oauth.refused: a token has at most {MAX_TOKEN} bytes")));
        }
        Ok(Self::Refused { provider, access })
    }

    pub(super) async fn run(self, reach: &Reach) -> Result<Option<String>, OpError> {
        let allowed = |provider: &str| reach.standing.scopes_at(provider).map_err(|e| OpError::denied(&e));
        match self {
            Self::Token(provider) => {
                let scopes = allowed(&provider)?;
                let token = reach.backend.oauth_token(&reach.plugin, &provider, &scopes).await?;
                Ok(Some(
                    json!({
                        "accessToken": token.access.expose_secret(),
                        "expiresAt": token.expires_at,
                        "scopes": token.scopes,
                        "account": token.account,
                    })
                    .to_string(),
                ))
            }
            Self::Refused { provider, access } => {
                allowed(&provider)?;
                reach.backend.oauth_refused(&reach.plugin, &provider, access.into()).await?;
                Ok(None)
            }
        }
    }
}

impl From<AccountError> for OpError {
    fn from(error: AccountError) -> Self {
        Self::coded(error.code(), error.to_string())
    }
}
