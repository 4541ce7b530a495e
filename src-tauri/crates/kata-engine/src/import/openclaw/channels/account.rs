//! Accounts of a channel: its own fields are the base of each, `accounts.<name>` lies over them.

use super::Platform;
use crate::import::openclaw::Found;
use crate::import::openclaw::read::{Lookup, Unfit};
use kata_protocol::{ChannelId, SourceId, WireError};
use secrecy::SecretString;
use serde_json::{Map, Value};

/// One account.
pub(super) struct Account {
    /// Its name there.
    pub theirs: String,
    /// Ours; the first has none.
    pub ours: Option<String>,
    /// Our channel (without the account).
    pub channel: ChannelId,
    /// Our source.
    pub source: SourceId,
    /// Its fields over the channel's.
    fields: Map<String, Value>,
    /// The channel's own allow-list, a bound on every account.
    pub bound: Option<Vec<Value>>,
    /// Its name to show.
    shown: Option<String>,
}

/// Fields that are the first account's alone where there are several.
const OWN: &[&str] = &["botToken", "tokenFile", "token", "appToken", "accessToken", "password", "userId"];

/// The accounts of a channel, the first one first.
pub(super) fn accounts(found: &Found, platform: &Platform, channels: &Map<String, Value>) -> Result<Vec<Account>, WireError> {
    let mut base = found.object(&format!("channels.{}", platform.id))?;
    let defaults = found.object("channels.defaults")?;
    if let (None, Some(policy)) = (base.get("groupPolicy"), defaults.get("groupPolicy")) {
        base.insert("groupPolicy".into(), policy.clone());
    }
    debug_assert!(channels.contains_key(platform.id));
    let named = found.object(&format!("channels.{}.accounts", platform.id))?;
    base.shift_remove("accounts");
    let wanted = base.get("defaultAccount").and_then(Value::as_str).unwrap_or("default").to_owned();
    let own = base.iter().any(|(field, _)| OWN.contains(&field.as_str()));
    let first = if named.contains_key(&wanted) || own || named.is_empty() {
        wanted
    } else {
        named.keys().next().cloned().unwrap_or(wanted)
    };
    let mut names = vec![first.clone()];
    names.extend(named.keys().filter(|name| **name != first).cloned());
    let mut all = Vec::new();
    let mut taken: Vec<String> = Vec::new();
    for theirs in names {
        let is_first = theirs == first;
        let over = named.get(&theirs).and_then(Value::as_object).cloned().unwrap_or_default();
        let mut fields = base.clone();
        if !is_first {
            fields.retain(|field, _| !OWN.contains(&field.as_str()));
        }
        let bound = over.get("allowFrom").and(base.get("allowFrom")).and_then(Value::as_array).cloned();
        let shown = over.get("name").and_then(Value::as_str).map(str::to_owned);
        fields.extend(over);
        let ours = (!is_first).then(|| name_here(&theirs, &mut taken));
        let place = match &ours {
            Some(name) => format!("channel:{}@{name}", platform.id),
            None => format!("channel:{}", platform.id),
        };
        let fit = |e: kata_protocol::IdError| WireError::invalid(format!("“channels.{}.accounts.{theirs}”: {e}", platform.id));
        all.push(Account {
            channel: ChannelId::new(platform.id).map_err(fit)?,
            source: SourceId::new(place).map_err(fit)?,
            theirs,
            ours,
            fields,
            bound,
            shown,
        });
    }
    Ok(all)
}

/// A name as ours are: small letters, digits and dashes, at most 24, each once.
fn name_here(theirs: &str, taken: &mut Vec<String>) -> String {
    let plain: String = theirs
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .take(24)
        .collect();
    let plain = plain.trim_matches('-');
    let plain = if plain.is_empty() { "account" } else { plain };
    let mut name = plain.to_owned();
    let mut n = 2;
    while taken.contains(&name) {
        name = format!("{plain}-{n}");
        n += 1;
    }
    taken.push(name.clone());
    name
}

impl Account {
    /// Name to show.
    pub(super) fn label(&self, platform: &Platform) -> String {
        match (&self.shown, &self.ours) {
            (Some(name), _) => format!("{} ({name})", platform.name),
            (None, Some(name)) => format!("{} ({name})", platform.name),
            (None, None) => platform.name.to_owned(),
        }
    }

    /// A field.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// A field that is a text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.value(field).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A list; one value counts as a list of one.
    pub(super) fn list(&self, field: &str) -> Option<Vec<Value>> {
        let within = match field.split_once('.') {
            Some((outer, inner)) => self.value(outer).and_then(|o| o.get(inner)),
            None => self.value(field),
        };
        within.and_then(Value::as_array).cloned()
    }

    /// Its secrets. The error is why it cannot be set up at all.
    pub(super) fn secrets(
        &self,
        found: &Found,
        platform: &Platform,
        out: &mut Vec<(String, SecretString)>,
        notes: &mut Vec<String>,
    ) -> Result<(), Unfit> {
        for (field, name, needed) in platform.secrets {
            let named = match &self.ours {
                Some(_) => format!("channels.{}.accounts.{}.{field}", platform.id, self.theirs),
                None => format!("channels.{}.{field}", platform.id),
            };
            match self.lookup(found, platform, field, &named) {
                Lookup::Is(secret, _) => out.push(((*name).to_owned(), secret)),
                // It is set up without: what is missing is asked for when it is switched on.
                Lookup::Not(reason) => notes.push(format!("{reason}.")),
                Lookup::Absent if *needed => return Err(Unfit(format!("“{named}” is not set: there is nothing to set it up with."))),
                Lookup::Absent => {}
            }
        }
        Ok(())
    }

    fn lookup(&self, found: &Found, platform: &Platform, field: &str, named: &str) -> Lookup {
        match found.secret(self.value(field), named) {
            Lookup::Absent => {}
            other => return other,
        }
        if let (true, Some(file)) = (field == "botToken" && platform.id == "telegram", self.text("tokenFile")) {
            return match found.small_file(file) {
                Ok(text) => Lookup::Is(text.trim().to_owned().into(), None),
                Err(reason) => Lookup::Not(format!("“tokenFile”: {reason}")),
            };
        }
        // A variable stands in for the first account's only.
        let variable = platform
            .variables
            .iter()
            .find(|(of, _)| *of == field)
            .filter(|_| self.ours.is_none());
        match variable.and_then(|(_, name)| Some((name, found.variable(name)?))) {
            Some((name, (value, own))) => Lookup::Is(value.into(), own.then(|| (*name).to_owned())),
            None => Lookup::Absent,
        }
    }
}
