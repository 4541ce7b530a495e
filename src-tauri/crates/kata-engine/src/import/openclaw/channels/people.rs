//! Who may write to a channel, as lists of people.
//!
//! Here one list counts for direct messages and groups alike, there they are two: the list for direct messages is taken over, and the
//! one for groups is shown, since whoever is on it could otherwise write directly as well. A name is no id and is never taken.

use super::{Account, Platform};
use crate::import::openclaw::{Act, Found, Planned, as_text};
use kata_protocol::{DmPolicy, ImportItem, SenderId};
use kata_store::LetIn;
use serde_json::Value;
use std::collections::BTreeSet;

/// Most people of one item.
const MOST: usize = 2_000;

/// What stands in the field for direct messages, with the older place of it.
fn dm<'a>(account: &'a Account, field: &str) -> Option<&'a Value> {
    let (own, inner) = match field {
        "policy" => ("dmPolicy", "policy"),
        _ => ("allowFrom", "allowFrom"),
    };
    account.value(own).or_else(|| account.value("dm").and_then(|dm| dm.get(inner)))
}

fn allow_from(account: &Account) -> Vec<Value> {
    dm(account, "allowFrom").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn wildcard(list: &[Value]) -> bool {
    list.iter().any(|one| as_text(one) == "*")
}

/// Whether everybody may write there.
fn is_open(account: &Account) -> bool {
    let open = dm(account, "policy").map(as_text).as_deref() == Some("open");
    // The channel's own list bounds what an account may say.
    open && wildcard(&allow_from(account)) && account.bound.as_ref().is_none_or(|bound| wildcard(bound))
}

/// Who may write, as far as it can be said without opening anything: what is open there asks for a code here.
pub(super) fn policy(account: &Account) -> DmPolicy {
    let enabled = account.value("dm").and_then(|dm| dm.get("enabled")) != Some(&Value::Bool(false));
    let groups_off = account.text("groupPolicy") == Some("disabled");
    match dm(account, "policy").map(as_text).as_deref() {
        Some("disabled") if groups_off => DmPolicy::Off,
        _ if !enabled && groups_off => DmPolicy::Off,
        Some("disabled" | "allowlist") => DmPolicy::AllowList,
        Some("open") if !is_open(account) => DmPolicy::AllowList,
        _ if !enabled => DmPolicy::AllowList,
        _ => DmPolicy::Pairing,
    }
}

/// A policy in words.
pub(super) fn in_words(policy: DmPolicy) -> &'static str {
    match policy {
        DmPolicy::Pairing => "strangers get a code that you approve",
        DmPolicy::AllowList => "listed people may write",
        DmPolicy::Open => "everybody may write",
        DmPolicy::Off => "nobody may write",
    }
}

/// Whether a group message must address the bot; `None` where groups differ, which leaves the stricter rule.
pub(super) fn mention(_: &Found, platform: &Platform, account: &Account) -> Option<bool> {
    let groups = match platform.id {
        "discord" => "guilds",
        "slack" => "channels",
        _ => "groups",
    };
    let rules = account.value(groups).and_then(Value::as_object)?;
    let said: Vec<Option<bool>> = rules
        .values()
        .map(|rule| rule.get("requireMention").and_then(Value::as_bool))
        .collect();
    let first = *said.first()?;
    said.iter().all(|one| *one == first).then_some(first).flatten()
}

/// What a person should know about who may write.
pub(super) fn notes(platform: &Platform, account: &Account) -> Vec<String> {
    let mut notes = Vec::new();
    if dm(account, "policy").map(as_text).as_deref() == Some("disabled") && policy(account) == DmPolicy::AllowList {
        notes.push("Direct messages are shut there and groups are not; here both go by one list.".into());
    }
    let differ = ["groups", "guilds", "channels"].iter().find_map(|groups| {
        let rules = account.value(groups).and_then(Value::as_object).filter(|rules| rules.len() > 1)?;
        let said: BTreeSet<Option<bool>> = rules
            .values()
            .map(|rule| rule.get("requireMention").and_then(Value::as_bool))
            .collect();
        (said.len() > 1).then_some(())
    });
    if differ.is_some() {
        notes.push(format!(
            "Its groups differ in whether they must mention the bot; here all of {} must.",
            platform.name
        ));
    }
    notes
}

