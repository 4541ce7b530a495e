//! `oauth.providers`, `oauth.configure`, `oauth.remove`: what comes with the app, with the person's changes over it. The app's secret
//! is among the secrets, everything else in settings.json.

use super::{AccountDesk, Need};
use kata_core::ports::SignInPlace;
use kata_oauth::{Edit, Misfit, Provider, presets, valid_id};
use kata_protocol::{Empty, ErrorCode, Json, OauthConfigure, OauthProvider, WireError};
use secrecy::SecretString;
use serde_json::json;
use std::sync::Arc;

/// Providers of the person's own.
const MOST: usize = 64;
/// Longest client secret, bytes.
const MAX_SECRET: usize = 4096;

fn secret_key(id: &str) -> String {
    format!("oauth/provider/{id}/secret")
}

fn unfit(misfit: Misfit) -> WireError {
    let mut error = WireError::invalid(misfit.to_string());
    error.details = Some(Json(json!({ "field": misfit.field })));
    error
}

/// What a source says itself, as a provider.
pub(super) fn of_place(place: SignInPlace) -> Need {
    let provider = Provider {
        id: place.account.provider.clone(),
        name: place.name,
        authorization_url: place.authorization_url,
        token_url: place.token_url,
        device_url: place.device_url,
        revocation_url: place.revocation_url,
        parameters: place.parameters,
        client_id: Some(place.client_id),
        client_secret: place.client_secret,
        client_key: place.client_key,
        secret_in_header: place.secret_in_header,
        resource: place.resource,
        issuer: place.issuer,
        machine: place.machine,
        // A server grants what it wants; what a call needs beyond it says itself (403, insufficient_scope).
        tells_scopes: false,
        ..Provider::default()
    };
    Need {
        account: place.account,
        provider,
        scopes: place.scopes,
    }
}

impl AccountDesk {
    /// A provider without its secret.
    fn plain(&self, id: &str) -> Option<Provider> {
        let settings = self.settings.get();
        let edit = settings.oauth.providers.get(id);
        match presets().into_iter().find(|p| p.id == id) {
            Some(preset) => Some(edit.map_or(preset.clone(), |edit| preset.edited(edit))),
            None => edit.map(|edit| Provider::own(id).edited(edit)),
        }
    }

    /// A provider's name, for what is shown.
    pub(super) fn provider_name(&self, id: &str) -> Option<String> {
        self.plain(id).map(|p| p.name)
    }

    /// A provider with its secret.
    pub(super) async fn provider(&self, id: &str) -> Result<Provider, WireError> {
        let mut provider = self.plain(id).ok_or_else(|| {
            WireError::new(ErrorCode::NeedsUser, format!("no provider named “{id}” is configured")).hint(format!(
                "`kata oauth configure {id} --authorization-url … --token-url … --client-id …` adds it"
            ))
        })?;
        provider.client_secret = self.secret(id).await?;
        Ok(provider)
    }

    async fn secret(&self, id: &str) -> Result<Option<SecretString>, WireError> {
        let (secrets, key) = (Arc::clone(&self.secrets), secret_key(id));
        let read = tokio::task::spawn_blocking(move || secrets.get(&key)).await;
        read.map_err(|_| WireError::internal("the secret store failed"))
    }

    async fn set_secret(&self, id: &str, value: Option<SecretString>) -> Result<(), WireError> {
        let (secrets, key) = (Arc::clone(&self.secrets), secret_key(id));
        let set = tokio::task::spawn_blocking(move || secrets.set(&key, value)).await;
        Ok(set.map_err(|_| WireError::internal("the secret store failed"))??)
    }

    /// `oauth.providers`: presets first, then the person's own.
    pub(crate) async fn providers(&self) -> Result<Vec<OauthProvider>, WireError> {
        let mut ids: Vec<String> = presets().into_iter().map(|p| p.id).collect();
        let own: Vec<String> = self
            .settings
            .get()
            .oauth
            .providers
            .keys()
            .filter(|id| !ids.contains(id))
            .cloned()
            .collect();
        ids.extend(own);
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            all.extend(self.shown(&id).await?);
        }
        Ok(all)
    }

    async fn shown(&self, id: &str) -> Result<Option<OauthProvider>, WireError> {
        let Some(provider) = self.plain(id) else { return Ok(None) };
        let secret_set = self.secret(id).await?.is_some();
        Ok(Some(provider.shown(secret_set)))
    }

    /// `oauth.configure`
    pub(crate) async fn configure(&self, params: OauthConfigure) -> Result<OauthProvider, WireError> {
        let id = params.id;
        valid_id(&id).map_err(unfit)?;
        if params.client_secret.as_ref().is_some_and(|s| s.len() > MAX_SECRET) {
            return Err(WireError::invalid(format!("“clientSecret”: has at most {MAX_SECRET} bytes")));
        }
        let before = self.settings.get().oauth.providers.get(&id).cloned();
        let preset = presets().into_iter().find(|p| p.id == id);
        if before.is_none() && preset.is_none() && self.settings.get().oauth.providers.len() >= MOST {
            return Err(
                WireError::new(ErrorCode::Conflict, format!("there are {MOST} providers already")).hint("remove one that is not used")
            );
        }
        let edit = before.unwrap_or_default().with(Edit {
            name: params.name,
            authorization_url: params.authorization_url,
            token_url: params.token_url,
            device_url: params.device_url,
            revocation_url: params.revocation_url,
            userinfo_url: params.userinfo_url,
            parameters: params.parameters,
            client_id: params.client_id,
            ..Edit::default()
        });
        let edit = edit.map_err(unfit)?;
        let whole = preset.unwrap_or_else(|| Provider::own(&id)).edited(&edit);
        // A provider of one's own without its addresses would be good for nothing.
        for (field, text) in [("authorizationUrl", &whole.authorization_url), ("tokenUrl", &whole.token_url)] {
            if text.is_empty() {
                return Err(unfit(Misfit {
                    field,
                    reason: format!("provider “{id}” is none of those that come with the app; say where it is"),
                }));
            }
        }
        match params.client_secret {
            None => {}
            Some(secret) if secret.is_empty() => self.set_secret(&id, None).await?,
            Some(secret) => self.set_secret(&id, Some(secret.into())).await?,
        }
        self.settings.change(|s| s.oauth.providers.insert(id.clone(), edit))?;
        self.shown(&id).await?.ok_or_else(|| WireError::not_found("provider", &id))
    }

    /// `oauth.remove`. Accounts that were signed in with stay: they are renewed with the app's id they were made for.
    pub(crate) async fn remove_provider(&self, id: &str) -> Result<Empty, WireError> {
        let known = self.plain(id).is_some();
        if !known {
            return Err(WireError::not_found("provider", id).hint("`kata oauth providers` shows them"));
        }
        self.set_secret(id, None).await?;
        self.settings.change(|s| s.oauth.providers.remove(id))?;
        Ok(Empty {})
    }
}
