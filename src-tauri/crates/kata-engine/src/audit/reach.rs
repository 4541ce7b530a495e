//! What plugins, sources, rules, models and the gateway reach.

use super::finding;
use crate::settings::Settings;
use kata_protocol::{Finding, PermissionState, PluginId, PluginOrigin, PluginSummary, Severity, TrustState, WorkspaceId};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Capabilities with which a plugin sees or changes what is not its own, with what that means.
const WIDE: &[(&str, &str)] = &[
    ("hooks:conversation", "reads every message of every channel"),
    ("hooks:gate", "decides about every tool call"),
    ("files:workspace:rw", "writes into your workspace"),
    ("sessions:submit", "writes into your sessions"),
];
/// Programs that run whatever they are told: a rule that allows one allows everything.
const RUN_ANYTHING: &[&str] = &[
    "sh", "bash", "zsh", "dash", "fish", "env", "xargs", "sudo", "doas", "su", "eval", "exec", "python", "python3", "node", "deno", "bun",
    "perl", "ruby", "php", "ssh", "npx", "uvx", "docker", "podman", "nohup", "timeout", "nice", "watch", "parallel",
];

pub(super) fn plugins(list: &[PluginSummary], granted: impl Fn(&PluginId) -> Vec<String>) -> Vec<Finding> {
    let mut all = Vec::new();
    for plugin in list.iter().filter(|p| p.enabled && p.origin != PluginOrigin::Bundled) {
        let id = plugin.id.as_str();
        if plugin.trust == TrustState::Development {
            all.push(finding(
                "plugin.development",
                Severity::Warning,
                id,
                "Whatever is written into its folder runs at once, without you being asked.",
                format!("`kata plugins trust {id}` pins the files as they are, when you have finished writing it"),
            ));
        }
        let granted = granted(&plugin.id);
        let mut wide: Vec<&str> = WIDE
            .iter()
            .filter(|(name, _)| granted.iter().any(|g| g == name))
            .map(|(_, what)| *what)
            .collect();
        if let Some(hosts) = granted.iter().find(|g| any_host(g)) {
            all.push(finding(
                "plugin.any_host",
                Severity::Warning,
                id,
                format!("It may send what it sees to any host (“{hosts}”)."),
                format!("`kata plugins revoke {id} --capability {hosts}`, if you do not know why it needs that"),
            ));
        }
        if granted.iter().any(|g| g.starts_with("net:")) && !wide.is_empty() {
            wide.push("and speaks with the network");
            all.push(finding(
                "plugin.broad",
                Severity::Warning,
                id,
                format!("It {}: what it sees can leave this machine.", wide.join(", ")),
                format!("`kata plugins inspect {id}` shows what was granted, `kata plugins revoke` takes it back"),
            ));
        }
    }
    all
}

/// `net:*`, or a name as short as `*.com`.
fn any_host(capability: &str) -> bool {
    let Some(host) = capability.strip_prefix("net:") else {
        return false;
    };
    host == "*" || host.strip_prefix("*.").is_some_and(|rest| !rest.contains('.'))
}

/// A plugin nobody signed; signing is the author's affair, so it is a matter of knowing.
pub(super) fn unsigned(id: &PluginId) -> Finding {
    finding(
        "plugin.unsigned",
        Severity::Info,
        id.as_str(),
        "Nobody signed it: who wrote a new version cannot be told.",
        "get it from an author who signs, or look at the difference each time it changes",
    )
}

pub(super) fn models(settings: &Settings) -> Vec<Finding> {
    let mut all = Vec::new();
    for provider in &settings.models.providers {
        let id = provider.settings.id.as_str();
        if let Some(variable) = &provider.key_env {
            all.push(finding(
                "model.key_in_environment",
                Severity::Info,
                id,
                format!("Its key is in the variable {variable}: every program you start the same way can read it."),
                format!("`kata models set {id} … --key-stdin` keeps it in the secret store"),
            ));
        }
        if provider.settings.base_url.as_deref().is_some_and(in_the_open) {
            all.push(finding(
                "model.in_the_open",
                Severity::Warning,
                id,
                "What you write goes over the network without encryption, and the key with it.",
                "use its https address",
            ));
        }
    }
    all
}

pub(super) fn gateway(settings: &Settings) -> Vec<Finding> {
    let gateway = serde_json::to_value(&settings.gateway).unwrap_or_default();
    let hosts: Vec<&str> = gateway
        .get("hosts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if hosts.is_empty() {
        return Vec::new();
    }
    vec![finding(
        "gateway.hosts",
        Severity::Warning,
        hosts.join(", "),
        "The gateway may be asked under another name than this machine's own; whoever reaches that name reaches the door.",
        "`kata settings unset gateway.hosts`, when there is no tunnel any more",
    )]
}

