//! `settings.json`: what the person has set. Unknown fields stay. Every value knows where it comes from, and a file that
//! cannot be read is set aside, with the last good one in its place.

mod change;
pub(crate) mod rules;

use crate::EngineError;
use crate::notifications::NotificationSettings;
use crate::pause::PauseSettings;
use crate::traces::TraceSettings;
use kata_core::router::{self, TableError};
use kata_protocol::{
    ClassRules, DmPolicy, HookName, HygieneRules, Json, Ms, Notice, PermissionMode, ProviderSettings, QuietHours, RoutingTable,
    SettingValue, WorkspaceId,
};
use kata_store::{atomic_write, copy_aside};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Settings {
    /// Gateway.
    pub gateway: GatewaySettings,
    /// Models.
    pub models: ModelSettings,
    /// Plugins by id.
    pub plugins: BTreeMap<String, PluginSettings>,
    /// Further accounts of channels: by plugin, then by the account's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, BTreeMap<String, AccountSettings>>,
    /// Sources by id (`channel:telegram`).
    pub sources: BTreeMap<String, SourceSettings>,
    /// Providers people sign in at.
    #[serde(skip_serializing_if = "OauthSettings::is_plain")]
    pub oauth: OauthSettings,
    /// Where channel conversations go.
    pub routing: RoutingSettings,
    /// What is traced.
    pub traces: TraceSettings,
    /// How sessions are tidied up.
    pub hygiene: HygieneSettings,
    /// What happens after crashes.
    #[serde(skip_serializing_if = "CrashSettings::is_plain")]
    pub crashes: CrashSettings,
    /// Updates of the program.
    #[serde(skip_serializing_if = "crate::updates::UpdateSettings::is_plain")]
    pub updates: crate::updates::UpdateSettings,
    /// Whether all channels are paused.
    #[serde(skip_serializing_if = "PauseSettings::is_plain")]
    pub pause: PauseSettings,
    /// What the desktop tells by notifications.
    #[serde(skip_serializing_if = "NotificationSettings::is_plain")]
    pub notifications: NotificationSettings,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What happens after crashes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CrashSettings {
    /// Unexpected ends within five minutes after which plugins stay off; 3 when absent, 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_mode_after: Option<u32>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CrashSettings {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewaySettings {
    /// Port tried first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Names other than this machine's own under which a tunnel may bring requests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Models.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModelSettings {
    /// Provider id of new sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Providers.
    pub providers: Vec<ProviderEntry>,
}

/// One provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderEntry {
    /// Settings.
    #[serde(flatten)]
    pub settings: ProviderSettings,
    /// Environment variable with the key; the secret store has it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Fields sent to the provider as they are (`thinking`, `output_config`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// Providers people sign in at: changes to those that come with the app, and others. Secrets are not here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OauthSettings {
    /// Address at which the person publishes what this app is (Client ID Metadata Document); its id where a server takes such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_metadata: Option<String>,
    /// By id.
    pub providers: BTreeMap<String, kata_oauth::Edit>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl OauthSettings {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// One plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginSettings {
    /// On or off; absent: on for bundled plugins, off for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Capabilities an earlier version granted, without looking at files. Counts for nothing and stays until the person has
    /// trusted the plugin anew; grants are in the store.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// Where this id comes from, against the order of precedence: `global`, or `workspace:<id>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What a program over the gateway brought last: it is listed, and its channels kept, while it is away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramSettings>,
    /// The plugin's own settings, checked against its schema.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub settings: Value,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A plugin that is a program of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProgramSettings {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// One line.
    pub description: String,
    /// Names of its tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// Its hooks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookName>,
    /// Ids of its channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
}

/// One further account of a plugin's channels. Its settings are those of the plugin `plugin@account`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AccountSettings {
    /// When it was added.
    pub added_at: Ms,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceSettings {
    /// On or off; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Workspaces in which a service is on or off otherwise than `enabled` says.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub workspaces: BTreeMap<String, bool>,
    /// Who may write; pairing when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<DmPolicy>,
    /// Senders that always may.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Whether a group message must address the bot; yes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_mention: Option<bool>,
    /// Senders who may answer tool calls from the channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// Messages a minute from one sender; 60 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_minute_sender: Option<u32>,
    /// Messages a minute in one conversation; 60 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_minute_conversation: Option<u32>,
    /// Longest text of a message, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_text: Option<u32>,
    /// Hours in which no turn starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Whether an answer is shown while it is written; absent: where the platform takes what it showed back by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previews: Option<bool>,
    /// Whether a message that waits behind another one gets a reaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_mark: Option<bool>,
    /// Conversations the agent may write to although nobody has written from there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub send_to: Vec<String>,
    /// Workspace of the channel's sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<WorkspaceId>,
    /// Provider of the channel's sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Permission mode of the channel's new sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<PermissionMode>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl SourceSettings {
    /// Whether it is on for the sessions of a workspace.
    pub fn on_in(&self, workspace: &str) -> bool {
        let own = self.workspaces.get(workspace).copied();
        own.unwrap_or(self.enabled.unwrap_or(false))
    }
}

/// Rules for tidying up, kept as they are written: a field of a newer version stays, and one that is no rule does nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HygieneSettings(pub Map<String, Value>);

impl HygieneSettings {
    /// The rules. What cannot be read as one is no rule, which leaves sessions alone.
    pub fn rules(&self) -> HygieneRules {
        let class = |name: &str| {
            let rules = self.0.get(name).and_then(Value::as_object);
            let number = |field: &str| rules?.get(field)?.as_u64().and_then(|n| u32::try_from(n).ok());
            ClassRules {
                reset_after_minutes: number("resetAfterMinutes"),
                reset_daily_at: rules.and_then(|r| r.get("resetDailyAt")?.as_str().map(str::to_owned)),
                archive_after_days: number("archiveAfterDays"),
                most: number("most"),
            }
        };
        let days = self.0.get("deleteArchivedAfterDays").and_then(Value::as_u64);
        HygieneRules {
            desktop: class("desktop"),
            direct: class("direct"),
            group: class("group"),
            thread: class("thread"),
            delete_archived_after_days: days.and_then(|n| u32::try_from(n).ok()),
        }
    }

    /// Replaces the rules; fields that are not known here stay.
    pub fn set(&mut self, rules: &HygieneRules) {
        if let Ok(Value::Object(new)) = serde_json::to_value(rules) {
            lay_over(&mut self.0, new);
        }
    }
}

/// Puts `new` over `old`, object by object; what is null in `new` goes.
fn lay_over(old: &mut Map<String, Value>, new: Map<String, Value>) {
    for (field, value) in new {
        match value {
            Value::Null => {
                old.remove(&field);
            }
            Value::Object(new) => {
                let mut below = match old.remove(&field) {
                    Some(Value::Object(below)) => below,
                    _ => Map::new(),
                };
                lay_over(&mut below, new);
                if !below.is_empty() {
                    old.insert(field, Value::Object(below));
                }
            }
            value => {
                old.insert(field, value);
            }
        }
    }
}

/// Where channel conversations go: a routing table, kept as it is written, since one that cannot stand is neither lost nor a
/// reason to set the whole file aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RoutingSettings(pub Map<String, Value>);

impl RoutingSettings {
    /// The table.
    ///
    /// # Errors
    /// [`TableError`]: the first entry that is none.
    pub fn table(&self) -> Result<RoutingTable, TableError> {
        router::parse(&self.0)
    }

    /// Replaces the table; fields that are not known here stay.
    pub fn set(&mut self, table: &RoutingTable) {
        let Ok(Value::Object(new)) = serde_json::to_value(table) else {
            return;
        };
        for (field, value) in new {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if empty {
                self.0.remove(&field);
            } else {
                self.0.insert(field, slim(value));
            }
        }
    }
}

/// Without the fields that say nothing, so that the file reads as a person would write it.
fn slim(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, slim(v))).collect()),
        Value::Array(list) => Value::Array(list.into_iter().map(slim).collect()),
        other => other,
    }
}

