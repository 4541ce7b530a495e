//! Each finding appears for what it is about and goes when that is mended.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use super::*;
use crate::settings::Settings;
use kata_protocol::{Backup, Count, Device, Ms, PermissionState, PluginId, PluginSummary, RoutingTable};
use kata_store::HomePaths;
use serde_json::{Value, json};
use std::path::Path;

fn codes(findings: &[Finding]) -> Vec<&str> {
    let mut codes: Vec<&str> = findings.iter().map(|f| f.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// What is wrong has the code, what is mended has not, and the finding says what mends it.
fn appears_and_goes(code: &str, wrong: &[Finding], mended: &[Finding]) {
    let found = wrong
        .iter()
        .find(|f| f.code == code)
        .unwrap_or_else(|| panic!("no {code} in {:?}", codes(wrong)));
    assert!(
        found.mend.as_deref().is_some_and(|mend| !mend.is_empty()),
        "{code} says what mends it"
    );
    assert!(!found.about.is_empty() && !found.message.is_empty(), "{code}");
    assert!(!mended.iter().any(|f| f.code == code), "{code} goes when it is mended: {mended:?}");
}

fn channel(fields: Value, table: Value) -> Vec<Finding> {
    let mut source = json!({"enabled": true, "approvers": ["1"], "allow": ["1"]});
    for (name, value) in fields.as_object().unwrap() {
        source[name] = value.clone();
    }
    let settings: Settings = serde_json::from_value(json!({"sources": {"channel:telegram": source}})).unwrap();
    let table: RoutingTable = serde_json::from_value(table).unwrap();
    channels::judge(&settings, &table)
}

fn no_table() -> Value {
    serde_json::to_value(RoutingTable::default()).unwrap()
}

#[test]
fn channels_that_let_in_or_allow_more_than_one_thinks_are_found() {
    let plain = channel(json!({}), no_table());
    assert_eq!(codes(&plain), Vec::<&str>::new());
    let crowd: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    for (code, fields) in [
        ("channel.open", json!({"policy": "open"})),
        ("channel.no_mention", json!({"policy": "open", "requireMention": false})),
        ("channel.no_approvers", json!({"approvers": []})),
        ("channel.approver_not_listed", json!({"policy": "allow-list", "approvers": ["2"]})),
        ("channel.many_people", json!({"allow": crowd, "approvers": ["1"]})),
        ("channel.allow_all", json!({"mode": "allow-all"})),
    ] {
        appears_and_goes(code, &channel(fields.clone(), no_table()), &plain);
        let mut off = fields;
        off["enabled"] = json!(false);
        assert_eq!(
            codes(&channel(off, no_table())),
            Vec::<&str>::new(),
            "a channel that is off lets nobody in: {code}"
        );
    }
}

#[test]
fn a_binding_that_leads_to_a_profile_without_questions_is_worse_the_more_people_may_write() {
    let mut table = no_table();
    table["profiles"] = json!([{"id": "root", "mode": "allow-all", "withoutTools": []}]);
    table["bindings"] = json!([{"id": "everything", "match": {}, "profile": "root"}]);
    let read: Result<RoutingTable, _> = serde_json::from_value(table.clone());
    assert!(read.is_ok(), "{read:?}");
    let paired = channel(json!({"policy": "pairing"}), table.clone());
    appears_and_goes("channel.allow_all", &paired, &channel(json!({}), no_table()));
    assert!(
        paired
            .iter()
            .any(|f| f.message.contains("everything") && f.severity == Severity::Warning)
    );
    let open = channel(json!({"policy": "open"}), table.clone());
    assert!(
        open.iter()
            .any(|f| f.code == "channel.allow_all" && f.severity == Severity::Critical)
    );
    table["bindings"][0]["match"] = json!({"channel": "slack"});
    appears_and_goes("channel.allow_all", &paired, &channel(json!({}), table));
}

fn plugin(origin: &str, trust: &str, enabled: bool) -> PluginSummary {
    serde_json::from_value(
        json!({"id": "shout", "name": "Shout", "version": "1.0.0", "description": "", "origin": origin, "workspace": null,
        "path": "/x", "trust": trust, "enabled": enabled, "status": {"state": {"kind": "running"}, "code": "", "message": "", "since": 1},
        "contributes": {}, "capabilities": [], "generation": 1, "usage": {"memoryBytes": 0, "cpuMsLastMinute": 0, "timers": 0,
        "callsInFlight": 0, "sockets": 0, "queueDepth": 0, "requestsLastMinute": 0, "logLinesDropped": 0, "restarts": 0}, "faults": []}),
    )
    .unwrap()
}

#[test]
fn plugins_that_reach_far_or_run_unseen_are_found_and_those_of_the_app_are_not() {
    let judge = |plugin: PluginSummary, granted: &[&str]| {
        let granted: Vec<String> = granted.iter().map(|g| (*g).to_owned()).collect();
        reach::plugins(&[plugin], |_| granted.clone())
    };
    let fine = judge(plugin("global", "trusted", true), &["net:api.example.com", "secret:token"]);
    assert!(fine.is_empty(), "{fine:?}");
    appears_and_goes("plugin.development", &judge(plugin("global", "development", true), &[]), &fine);
    appears_and_goes("plugin.any_host", &judge(plugin("global", "trusted", true), &["net:*"]), &fine);
    appears_and_goes("plugin.any_host", &judge(plugin("global", "trusted", true), &["net:*.com"]), &fine);
    let both = judge(plugin("global", "trusted", true), &["net:a.example", "hooks:conversation"]);
    appears_and_goes(
        "plugin.broad",
        &both,
        &judge(plugin("global", "trusted", true), &["hooks:conversation"]),
    );
    assert!(judge(plugin("bundled", "bundled", true), &["net:*", "hooks:conversation"]).is_empty());
    assert!(
        judge(plugin("global", "development", false), &["net:*"]).is_empty(),
        "one that is off does nothing"
    );
    assert_eq!(reach::unsigned(&PluginId::new("shout").unwrap()).code, "plugin.unsigned");
}

#[test]
fn keys_in_the_environment_and_what_goes_out_unencrypted_are_found() {
    let settings = |value: Value| -> Settings { serde_json::from_value(value).unwrap() };
    let model = |fields: Value| {
        let mut provider = json!({"id": "m", "kind": "openai-chat", "model": "x"});
        for (name, value) in fields.as_object().unwrap() {
            provider[name] = value.clone();
        }
        reach::models(&settings(json!({"models": {"providers": [provider]}})))
    };
    let fine = model(json!({"baseUrl": "http://127.0.0.1:11434/v1"}));
    assert!(fine.is_empty(), "{fine:?}");
    appears_and_goes("model.key_in_environment", &model(json!({"keyEnv": "A_KEY"})), &fine);
    appears_and_goes("model.in_the_open", &model(json!({"baseUrl": "http://models.example/v1"})), &fine);
    for there in ["https://a.example", "http://localhost:1", "http://[::1]:2", "not an address"] {
        assert!(model(json!({"baseUrl": there})).is_empty(), "{there}");
    }
    let hosts = |value: Value| reach::gateway(&settings(json!({ "gateway": value })));
    appears_and_goes("gateway.hosts", &hosts(json!({"hosts": ["kata.example"]})), &hosts(json!({})));
    let sent = |url: &str| reach::traces(&settings(json!({"traces": {"otlp": url}})));
    appears_and_goes("traces.in_the_open", &sent("http://10.0.0.1:4318"), &sent("http://127.0.0.1:4318"));
}

#[test]
fn rules_that_allow_nearly_everything_are_found() {
    let workspace = WorkspaceId::new("mine").unwrap();
    let judge = |rules: Value| {
        let state: PermissionState =
            serde_json::from_value(json!({"workspace": "mine", "mode": "ask", "rules": rules, "sandbox": ""})).unwrap();
        reach::rules(&workspace, &state)
    };
    let always = |tool: &str, prefix: Value, folder: Value| json!([{"text": "r", "from": "always", "about": "bash", "always": {"tool": tool, "prefix": prefix, "folder": folder}, "problem": null}]);
    let pattern =
        |about: &str, text: &str| json!([{"text": text, "from": "permissions.json", "about": about, "always": null, "problem": null}]);
    let fine = judge(always("bash", json!(["git", "status"]), json!(null)));
    assert!(fine.is_empty());
    for wide in [
        always("bash", json!([]), json!(null)),
        always("bash", json!(["bash"]), json!(null)),
        always("bash", json!(["/usr/bin/python3"]), json!(null)),
        always("write", json!([]), json!("/")),
        pattern("bash", "^.*$"),
        pattern("write", "/**"),
    ] {
        appears_and_goes("permission.wide", &judge(wide), &fine);
    }
    for narrow in [
        always("bash", json!(["python3", "build.py"]), json!(null)),
        always("write", json!([]), json!("/srv/work")),
        pattern("bash", "^git .*$"),
        pattern("blocked", ".*"),
    ] {
        assert!(judge(narrow.clone()).is_empty(), "{narrow}");
    }
}

#[cfg(unix)]
fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_source_whose_program_others_could_replace_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = WorkspaceId::new("mine").unwrap();
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("server"), "#!/bin/sh\n").unwrap();
    let source = folder.path().join("files");
    std::fs::create_dir(&source).unwrap();
    let write = |config: Value| std::fs::write(source.join("config.json"), config.to_string()).unwrap();
    let judge = || reach::source(&workspace, &source, Some(bin.to_str().unwrap()));
    write(json!({"name": "Files", "type": "mcp", "mcp": {"transport": "stdio", "command": "server"}}));
    mode(&bin, 0o777);
    let wrong = judge();
    mode(&bin, 0o755);
    appears_and_goes("source.writable_command", &wrong, &judge());
    mode(&bin.join("server"), 0o757);
    appears_and_goes("source.writable_command", &judge(), &[]);
    mode(&bin.join("server"), 0o755);
    mode(&bin, 0o1777);
    assert!(judge().is_empty(), "as in /tmp, nobody replaces what is another's");
    write(json!({"name": "Api", "type": "api", "api": {"baseUrl": "http://api.example"}}));
    let open = judge();
    write(json!({"name": "Api", "type": "api", "enabled": false, "api": {"baseUrl": "http://api.example"}}));
    appears_and_goes("source.in_the_open", &open, &judge());
}

