//! `kata plugins`: what an author does without an engine, and what a person decides with one.

use crate::support::*;
use kata_protocol::WireError;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};

fn summary(trust: &str) -> Value {
    let status = json!({"state": {"kind": "needs_user", "action": {"kind": "trust"}}, "code": "", "message": "", "since": 1});
    json!({"id": "shout", "name": "Shout", "version": "1.0.0", "description": "Shouts.", "origin": "global", "workspace": null,
        "path": "/home/x/extensions/shout", "trust": trust, "enabled": trust != "untrusted", "status": status, "contributes": {},
        "capabilities": ["net:a.example"], "generation": 1, "usage": {"memoryBytes": 1, "cpuMsLastMinute": 0, "timers": 0, "callsInFlight": 0,
        "sockets": 0, "queueDepth": 0, "requestsLastMinute": 0, "logLinesDropped": 0, "restarts": 0}, "faults": []})
}

fn detail() -> Value {
    let wanted = |c: &str, sensitive: bool| json!({"capability": c, "means": format!("may {c}"), "declared": true, "granted": false, "sensitive": sensitive});
    json!({"summary": summary("untrusted"), "files": [{"path": "index.ts", "bytes": 12, "sha256": "ab"}], "hash": "f00d",
        "wanted": [wanted("net:a.example", false), wanted("hooks:gate", true)], "grant": null,
        "change": {"fromVersion": "0.9.0", "toVersion": "1.0.0", "files": [{"path": "index.ts", "kind": "modified", "diff": "-old\n+new\u{1b}[2J\n"}],
            "capabilitiesAdded": ["hooks:gate"], "capabilitiesRemoved": []},
        "signature": {"kind": "none"}, "settingsSchema": null, "settings": {}, "secrets": [],
        "registered": {"tools": [], "hooks": [], "channels": [], "services": [], "commands": [], "routes": []},
        "limits": {"memoryBytes": 1, "cpuMsPerMinute": 1, "timers": 1, "callsInFlight": 1, "sockets": 1, "queue": 1, "logLinesPerMinute": 1},
        "parts": [], "history": []})
}

/// An engine with one plugin nobody has looked at; what it was asked is kept.
async fn engine() -> (House, Arc<Mutex<Vec<(&'static str, Value)>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    let house = house(move |_, op, params| {
        keep.lock().unwrap().push((op, params));
        match op {
            "plugin.get" | "plugin.install" | "plugin.create" => Ok(detail()),
            "plugin.trust" | "plugin.enable" | "plugin.revoke" => Ok(summary("trusted")),
            "plugin.uninstall" => Ok(json!({})),
            "command.run" => Ok(json!({"text": "ran\u{1b}[2J"})),
            "command.list" => Ok(json!([{"name": "tally", "description": "Counts.", "plugin": "shout"}])),
            other => Err(WireError::invalid(format!("{other} was not expected"))),
        }
    })
    .await;
    (house, asked)
}

