//! Where a remote server signs people in: its protected resource's metadata (RFC 9728), the authorization server's (RFC 8414 or
//! OpenID), and an id for this app, registered there a moment ago where nobody brought one (RFC 7591).
//!
//! Deliberately absent: the browser, codes and tokens. That is kata-oauth's, by the port `SignInPlaces`.

use super::origin;
use kata_protocol::{ErrorCode, WireError};
use rmcp::transport::auth::{AuthError, AuthorizationManager};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use url::Url;

/// Time all of it may take.
const LONGEST: Duration = Duration::from_secs(30);
/// Largest answer of a registration, bytes.
const LARGEST: usize = 256 * 1024;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Discovered {
    pub(crate) authorization_url: String,
    pub(crate) token_url: String,
    pub(crate) device_url: Option<String>,
    pub(crate) revocation_url: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<SecretString>,
    pub(crate) secret_in_header: bool,
    pub(crate) scopes: Vec<String>,
    pub(crate) resource: String,
}

/// Who asks.
pub(crate) struct Wanted<'a> {
    pub(crate) http: &'a reqwest::Client,
    pub(crate) server: &'a Url,
    pub(crate) name: &'a str,
    /// `WWW-Authenticate` of the last refusal.
    pub(crate) challenge: Option<&'a str>,
    /// Scopes an account has already: more is asked for, not other.
    pub(crate) granted: &'a [String],
    pub(crate) client_id: Option<&'a str>,
    pub(crate) client_secret: Option<SecretString>,
    /// Address at which a person publishes what this app is (Client ID Metadata Document).
    pub(crate) published: Option<&'a str>,
    pub(crate) redirect: Option<&'a str>,
}

/// Answer of a registration (RFC 7591 §3.2.1).
#[derive(Deserialize)]
struct Registered {
    client_id: String,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
}

/// Finds it. What a server publishes about itself is not trusted further than its address: the SDK refuses metadata at private
/// addresses unless the server itself is at one.
pub(crate) async fn discover(wanted: Wanted<'_>) -> Result<Discovered, WireError> {
    let name = wanted.name.to_owned();
    match tokio::time::timeout(LONGEST, found(wanted)).await {
        Ok(found) => found,
        Err(_) => Err(WireError::new(
            ErrorCode::Timeout,
            format!("“{name}” did not say within {} s where it signs in", LONGEST.as_secs()),
        )),
    }
}

