//! Where people sign in: what comes with the app, with a person's changes over it. Pure.
//!
//! Deliberately absent: the network, and where changes are kept.

use kata_protocol::OauthProvider;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// Longest id, bytes.
const MAX_ID: usize = 32;
/// Longest text of a field, bytes.
const MAX_TEXT: usize = 2048;
/// Parameters of the browser's address that the app sets itself.
const OURS: [&str; 8] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
];

/// A provider with everything a sign-in needs. `Debug` does not show the secret.
#[derive(Clone, Debug, Default)]
pub struct Provider {
    /// Short name, as capabilities have it.
    pub id: String,
    /// Name to show.
    pub name: String,
    /// Where the browser goes.
    pub authorization_url: String,
    /// Where codes become tokens.
    pub token_url: String,
    /// Where a device code comes from.
    pub device_url: Option<String>,
    /// Where a token is given back (RFC 7009).
    pub revocation_url: Option<String>,
    /// Where the account's name is asked for.
    pub userinfo_url: Option<String>,
    /// Further parameters for the browser's address.
    pub parameters: BTreeMap<String, String>,
    /// The app's id.
    pub client_id: Option<String>,
    /// The app's secret.
    pub client_secret: Option<SecretString>,
    /// The app's private key, in the place of a secret (RFC 7523): PKCS #8 in PEM.
    pub client_key: Option<SecretString>,
    /// Whether id and secret go into the header of a token request and not into its body.
    pub secret_in_header: bool,
    /// Scopes that are asked for besides what a source needs: the account's name, a refresh token.
    pub besides: Vec<String>,
    /// Put before a scope that is neither an address nor one of OpenID Connect.
    pub scope_prefix: String,
    /// Whether the scopes of an answer can be held against those that were asked for.
    pub tells_scopes: bool,
    /// Whether the browser comes back to `localhost` by name and not to 127.0.0.1.
    pub by_name: bool,
    /// Whom tokens are for (RFC 8707).
    pub resource: Option<String>,
    /// Who answers, where an answer says it (RFC 9207).
    pub issuer: Option<String>,
    /// Whether it comes with the app.
    pub preset: bool,
    /// Whether the app signs in as itself, by its id and secret alone (RFC 6749, 4.4).
    pub machine: bool,
}

/// What a person set about a provider; absent keeps what is there. The secret is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Edit {
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the browser goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// Where codes become tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// Where a device code comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_url: Option<String>,
    /// Where a token is given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_url: Option<String>,
    /// Where the account's name is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_url: Option<String>,
    /// Further parameters for the browser's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<BTreeMap<String, String>>,
    /// The app's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// What does not fit, by field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{field}”: {reason}")]
pub struct Misfit {
    /// Field.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

fn misfit(field: &'static str, reason: impl Into<String>) -> Misfit {
    Misfit {
        field,
        reason: reason.into(),
    }
}

/// Checks a provider's short name.
///
/// # Errors
/// [`Misfit`]: it is no short name.
pub fn valid_id(id: &str) -> Result<(), Misfit> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(good) {
        return Err(misfit(
            "id",
            format!("a provider's id has 1 to {MAX_ID} lower-case letters, digits and “-”"),
        ));
    }
    Ok(())
}

/// Addresses of a provider are `https:`, or `http:` on this machine.
fn valid_url(field: &'static str, text: &str) -> Result<(), Misfit> {
    let url = Url::parse(text).map_err(|e| misfit(field, format!("is no address: {e}")))?;
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => Err(misfit(field, "has a user name or password in it")),
        _ if url.fragment().is_some() => Err(misfit(field, "has a fragment (#…)")),
        "https" if url.host().is_some() => Ok(()),
        "http" if here => Ok(()),
        _ => Err(misfit(field, "begins with https:// (or http:// on this machine)")),
    }
}