#[tokio::test]
async fn a_new_plugin_is_written_checked_and_never_written_over() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("word-count");
    let dir = folder.to_str().unwrap();
    for template in ["tool", "hook", "channel", "service"] {
        let ran = run(
            home.path(),
            TOKEN,
            &["plugins", "new", "word-count", "-t", template, "--dir", dir, "--json"],
            "",
        )
        .await;
        assert_eq!(ran.code, 0, "{template}: {ran:?}");
        assert!(folder.join(".kata/kata-plugin-sdk.d.ts").is_file() && folder.join("tests/contract.ts").is_file());
        let ran = run(home.path(), TOKEN, &["plugins", "check", dir, "--json"], "").await;
        assert_eq!(ran.code, 0, "{template}: {ran:?}");
        let verdicts: Vec<String> = ran.json()["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{}:{}", f["step"], f["verdict"]))
            .collect();
        assert!(verdicts.contains(&r#""contract":"ok""#.to_owned()), "{verdicts:?}");
        assert!(
            verdicts.contains(&r#""types":"skipped""#.to_owned()),
            "there is no compiler in this environment: {verdicts:?}"
        );
        let again = run(home.path(), TOKEN, &["plugins", "new", "word-count", "--dir", dir], "").await;
        assert!(again.code == 1 && again.err.contains("exists already"), "{again:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "a test prepares a file as an editor would")]
async fn a_check_that_finds_something_fails_with_its_place_and_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("p");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("index.ts"), "export default () => {\n  process.exit(1);\n};\n").unwrap();
    let ran = run(home.path(), TOKEN, &["plugins", "check", folder.to_str().unwrap()], "").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("index.ts:2:3: `process` does not exist in a plugin"), "{ran:?}");
    assert!(
        ran.out.contains("ctx.config") && ran.err.contains("1 thing must be mended"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn trusting_shows_what_is_asked_for_and_what_changed_and_pins_the_hash_that_was_shown() {
    let (house, asked) = engine().await;
    let ran = kata(house.home.path(), "plugins trust shout -y").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for shown in [
        "f00d",
        "net:a.example: may net:a.example",
        "hooks:gate (!)",
        "0.9.0 → 1.0.0",
        "+ hooks:gate",
        "-old",
        "+new[2J",
    ] {
        assert!(ran.err.contains(shown), "{shown} is missing in {ran:?}");
    }
    let (op, params) = asked.lock().unwrap().last().cloned().unwrap();
    assert_eq!(
        (op, &params["hash"], &params["capabilities"]),
        ("plugin.trust", &json!("f00d"), &json!(["net:a.example", "hooks:gate"]))
    );
}

#[tokio::test]
async fn some_capabilities_can_be_granted_and_unknown_ones_cannot() {
    let (house, asked) = engine().await;
    assert_eq!(
        kata(house.home.path(), "plugins trust shout -y --capability net:a.example")
            .await
            .code,
        0
    );
    assert_eq!(asked.lock().unwrap().last().unwrap().1["capabilities"], json!(["net:a.example"]));
    let ran = kata(house.home.path(), "plugins trust shout -y --capability net:b.example").await;
    assert!(
        ran.code == 2 && ran.err.contains("hint: it asks for: net:a.example, hooks:gate"),
        "{ran:?}"
    );
    assert_eq!(kata(house.home.path(), "plugins trust shout -y --no-capabilities").await.code, 0);
    assert_eq!(asked.lock().unwrap().last().unwrap().1["capabilities"], json!([]));
}

#[tokio::test]
async fn where_nobody_sits_nothing_is_trusted_and_nothing_taken_out() {
    let (house, asked) = engine().await;
    for line in ["plugins trust shout", "plugins uninstall shout"] {
        let ran = kata(house.home.path(), line).await;
        assert!(ran.code == 4 && ran.err.contains("hint: -y"), "{line}: {ran:?}");
    }
    let ran = kata(house.home.path(), "plugins install .").await;
    assert!(ran.code == 0 && ran.err.contains("waits to be trusted"), "{ran:?}");
    let ops: Vec<_> = asked.lock().unwrap().iter().map(|(op, _)| *op).collect();
    assert!(!ops.contains(&"plugin.trust") && !ops.contains(&"plugin.uninstall"), "{ops:?}");
    let ran = kata(house.home.path(), "plugins install . -y").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let calls = asked.lock().unwrap().clone();
    let path = calls.iter().find(|(op, _)| *op == "plugin.install").unwrap().1["path"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(Path::new(&path).is_absolute(), "{path}");
    let last: Vec<_> = calls.iter().rev().take(2).map(|(op, _)| *op).collect();
    assert_eq!(last, ["plugin.enable", "plugin.trust"]);
}

#[tokio::test]
async fn a_slash_command_runs_with_everything_after_its_name() {
    let (house, asked) = engine().await;
    let ran = run(house.home.path(), TOKEN, &["run", "/tally", "one", "--two", "3"], "").await;
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "ran[2J\n"),
        "an escape sequence of a plugin stays out of the terminal"
    );
    assert_eq!(asked.lock().unwrap()[0].1, json!({"name": "tally", "args": "one --two 3"}));
    let ran = kata(house.home.path(), "commands").await;
    assert!(ran.out.contains("/tally") && ran.out.contains("Counts."), "{ran:?}");
}