async fn found(wanted: Wanted<'_>) -> Result<Discovered, WireError> {
    let upstream =
        |what: &str, why: &dyn std::fmt::Display| WireError::new(ErrorCode::Upstream, format!("“{}” {what}: {why}", wanted.name));
    let mut manager = AuthorizationManager::new(wanted.server.clone())
        .await
        .map_err(|e| upstream("cannot be asked where it signs in", &e))?;
    let metadata = match manager.resolve_metadata_from_challenge(wanted.challenge).await {
        Ok(resolved) => resolved.metadata,
        Err(error @ AuthError::AuthorizationServerMismatch { .. }) => origin::metadata(wanted.http, wanted.server, wanted.challenge)
            .await
            .ok_or_else(|| upstream("does not say where it signs in", &error))?,
        Err(error) => return Err(upstream("does not say where it signs in", &error)),
    };
    manager.set_metadata(metadata.clone());
    let listed = |key: &str| metadata.additional_fields.get(key).and_then(Value::as_array).cloned();
    let text = |key: &str| metadata.additional_fields.get(key).and_then(Value::as_str).map(str::to_owned);
    // OAuth 2.1: without PKCE a code could be taken on its way.
    if let Some(methods) = &metadata.code_challenge_methods_supported
        && !methods.iter().any(|m| m == "S256")
    {
        return Err(upstream("signs in at a server without PKCE", &"S256 is not among its methods"));
    }
    let mut scopes = manager.select_initial_scopes(&[]).await;
    let more: Vec<_> = wanted.granted.iter().filter(|s| !scopes.contains(s)).cloned().collect();
    scopes.extend(more);
    let methods: BTreeSet<String> = listed("token_endpoint_auth_methods_supported")
        .map(|l| l.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_else(|| BTreeSet::from(["client_secret_basic".to_owned()]));
    let takes_addresses = metadata.additional_fields.get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
    let published = wanted.published.filter(|_| takes_addresses);
    let (client_id, client_secret, method) = match (wanted.client_id, published, &metadata.registration_endpoint) {
        (Some(id), _, _) => {
            let method = preferred(&methods, wanted.client_secret.is_some());
            (id.to_owned(), wanted.client_secret.clone(), method)
        }
        // Nothing that is published is a secret.
        (None, Some(address), _) => (document(address)?, None, "none".to_owned()),
        (None, None, Some(endpoint)) => {
            let asked = preferred(&methods, false);
            let mut document = json!({
                "client_name": "Kata Agents",
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": asked,
                "application_type": "native",
            });
            if let Some(redirect) = wanted.redirect {
                document["redirect_uris"] = json!([redirect]);
            }
            if !scopes.is_empty() {
                document["scope"] = json!(scopes.join(" "));
            }
            let registered = register(wanted.http, endpoint, &document).await.map_err(|e| {
                upstream("did not take this app in", &e).hint("register an app there by hand and put its id into mcp.clientId")
            })?;
            let method = registered.token_endpoint_auth_method.unwrap_or_else(|| asked.to_owned());
            let secret = registered
                .client_secret
                .filter(|s| !s.is_empty() && method != "none")
                .map(SecretString::from);
            (registered.client_id, secret, method)
        }
        (None, None, None) => {
            return Err(
                WireError::new(ErrorCode::NeedsUser, format!("“{}” takes no app in by itself", wanted.name))
                    .hint("register an app there by hand and put its id into mcp.clientId"),
            );
        }
    };
    let mut resource = wanted.server.clone();
    resource.set_fragment(None);
    Ok(Discovered {
        device_url: text("device_authorization_endpoint"),
        revocation_url: text("revocation_endpoint"),
        // An answer that names somebody else is refused, whether the server promised to name itself or not (RFC 9207).
        issuer: metadata.issuer,
        authorization_url: metadata.authorization_endpoint,
        token_url: metadata.token_endpoint,
        client_id,
        client_secret,
        secret_in_header: method == "client_secret_basic",
        scopes,
        // An address without a path is published without a slash at its end.
        resource: match resource.path() {
            "/" if resource.query().is_none() => resource.as_str().trim_end_matches('/').to_owned(),
            _ => resource.to_string(),
        },
    })
}

/// An address that can be an app's id (draft-ietf-oauth-client-id-metadata-document, 3).
fn document(address: &str) -> Result<String, WireError> {
    let fits = Url::parse(address).is_ok_and(|url| {
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        url.scheme() == "https" && url.path() != "/" && plain
    });
    match fits {
        true => Ok(address.to_owned()),
        false => Err(
            WireError::invalid("the setting oauth.clientMetadata is no address that begins with https:// and has a path")
                .hint("mend it with `kata settings set`, or take it away"),
        ),
    }
}

/// How this app shows who it is, of what the server takes: nothing to lose first, then the header.
fn preferred(methods: &BTreeSet<String>, secret: bool) -> String {
    let order: &[&str] = match secret {
        true => &["client_secret_basic", "client_secret_post"],
        false => &["none", "client_secret_basic", "client_secret_post"],
    };
    order.iter().find(|m| methods.contains(**m)).unwrap_or(&order[0]).to_string()
}

/// Why a registration failed.
#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{0}")]
    Http(reqwest::Error),
    #[error("its answer is too large")]
    TooLarge,
    #[error("HTTP {0} {1}")]
    Refused(u16, String),
    #[error("its answer is not what it should be: {0}")]
    Json(serde_json::Error),
}

async fn register(http: &reqwest::Client, endpoint: &str, document: &Value) -> Result<Registered, Why> {
    let response = http
        .post(endpoint)
        .json(document)
        .send()
        .await
        .map_err(|e| Why::Http(e.without_url()))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|e| Why::Http(e.without_url()))?;
    if body.len() > LARGEST {
        return Err(Why::TooLarge);
    }
    if !status.is_success() {
        let why: Value = serde_json::from_slice(&body).unwrap_or_default();
        let why = why
            .get("error_description")
            .or(why.get("error"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        return Err(Why::Refused(status.as_u16(), why.to_owned()));
    }
    serde_json::from_slice(&body).map_err(Why::Json)
}

#[cfg(test)]
mod tests;
