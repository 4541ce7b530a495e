//! Taking over what other programs left on this machine: found, shown item by item, and done for the items a person chose.
//!
//! [`openclaw`] knows OpenClaw, [`credentials`] the secrets of the earlier app, whose home is opened in place. Nothing of the other
//! program is changed, nothing is switched on, and before our own settings change a backup is made.

mod credentials;
mod openclaw;
#[cfg(test)]
mod tests;

use crate::backup::Why;
use crate::engine::Inner;
use kata_protocol::{
    AccountAdd, DmPolicy, ImportCandidate, ImportFind, ImportItem, ImportReport, ImportRun, ModelSet, SessionList, SourceId, WireError,
};
use kata_store::LetIn;
use openclaw::{Act, Found, Planned, Put};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Name of a candidate that OpenClaw left.
const OPENCLAW: &str = "openclaw";
/// Name of the home that the earlier app made.
const ELECTRON: &str = "kata-electron";
/// What an item says that was taken over before.
const ALREADY: &str = "It is here already.";

impl Inner {
    /// `import.find`.
    pub(crate) async fn find_imports(&self, params: ImportFind) -> Result<Vec<ImportCandidate>, WireError> {
        let mut all = Vec::new();
        if params.path.is_none() {
            all.extend(self.earlier_app().await);
        }
        let named = params.path.is_some();
        let place = match params.path {
            Some(path) => self.home.expand(&path),
            None => self.usual_place(),
        };
        let there = if place.is_dir() {
            place.join("openclaw.json")
        } else {
            place.clone()
        };
        if !there.is_file() {
            if named {
                return Err(
                    WireError::not_found("OpenClaw configuration", there.display()).hint("name its folder, or openclaw.json itself")
                );
            }
            return Ok(all);
        }
        let (found, planned) = self.openclaw(&place).await?;
        all.push(ImportCandidate {
            from: OPENCLAW.into(),
            path: found.file.display().to_string(),
            title: "OpenClaw".into(),
            items: planned.into_iter().map(|planned| planned.item).collect(),
        });
        Ok(all)
    }

    /// `import.run`.
    pub(crate) async fn run_import(&self, params: ImportRun) -> Result<ImportReport, WireError> {
        if params.from != OPENCLAW {
            let what = if params.from == ELECTRON {
                "the earlier app's home is opened in place; there is nothing to take over"
            } else {
                "“from” must be “openclaw”"
            };
            return Err(WireError::invalid(what));
        }
        self.plugins.looked().await;
        let (_, planned) = self.openclaw(Path::new(&params.path)).await?;
        for wanted in &params.items {
            let Some(one) = planned.iter().find(|planned| planned.item.id == *wanted) else {
                return Err(WireError::invalid(format!("“items”: there is no “{wanted}”"))
                    .hint("`kata import find` lists them; nothing was changed"));
            };
            if !one.item.importable && one.item.reason.as_deref() != Some(ALREADY) {
                let reason = one.item.reason.clone().unwrap_or_default();
                return Err(WireError::invalid(format!("“items”: “{wanted}” cannot be taken over: {reason}")).hint("nothing was changed"));
            }
        }
        let wanted = |planned: &Planned| params.items.contains(&planned.item.id) && planned.item.importable;
        let backup = match planned.iter().any(wanted) {
            true => Some(self.back_up(Why::Import).await?.path),
            false => None,
        };
        let mut report = ImportReport {
            done: Vec::new(),
            left: Vec::new(),
            backup,
        };
        for Planned { mut item, act } in planned {
            if !(params.items.contains(&item.id) && item.importable) {
                if item.importable {
                    item.reason = Some("It was not chosen.".into());
                }
                report.left.push(item);
                continue;
            }
            match self.take_over(act).await {
                Ok(()) => report.done.push(item),
                Err(error) => {
                    item.reason = Some(error.message);
                    report.left.push(item);
                }
            }
        }
        self.apply_rules();
        Ok(report)
    }

    fn usual_place(&self) -> PathBuf {
        let env = self.options.env;
        let named = env("OPENCLAW_CONFIG_PATH").or_else(|| env("OPENCLAW_STATE_DIR"));
        named.map_or_else(|| self.home.user_home().join(".openclaw"), |path| self.home.expand(&path))
    }

