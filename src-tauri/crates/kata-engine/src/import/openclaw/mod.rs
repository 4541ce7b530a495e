//! OpenClaw's settings as things that can be taken over here, one by one: channels with their tokens, who may write, models.
//!
//! [`read`] reads the file, [`channels`] its channels, [`models`] its models, [`left`] names the rest with the reason. A plan is made
//! anew from the files each time; nothing of OpenClaw's is ever written, and what is taken over is switched on by a person only.
//!
//! Checked against `openclaw@2026.9.6`: its own `config validate` accepts `tests/fixtures/openclaw/openclaw.json`, and its own
//! `doctor --fix` wrote the database that `kata_store::openclaw_let_in` was first tried on.

mod channels;
mod left;
mod models;
mod read;

pub(crate) use channels::Put;
pub(crate) use read::Found;

use kata_protocol::{DmPolicy, ImportItem, ModelSet, SourceId, WireError};
use kata_store::LetIn;
use secrecy::SecretString;
use serde_json::Value;
use std::path::PathBuf;

/// One thing, with what would be done.
pub(crate) struct Planned {
    /// As a person sees it.
    pub item: ImportItem,
    /// What is done.
    pub act: Act,
}

/// What taking a thing over does.
pub(crate) enum Act {
    /// Sets a channel up; it stays off.
    Channel(Box<Put>),
    /// Lets people in.
    People {
        /// Channel.
        source: SourceId,
        /// As our plugin names them.
        senders: Vec<String>,
    },
    /// Lets people answer tool calls.
    Approvers {
        /// Channel.
        source: SourceId,
        /// As our plugin names them.
        senders: Vec<String>,
    },
    /// Lets everybody write.
    Policy {
        /// Channel.
        source: SourceId,
        /// Who may.
        policy: DmPolicy,
    },
    /// Adds a model, without a key and not as the one that answers.
    Model(Box<ModelSet>),
    /// Gives models of a provider their key.
    Key {
        /// Ids of ours.
        models: Vec<String>,
        /// The key.
        key: SecretString,
        /// Variable of this program's own environment that has it; then the key stays there.
        variable: Option<String>,
    },
    /// Nothing; the item says why.
    Nothing,
}

impl Planned {
    /// Something that cannot be taken over.
    fn not(id: impl Into<String>, label: impl Into<String>, detail: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            item: ImportItem {
                id: id.into(),
                label: label.into(),
                detail: detail.into(),
                importable: false,
                proposed: false,
                reason: Some(reason.into()),
            },
            act: Act::Nothing,
        }
    }
}

/// Everything that stands in a configuration, in the order a person would look at it. `let_in` is whom OpenClaw paired.
///
/// # Errors
/// A part of the configuration that has to be an object is none.
pub(crate) fn plan(found: &Found, let_in: &[LetIn]) -> Result<Vec<Planned>, WireError> {
    let mut all = channels::plan(found, let_in)?;
    all.extend(models::plan(found)?);
    all.extend(left::plan(found));
    Ok(all)
}

/// People whom older versions of it paired, as files (`credentials/<channel>[-<account>]-allowFrom.json`).
pub(crate) fn let_in_by_files(found: &Found) -> Vec<LetIn> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(found.folder.join("credentials")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(whose) = name.strip_suffix("-allowFrom.json") else {
            continue;
        };
        let (channel, account) = whose.split_once('-').unwrap_or((whose, "default"));
        let text = found.small_file(&format!("credentials/{name}")).unwrap_or_default();
        let value: Value = json5::from_str(&text).unwrap_or_default();
        for one in value.get("allowFrom").and_then(Value::as_array).into_iter().flatten() {
            all.push(LetIn {
                channel: channel.to_owned(),
                account: account.to_owned(),
                entry: as_text(one),
            });
        }
    }
    all
}

/// Its database of paired people, where there is one.
pub(crate) fn database(found: &Found) -> Option<PathBuf> {
    Some(found.folder.join("state/openclaw.sqlite")).filter(|path| path.is_file())
}

/// A text or number as a text.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}
