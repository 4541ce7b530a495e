//! Accounts among the secrets: one text each. A keychain may ask a person or be slow, so it is asked on a thread of its own.

use crate::Secrets;
use async_trait::async_trait;
use kata_core::ports::{AccountError, AccountVault};
use secrecy::SecretString;
use std::sync::Arc;

/// The secrets as the place accounts are kept in.
pub(crate) struct Vault(pub(crate) Arc<Secrets>);

fn failed(error: impl std::fmt::Display) -> AccountError {
    AccountError::Store(error.to_string())
}

#[async_trait]
impl AccountVault for Vault {
    async fn load(&self, key: &str) -> Result<Option<SecretString>, AccountError> {
        let (secrets, key) = (Arc::clone(&self.0), key.to_owned());
        tokio::task::spawn_blocking(move || secrets.get(&key)).await.map_err(failed)
    }

    async fn save(&self, key: &str, value: Option<SecretString>) -> Result<(), AccountError> {
        let (secrets, key) = (Arc::clone(&self.0), key.to_owned());
        let saved = tokio::task::spawn_blocking(move || secrets.set(&key, value)).await;
        saved.map_err(failed)?.map_err(failed)
    }
}
