//! Its channels, account by account: what is set up here, who may write, and what has to be done by hand.
//!
//! The shapes are those of its documentation (`gateway/config-channels/*`, 2026.9.6). How each platform's people are written there and
//! here stands in [`sender`]. Where a rule there has no like here, the stricter one is taken, and the item says so.

mod account;
mod people;

use super::read::Unfit;
use super::{Act, Found, Planned};
use account::{Account, accounts};
use kata_protocol::{ChannelId, DmPolicy, ImportItem, SourceId, WireError};
use kata_store::LetIn;
use secrecy::SecretString;
use serde_json::{Map, Value};

/// What one account of a channel is set up with.
pub(crate) struct Put {
    /// Our channel.
    pub channel: ChannelId,
    /// Name of a further account; the first one has none.
    pub account: Option<String>,
    /// Its source.
    pub source: SourceId,
    /// Settings of the plugin.
    pub settings: Map<String, Value>,
    /// Secrets of the plugin.
    pub secrets: Vec<(String, SecretString)>,
    /// Who may write.
    pub policy: DmPolicy,
    /// Whether a group message must address the bot.
    pub require_mention: Option<bool>,
}

/// What we need of a platform.
pub(super) struct Platform {
    /// Its name there, and our channel's.
    pub id: &'static str,
    /// Name to show.
    pub name: &'static str,
    /// Secrets: field there, name here, whether the channel cannot do without.
    pub secrets: &'static [(&'static str, &'static str, bool)],
    /// Variables that stand in for a missing secret of its first account.
    pub variables: &'static [(&'static str, &'static str)],
}

/// Platforms both have.
pub(super) const PLATFORMS: &[Platform] = &[
    Platform {
        id: "telegram",
        name: "Telegram",
        secrets: &[("botToken", "botToken", true)],
        variables: &[("botToken", "TELEGRAM_BOT_TOKEN")],
    },
    Platform {
        id: "discord",
        name: "Discord",
        secrets: &[("token", "botToken", true)],
        variables: &[("token", "DISCORD_BOT_TOKEN")],
    },
    Platform {
        id: "slack",
        name: "Slack",
        secrets: &[("botToken", "botToken", true), ("appToken", "appToken", true)],
        variables: &[("botToken", "SLACK_BOT_TOKEN"), ("appToken", "SLACK_APP_TOKEN")],
    },
    Platform {
        id: "matrix",
        name: "Matrix",
        secrets: &[("accessToken", "accessToken", false), ("password", "password", false)],
        variables: &[],
    },
    Platform {
        id: "whatsapp",
        name: "WhatsApp",
        secrets: &[],
        variables: &[],
    },
];

/// What both programs would do with one bot.
const ONE_AT_A_TIME: &str =
    "It stays off. Stop this bot in OpenClaw before you switch it on here: two programs on one bot take messages from each other.";

pub(super) fn plan(found: &Found, let_in: &[LetIn]) -> Result<Vec<Planned>, WireError> {
    let mut all = Vec::new();
    let channels = found.object("channels")?;
    for (name, _) in &channels {
        if ["defaults", "modelByChannel"].contains(&name.as_str()) {
            continue;
        }
        let Some(platform) = PLATFORMS.iter().find(|p| p.id == name) else {
            let reason = "There is no plugin for it here.";
            all.push(Planned::not(format!("channel:{name}"), name, "A channel.", reason));
            continue;
        };
        for account in accounts(found, platform, &channels)? {
            all.extend(set_up(found, platform, &account));
            all.extend(people::plan(found, platform, &account, let_in));
        }
    }
    Ok(all)
}

