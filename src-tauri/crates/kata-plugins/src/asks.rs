//! Questions about a channel: the step of its set-up, whether its platform takes the sign-in, how it stands there, whom it
//! knows. Asked whether or not the channel is connected; each has a time limit.
//!
//! What comes back is untrusted: a wrong field is the plugin's fault, named by part and field, and nothing of the answer is
//! passed on. Deliberately absent: keeping what a person answered (the engine's).

use crate::engine::{CallFault, Kind, without_values};
use crate::host::PluginHost;
use crate::register::Has;
use crate::registry::report;
use kata_protocol::{
    AccountId, ChannelDirectory, ChannelId, DirectoryEntry, ErrorCode, PluginId, Probe, SecurityWarning, Sender, SetupStep, UserAction,
    WireError,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Entries of one list of a directory.
const MOST_ENTRIES: usize = 1_000;
/// Warnings of one look.
const MOST_WARNINGS: usize = 50;
/// Choices of one step.
const MOST_OPTIONS: usize = 100;
/// Bytes of a name, a title, a code.
const SHORT: usize = 300;
/// Bytes of a sentence.
const SENTENCE: usize = 1_000;
/// Bytes of a help text and of a text to copy.
const LONG: usize = 64 << 10;
/// Bytes a code to scan can say.
const SCANNED: usize = 2_900;

/// Fields of the steps, with the most bytes of each; all are texts. `title` has to be there and say something in each.
const STEPS: [(&str, &[(&str, usize)]); 5] = [
    ("input", &[("field", SHORT), ("help", LONG), ("error", SENTENCE), ("copy", LONG)]),
    ("secret", &[("secret", SHORT), ("help", LONG), ("error", SENTENCE), ("copy", LONG)]),
    ("open", &[("url", 4096), ("help", LONG), ("error", SENTENCE)]),
    ("qr", &[("text", SCANNED), ("help", LONG), ("error", SENTENCE)]),
    ("choice", &[("field", SHORT), ("help", LONG), ("error", SENTENCE)]),
];

/// Whether the platform accepts a channel's sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// It does.
    Accepted {
        /// The account, as drafts carry it.
        account: AccountId,
        /// Its name.
        name: String,
    },
    /// It does not.
    Refused {
        /// One sentence for a person.
        message: String,
        /// What the person can do.
        action: UserAction,
    },
}

#[derive(Deserialize)]
struct SaidSignIn {
    ok: bool,
    account: Option<AccountId>,
    name: Option<String>,
    message: Option<String>,
    action: Option<UserAction>,
}

/// A field that is not as it should be.
struct Wrong {
    field: String,
    reason: String,
}

fn wrong(field: impl Into<String>, reason: impl Into<String>) -> Wrong {
    Wrong {
        field: field.into(),
        reason: reason.into(),
    }
}

impl PluginHost {
    /// The step of the set-up to show now; `None` where the channel leaves the set-up to the host.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] when no plugin that runs provides the channel; [`ErrorCode::Upstream`] and
    /// [`ErrorCode::Timeout`] name the plugin's part and field.
    pub async fn setup_step(&self, channel: &ChannelId) -> Result<Option<SetupStep>, WireError> {
        self.ask(channel, "setup", "next", |has| has.setup, step_of).await
    }

    /// Whether the platform accepts the sign-in; `None` where the channel cannot tell.
    ///
    /// # Errors
    /// As [`Self::setup_step`].
    pub async fn sign_in(&self, channel: &ChannelId) -> Result<Option<SignIn>, WireError> {
        self.ask(channel, "auth", "validate", |has| has.validate, sign_in_of).await
    }

    /// Signs out at the platform. False where the channel has no such part: there is nothing to tell the platform then.
    ///
    /// # Errors
    /// As [`Self::setup_step`].
    pub async fn sign_out(&self, channel: &ChannelId) -> Result<bool, WireError> {
        let done = self.ask(channel, "auth", "logout", |has| has.logout, |_| Ok(())).await?;
        Ok(done.is_some())
    }

    /// Whether the channel could work now; `None` where it cannot tell.
    ///
    /// # Errors
    /// As [`Self::setup_step`].
    pub async fn probe(&self, channel: &ChannelId) -> Result<Option<Probe>, WireError> {
        let probe = |value| {
            let probe: Probe = decode(value)?;
            short("message", &probe.message, SENTENCE)?;
            Ok(probe)
        };
        self.ask(channel, "status", "probe", |has| has.probe, probe).await
    }

