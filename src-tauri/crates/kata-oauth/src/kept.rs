//! An account as it is kept: one JSON text, secret as a whole. Tokens, and the provider as it was at the sign-in, since a refresh
//! token belongs to the app's id it was made for.

use crate::fresh::Life;
use crate::provider::Provider;
use kata_protocol::Ms;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Why an account gives no tokens any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct End {
    /// `relogin`, `scope` or `configure`.
    pub(crate) code: String,
    /// One sentence for a person.
    pub(crate) message: String,
    /// Since when.
    pub(crate) at: Ms,
}

/// An account as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) access: SecretString,
    pub(crate) refresh: Option<SecretString>,
    pub(crate) life: Life,
    pub(crate) scopes: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) provider: Provider,
    pub(crate) ended: Option<End>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    version: u32,
    access: String,
    refresh: Option<String>,
    obtained_at: Ms,
    life_ms: Option<u64>,
    scopes: Vec<String>,
    account: Option<String>,
    provider: ProviderText,
    ended: Option<End>,
}

/// The part of a provider that a renewal and a revocation need.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderText {
    id: String,
    name: String,
    authorization_url: String,
    token_url: String,
    revocation_url: Option<String>,
    userinfo_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    secret_in_header: bool,
    scope_prefix: String,
    tells_scopes: bool,
    resource: Option<String>,
    #[serde(default)]
    machine: bool,
    #[serde(default)]
    client_key: Option<String>,
    #[serde(default)]
    issuer: Option<String>,
}

impl Kept {
    /// As it is kept.
    pub(crate) fn write(&self) -> Option<SecretString> {
        let open = |s: &SecretString| s.expose_secret().to_owned();
        let p = &self.provider;
        let text = Text {
            version: 1,
            access: open(&self.access),
            refresh: self.refresh.as_ref().map(open),
            obtained_at: self.life.obtained_at,
            life_ms: self.life.life_ms,
            scopes: self.scopes.clone(),
            account: self.account.clone(),
            provider: ProviderText {
                id: p.id.clone(),
                name: p.name.clone(),
                authorization_url: p.authorization_url.clone(),
                token_url: p.token_url.clone(),
                revocation_url: p.revocation_url.clone(),
                userinfo_url: p.userinfo_url.clone(),
                client_id: p.client_id.clone(),
                client_secret: p.client_secret.as_ref().map(open),
                secret_in_header: p.secret_in_header,
                scope_prefix: p.scope_prefix.clone(),
                tells_scopes: p.tells_scopes,
                resource: p.resource.clone(),
                machine: p.machine,
                client_key: p.client_key.as_ref().map(open),
                issuer: p.issuer.clone(),
            },
            ended: self.ended.clone(),
        };
        serde_json::to_string(&text).ok().map(SecretString::from)
    }

    /// From what was kept; `None` where it is not what we write.
    pub(crate) fn read(text: &SecretString) -> Option<Self> {
        let t: Text = serde_json::from_str(text.expose_secret()).ok()?;
        let p = t.provider;
        Some(Self {
            access: t.access.into(),
            refresh: t.refresh.map(SecretString::from),
            life: Life::kept(t.obtained_at, t.life_ms),
            scopes: t.scopes,
            account: t.account,
            provider: Provider {
                id: p.id,
                name: p.name,
                authorization_url: p.authorization_url,
                token_url: p.token_url,
                revocation_url: p.revocation_url,
                userinfo_url: p.userinfo_url,
                client_id: p.client_id,
                client_secret: p.client_secret.map(SecretString::from),
                secret_in_header: p.secret_in_header,
                scope_prefix: p.scope_prefix,
                tells_scopes: p.tells_scopes,
                resource: p.resource,
                machine: p.machine,
                client_key: p.client_key.map(SecretString::from),
                issuer: p.issuer,
                ..Provider::default()
            },
            ended: t.ended,
        })
    }
}