/// One account, as something that is set up here.
fn set_up(found: &Found, platform: &Platform, account: &Account) -> Vec<Planned> {
    let id = account.source.as_str().to_owned();
    let label = account.label(platform);
    if platform.id == "whatsapp" {
        let reason = "OpenClaw is linked like WhatsApp Web; here WhatsApp is a business number by Meta's Cloud API, which has to be set up anew (Sources → WhatsApp). Whom it let in can be taken over.";
        return vec![Planned::not(id, label, "A linked phone.", reason)];
    }
    if platform.id == "slack" && account.text("mode").is_some_and(|mode| mode != "socket") {
        let reason =
            "It takes requests over HTTP there; here Slack is reached by Socket Mode. Switch that on in the app and set Slack up here.";
        return vec![Planned::not(id, label, "An app.", reason)];
    }
    let mut put = Put {
        channel: account.channel.clone(),
        account: account.ours.clone(),
        source: account.source.clone(),
        settings: Map::new(),
        secrets: Vec::new(),
        policy: people::policy(account),
        require_mention: people::mention(found, platform, account),
    };
    let mut notes = Vec::new();
    if let Err(reason) = account.secrets(found, platform, &mut put.secrets, &mut notes) {
        return vec![Planned::not(id, label, "A bot.", reason.0)];
    }
    if let Err(reason) = settings(found, platform, account, &mut put, &mut notes) {
        return vec![Planned::not(id, label, "A bot.", reason.0)];
    }
    notes.extend(people::notes(platform, account));
    notes.push(ONE_AT_A_TIME.to_owned());
    let names: Vec<&str> = put.secrets.iter().map(|(name, _)| name.as_str()).collect();
    let with = if names.is_empty() {
        "without a token".to_owned()
    } else {
        format!("with its {}", names.join(" and "))
    };
    let detail = format!("Set up {with}; {}.", people::in_words(put.policy));
    vec![Planned {
        item: ImportItem {
            id,
            label,
            detail,
            importable: true,
            proposed: true,
            reason: Some(notes.join(" ")),
        },
        act: Act::Channel(Box::new(put)),
    }]
}

/// The plugin's own settings.
fn settings(found: &Found, platform: &Platform, account: &Account, put: &mut Put, notes: &mut Vec<String>) -> Result<(), Unfit> {
    let mut set = |name: &str, value: Value| drop(put.settings.insert(name.to_owned(), value));
    match platform.id {
        "telegram" => {
            if let Some(root) = account.text("apiRoot") {
                let root = found
                    .text(root)
                    .map_err(|v| Unfit(format!("“apiRoot” is taken from {v}, which is not set here.")))?;
                if root.trim_end_matches('/') != "https://api.telegram.org" {
                    set("apiRoot", root.into());
                }
            }
            if account.text("webhookUrl").is_some() {
                notes.push(
                    "OpenClaw gets its messages by a webhook; while Telegram has one, this program gets none: delete it (deleteWebhook)."
                        .into(),
                );
            }
            if account.text("proxy").is_some() {
                notes.push("Its proxy is not taken over.".into());
            }
        }
        "discord" if account.value("intents").and_then(|i| i.get("messageContent")) == Some(&Value::Bool(false)) => {
            set("reads", "addressed".into());
        }
        "matrix" => {
            let home = account.text("homeserver").ok_or_else(|| Unfit("“homeserver” is not set.".into()))?;
            let home = found
                .text(home)
                .map_err(|v| Unfit(format!("“homeserver” is taken from {v}, which is not set here.")))?;
            let user = account.text("userId").unwrap_or_default();
            // What stands behind the colon is the server of the account; its API may be reached elsewhere.
            match user.split_once(':').map(|(_, server)| server) {
                Some(server) if !home.contains(server) || home.trim_end_matches('/') != format!("https://{server}") => {
                    set("server", format!("https://{server}").into());
                    set("homeserver", home.into());
                }
                _ => set("server", home.into()),
            }
            if !user.is_empty() {
                set("user", user.into());
            }
            let token = put.secrets.iter().any(|(name, _)| name == "accessToken");
            if token {
                put.secrets.retain(|(name, _)| name == "accessToken");
            } else if put.secrets.is_empty() {
                return Err(Unfit("Neither “accessToken” nor “password” is set.".into()));
            }
            put.settings.insert("login".into(), if token { "token" } else { "password" }.into());
            if account.text("autoJoin").is_none_or(|join| join == "off") {
                put.settings.insert("invites".into(), "never".into());
            }
            if account.value("encryption") == Some(&Value::Bool(true)) {
                notes.push("Encrypted rooms are not read here.".into());
            }
        }
        _ => {}
    }
    Ok(())
}