    /// What the channel finds wrong with its settings at the platform; `None` where it does not look.
    ///
    /// # Errors
    /// As [`Self::setup_step`].
    pub async fn warnings(&self, channel: &ChannelId) -> Result<Option<Vec<SecurityWarning>>, WireError> {
        let warnings = |value| {
            let all: Vec<SecurityWarning> = decode(value)?;
            most(all.len(), MOST_WARNINGS)?;
            for (i, warning) in all.iter().enumerate() {
                short(&format!("[{i}].code"), &warning.code, SHORT)?;
                short(&format!("[{i}].message"), &warning.message, SENTENCE)?;
            }
            Ok(all)
        };
        self.ask(channel, "security", "warnings", |has| has.warnings, warnings).await
    }

    /// Whom the channel knows; what it does not offer is absent.
    ///
    /// # Errors
    /// As [`Self::setup_step`].
    pub async fn directory(&self, channel: &ChannelId) -> Result<ChannelDirectory, WireError> {
        let me = |value| {
            let me: Sender = decode(value)?;
            short("name", me.name.as_deref().unwrap_or_default(), SHORT)?;
            Ok(me)
        };
        let (me, peers, groups) = tokio::join!(
            self.ask(channel, "directory", "self", |has| has.me, me),
            self.ask(channel, "directory", "peers", |has| has.peers, entries_of),
            self.ask(channel, "directory", "groups", |has| has.groups, entries_of),
        );
        Ok(ChannelDirectory {
            me: me?,
            peers: peers?,
            groups: groups?,
        })
    }

    /// The plugin that provides a channel, if it runs.
    pub fn provider(&self, channel: &ChannelId) -> Option<PluginId> {
        let registry = self.registry.load();
        registry.channels.get(channel).map(|c| c.generation.plugin.clone())
    }

    async fn ask<T>(
        &self,
        channel: &ChannelId,
        part: &str,
        method: &str,
        offered: impl Fn(&Has) -> bool + Send,
        read: impl Fn(Value) -> Result<T, Wrong> + Send,
    ) -> Result<Option<T>, WireError> {
        let registry = self.registry.load_full();
        let found = registry
            .channels
            .get(channel)
            .ok_or_else(|| WireError::not_found("channel", channel).hint("its plugin does not run, or registers another channel"))?;
        if !offered(&found.entry.has) {
            return Ok(None);
        }
        let payload: Arc<str> = serde_json::json!([part, method]).to_string().into();
        let limit = self.options().ask_timeout;
        let answer = found
            .generation
            .call(Kind::Ask, found.entry.handle, Some(payload), Some(limit), None)
            .await;
        let what = format!("channel {channel}: {part}.{method}");
        let answer = answer.and_then(|json| {
            let value = serde_json::from_str(json.as_deref().unwrap_or("null"))
                .map_err(|_| CallFault::BadResult("the answer is nested too deep".into()))?;
            read(value).map_err(|wrong| CallFault::BadResult(format!("{}: {}", wrong.field, wrong.reason)))
        });
        answer.map(Some).map_err(|fault| {
            report(&*found.faults, &what, &fault);
            let code = match fault {
                CallFault::Timeout(_) => ErrorCode::Timeout,
                CallFault::NotStarted(_) => ErrorCode::Busy,
                _ => ErrorCode::Upstream,
            };
            let plugin = &found.generation.plugin;
            WireError::new(code, format!("plugin “{plugin}”: {what}: {fault}")).hint(format!(
                "`kata plugins inspect {plugin}` shows its faults, `kata plugins logs {plugin}` its log"
            ))
        })
    }
}

fn decode<T: DeserializeOwned>(value: Value) -> Result<T, Wrong> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let field = e.path().to_string();
        let words = without_values(&e.inner().to_string()).to_owned();
        wrong(if field == "." { "answer".to_owned() } else { field }, words)
    })
}

/// A text that is not longer than it may be.
fn short(field: &str, text: &str, max: usize) -> Result<(), Wrong> {
    if text.len() > max {
        return Err(wrong(field, format!("has {} bytes, at most {max} are taken", text.len())));
    }
    Ok(())
}

fn said(field: &str, text: &str, max: usize) -> Result<(), Wrong> {
    if text.trim().is_empty() {
        return Err(wrong(field, "is empty"));
    }
    short(field, text, max)
}

fn most(count: usize, max: usize) -> Result<(), Wrong> {
    if count > max {
        return Err(wrong("answer", format!("has {count} entries, at most {max} are taken")));
    }
    Ok(())
}