/// The settings in force, with their file.
pub struct SettingsFile {
    path: PathBuf,
    now: Mutex<Arc<Settings>>,
    from: String,
    told: OnceLock<Tell>,
}

/// Told the paths of settings that have another value now.
type Tell = Box<dyn Fn(Vec<String>) + Send + Sync>;

impl SettingsFile {
    /// Reads the file. A damaged one is copied aside and the last good one takes its place; the notice says so.
    pub fn open(home: &Path, now: Ms) -> Result<(Self, Option<Notice>), EngineError> {
        let path = home.join("settings.json");
        let good = good_path(&path);
        let mut notice = None;
        let (settings, from) = match read(&path) {
            Ok(Some(settings)) => (settings, "settings.json".to_owned()),
            Ok(None) => (Settings::default(), "settings.json".to_owned()),
            Err(reason) => {
                let aside = copy_aside(&path, now).map_err(|e| EngineError::Home {
                    path: path.clone(),
                    reason: e.to_string(),
                })?;
                let (settings, used) = match read(&good) {
                    Ok(Some(settings)) => (settings, "the settings of the last good start"),
                    _ => (Settings::default(), "default settings"),
                };
                tracing::warn!(%reason, aside = %aside.display(), "settings.json cannot be read");
                notice = Some(Notice {
                    id: "settings-damaged".into(),
                    at: now,
                    message: format!("settings.json cannot be read ({reason}). Kata Agents runs with {used}; nothing was deleted."),
                    hint: Some(format!(
                        "Your file is kept as {}. Mend it and put it back, or change a setting to write a new one.",
                        aside.display()
                    )),
                });
                (settings, used.to_owned())
            }
        };
        Ok((
            Self {
                path,
                now: Mutex::new(Arc::new(settings)),
                from,
                told: OnceLock::new(),
            },
            notice,
        ))
    }

