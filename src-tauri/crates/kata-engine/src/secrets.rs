//! Secrets: the system's keychain where there is one, else an encrypted file, and the status says which.
//!
//! The file (`secrets.enc`, AES-256-GCM) has its key in `secrets.key` beside it, both 0600. That keeps a secret out of a
//! backup or a search that takes one of the two, and no more: whoever can read the home folder can read both.

use crate::EngineError;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use kata_protocol::Ms;
use kata_store::{atomic_write, set_aside as move_aside};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Name under which the keychain lists our entries.
const SERVICE: &str = "kata-agents";
const NONCE: usize = 12;

/// Where secrets are kept.
pub struct Secrets {
    store: Kind,
    told: String,
    /// A damaged file that was set aside at this start.
    pub set_aside: Option<PathBuf>,
}

/// Where secrets of a home are kept, as [`Secrets::look`] found.
pub(crate) enum Kept {
    /// In this keychain.
    Keychain(String),
    /// In the encrypted file, or they would be.
    File,
    /// In that file, which its key does not open.
    Damaged(PathBuf),
}

enum Kind {
    Keychain {
        prefix: String,
    },
    File {
        path: PathBuf,
        cipher: Box<Aes256Gcm>,
        values: Mutex<BTreeMap<String, SecretString>>,
    },
}

impl Secrets {
    /// Opens the keychain, or the file where there is none (or `in_file` asks for it). Blocks; the keychain may take a moment.
    pub fn open(home: &Path, in_file: bool, now: Ms) -> Result<Self, EngineError> {
        let why = if in_file {
            "as asked for"
        } else {
            match open_keychain() {
                Ok(name) => {
                    // Several homes on one machine keep apart.
                    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
                    let prefix = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
                    return Ok(Self {
                        store: Kind::Keychain { prefix },
                        told: name.to_owned(),
                        set_aside: None,
                    });
                }
                Err(reason) => {
                    tracing::info!(%reason, "no keychain; secrets go to an encrypted file");
                    "this machine has no keychain that answers"
                }
            }
        };
        let (path, key_path) = (home.join("secrets.enc"), home.join("secrets.key"));
        let failed = |path: &Path, reason: String| EngineError::Home {
            path: path.to_owned(),
            reason,
        };
        let key = match std::fs::read(&key_path) {
            Ok(key) if key.len() == 32 => key,
            _ => {
                let mut key = vec![0; 32];
                getrandom::fill(&mut key).map_err(|e| failed(&key_path, e.to_string()))?;
                atomic_write(&key_path, &key, 0o600).map_err(|e| failed(&key_path, e.to_string()))?;
                key
            }
        };
        let cipher = Aes256Gcm::new_from_slice(&key).map_err(|e| failed(&key_path, e.to_string()))?;
        let mut set_aside = None;
        let values = match std::fs::read(&path) {
            Err(_) => BTreeMap::new(),
            Ok(bytes) => match decrypt(&cipher, &bytes) {
                Some(values) => values,
                None => {
                    set_aside = Some(move_aside(&path, now).map_err(|e| failed(&path, e.to_string()))?);
                    BTreeMap::new()
                }
            },
        };
        let told = format!("encrypted file {} ({why})", path.display());
        Ok(Self {
            store: Kind::File {
                path,
                cipher: Box::new(cipher),
                values: Mutex::new(values),
            },
            told,
            set_aside,
        })
    }

    /// Where secrets of a home are kept, without changing anything. Blocks.
    pub(crate) fn look(home: &Path, in_file: bool) -> Kept {
        if !in_file && let Ok(name) = open_keychain() {
            return Kept::Keychain(name.to_owned());
        }
        let path = home.join("secrets.enc");
        let Ok(bytes) = std::fs::read(&path) else { return Kept::File };
        let key = std::fs::read(home.join("secrets.key")).unwrap_or_default();
        let readable = Aes256Gcm::new_from_slice(&key)
            .ok()
            .and_then(|cipher| decrypt(&cipher, &bytes))
            .is_some();
        if readable { Kept::File } else { Kept::Damaged(path) }
    }

    /// Where secrets are kept, in words.
    pub fn describe(&self) -> &str {
        &self.told
    }

    /// Whether they are in a file, since there is no keychain or it was not wanted.
    pub(crate) fn in_file(&self) -> bool {
        matches!(self.store, Kind::File { .. })
    }

    /// A secret, if it is set. Blocks.
    pub fn get(&self, account: &str) -> Option<SecretString> {
        match &self.store {
            Kind::File { values, .. } => values.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned(),
            Kind::Keychain { prefix } => entry(prefix, account).ok()?.get_password().ok().map(SecretString::from),
        }
    }

