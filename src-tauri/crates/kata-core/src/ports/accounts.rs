//! Accounts people signed in with at a provider: getting a token that counts, and saying that one was refused. Plugins ask by
//! `ctx.oauth`, MCP sources by the same door; kata-oauth answers, the engine keeps.
//!
//! Deliberately absent: how a token is got, and refresh tokens. Nobody who works with an account sees one.

use async_trait::async_trait;
use kata_protocol::{ErrorCode, Ms, PluginId, SourceId, WireError};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// Who works with an account. All parts of a plugin share one; a further account of a channel is a plugin of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountOwner {
    /// A plugin.
    Plugin(PluginId),
    /// A source that no plugin brings, such as an MCP server.
    Source(SourceId),
}

/// One account: whose, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountRef {
    /// Whose.
    pub owner: AccountOwner,
    /// Provider's id: lower-case letters, digits, `-`.
    pub provider: String,
}

impl AccountRef {
    /// A plugin's account.
    pub fn of_plugin(plugin: &PluginId, provider: &str) -> Self {
        Self {
            owner: AccountOwner::Plugin(plugin.clone()),
            provider: provider.to_owned(),
        }
    }

    /// A source's account.
    pub fn of_source(source: &SourceId, provider: &str) -> Self {
        Self {
            owner: AccountOwner::Source(source.clone()),
            provider: provider.to_owned(),
        }
    }

    /// Name under which it is kept. Different accounts have different names: no provider's id has a `/`.
    pub fn key(&self) -> String {
        match &self.owner {
            AccountOwner::Plugin(plugin) => format!("oauth/plugin/{plugin}/{}", self.provider),
            AccountOwner::Source(source) => format!("oauth/source/{source}/{}", self.provider),
        }
    }
}

/// A token that counts now. `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct AccountToken {
    /// Goes into `Authorization: Bearer`.
    pub access: SecretString,
    /// When it ends, where the provider says it; it is renewed before.
    pub expires_at: Option<Ms>,
    /// Scopes that were given.
    pub scopes: Vec<String>,
    /// Name of the account where the provider says one.
    pub account: Option<String>,
}

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// A person has to do something; trying again changes nothing until the part is started anew.
    #[error("{message}")]
    NeedsUser {
        /// `signed_out` (nobody has signed in), `relogin` (the provider took the account back), `scope` (something that was not
        /// given is needed), `configure` (the provider does not know the app, or nobody brought an app's id).
        code: &'static str,
        /// One sentence for a person.
        message: String,
    },
    /// The provider does not answer, or is busy. Later it may.
    #[error("{provider} does not answer: {reason}")]
    Unreachable {
        /// Provider's name.
        provider: String,
        /// What happened; no secret.
        reason: String,
        /// Nothing is asked of it before.
        retry_at: Ms,
    },
    /// The tokens could not be kept or read on this machine.
    #[error("the account could not be kept: {0}")]
    Store(String),
}

impl AccountError {
    /// What a plugin branches on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NeedsUser { .. } => "needs_user",
            Self::Unreachable { .. } => "unreachable",
            Self::Store(_) => "failed",
        }
    }
}

impl From<AccountError> for WireError {
    fn from(error: AccountError) -> Self {
        let code = match &error {
            AccountError::NeedsUser { .. } => ErrorCode::NeedsUser,
            AccountError::Unreachable { .. } => ErrorCode::Upstream,
            AccountError::Store(_) => ErrorCode::Internal,
        };
        let wire = WireError::new(code, error.to_string());
        match error {
            AccountError::NeedsUser { .. } => wire.hint("`kata sources login ID`, or the source's page"),
            AccountError::Unreachable { .. } => wire.hint("it is tried again by itself"),
            AccountError::Store(_) => wire.hint("look at the log; is the keychain locked, or the disk full?"),
        }
    }
}

/// Tokens of accounts. Everybody who asks for one account at the same time gets the answer of one renewal.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// A token that counts now, with at least these scopes. One that is about to end is renewed first.
    async fn token(&self, account: &AccountRef, scopes: &[String]) -> Result<AccountToken, AccountError>;
    /// The platform refused this very token (401). It is renewed once, whoever reports it; one that was renewed meanwhile is left.
    /// The next [`Accounts::token`] has the new one.
    async fn refused(&self, account: &AccountRef, access: &SecretString) -> Result<(), AccountError>;
}

/// Where accounts are kept, each as one secret text under [`AccountRef::key`].
#[async_trait]
pub trait AccountVault: Send + Sync + 'static {
    /// What is kept.
    async fn load(&self, key: &str) -> Result<Option<SecretString>, AccountError>;
    /// Keeps or, with `None`, forgets. It survives a power cut when this resolves.
    async fn save(&self, key: &str, value: Option<SecretString>) -> Result<(), AccountError>;
}

/// Everything there is to know about where a source signs in, for one that knows it by itself: an MCP server names its
/// authorization server, and the app may have registered there a moment ago (RFC 9728, RFC 8414, RFC 7591).
#[derive(Clone, Debug)]
pub struct SignInPlace {
    /// The account it will be.
    pub account: AccountRef,
    /// Name to show.
    pub name: String,
    /// Where the browser goes.
    pub authorization_url: String,
    /// Where codes become tokens.
    pub token_url: String,
    /// Where a device code comes from.
    pub device_url: Option<String>,
    /// Where a token is given back.
    pub revocation_url: Option<String>,
    /// The app's id there.
    pub client_id: String,
    /// The app's secret there.
    pub client_secret: Option<SecretString>,
    /// The app's private key there, in the place of a secret (`private_key_jwt`): PKCS #8 in PEM.
    pub client_key: Option<SecretString>,
    /// Whether id and secret go into the header of the token request (`client_secret_basic`) and not into its body.
    pub secret_in_header: bool,
    /// What to ask for.
    pub scopes: Vec<String>,
    /// Whom the token is for (RFC 8707); goes into every request.
    pub resource: Option<String>,
    /// Who answers, when the answer must say it (RFC 9207).
    pub issuer: Option<String>,
    /// Further parameters for the browser's address.
    pub parameters: BTreeMap<String, String>,
    /// Whether the app signs in as itself, by its id and secret alone (RFC 6749, 4.4): a machine's account, without a person.
    pub machine: bool,
}

/// Sources that know by themselves where they sign in.
#[async_trait]
pub trait SignInPlaces: Send + Sync + 'static {
    /// Where this source signs in, for an answer that comes to `redirect` (a loopback address with a port of the moment; `None` for a
    /// device). `Ok(None)`: it is none of these sources, or needs nobody.
    async fn place(&self, source: &SourceId, redirect: Option<&str>) -> Result<Option<SignInPlace>, WireError>;
    /// The account of a source that signs in; `None` where it needs nobody. Asks nobody outside.
    fn account_of(&self, source: &SourceId) -> Option<AccountRef>;
    /// Somebody signed in, or out: the source starts anew.
    async fn changed(&self, source: &SourceId);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_an_accounts_token_and_no_two_accounts_share_a_name() {
        let token = AccountToken {
            access: "canary-token".to_owned().into(),
            expires_at: None,
            scopes: vec!["mail".into()],
            account: None,
        };
        assert!(!format!("{token:?}").contains("canary"));
        let (Ok(plugin), Ok(source)) = (PluginId::new("gmail"), SourceId::new("gmail")) else {
            panic!("both are good ids")
        };
        let keys = [
            AccountRef::of_plugin(&plugin, "google").key(),
            AccountRef::of_source(&source, "google").key(),
            AccountRef::of_plugin(&plugin, "goo").key(),
        ];
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    }
}