    /// As [`Self::open`], after starts with these settings failed again and again: the last good ones take their place, where there
    /// are any and they differ.
    pub fn open_last_good(home: &Path, now: Ms) -> Result<(Self, Option<Notice>), EngineError> {
        let (file, notice) = Self::open(home, now)?;
        let good = read(&good_path(&file.path)).ok().flatten();
        let Some(good) = good.filter(|good| notice.is_none() && *good != *file.get()) else {
            return Ok((file, notice));
        };
        let aside = copy_aside(&file.path, now).map_err(|e| EngineError::Home {
            path: file.path.clone(),
            reason: e.to_string(),
        })?;
        tracing::warn!(aside = %aside.display(), "the start failed again and again; the last good settings are in force");
        let notice = Notice {
            id: "settings-distrusted".into(),
            at: now,
            message: "Kata Agents did not get through its start with settings.json. It runs with the settings of the last good start; nothing was deleted.".into(),
            hint: Some(format!("Your file is kept as {}. Whatever is changed in settings.json, it is tried again.", aside.display())),
        };
        let file = Self {
            now: Mutex::new(Arc::new(good)),
            from: "the settings of the last good start".into(),
            ..file
        };
        Ok((file, Some(notice)))
    }

    /// What the file says, where there is one, without changing anything.
    pub(crate) fn look(home: &Path) -> Result<Option<Settings>, Unreadable> {
        read(&home.join("settings.json"))
    }

    /// Whether what is in force is not what the last good start had.
    pub fn is_new(&self) -> bool {
        read(&good_path(&self.path)).ok().flatten().is_none_or(|good| good != *self.get())
    }

    /// Settings in force.
    pub fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes and writes. What is in force changes only when the file is on the disk.
    pub fn change<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> Result<T, EngineError> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Settings::clone(&now);
        let answer = change(&mut next);
        let text = serde_json::to_vec_pretty(&next).map_err(|e| EngineError::Home {
            path: self.path.clone(),
            reason: e.to_string(),
        })?;
        atomic_write(&self.path, &text, 0o600).map_err(|e| EngineError::Home {
            path: self.path.clone(),
            reason: e.to_string(),
        })?;
        let keys = changed(&now, &next);
        *now = Arc::new(next);
        drop(now);
        if let (Some(told), false) = (self.told.get(), keys.is_empty()) {
            told(keys);
        }
        Ok(answer)
    }

    /// Sets who is told of changes; once.
    pub fn on_change(&self, told: impl Fn(Vec<String>) + Send + Sync + 'static) {
        let _ = self.told.set(Box::new(told));
    }

    /// The routing table of the last good start.
    pub fn good_routing(&self) -> Option<RoutingSettings> {
        read(&good_path(&self.path)).ok().flatten().map(|settings| settings.routing)
    }

    /// This start went well with these settings: keep a copy for a start that does not.
    pub fn keep_as_good(&self) {
        let text = serde_json::to_vec_pretty(&*self.get()).unwrap_or_default();
        let good = good_path(&self.path);
        if std::fs::read(&good).ok().as_deref() != Some(&text)
            && let Err(error) = atomic_write(&good, &text, 0o600)
        {
            tracing::warn!(%error, "the last good settings were not kept");
        }
    }

    /// Every value in force with where it comes from. Secrets are not settings and do not show here.
    pub fn values(&self, overrides: &[(&str, Value, &str)]) -> Vec<SettingValue> {
        let mut found = BTreeMap::new();
        found.insert("routing.workspace".to_owned(), (Value::Null, "default".to_owned()));
        for row in rules::ROWS {
            found.insert(row.path.to_owned(), (row.fallback(), "default".to_owned()));
        }
        flatten("", &serde_json::to_value(&*self.get()).unwrap_or_default(), &mut |path, value| {
            found.insert(path, (value, self.from.clone()));
        });
        for (path, value, from) in overrides {
            found.insert((*path).to_owned(), (value.clone(), (*from).to_owned()));
        }
        found
            .into_iter()
            .map(|(path, (value, from))| SettingValue {
                rule: rules::find(&path).ok().map(rules::Row::rule),
                path,
                value: Json(value),
                from,
            })
            .collect()
    }
}