impl Edit {
    /// Lays a newer change over this one. An empty text takes a field back to what came with the app.
    ///
    /// # Errors
    /// [`Misfit`] with the field that does not fit.
    pub fn with(mut self, newer: Self) -> Result<Self, Misfit> {
        let lay = |old: &mut Option<String>, new: Option<String>| match new {
            None => {}
            Some(text) if text.trim().is_empty() => *old = None,
            Some(text) => *old = Some(text.trim().to_owned()),
        };
        lay(&mut self.name, newer.name);
        lay(&mut self.authorization_url, newer.authorization_url);
        lay(&mut self.token_url, newer.token_url);
        lay(&mut self.device_url, newer.device_url);
        lay(&mut self.revocation_url, newer.revocation_url);
        lay(&mut self.userinfo_url, newer.userinfo_url);
        lay(&mut self.client_id, newer.client_id);
        if let Some(parameters) = newer.parameters {
            self.parameters = Some(parameters);
        }
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), Misfit> {
        for (field, url) in [
            ("authorizationUrl", &self.authorization_url),
            ("tokenUrl", &self.token_url),
            ("deviceUrl", &self.device_url),
            ("revocationUrl", &self.revocation_url),
            ("userinfoUrl", &self.userinfo_url),
        ] {
            if let Some(url) = url {
                valid_url(field, url)?;
            }
        }
        for (field, text) in [("name", &self.name), ("clientId", &self.client_id)] {
            if let Some(text) = text
                && (text.len() > MAX_TEXT || text.chars().any(char::is_control))
            {
                return Err(misfit(field, format!("has at most {MAX_TEXT} bytes on one line")));
            }
        }
        for (name, value) in self.parameters.iter().flatten() {
            if OURS.contains(&name.as_str()) {
                return Err(misfit("parameters", format!("“{name}” is set by the app")));
            }
            if name.is_empty() || name.len() > 64 || value.len() > MAX_TEXT {
                return Err(misfit("parameters", "a name has 1 to 64 bytes, a value at most 2,048"));
            }
        }
        Ok(())
    }
}

impl Provider {
    /// A provider of the person's own.
    pub fn own(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            tells_scopes: true,
            ..Self::default()
        }
    }

    /// With a person's changes over it. Other endpoints of a preset are somebody else's: what is special about the preset's own
    /// server goes with them only as far as it does no harm.
    #[must_use]
    pub fn edited(mut self, edit: &Edit) -> Self {
        let lay = |old: &mut String, new: &Option<String>| {
            if let Some(new) = new {
                old.clone_from(new);
            }
        };
        let lay_optional = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        lay(&mut self.name, &edit.name);
        lay(&mut self.authorization_url, &edit.authorization_url);
        lay(&mut self.token_url, &edit.token_url);
        lay_optional(&mut self.device_url, &edit.device_url);
        lay_optional(&mut self.revocation_url, &edit.revocation_url);
        lay_optional(&mut self.userinfo_url, &edit.userinfo_url);
        lay_optional(&mut self.client_id, &edit.client_id);
        if let Some(parameters) = &edit.parameters {
            self.parameters.clone_from(parameters);
        }
        self
    }

    /// Whether a sign-in can begin.
    ///
    /// # Errors
    /// [`Misfit`] with what is missing.
    pub fn complete(&self) -> Result<(), Misfit> {
        for (field, text) in [("authorizationUrl", &self.authorization_url), ("tokenUrl", &self.token_url)] {
            if text.is_empty() {
                return Err(misfit(field, format!("{} has none yet", self.name)));
            }
            valid_url(field, text)?;
        }
        if self.client_id.is_none() {
            return Err(misfit(
                "clientId",
                format!("{} needs the id of an app that you registered there", self.name),
            ));
        }
        Ok(())
    }

    /// A scope as the provider writes it: `calendar.readonly` of Google is an address.
    pub fn scope(&self, short: &str) -> String {
        let plain = self.scope_prefix.is_empty() || short.contains("://") || matches!(short, "openid" | "email" | "profile");
        if plain {
            short.to_owned()
        } else {
            format!("{}{short}", self.scope_prefix)
        }
    }

    /// Scopes to ask for: what is needed, and what the app needs besides.
    pub fn scopes_to_ask(&self, needed: &[String]) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for scope in needed.iter().map(|s| self.scope(s)).chain(self.besides.iter().cloned()) {
            if !all.contains(&scope) {
                all.push(scope);
            }
        }
        all
    }

    /// Needed scopes that were not given.
    pub fn missing(&self, needed: &[String], given: &[String]) -> Vec<String> {
        if !self.tells_scopes {
            return Vec::new();
        }
        let wanted = needed.iter().map(|s| self.scope(s));
        wanted.filter(|scope| !given.iter().any(|g| same_scope(g, scope))).collect()
    }

    /// As clients see it.
    pub fn shown(&self, secret_set: bool) -> OauthProvider {
        OauthProvider {
            id: self.id.clone(),
            name: self.name.clone(),
            authorization_url: self.authorization_url.clone(),
            token_url: self.token_url.clone(),
            device_url: self.device_url.clone(),
            revocation_url: self.revocation_url.clone(),
            userinfo_url: self.userinfo_url.clone(),
            parameters: self.parameters.clone(),
            client_id: self.client_id.clone(),
            client_secret_set: secret_set,
            preset: self.preset,
        }
    }
}

/// Providers write a scope back in another case, or with the address of the API before it (Microsoft).
fn same_scope(given: &str, wanted: &str) -> bool {
    let tail = given.rsplit_once('/').map(|(_, tail)| tail);
    given.eq_ignore_ascii_case(wanted) || !wanted.contains('/') && tail.is_some_and(|tail| tail.eq_ignore_ascii_case(wanted))
}
