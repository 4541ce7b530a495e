//! Who may write to a channel, and what a message from there may do.

use super::finding;
use crate::settings::{Settings, SourceSettings};
use kata_protocol::{DmPolicy, Finding, PermissionMode, RoutingTable, Severity};

/// Most people of a list that one still knows by heart.
const MANY: usize = 50;

pub(super) fn judge(settings: &Settings, table: &RoutingTable) -> Vec<Finding> {
    let mut all = Vec::new();
    for (id, source) in &settings.sources {
        let Some(name) = id.strip_prefix("channel:") else { continue };
        if !source.enabled.unwrap_or(false) {
            continue;
        }
        all.extend(channel(name, source));
        if let Some((place, mode)) = widest(name, source, table) {
            all.extend(powers(name, source, &place, mode));
        }
    }
    all
}

fn channel(name: &str, source: &SourceSettings) -> Vec<Finding> {
    let mut all = Vec::new();
    let open = source.policy == Some(DmPolicy::Open);
    if open {
        all.push(finding(
            "channel.open",
            Severity::Critical,
            name,
            "Everybody who finds the bot can give the agent orders.",
            format!("`kata channels policy {name} --policy pairing`: strangers get a code, and you decide about each"),
        ));
    }
    if open && source.require_mention == Some(false) {
        all.push(finding(
            "channel.no_mention",
            Severity::Warning,
            name,
            "It answers everything that is said in any group it is put into, and everybody may put it there.",
            format!("`kata channels policy {name} --mention true`"),
        ));
    }
    if source.approvers.is_empty() {
        all.push(finding(
            "channel.no_approvers",
            Severity::Info,
            name,
            "What a message from there wants to run can be allowed in the window or with `kata approvals` only.",
            format!("`kata channels policy {name} --approver ID`, if you want to answer from the channel"),
        ));
    }
    let strangers: Vec<&str> = source
        .approvers
        .iter()
        .filter(|one| !source.allow.contains(one))
        .map(String::as_str)
        .collect();
    if source.policy == Some(DmPolicy::AllowList) && !strangers.is_empty() {
        all.push(finding(
            "channel.approver_not_listed",
            Severity::Warning,
            name,
            format!(
                "{} may approve what the agent runs, and is not on the list of those who may write.",
                strangers.join(", ")
            ),
            format!("`kata channels policy {name} --approver …` names those you mean; it replaces the list"),
        ));
    }
    if source.allow.len() > MANY {
        all.push(finding(
            "channel.many_people",
            Severity::Info,
            name,
            format!("{} people may write; few know that many by heart.", source.allow.len()),
            format!("`kata channels policy {name}` shows them"),
        ));
    }
    all
}

/// The widest mode that a message from a channel can end up in, and where it says so.
fn widest(name: &str, source: &SourceSettings, table: &RoutingTable) -> Option<(String, PermissionMode)> {
    let mut modes = Vec::new();
    if let Some(mode) = source.mode {
        modes.push((format!("the channel “{name}”"), mode));
    }
    for binding in &table.bindings {
        let fits = binding.matches.channel.as_ref().is_none_or(|channel| channel.as_str() == name);
        let profile = binding.profile.as_ref().and_then(|id| table.profiles.iter().find(|p| p.id == *id));
        if let (true, Some(mode)) = (fits, profile.and_then(|p| p.mode)) {
            modes.push((format!("the binding “{}”", binding.id), mode));
        }
    }
    modes.into_iter().find(|(_, mode)| *mode == PermissionMode::AllowAll)
}

fn powers(name: &str, source: &SourceSettings, place: &str, _: PermissionMode) -> Option<Finding> {
    let (severity, who) = match source.policy {
        Some(DmPolicy::Off) => return None,
        Some(DmPolicy::Open) => (Severity::Critical, "Everybody"),
        _ => (Severity::Warning, "Whoever is let in"),
    };
    let mend = "give it mode `ask` or `safe`: a profile in `kata route`, or the channel's own mode";
    let message = format!("{who} can let the agent run commands on this machine without anybody being asked: {place} says allow-all.");
    Some(finding("channel.allow_all", severity, name, message, mend))
}