    /// Sets, or removes with `None`. Durable when it returns. Blocks.
    pub fn set(&self, account: &str, value: Option<SecretString>) -> Result<(), EngineError> {
        match &self.store {
            Kind::File { path, cipher, values } => {
                let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
                let mut next = values.clone();
                match value {
                    Some(value) => next.insert(account.to_owned(), value),
                    None => next.remove(account),
                };
                let failed = |reason: String| EngineError::Home {
                    path: path.clone(),
                    reason,
                };
                let bytes = encrypt(cipher, &next).ok_or_else(|| failed("the secrets could not be encrypted".into()))?;
                atomic_write(path, &bytes, 0o600).map_err(|e| failed(e.to_string()))?;
                *values = next;
                Ok(())
            }
            Kind::Keychain { prefix } => {
                let failed = |e: keyring_core::Error| EngineError::Keychain(e.to_string());
                let entry = entry(prefix, account).map_err(failed)?;
                match value {
                    Some(value) => entry.set_password(value.expose_secret()).map_err(failed),
                    None => match entry.delete_credential() {
                        Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
                        Err(error) => Err(failed(error)),
                    },
                }
            }
        }
    }

    /// The secret `account`, made of 32 random bytes if it is not there.
    pub fn get_or_make_token(&self, account: &str) -> Result<SecretString, EngineError> {
        if let Some(token) = self.get(account) {
            return Ok(token);
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|e| EngineError::Keychain(e.to_string()))?;
        let token = SecretString::from(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>());
        self.set(account, Some(token.clone()))?;
        Ok(token)
    }
}

fn entry(prefix: &str, account: &str) -> Result<keyring_core::Entry, keyring_core::Error> {
    keyring_core::Entry::new(SERVICE, &format!("{prefix}/{account}"))
}

fn decrypt(cipher: &Aes256Gcm, bytes: &[u8]) -> Option<BTreeMap<String, SecretString>> {
    let (nonce, text) = bytes.split_at_checked(NONCE)?;
    let plain = cipher.decrypt(&Nonce::try_from(nonce).ok()?, text).ok()?;
    let values: BTreeMap<String, String> = serde_json::from_slice(&plain).ok()?;
    Some(values.into_iter().map(|(k, v)| (k, SecretString::from(v))).collect())
}

fn encrypt(cipher: &Aes256Gcm, values: &BTreeMap<String, SecretString>) -> Option<Vec<u8>> {
    let plain: BTreeMap<&str, &str> = values.iter().map(|(k, v)| (k.as_str(), v.expose_secret())).collect();
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).ok()?;
    let mut out = nonce.to_vec();
    out.extend(
        cipher
            .encrypt(&Nonce::from(nonce), serde_json::to_vec(&plain).ok()?.as_slice())
            .ok()?,
    );
    Some(out)
}

/// Makes the platform's keychain the default store and tries it. The error says why it cannot be used.
fn open_keychain() -> Result<&'static str, keyring_core::Error> {
    let name = set_platform_store()?;
    // A locked or absent keychain shows only when it is used; a locked one answers a read with “no entry”, and only a write
    // says that it is locked. The entry stays, so that later starts need no write.
    let probe = keyring_core::Entry::new(SERVICE, "probe")?;
    match probe.get_password() {
        Ok(_) => Ok(name),
        Err(keyring_core::Error::NoEntry) => probe.set_password("ok").map(|()| name),
        Err(error) => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn set_platform_store() -> Result<&'static str, keyring_core::Error> {
    keyring_core::set_default_store(zbus_secret_service_keyring_store::Store::new()?);
    Ok("the desktop's keyring (Secret Service)")
}

#[cfg(target_os = "macos")]
fn set_platform_store() -> Result<&'static str, keyring_core::Error> {
    keyring_core::set_default_store(apple_native_keyring_store::keychain::Store::new()?);
    Ok("the macOS Keychain")
}

#[cfg(windows)]
fn set_platform_store() -> Result<&'static str, keyring_core::Error> {
    keyring_core::set_default_store(windows_native_keyring_store::Store::new()?);
    Ok("the Windows Credential Manager")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_and_is_not_in_the_file_as_text() {
        let home = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(home.path(), true, Ms(1)).unwrap();
        secrets
            .set("plugin/telegram/botToken", Some("canary-123".to_owned().into()))
            .unwrap();
        let again = Secrets::open(home.path(), true, Ms(2)).unwrap();
        assert_eq!(again.get("plugin/telegram/botToken").unwrap().expose_secret(), "canary-123");
        let bytes = std::fs::read(home.path().join("secrets.enc")).unwrap();
        assert!(!bytes.windows(6).any(|w| w == b"canary"));
        again.set("plugin/telegram/botToken", None).unwrap();
        assert!(
            Secrets::open(home.path(), true, Ms(3))
                .unwrap()
                .get("plugin/telegram/botToken")
                .is_none()
        );
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_kept() {
        let home = tempfile::tempdir().unwrap();
        Secrets::open(home.path(), true, Ms(1))
            .unwrap()
            .set("a", Some("b".to_owned().into()))
            .unwrap();
        let path = home.path().join("secrets.enc");
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let secrets = Secrets::open(home.path(), true, Ms(2)).unwrap();
        assert!(secrets.get("a").is_none());
        assert_eq!(std::fs::read(secrets.set_aside.unwrap()).unwrap(), bytes);
    }

    #[test]
    fn a_token_is_made_once() {
        let home = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(home.path(), true, Ms(1)).unwrap();
        let token = secrets.get_or_make_token("gateway/local").unwrap();
        assert_eq!(token.expose_secret().len(), 64);
        assert_eq!(
            secrets.get_or_make_token("gateway/local").unwrap().expose_secret(),
            token.expose_secret()
        );
    }
}