    /// Reads OpenClaw's settings and says of each part whether it is here already.
    async fn openclaw(&self, place: &Path) -> Result<(Found, Vec<Planned>), WireError> {
        let (place, env, scratch) = (place.to_owned(), self.options.env, self.home.root().to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let found = Found::read(&place, env)?;
            let let_in = paired(&found, &scratch);
            let planned = openclaw::plan(&found, &let_in)?;
            Ok::<_, WireError>((found, planned))
        });
        let (found, mut planned) = read
            .await
            .map_err(|_| WireError::internal("the configuration could not be read"))??;
        for one in &mut planned {
            if one.item.importable && self.has(&one.act) {
                one.item.importable = false;
                one.item.proposed = false;
                one.item.reason = Some(ALREADY.into());
            }
        }
        Ok((found, planned))
    }

    /// Whether taking it over would change nothing.
    fn has(&self, act: &Act) -> bool {
        let settings = self.settings.get();
        let source = |id: &SourceId| settings.sources.get(id.as_str());
        match act {
            Act::Channel(put) => {
                let plugin = plugin_of(put);
                let same = |(name, value): &(String, secrecy::SecretString)| {
                    let account = format!("plugin/{plugin}/{name}");
                    self.secrets
                        .get(&account)
                        .is_some_and(|set| set.expose_secret() == value.expose_secret())
                };
                source(&put.source).is_some_and(|s| s.policy.is_some()) && put.secrets.iter().all(same)
            }
            Act::People { source: id, senders } => source(id).is_some_and(|s| senders.iter().all(|one| s.allow.contains(one))),
            Act::Approvers { source: id, senders } => source(id).is_some_and(|s| senders.iter().all(|one| s.approvers.contains(one))),
            Act::Policy { source: id, policy } => source(id).is_some_and(|s| s.policy == Some(*policy)),
            Act::Model(set) => settings.models.providers.iter().any(|p| p.settings.id == set.settings.id),
            Act::Key { models, .. } => {
                let keyed = |id: &String| self.models.list().iter().any(|p| p.settings.id == *id && p.has_key);
                models.iter().all(keyed)
            }
            Act::Nothing => false,
        }
    }

    async fn take_over(&self, act: Act) -> Result<(), WireError> {
        match act {
            Act::Channel(put) => self.put_channel(*put).await,
            Act::People { source, senders } => self.let_people_in(&source, senders, false),
            Act::Approvers { source, senders } => self.let_people_in(&source, senders, true),
            Act::Policy { source, policy } => self.set_policy(&source, policy, None),
            Act::Model(set) => self.models.set(*set).await.map(drop),
            Act::Key { models, key, variable } => self.give_key(&models, &key, variable).await,
            Act::Nothing => Ok(()),
        }
    }

    /// Settings and secrets of one account. It is off before and after.
    async fn put_channel(&self, put: Put) -> Result<(), WireError> {
        let known = self.board.get(&put.source).is_ok();
        if let (Some(name), false) = (&put.account, known) {
            let add = AccountAdd {
                channel: put.channel.clone(),
                name: name.clone(),
                workspace: None,
            };
            let (_, channels) = self.plugins.add_account(add).await?;
            self.forget_conversations(&channels).await?;
        }
        let (source, _) = self.board.get(&put.source)?;
        let plugin = plugin_of(&put);
        let plugin = kata_protocol::PluginId::new(plugin).map_err(|e| WireError::invalid(e.to_string()))?;
        if !put.settings.is_empty() {
            let stored = self.settings.get().plugins.get(plugin.as_str()).map(|p| p.settings.clone());
            let mut merged = stored.and_then(|s| s.as_object().cloned()).unwrap_or_default();
            merged.extend(put.settings);
            self.plugins.configure(&source, Value::Object(merged)).await?;
        }
        for (name, value) in put.secrets {
            self.plugins
                .set_plugin_secret(&plugin, &name, Some(value.expose_secret().to_owned()))
                .await?;
        }
        self.set_policy(&put.source, put.policy, put.require_mention)
    }

    fn set_policy(&self, source: &SourceId, policy: DmPolicy, mention: Option<bool>) -> Result<(), WireError> {
        self.settings.change(|settings| {
            let entry = settings.sources.entry(source.to_string()).or_default();
            entry.policy = Some(policy);
            entry.require_mention = mention.or(entry.require_mention);
        })?;
        Ok(())
    }

    fn let_people_in(&self, source: &SourceId, senders: Vec<String>, approvers: bool) -> Result<(), WireError> {
        self.settings.change(|settings| {
            let entry = settings.sources.entry(source.to_string()).or_default();
            let list = if approvers { &mut entry.approvers } else { &mut entry.allow };
            let new: Vec<String> = senders.into_iter().filter(|one| !list.contains(one)).collect();
            list.extend(new);
        })?;
        Ok(())
    }

    async fn give_key(&self, models: &[String], key: &secrecy::SecretString, variable: Option<String>) -> Result<(), WireError> {
        let present: Vec<_> = self.models.list().into_iter().filter(|p| models.contains(&p.settings.id)).collect();
        if present.is_empty() {
            return Err(WireError::invalid(format!(
                "take the model over too: there is none of {}",
                models.join(", ")
            )));
        }
        for provider in present {
            let set = ModelSet {
                settings: provider.settings,
                api_key: variable.is_none().then(|| key.expose_secret().to_owned()),
                key_env: variable.clone(),
                default: false,
            };
            self.models.set(set).await?;
        }
        Ok(())
    }

    /// The home itself, where the earlier app made it.
    async fn earlier_app(&self) -> Option<ImportCandidate> {
        let backups = self.backups().await;
        let settings = self.settings.get();
        let first = backups.iter().rev().find(|b| b.why == "first-open");
        let secrets = settings.other.get(credentials::COUNT).and_then(Value::as_u64);
        if first.is_none() && !settings.other.contains_key(credentials::DONE) {
            return None;
        }
        let query = SessionList {
            limit: Some(1),
            ..SessionList::default()
        };
        let mut sessions = 0;
        let workspaces = kata_store::workspaces(&self.home);
        for workspace in &workspaces {
            let query = SessionList {
                workspace: Some(workspace.id.clone()),
                ..query.clone()
            };
            sessions += kata_core::ports::Transcripts::list(&*self.transcripts, query)
                .await
                .map_or(0, |(_, total)| total);
        }
        let sources = self.board.list().iter().filter(|s| self.sources.has(s)).count();
        let here = |id: &str, label: String, detail: &str| ImportItem {
            id: id.into(),
            label,
            detail: detail.into(),
            importable: false,
            proposed: false,
            reason: Some("It is opened where it lies; there is nothing to do.".into()),
        };
        let mut items = vec![
            here(
                "workspaces",
                counted(workspaces.len(), "workspace"),
                "With statuses, labels, skills and permissions.",
            ),
            here("sessions", counted(sessions as usize, "session"), "Both programs can read them."),
            here("sources", counted(sources, "source"), "Each shows how it stands under Sources."),
        ];
        if let Some(count) = secrets {
            let detail = format!("Copied into {}; the earlier app's file stays.", self.secrets.describe());
            items.push(here("secrets", counted(count as usize, "secret"), &detail));
        }
        if let Some(backup) = first {
            let mut item = here("backup", "A copy from before".into(), &backup.path);
            item.reason = Some("Made before anything was written.".into());
            items.push(item);
        }
        Some(ImportCandidate {
            from: ELECTRON.into(),
            path: self.home.root().display().to_string(),
            title: "The earlier Kata Agents".into(),
            items,
        })
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Whom OpenClaw paired, from both places. One that cannot be read has nobody; the log says why.
fn paired(found: &Found, scratch: &Path) -> Vec<LetIn> {
    let mut all = openclaw::let_in_by_files(found);
    if let Some(database) = openclaw::database(found) {
        match kata_store::openclaw_let_in(&database, scratch) {
            Ok(more) => all.extend(more),
            Err(error) => tracing::warn!(%error, "whom OpenClaw paired could not be read"),
        }
    }
    all
}

/// Our plugin of an account.
fn plugin_of(put: &Put) -> String {
    match &put.account {
        Some(name) => format!("{}@{name}", put.channel),
        None => put.channel.to_string(),
    }
}