/// People of one account: those who may write, those who may approve, and whether everybody may.
pub(super) fn plan(found: &Found, platform: &Platform, account: &Account, let_in: &[LetIn]) -> Vec<Planned> {
    let mut all = Vec::new();
    let place = account.source.as_str().trim_start_matches("channel:").to_owned();
    let label = account.label(platform);
    let policy = dm(account, "policy").map(as_text);
    let mut written = allow_from(account);
    // With `disabled` its list lets nobody in.
    if policy.as_deref() == Some("disabled") {
        written.clear();
    }
    let mut entries: Vec<String> = expand(found, platform, &written);
    if let Some(bound) = account.bound.as_ref().filter(|bound| !wildcard(bound)) {
        let bound: BTreeSet<String> = expand(found, platform, bound)
            .iter()
            .filter_map(|e| sender(platform.id, e))
            .collect();
        entries.retain(|entry| sender(platform.id, entry).is_none_or(|sender| bound.contains(&sender)));
    }
    // Whom it paired counts where it asks for pairing or goes by the list.
    if !matches!(policy.as_deref(), Some("open" | "disabled")) {
        let own = let_in
            .iter()
            .filter(|one| one.channel == platform.id && one.account.eq_ignore_ascii_case(&account.theirs));
        entries.extend(own.map(|one| one.entry.clone()));
    }
    all.extend(people(platform, account, &place, &label, entries));
    all.extend(approvers(found, platform, account, &place, &label));
    if is_open(account) {
        all.push(Planned {
            item: ImportItem {
                id: format!("open:{place}"),
                label: format!("{label}: open to everybody"),
                detail: "Everybody who finds the bot may give the agent orders, as in OpenClaw.".into(),
                importable: true,
                proposed: false,
                reason: Some("Without it strangers get a code, and you decide about each.".into()),
            },
            act: Act::Policy {
                source: account.source.clone(),
                policy: DmPolicy::Open,
            },
        });
    }
    if let Some(group) = account.list("groupAllowFrom").filter(|list| !list.is_empty()) {
        let reason = "Here one list counts for direct messages and groups: whoever is on it may also write directly. Add those you want with `kata channels policy`.";
        let detail = format!("{} people who may write in groups.", group.len());
        all.push(Planned::not(
            format!("groups:{place}"),
            format!("{label}: people in groups"),
            detail,
            reason,
        ));
    }
    all
}

fn people(platform: &Platform, account: &Account, place: &str, label: &str, entries: Vec<String>) -> Vec<Planned> {
    let (mut senders, mut names) = (BTreeSet::new(), Vec::new());
    for entry in entries.into_iter().filter(|entry| entry != "*").take(MOST) {
        match sender(platform.id, &entry) {
            Some(sender) => drop(senders.insert(sender)),
            None => names.push(entry),
        }
    }
    let mut all = Vec::new();
    if !names.is_empty() {
        let reason = "It is no id but a name, which may be somebody else's tomorrow. They get a code when they write, or you add their id.";
        all.push(Planned::not(
            format!("names:{place}"),
            format!("{label}: people by name"),
            names.join(", "),
            reason,
        ));
    }
    if !senders.is_empty() {
        let senders: Vec<String> = senders.into_iter().collect();
        all.push(Planned {
            item: ImportItem {
                id: format!("people:{place}"),
                label: format!("{label}: people"),
                detail: format!("{} may write: {}.", senders.len(), shown(&senders)),
                importable: true,
                proposed: true,
                reason: None,
            },
            act: Act::People {
                source: account.source.clone(),
                senders,
            },
        });
    }
    all
}