pub(super) fn traces(settings: &Settings) -> Vec<Finding> {
    let collector = settings.traces.otlp.as_deref().filter(|url| in_the_open(url));
    let mend = "`kata trace rules --no-otlp`, or an https address";
    let told = "Traces are sent over the network without encryption: who wrote to whom, and when.";
    collector
        .map(|url| finding("traces.in_the_open", Severity::Warning, url, told, mend))
        .into_iter()
        .collect()
}

/// `http` to another machine.
fn in_the_open(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => true,
    };
    url.scheme() == "http" && !here
}

/// Rules that allow more than one would say.
pub(super) fn rules(workspace: &WorkspaceId, state: &PermissionState) -> Vec<Finding> {
    let mut all = Vec::new();
    for rule in state.rules.iter().filter(|rule| rule.problem.is_none() && rule.about != "blocked") {
        let wide = match &rule.always {
            Some(always) if always.tool == "bash" => match always.prefix.first().map(|word| word.rsplit('/').next().unwrap_or(word)) {
                None => true,
                // The word alone: with an argument it is that one script.
                Some(program) => always.prefix.len() == 1 && RUN_ANYTHING.contains(&program),
            },
            Some(always) => always.folder.as_deref().is_some_and(everything),
            None => matches_anything(&rule.text),
        };
        if wide {
            all.push(finding(
                "permission.wide",
                Severity::Warning,
                format!("{workspace}: {}", rule.text),
                format!("This rule allows nearly everything without asking ({}).", rule.from),
                if rule.always.is_some() {
                    "`kata permissions forget` takes it away"
                } else {
                    "make the pattern narrower in its permissions.json"
                },
            ));
        }
    }
    all
}

fn everything(folder: &str) -> bool {
    let folder = Path::new(folder);
    folder.parent().is_none() || std::env::home_dir().is_some_and(|home| home.starts_with(folder))
}

/// A pattern without anything in it that something must fit.
fn matches_anything(pattern: &str) -> bool {
    let core = pattern.trim().trim_start_matches('^').trim_end_matches('$');
    matches!(core, "" | ".*" | ".+" | "(.*)" | "[\\s\\S]*" | "**" | "/**" | "~/**" | "**/*")
}

/// A source that files set up: a program that others could replace, an address without encryption.
pub(super) fn source(workspace: &WorkspaceId, folder: &Path, path: Option<&str>) -> Vec<Finding> {
    let read = std::fs::read(folder.join("config.json")).ok();
    let Some(config) = read.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) else {
        return Vec::new();
    };
    if config.get("enabled") == Some(&Value::Bool(false)) {
        return Vec::new();
    }
    let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let about = format!("{workspace}: {name}");
    let mut all = Vec::new();
    let command = config.pointer("/mcp/command").and_then(Value::as_str);
    if let Some((program, writable)) = command
        .and_then(|command| found(command, path))
        .and_then(|p| Some((p.clone(), others_may_write(&p)?)))
    {
        all.push(finding(
            "source.writable_command",
            Severity::Critical,
            &about,
            format!(
                "It runs {}, and others may write to {}: what they put there runs as you.",
                program.display(),
                writable.display()
            ),
            format!("`chmod go-w {}`, or another place for the program", writable.display()),
        ));
    }
    let addresses = [config.pointer("/mcp/url"), config.pointer("/api/baseUrl")];
    if addresses.into_iter().flatten().filter_map(Value::as_str).any(in_the_open) {
        let told = "What the agent asks it, and its key, go over the network without encryption.";
        all.push(finding(
            "source.in_the_open",
            Severity::Warning,
            &about,
            told,
            "use its https address",
        ));
    }
    all
}

/// The program a command is.
fn found(command: &str, path: Option<&str>) -> Option<PathBuf> {
    let plain = Path::new(command);
    if plain.is_absolute() {
        return plain.exists().then(|| plain.to_owned());
    }
    std::env::split_paths(path?)
        .map(|folder| folder.join(command))
        .find(|file| file.is_file())
}

/// The program or the nearest folder above it that others than its owner may write to.
#[cfg(unix)]
fn others_may_write(program: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let program = program.canonicalize().ok()?;
    let mut folders = program.ancestors();
    let open = |place: &Path| {
        let mode = std::fs::metadata(place).map(|m| m.permissions().mode()).unwrap_or_default();
        // In a folder with the sticky bit nobody replaces what is another's.
        mode & 0o002 != 0 && mode & 0o1000 == 0
    };
    folders.find(|place| open(place)).map(Path::to_owned)
}

#[cfg(not(unix))]
fn others_may_write(_: &Path) -> Option<PathBuf> {
    None
}
