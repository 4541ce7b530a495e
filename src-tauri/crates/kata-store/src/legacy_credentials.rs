//! The existing program's secrets: `credentials.enc`, read once so that a person need not type every key again.
//!
//! The file is encrypted with a key made from the machine's id, which anybody on the machine can read; that is why this
//! program keeps secrets elsewhere. Deliberately absent: writing the format.
//!
//! ```text
//! 0  8  magic "CRAFT01\0"      44 20 zero
//! 8  4  flags, zero            64 12 nonce
//! 12 32 PBKDF2 salt            76 16 tag     92.. ciphertext (UTF-8 JSON)
//! ```

use crate::{HomePaths, atomic};
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use kata_protocol::{Ms, Notice};
use secrecy::{ExposeSecret, SecretBox, SecretSlice, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"CRAFT01\0";
const HEADER: usize = 92;
const ROUNDS: u32 = 100_000;
/// A file larger than this is none of ours.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Why the file gave nothing. No variant carries anything of its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Shorter than its header.
    #[error("it is cut short")]
    TooShort,
    /// It does not begin as such a file does, or has something where zeros belong.
    #[error("its header is damaged")]
    BadHeader,
    /// No key opens it: a byte was changed, or it was written on another machine.
    #[error("none of this machine's keys opens it; it was changed, or written on another machine")]
    NotOpened,
    /// It opened, and what is inside is not what it should be.
    #[error("it opened, but its content is not a list of secrets")]
    BadContent,
}

/// What a key is made from. The raw bytes of a SHA-256.
pub struct Password(SecretBox<[u8; 32]>);

impl Password {
    /// Of the present format.
    pub fn of_machine(machine_id: &str) -> Self {
        Self::hash(&[machine_id, "craft-agent-v2"])
    }
    /// Of the format before it.
    pub fn of_account(hostname: &str, username: &str, homedir: &str) -> Self {
        Self::hash(&[hostname, username, homedir, "craft-agent-v1"])
    }
    fn hash(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        parts.iter().for_each(|part| hash.update(part.as_bytes()));
        Self(SecretBox::new(Box::new(hash.finalize().into())))
    }
    /// The key for a file with this salt. Slow on purpose.
    fn key(&self, salt: &[u8]) -> Key {
        let mut key = Box::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(self.0.expose_secret(), salt, ROUNDS, &mut *key);
        Key(SecretBox::new(key))
    }
}

pub(crate) struct Key(SecretBox<[u8; 32]>);

/// One stored secret. `Debug` shows no value.
#[derive(Debug)]
pub struct Credential {
    /// The secret itself.
    pub value: SecretString,
    /// For a new one, where it is an OAuth token.
    pub refresh_token: Option<SecretString>,
    /// When it ends.
    pub expires_at: Option<Ms>,
    /// OAuth client.
    pub client_id: Option<String>,
    /// `Bearer`, mostly.
    pub token_type: Option<String>,
    /// Which program made it: `native` or `cli`.
    pub source: Option<String>,
}

/// Opens a file with the first password that fits. Accounts come sorted by name.
pub fn decrypt(bytes: &[u8], passwords: &[Password]) -> Result<Vec<(String, Credential)>, CredentialsError> {
    let envelope = Envelope::parse(bytes)?;
    let opened = passwords.iter().find_map(|password| envelope.open(&password.key(envelope.salt)));
    content(opened.ok_or(CredentialsError::NotOpened)?.expose_secret())
}

pub(crate) struct Envelope<'a> {
    salt: &'a [u8],
    nonce: &'a [u8],
    /// Ciphertext with the tag behind it, as the cipher wants it.
    sealed: Vec<u8>,
}

impl<'a> Envelope<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CredentialsError> {
        let (Some(header), Some(ciphertext)) = (bytes.get(..HEADER), bytes.get(HEADER..)) else {
            return Err(CredentialsError::TooShort);
        };
        // What no key covers must at least be what it always is.
        let zeros = header[8..12].iter().chain(&header[44..64]).all(|byte| *byte == 0);
        if !header.starts_with(MAGIC) || !zeros {
            return Err(CredentialsError::BadHeader);
        }
        Ok(Self {
            salt: &header[12..44],
            nonce: &header[64..76],
            sealed: [ciphertext, &header[76..92]].concat(),
        })
    }

    pub(crate) fn open(&self, key: &Key) -> Option<SecretSlice<u8>> {
        let cipher = Aes256Gcm::new_from_slice(key.0.expose_secret()).ok()?;
        let nonce = Nonce::try_from(self.nonce).ok()?;
        cipher.decrypt(&nonce, self.sealed.as_slice()).ok().map(SecretSlice::from)
    }
}

