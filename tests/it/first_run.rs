//! The first run over what other programs left: OpenClaw's settings taken over, the earlier app's home kept before it is opened,
//! settings changed one at a time, and what is open said.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, fixture};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// OpenClaw's folder as a copy of the fixture, beside the home.
fn openclaw(home: &TestHome) -> PathBuf {
    let folder = home.dir.path().join("openclaw");
    copy(&fixture("openclaw"), &folder);
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Every file below a folder, with its bytes and when it was changed.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(snapshot(&path));
        } else {
            all.insert(
                path.clone(),
                (std::fs::read(&path).unwrap(), entry.metadata().unwrap().modified().unwrap()),
            );
        }
    }
    all
}

async fn find(engine: &TestEngine, path: &Path) -> ImportCandidate {
    let params = ImportFind {
        path: Some(path.display().to_string()),
    };
    engine.ops.import_find(&caller(), params).await.unwrap().pop().unwrap()
}

fn item<'a>(items: &'a [ImportItem], id: &str) -> &'a ImportItem {
    items
        .iter()
        .find(|item| item.id == id)
        .unwrap_or_else(|| panic!("no {id} in {items:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn openclaw_is_taken_over_as_chosen_with_nothing_changed_there_and_nothing_switched_on() {
    let home = TestHome::new();
    let theirs = openclaw(&home);
    let before = snapshot(&theirs);
    let engine = TestEngine::start(home).await;
    let found = find(&engine, &theirs).await;
    assert!(!serde_json::to_string(&found).unwrap().contains("canary"), "no secret is shown");
    let mut items: Vec<String> = found.items.iter().filter(|i| i.proposed).map(|i| i.id.clone()).collect();
    assert!(!items.contains(&"key:local".to_owned()));
    items.push("key:local".into());
    let run = |items: Vec<String>| ImportRun {
        from: "openclaw".into(),
        path: found.path.clone(),
        items,
    };
    let report = engine.ops.import_run(&caller(), run(items.clone())).await.unwrap();
    let done: Vec<&str> = report.done.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(done.len(), items.len(), "{:?}", report.left);
    assert!(std::fs::metadata(report.backup.unwrap()).unwrap().len() > 0);

    for (id, policy, allow, secrets) in [
        (
            "channel:telegram",
            DmPolicy::AllowList,
            vec!["123456789", "42", "555000111"],
            vec!["botToken"],
        ),
        (
            "channel:telegram@alerts",
            DmPolicy::Pairing,
            vec!["123456789", "42", "555000111", "777000111"],
            vec!["botToken"],
        ),
        ("channel:discord", DmPolicy::Pairing, vec![], vec![]),
        ("channel:slack", DmPolicy::Pairing, vec!["U0123ABCD"], vec!["botToken", "appToken"]),
        ("channel:matrix", DmPolicy::AllowList, vec!["@ann:example.org"], vec!["accessToken"]),
    ] {
        let id = SourceId::new(id).unwrap();
        let detail = engine.ops.source_get(&caller(), SourceRef { id: id.clone() }).await.unwrap();
        assert!(!detail.summary.enabled, "{id} stays off");
        let set: Vec<&str> = detail.secrets.iter().filter(|s| s.set).map(|s| s.name.as_str()).collect();
        assert_eq!(set, secrets, "{id}");
        let asked = serde_json::from_value(json!({ "id": id })).unwrap();
        let state = engine.ops.channel_policy(&caller(), asked).await.unwrap();
        assert_eq!(
            (state.policy, state.allow),
            (policy, allow.into_iter().map(str::to_owned).collect()),
            "{id}"
        );
        assert!(state.approvers.is_empty(), "{id}: power is not taken over unasked");
    }
    let models = engine.ops.model_list(&caller(), Empty {}).await.unwrap();
    let local = models.iter().find(|m| m.settings.id == "local").unwrap();
    assert!(
        local.has_key && models.iter().all(|m| !m.default),
        "a model does not answer before it is chosen"
    );
    let settings = std::fs::read_to_string(engine.home.path().join("settings.json")).unwrap();
    assert!(!settings.contains("canary"), "secrets are no settings");

    // Again: everything is there, nothing is done, and it is so after a restart.
    let engine = engine.restart().await;
    let again = find(&engine, &theirs).await;
    for id in &items {
        let item = item(&again.items, id);
        assert_eq!(
            (item.importable, item.reason.as_deref()),
            (false, Some("It is here already.")),
            "{id}"
        );
    }
    let report = engine.ops.import_run(&caller(), run(items)).await.unwrap();
    assert!(report.done.is_empty() && report.backup.is_none(), "{:?}", report.done);
    assert_eq!(snapshot(&theirs), before, "nothing there has changed, not even a time");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_is_not_there_is_named_and_changes_nothing() {
    let home = TestHome::with_plugins(&[]);
    let theirs = openclaw(&home);
    let engine = TestEngine::start(home).await;
    let asked = |path: &Path| ImportFind {
        path: Some(path.display().to_string()),
    };
    let absent = engine.ops.import_find(&caller(), asked(&theirs.join("none"))).await.unwrap_err();
    assert_eq!(absent.code, ErrorCode::NotFound);
    let run = |items: &[&str]| ImportRun {
        from: "openclaw".into(),
        path: theirs.display().to_string(),
        items: items.iter().map(|i| (*i).to_owned()).collect(),
    };
    for (items, told) in [
        (["channel:nowhere"], "channel:nowhere"),
        (["channel:signal"], "no plugin"),
        (["other:cron"], "other:cron"),
    ] {
        let error = engine.ops.import_run(&caller(), run(&items)).await.unwrap_err();
        assert!(error.message.contains(told) && error.message.contains("items"), "{}", error.message);
    }
    // A channel whose plugin is not here is left with the reason, and the rest goes on.
    let report = engine
        .ops
        .import_run(&caller(), run(&["channel:telegram", "people:matrix"]))
        .await
        .unwrap();
    assert_eq!(report.done.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), ["people:matrix"]);
    assert!(
        item(&report.left, "channel:telegram")
            .reason
            .as_deref()
            .unwrap()
            .contains("channel:telegram")
    );
    std::fs::write(theirs.join("openclaw.json"), "{\n  channels: {\n    telegram: ,\n  },\n}").unwrap();
    let damaged = engine.ops.import_find(&caller(), asked(&theirs)).await.unwrap_err();
    assert!(damaged.message.contains("openclaw.json: line 3, column"), "{}", damaged.message);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_earlier_apps_home_is_kept_before_it_is_opened_and_shown_with_what_is_in_it() {
    let home = TestHome::with_plugins(&[]);
    home.fill("kata-agents-home");
    let config = std::fs::read(home.path().join("config.json")).unwrap();
    let engine = TestEngine::start(home).await;
    let backups = engine.ops.backup_list(&caller(), Empty {}).await.unwrap();
    assert_eq!((backups.len(), backups[0].why.as_str()), (1, "first-open"));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(&backups[0].path).unwrap()));
    let mut kept = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        kept.insert(name, bytes);
    }
    assert_eq!(kept["config.json"], config, "as it was");
    assert!(kept.contains_key("credentials.enc") && kept.keys().any(|name| name.ends_with("session.jsonl")));
    let notices = engine.ops.system_status(&caller(), Empty {}).await.unwrap().notices;
    assert!(
        notices
            .iter()
            .any(|n| n.id == "first-open" && n.hint.as_deref().is_some_and(|h| h.contains("backups")))
    );
    let found = engine.ops.import_find(&caller(), ImportFind { path: None }).await.unwrap();
    let earlier = found.iter().find(|c| c.from == "kata-electron").unwrap();
    assert_eq!(item(&earlier.items, "sessions").label, "2 sessions");
    assert!(earlier.items.iter().all(|i| !i.importable));

    // Not again, and a copy that is asked for has the message store in it.
    let engine = engine.restart().await;
    let made = engine.ops.backup_create(&caller(), Empty {}).await.unwrap();
    let backups = engine.ops.backup_list(&caller(), Empty {}).await.unwrap();
    assert_eq!(backups.iter().map(|b| b.why.as_str()).collect::<Vec<_>>(), ["asked", "first-open"]);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(&made.path).unwrap()));
    let names: Vec<String> = archive
        .entries()
        .unwrap()
        .map(|e| e.unwrap().path().unwrap().display().to_string())
        .collect();
    assert!(names.contains(&"kata.db".to_owned()), "{names:?}");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_changed_by_its_rule_kept_over_a_restart_and_refused_by_its_name() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let set = |path: &str, value: Value| SettingSet {
        path: path.into(),
        value: Json(value),
    };
    let changed = engine
        .ops
        .settings_set(&caller(), set("notifications.turns", json!(false)))
        .await
        .unwrap();
    assert_eq!((changed.value.0, changed.from.as_str()), (json!(false), "settings.json"));
    for (path, value, told) in [
        ("gateway.port", json!(0), "gateway.port"),
        ("models.default", json!("nobody"), "nobody"),
        ("sources.channel:telegram.policy", json!("open"), "sources.channel:telegram.policy"),
    ] {
        let error = engine.ops.settings_set(&caller(), set(path, value)).await.unwrap_err();
        assert!(error.message.contains(told), "{}", error.message);
    }
    let engine = engine.restart().await;
    let all = engine.ops.settings_list(&caller(), Empty {}).await.unwrap();
    let one = |path: &str| all.iter().find(|s| s.path == path).unwrap();
    assert_eq!(one("notifications.turns").value.0, json!(false));
    assert!(one("gateway.port").rule.is_some() && one("home").rule.is_none());
    let back = engine
        .ops
        .settings_set(&caller(), set("notifications.turns", Value::Null))
        .await
        .unwrap();
    assert_eq!((back.value.0, back.from.as_str()), (json!(true), "default"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_of_a_running_engine_finds_what_is_open_and_it_goes_when_that_is_shut() {
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings("http://127.0.0.1:9", true));
    let engine = TestEngine::start(home).await;
    engine.plugin_up("loop").await;
    let audit = async || engine.ops.security_audit(&caller(), Empty {}).await.unwrap();
    let has = |findings: &[Finding], code: &str| findings.iter().any(|f| f.code == code);
    let found = audit().await;
    assert_eq!(found[0].severity, Severity::Critical, "the worst first: {found:?}");
    assert!(has(&found, "channel.open") && has(&found, "secrets.in_file"));
    let shut = serde_json::from_value(json!({"id": "channel:loop", "policy": "pairing"})).unwrap();
    engine.ops.channel_policy(&caller(), shut).await.unwrap();
    assert!(!has(&audit().await, "channel.open"));
    engine.engine.shutdown().await;
}