/// Dotted paths whose values differ. Their values stay here.
fn changed(before: &Settings, after: &Settings) -> Vec<String> {
    let values = |settings: &Settings| {
        let mut values = BTreeMap::new();
        flatten("", &serde_json::to_value(settings).unwrap_or_default(), &mut |path, value| {
            values.insert(path, value);
        });
        values
    };
    let (before, after) = (values(before), values(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = |key: &&&String| before.get(**key).filter(|v| !v.is_null()) != after.get(**key).filter(|v| !v.is_null());
    keys.iter().filter(differs).map(|key| (*key).clone()).collect()
}

fn good_path(path: &Path) -> PathBuf {
    path.with_file_name("settings.last-good.json")
}

/// What is wrong with a settings file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// `None`: no file.
fn read(path: &Path) -> Result<Option<Settings>, Unreadable> {
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
        Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
    }
}

fn flatten(prefix: &str, value: &Value, each: &mut impl FnMut(String, Value)) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let path = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                flatten(&path, value, each);
            }
        }
        Value::Object(_) => {}
        leaf => each(prefix.to_owned(), leaf.clone()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_starts_with_the_last_good_one_and_loses_nothing() {
        let home = tempfile::tempdir().unwrap();
        let (file, notice) = SettingsFile::open(home.path(), Ms(1)).unwrap();
        assert!(notice.is_none());
        file.change(|s| s.gateway.port = Some(4321)).unwrap();
        file.keep_as_good();
        let path = home.path().join("settings.json");
        std::fs::write(&path, "{ \"gateway\": ").unwrap();
        let (file, notice) = SettingsFile::open(home.path(), Ms(2)).unwrap();
        assert_eq!(file.get().gateway.port, Some(4321));
        let hint = notice.unwrap().hint.unwrap();
        assert!(hint.contains("settings.json.damaged"), "{hint}");
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "{ \"gateway\": ",
            "the damaged file itself stays as it is"
        );
    }

    #[test]
    fn fields_of_a_newer_version_survive_a_change() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("settings.json"), r#"{"future":{"a":1},"gateway":{"tls":true}}"#).unwrap();
        let (file, _) = SettingsFile::open(home.path(), Ms(1)).unwrap();
        file.change(|s| s.models.default = Some("demo".into())).unwrap();
        let text: Value = serde_json::from_slice(&std::fs::read(home.path().join("settings.json")).unwrap()).unwrap();
        assert_eq!(
            (&text["future"]["a"], &text["gateway"]["tls"]),
            (&Value::from(1), &Value::from(true))
        );
    }

    #[test]
    fn every_value_says_where_it_comes_from() {
        let home = tempfile::tempdir().unwrap();
        let (file, _) = SettingsFile::open(home.path(), Ms(1)).unwrap();
        file.change(|s| s.models.default = Some("demo".into())).unwrap();
        let values = file.values(&[("gateway.port", Value::from(9), "KATA_PORT")]);
        let of = |path: &str| values.iter().find(|v| v.path == path).map(|v| v.from.clone()).unwrap();
        assert_eq!(
            (of("gateway.port"), of("models.default"), of("routing.workspace")),
            ("KATA_PORT".into(), "settings.json".into(), "default".into())
        );
    }

    #[test]
    fn rules_for_tidying_up_keep_fields_of_a_newer_version_and_what_is_no_rule_does_nothing() {
        let home = tempfile::tempdir().unwrap();
        let text = r#"{"hygiene":{"direct":{"archiveAfterDays":30,"most":"many","color":"red"},"attic":true}}"#;
        std::fs::write(home.path().join("settings.json"), text).unwrap();
        let (file, notice) = SettingsFile::open(home.path(), Ms(1)).unwrap();
        assert!(notice.is_none());
        let mut rules = file.get().hygiene.rules();
        assert_eq!((rules.direct.archive_after_days, rules.direct.most), (Some(30), None));
        rules.direct.archive_after_days = None;
        rules.group.most = Some(5);
        file.change(|s| s.hygiene.set(&rules)).unwrap();
        let text: Value = serde_json::from_slice(&std::fs::read(home.path().join("settings.json")).unwrap()).unwrap();
        let direct = serde_json::json!({"most": "many", "color": "red"});
        assert_eq!(text["hygiene"]["direct"]["color"], direct["color"]);
        assert_eq!(
            (&text["hygiene"]["attic"], &text["hygiene"]["group"]["most"]),
            (&Value::from(true), &Value::from(5))
        );
        assert!(text["hygiene"]["direct"].get("archiveAfterDays").is_none());
    }
}