#[derive(Deserialize)]
struct Content {
    version: u32,
    credentials: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    value: String,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    expires_at: Option<f64>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

fn content(plain: &[u8]) -> Result<Vec<(String, Credential)>, CredentialsError> {
    // The parser's own words could quote a secret.
    let content: Content = serde_json::from_slice(plain).map_err(|_| CredentialsError::BadContent)?;
    if content.version != 1 {
        return Err(CredentialsError::BadContent);
    }
    let credential = |entry: Entry| Credential {
        value: entry.value.into(),
        refresh_token: entry.refresh_token.map(SecretString::from),
        expires_at: entry.expires_at.and_then(crate::sessions::facts::ms_of),
        client_id: entry.client_id,
        token_type: entry.token_type,
        source: entry.source,
    };
    Ok(content
        .credentials
        .into_iter()
        .map(|(account, entry)| (account, credential(entry)))
        .collect())
}

/// What was taken over.
#[derive(Debug, Default)]
pub struct Imported {
    /// Secrets by account, as the existing program names them (`anthropic_api_key::global`,
    /// `source_bearer::{workspace}::{source}`, …). What belongs to a secret follows under the account with a suffix:
    /// `#refreshToken` is one, `#details` is a JSON object with `expiresAt`, `clientId`, `tokenType`, `source`.
    pub accounts: Vec<(String, SecretString)>,
    /// What the person should know.
    pub notice: Option<Notice>,
}

/// Reads the secrets of a home on this machine. No file is no news. A file that cannot be opened is renamed to
/// `credentials.enc.damaged-<ms>`, its bytes unchanged, with a notice. Takes about a tenth of a second of CPU (more in a debug
/// build): call it off the main path, and not again once everything has been taken over.
pub fn import_credentials(home: &HomePaths, now: Ms) -> Imported {
    if !home.credentials().exists() {
        return Imported::default();
    }
    import_with(home, &machine_passwords(home.user_home()), now)
}

/// As [`import_credentials`], with the passwords given.
pub fn import_with(home: &HomePaths, passwords: &[Password], now: Ms) -> Imported {
    let path = home.credentials();
    let bytes = match read(&path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Imported::default(),
        Err(error) => {
            let message = format!("The secrets of the earlier program ({}) cannot be read: {error}.", path.display());
            return Imported {
                accounts: Vec::new(),
                notice: Some(notice(message, "The file was left as it is.".into(), now)),
            };
        }
    };
    match decrypt(&bytes, passwords) {
        Ok(credentials) => Imported {
            accounts: credentials.into_iter().flat_map(flatten).collect(),
            notice: None,
        },
        Err(error) => {
            let message = format!(
                "The secrets of the earlier program ({}) were not taken over: {error}.",
                path.display()
            );
            let hint = match atomic::set_aside(&path, now) {
                Ok(aside) => format!(
                    "Nothing was deleted: the file is kept unchanged as {}. Enter the keys again in the settings; if it comes from \
                     another machine, take them over there.",
                    aside.display()
                ),
                Err(error) => format!("The file was left as it is, since it could not be renamed: {error}."),
            };
            Imported {
                accounts: Vec::new(),
                notice: Some(notice(message, hint, now)),
            }
        }
    }
}

fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(file) if file.len() > LARGEST => Err(std::io::Error::other("it is far too large")),
        Ok(_) => std::fs::read(path).map(Some),
    }
}

fn notice(message: String, hint: String, at: Ms) -> Notice {
    Notice {
        id: "legacy-credentials".into(),
        at,
        message,
        hint: Some(hint),
    }
}

fn flatten((account, credential): (String, Credential)) -> Vec<(String, SecretString)> {
    let mut details = serde_json::Map::new();
    let texts = [
        ("clientId", credential.client_id),
        ("tokenType", credential.token_type),
        ("source", credential.source),
    ];
    details.extend(credential.expires_at.map(|at| ("expiresAt".to_owned(), serde_json::json!(at))));
    details.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
    let mut all = Vec::new();
    if let Some(token) = credential.refresh_token {
        all.push((format!("{account}#refreshToken"), token));
    }
    if !details.is_empty() {
        all.push((format!("{account}#details"), serde_json::Value::Object(details).to_string().into()));
    }
    all.insert(0, (account, credential.value));
    all
}

/// Every password this machine may have written the file with, likeliest first. Reads the machine's id, its name, and the
/// person's name from the environment.
fn machine_passwords(user_home: &Path) -> Vec<Password> {
    let username = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .unwrap_or_default();
    let homedir = user_home.display().to_string();
    let mut ids = machine_ids();
    if ids.is_empty() {
        ids.push(format!("{username}:{homedir}"));
    }
    let mut passwords: Vec<_> = ids.iter().map(|id| Password::of_machine(id)).collect();
    passwords.extend(hostname().map(|hostname| Password::of_account(&hostname, &username, &homedir)));
    passwords
}

#[cfg(target_os = "linux")]
fn machine_ids() -> Vec<String> {
    let read = |path: &str| {
        std::fs::read_to_string(path)
            .ok()
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
    };
    let mut ids: Vec<_> = ["/var/lib/dbus/machine-id", "/etc/machine-id"]
        .into_iter()
        .filter_map(read)
        .collect();
    ids.dedup();
    ids
}

#[cfg(target_os = "macos")]
fn machine_ids() -> Vec<String> {
    let output = output("/usr/sbin/ioreg", &["-rd1", "-c", "IOPlatformExpertDevice"]).unwrap_or_default();
    let line = output.lines().find(|line| line.contains("\"IOPlatformUUID\""));
    line.and_then(|line| line.rsplit('"').nth(1))
        .map(str::to_owned)
        .into_iter()
        .collect()
}

#[cfg(target_os = "windows")]
fn machine_ids() -> Vec<String> {
    let output = output("reg", &["query", r"HKLM\SOFTWARE\Microsoft\Cryptography", "/v", "MachineGuid"]).unwrap_or_default();
    output
        .split_whitespace()
        .last()
        .filter(|id| id.contains('-'))
        .map(str::to_owned)
        .into_iter()
        .collect()
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
fn machine_ids() -> Vec<String> {
    Vec::new()
}

fn hostname() -> Option<String> {
    let name = match cfg!(target_os = "linux") {
        true => std::fs::read_to_string(PathBuf::from("/proc/sys/kernel/hostname")).ok(),
        false => output("hostname", &[]),
    };
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    /// For tests that open one file many times: the slow part once.
    pub(crate) fn key(password: &Password, bytes: &[u8]) -> Key {
        password.key(Envelope::parse(bytes).unwrap().salt)
    }

    pub(crate) fn hex_of(password: &Password, bytes: &[u8]) -> String {
        key(password, bytes)
            .0
            .expose_secret()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