/// Those who may approve what it runs there: the channel's own list, else its owners.
fn approvers(found: &Found, platform: &Platform, account: &Account, place: &str, label: &str) -> Option<Planned> {
    let own = account.list("execApprovals.approvers").filter(|list| !list.is_empty());
    let owners = || {
        let all = found.config.pointer("/commands/ownerAllowFrom").and_then(Value::as_array);
        let prefix = format!("{}:", platform.id);
        let mine = |one: &&Value| as_text(one).starts_with(&prefix);
        all.into_iter().flatten().filter(mine).cloned().collect::<Vec<_>>()
    };
    let entries = expand(found, platform, &own.unwrap_or_else(owners));
    let senders: BTreeSet<String> = entries.iter().filter_map(|entry| sender(platform.id, entry)).collect();
    if senders.is_empty() {
        return None;
    }
    let senders: Vec<String> = senders.into_iter().collect();
    Some(Planned {
        item: ImportItem {
            id: format!("approvers:{place}"),
            label: format!("{label}: people who may approve"),
            detail: format!("{} may allow what the agent asks for: {}.", senders.len(), shown(&senders)),
            importable: true,
            proposed: false,
            reason: Some("Whoever is on this list can let the agent run commands on this machine.".into()),
        },
        act: Act::Approvers {
            source: account.source.clone(),
            senders,
        },
    })
}

fn shown(senders: &[String]) -> String {
    let first: Vec<&str> = senders.iter().take(5).map(String::as_str).collect();
    let more = senders.len() - first.len();
    if more == 0 {
        first.join(", ")
    } else {
        format!("{} and {more} more", first.join(", "))
    }
}

/// Entries with its groups of people put in (`accessGroup:<name>`).
fn expand(found: &Found, platform: &Platform, list: &[Value]) -> Vec<String> {
    let mut all = Vec::new();
    for entry in list.iter().map(as_text) {
        match entry.strip_prefix("accessGroup:") {
            None => all.push(found.text(&entry).unwrap_or(entry)),
            Some(group) => {
                let groups = found.config.get("accessGroups").and_then(|groups| groups.get(group));
                let members = groups
                    .and_then(|g| g.get("members"))
                    .and_then(|m| m.get(platform.id))
                    .and_then(Value::as_array);
                match members {
                    Some(members) => all.extend(members.iter().map(as_text)),
                    None => all.push(entry.clone()),
                }
            }
        }
    }
    all
}

/// Somebody as our plugin of that platform names them; `None` for what is no id.
pub(super) fn sender(platform: &str, entry: &str) -> Option<String> {
    let mut entry = entry.trim();
    let prefixes: &[&str] = match platform {
        "telegram" => &["telegram:", "tg:"],
        "discord" => &["discord:", "user:"],
        "slack" => &["slack:", "user:"],
        "matrix" => &["matrix:", "user:"],
        "whatsapp" => &["whatsapp:"],
        _ => &[],
    };
    while let Some(rest) = prefixes.iter().find_map(|prefix| entry.strip_prefix(prefix)) {
        entry = rest;
    }
    let digits = |text: &str| !text.is_empty() && text.len() <= 20 && text.chars().all(|c| c.is_ascii_digit());
    let fits = match platform {
        "telegram" | "discord" => digits(entry),
        "slack" => entry.len() >= 5 && entry.starts_with(['U', 'W']) && entry.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()),
        "matrix" => entry.starts_with('@') && entry.contains(':') && !entry.chars().any(char::is_whitespace),
        "whatsapp" => {
            entry = entry.strip_suffix("@s.whatsapp.net").unwrap_or(entry).trim_start_matches('+');
            digits(entry)
        }
        _ => false,
    };
    (fits && SenderId::new(entry).is_ok()).then(|| entry.to_owned())
}

#[cfg(test)]
mod tests {
    use super::sender;

    #[test]
    fn people_are_named_as_our_plugins_name_them_and_a_name_is_nobody() {
        for (platform, entry, wanted) in [
            ("telegram", "tg:123", Some("123")),
            ("telegram", "telegram:tg:123", Some("123")),
            ("telegram", "@ann", None),
            ("telegram", "-100123", None),
            ("discord", "user:987654321098765432", Some("987654321098765432")),
            ("discord", "ann#1234", None),
            ("slack", "slack:U0123ABCD", Some("U0123ABCD")),
            ("slack", "ann", None),
            ("slack", "team:T1:user:U0123", None),
            ("matrix", "@ann:example.org", Some("@ann:example.org")),
            ("matrix", "Ann", None),
            ("whatsapp", "+15555550123", Some("15555550123")),
            ("whatsapp", "15555550123@s.whatsapp.net", Some("15555550123")),
            ("signal", "+1", None),
        ] {
            assert_eq!(sender(platform, entry).as_deref(), wanted, "{platform} {entry}");
        }
    }
}