#[cfg(unix)]
#[test]
fn files_that_others_can_read_secrets_in_a_file_and_old_copies_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("home");
    std::fs::create_dir(&root).unwrap();
    let home = HomePaths::new(&root, folder.path());
    let judge = |in_file: bool, backups: &[Backup]| places::judge(&home, in_file, backups, Ms(200 * 24 * 3600 * 1000));
    mode(&root, 0o755);
    let wrong = judge(false, &[]);
    mode(&root, 0o700);
    appears_and_goes("home.readable", &wrong, &judge(false, &[]));
    for (name, severity) in [("secrets.key", Severity::Critical), ("kata.db", Severity::Warning)] {
        std::fs::write(root.join(name), "x").unwrap();
        mode(&root.join(name), 0o640);
        let wrong = judge(false, &[]);
        assert_eq!(wrong[0].severity, severity, "{name}");
        mode(&root.join(name), 0o600);
        appears_and_goes("file.readable", &wrong, &judge(false, &[]));
    }
    appears_and_goes("secrets.in_file", &judge(true, &[]), &judge(false, &[]));
    let backup = |days: u64| Backup {
        path: root.join("none").display().to_string(),
        bytes: Count(1),
        at: Ms(days * 24 * 3600 * 1000),
        why: "asked".into(),
    };
    appears_and_goes("backup.old", &judge(false, &[backup(100)]), &judge(false, &[backup(111)]));
}

#[test]
fn a_device_that_may_do_everything_and_is_not_seen_or_not_bound_is_found() {
    let device = |seen: u64, keyed: bool, scope: &str, connected: bool| -> Device {
        serde_json::from_value(
            json!({"id": "d", "name": "Phone", "scope": scope, "keyed": keyed, "pairedAt": 0, "seenAt": seen * 86_400_000,
            "expiresAt": null, "connected": connected}),
        )
        .unwrap()
    };
    let judge = |device: Device| devices::judge(&[device], Ms(100 * 86_400_000));
    let fine = judge(device(99, true, "admin", false));
    assert!(fine.is_empty(), "{fine:?}");
    appears_and_goes("device.not_seen", &judge(device(60, true, "admin", false)), &fine);
    appears_and_goes("device.token_without_end", &judge(device(99, false, "admin", false)), &fine);
    assert!(judge(device(60, true, "chat", false)).is_empty() && judge(device(60, true, "admin", true)).is_empty());
}