/// A step, looked at field by field: a tagged type tells no place of its own.
fn step_of(value: Value) -> Result<SetupStep, Wrong> {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some((_, fields)) = STEPS.iter().find(|(name, _)| *name == kind) {
        for (field, max) in fields.iter().chain(&[("title", SHORT)]) {
            let optional = matches!(*field, "error" | "copy") || (kind == "choice" && *field == "help");
            match &value[*field] {
                Value::Null if optional => {}
                Value::Null => return Err(wrong(*field, "is missing")),
                Value::String(text) if optional || *field == "help" => short(field, text, *max)?,
                Value::String(text) => said(field, text, *max)?,
                _ => return Err(wrong(*field, "must be a text")),
            }
        }
    } else if kind != "done" {
        return Err(wrong("kind", "must be one of input, secret, open, qr, choice, done"));
    }
    let step = decode(value)?;
    match &step {
        SetupStep::Open { url, .. } if !opens(url) => Err(wrong("url", "must be an address with https:, or one of this machine")),
        SetupStep::Choice { options, .. } => {
            if options.is_empty() || options.len() > MOST_OPTIONS {
                return Err(wrong(
                    "options",
                    format!("has {} entries, 1 to {MOST_OPTIONS} are taken", options.len()),
                ));
            }
            for (i, option) in options.iter().enumerate() {
                short(&format!("options[{i}].value"), &option.value, SENTENCE)?;
                said(&format!("options[{i}].label"), &option.label, SHORT)?;
            }
            Ok(step)
        }
        SetupStep::Done { name, .. } => {
            said("name", name, SHORT)?;
            Ok(step)
        }
        _ => Ok(step),
    }
}

/// Whether a person may be sent to an address.
fn opens(url: &str) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

fn sign_in_of(value: Value) -> Result<SignIn, Wrong> {
    let SaidSignIn {
        ok,
        account,
        name,
        message,
        action,
    } = decode(value)?;
    let missing = |field: &str| wrong(field, "is missing");
    if ok {
        let name = name.ok_or_else(|| missing("name"))?;
        said("name", &name, SHORT)?;
        return Ok(SignIn::Accepted {
            account: account.ok_or_else(|| missing("account"))?,
            name,
        });
    }
    let message = message.ok_or_else(|| missing("message"))?;
    said("message", &message, SENTENCE)?;
    match action.ok_or_else(|| missing("action"))? {
        action @ (UserAction::Configure { .. } | UserAction::Relogin) => Ok(SignIn::Refused { message, action }),
        _ => Err(wrong("action", "a plugin can ask for `configure` and `relogin`")),
    }
}

fn entries_of(value: Value) -> Result<Vec<DirectoryEntry>, Wrong> {
    let all: Vec<DirectoryEntry> = decode(value)?;
    most(all.len(), MOST_ENTRIES)?;
    for (i, entry) in all.iter().enumerate() {
        short(&format!("[{i}].name"), &entry.name, SHORT)?;
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(step: Value) -> String {
        let wrong = step_of(step).unwrap_err();
        format!("{}: {}", wrong.field, wrong.reason)
    }

    #[test]
    fn a_step_that_does_not_fit_is_refused_by_the_name_of_its_field() {
        let secret = |change: (&str, Value)| {
            let mut step = json!({"kind": "secret", "secret": "token", "title": "Token", "help": ""});
            step[change.0] = change.1;
            step
        };
        assert!(step_of(secret(("error", Value::Null))).is_ok());
        for (change, words) in [
            (("title", json!(5)), "title: must be a text"),
            (("title", json!(" ")), "title: is empty"),
            (("secret", Value::Null), "secret: is missing"),
            (("help", json!("x".repeat(LONG + 1))), "help: has 65537 bytes"),
            (("copy", json!([1])), "copy: must be a text"),
            (("kind", json!("password")), "kind: must be one of"),
        ] {
            let told = told(secret(change));
            assert!(told.starts_with(words), "{told}");
        }
        let open = |url: &str| json!({"kind": "open", "url": url, "title": "Sign in", "help": ""});
        assert!(step_of(open("https://a.example/x")).is_ok() && step_of(open("http://127.0.0.1:8/x")).is_ok());
        for url in ["http://a.example", "javascript:alert(1)", "file:///etc/passwd", "https:"] {
            assert!(told(open(url)).starts_with("url: "), "{url}");
        }
        let choice = json!({"kind": "choice", "field": "f", "title": "t", "options": []});
        assert!(told(choice).starts_with("options: has 0 entries"));
        assert_eq!(told(json!({"kind": "done", "account": "a"})), "answer: missing field `name`");
    }

    #[test]
    fn a_sign_in_says_who_it_is_or_what_a_person_can_do() {
        let refused = sign_in_of(json!({"ok": false, "code": "c", "message": "No.", "action": {"kind": "relogin"}})).ok();
        assert_eq!(
            refused,
            Some(SignIn::Refused {
                message: "No.".into(),
                action: UserAction::Relogin
            })
        );
        let field = |value| sign_in_of(value).err().map(|w| w.field);
        assert_eq!(field(json!({"ok": true, "name": "n"})).as_deref(), Some("account"));
        assert_eq!(
            field(json!({"ok": false, "message": "m", "action": {"kind": "trust"}})).as_deref(),
            Some("action")
        );
    }
}
