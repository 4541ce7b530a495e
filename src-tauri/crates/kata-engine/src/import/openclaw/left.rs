//! What is not taken over, each with the reason, so that nobody looks for it in vain.

use super::{Found, Planned};

/// Parts of the configuration, with the reason. Those of channels, models and secrets have modules of their own.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "agents",
        "Agents",
        "Workspaces, prompts and agents of OpenClaw have another form here: make a workspace, and agent profiles with `kata route profile`.",
    ),
    (
        "bindings",
        "Bindings",
        "Which agent answers where is set with `kata route`; names of its agents mean nothing here.",
    ),
    (
        "session",
        "Sessions",
        "A conversation has a session of its own here; `kata hygiene` has the rules for new ones.",
    ),
    (
        "messages",
        "Messages",
        "Mention patterns, debouncing and visible replies are the channel's and the plugin's affair here.",
    ),
    ("cron", "Automations", "Planned work is a service of a plugin here."),
    (
        "hooks",
        "Hooks",
        "Hooks and webhooks are plugins here; the channel “webhook” takes requests.",
    ),
    (
        "plugins",
        "Plugins",
        "Its plugins run in Node and not here; `kata plugins new` begins one.",
    ),
    (
        "skills",
        "Skills",
        "Copy a skill's folder into the workspace's `skills`; the file has the same form.",
    ),
    (
        "mcp",
        "MCP servers",
        "Add each under Sources (`kata sources add`); it is asked for its trust there.",
    ),
    (
        "tools",
        "Tools",
        "What agents may do is set with modes and rules (`kata permissions`).",
    ),
    (
        "gateway",
        "Gateway",
        "This program has its own port and its own tokens; a token is never carried over.",
    ),
    ("memory", "Memory", "There is no counterpart."),
    ("browser", "Browser", "There is no counterpart."),
    ("talk", "Voice", "There is no counterpart."),
    (
        "auth",
        "Sign-ins",
        "They are in OpenClaw's own store, which is not read: give the model its key here.",
    ),
    (
        "approvals",
        "Approvals",
        "Who may answer tool calls is each channel's list (`kata channels policy --approver`).",
    ),
    ("logging", "Logging", "This program has its own (`kata logs`)."),
    ("update", "Updates", "This program has its own (`kata update`)."),
    ("ui", "Appearance", "This program has its own."),
    ("web", "Web", "There is no counterpart."),
    ("broadcast", "Broadcast groups", "There is no counterpart."),
];

/// Parts that other modules have read, or that say nothing.
const READ: &[&str] = &[
    "$schema",
    "channels",
    "models",
    "secrets",
    "accessGroups",
    "commands",
    "env",
    "meta",
    "wizard",
];

pub(super) fn plan(found: &Found) -> Vec<Planned> {
    let fields = found.config.as_object().into_iter().flatten();
    fields
        .filter(|(field, _)| !READ.contains(&field.as_str()))
        .map(|(field, _)| {
            let known = REASONS.iter().find(|(name, _, _)| name == field);
            let (label, reason) = known.map_or((field.as_str(), "It is not known here."), |(_, label, reason)| (*label, *reason));
            Planned::not(format!("other:{field}"), label, format!("“{field}” of its configuration."), reason)
        })
        .collect()
}
