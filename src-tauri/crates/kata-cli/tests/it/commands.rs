//! Exit codes, and the commands that ask once.

use crate::support::*;
use kata_protocol::{ErrorCode, TokenUsage, WireError};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test]
async fn without_an_engine_every_client_command_says_so_and_how_to_start_one() {
    let home = tempfile::tempdir().unwrap();
    for line in [
        "status",
        "stop",
        "sessions list",
        "chat -m hi",
        "plugins list",
        "sources list",
        "pair list",
        "trace",
        "logs",
        "models list",
        "settings",
    ] {
        let ran = kata(home.path(), line).await;
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{line}: {ran:?}");
        assert!(ran.err.starts_with("error: no engine runs for "), "{ran:?}");
        assert!(ran.err.contains("hint: start the app, or run `kata serve`"), "{ran:?}");
    }
    let ran = kata(home.path(), "status --json").await;
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!((ran.code, error["error"]["exit"].clone()), (3, json!(3)));
}

#[tokio::test]
async fn a_file_of_a_dead_or_another_engine_means_not_running() {
    let home = tempfile::tempdir().unwrap();
    let put = |pid: u32, port: u16| {
        let text = json!({"port": port, "pid": pid, "boot": "b", "version": "0", "startedAt": 1}).to_string();
        std::fs::File::create(home.path().join("gateway.json"))
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    };
    put(0x7fff_fff0, 1);
    assert_eq!(kata(home.path(), "status").await.code, 3, "the process is gone");
    put(std::process::id(), 1);
    assert_eq!(kata(home.path(), "status").await.code, 3, "nobody listens");
    let house = house(|_, _, _| panic!("the wrong engine was asked")).await;
    put(std::process::id(), house.gateway.port());
    let ran = kata(home.path(), "status").await;
    assert_eq!(ran.code, 3, "the process id was used again: {ran:?}");
    assert!(ran.err.contains("another home"), "{ran:?}");
}

#[tokio::test]
async fn wrong_arguments_are_2_and_help_is_0() {
    let home = tempfile::tempdir().unwrap();
    for line in ["dance", "sources set channel:t novalue", "trace a --last", "sessions show", ""] {
        assert_eq!(kata(home.path(), line).await.code, 2, "{line}");
    }
    let ran = kata(home.path(), "--help").await;
    assert!(ran.code == 0 && ran.out.contains("Exit codes: 0 done"), "{ran:?}");
    assert_eq!(kata(home.path(), "--version").await.code, 0);
}

#[tokio::test]
async fn completions_need_no_engine() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = kata(home.path(), &format!("completions {shell}")).await;
        assert!(ran.code == 0 && ran.out.contains("sessions"), "{shell}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_with_4_and_never_shown() {
    let house = house(|_, _, _| Ok(json!([]))).await;
    let ran = run(house.home.path(), "canary-token", &["models", "list"], "").await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(!format!("{ran:?}").contains("canary-token"));
}

#[tokio::test]
async fn a_refusal_of_the_engine_keeps_its_words_its_hint_and_its_code() {
    for (code, exit) in [(ErrorCode::NeedsUser, 4), (ErrorCode::Invalid, 2), (ErrorCode::NotFound, 1)] {
        let house = house(move |_, _, _| Err(WireError::new(code, "it cannot be").hint("try this"))).await;
        let ran = kata(house.home.path(), "models test x").await;
        assert_eq!((ran.code, ran.err.as_str()), (exit, "error: it cannot be\nhint: try this\n"));
    }
}

fn summary(id: &str) -> Value {
    json!({"id": id, "workspace": "home", "name": "Trip", "preview": null, "createdAt": 1, "lastMessageAt": 1, "flagged": false,
        "status": null, "labels": [], "unread": false, "mode": "safe", "model": null, "channel": null, "messageCount": 1,
        "usage": serde_json::to_value(TokenUsage::default()).unwrap(), "state": "idle"})
}

#[tokio::test]
async fn a_list_is_a_table_or_the_engines_own_json() {
    let house = house(|_, op, params| {
        assert_eq!(
            (op, params["search"].clone(), params["limit"].clone()),
            ("session.list", json!("tr"), json!(5))
        );
        Ok(json!({"sessions": [summary("260201-swift-river")], "total": 1}))
    })
    .await;
    let ran = kata(house.home.path(), "sessions list --search tr -n 5").await;
    assert!(ran.code == 0 && ran.out.contains("260201-swift-river  Trip"), "{ran:?}");
    let ran = kata(house.home.path(), "sessions list --search tr -n 5 --json").await;
    assert_eq!(ran.json()["sessions"][0]["id"], "260201-swift-river");
}

#[tokio::test]
async fn the_last_trace_is_shown_with_every_gate() {
    let house = house(|_, op, params| {
        let step = |gate: &str, plugin: Value| {
            json!({"gate": gate, "label": gate, "plugin": plugin, "startUs": 0, "durationUs": 10, "outcome": "ok", "note": null, "diff": null})
        };
        let trace = json!({"id": "t1", "startedAt": 1, "origin": "telegram", "session": "s", "done": true,
            "steps": [step("ingress", json!(null)), step("hook", json!("echo")), step("send", json!("telegram"))]});
        match op {
            "trace.list" => {
                assert_eq!(params["limit"], 1);
                Ok(json!([trace]))
            }
            "trace.get" => {
                assert_eq!(params["id"], "t1");
                Ok(trace)
            }
            _ => panic!("{op}"),
        }
    })
    .await;
    let ran = kata(house.home.path(), "trace --last").await;
    assert!(
        ["ingress", "hook", "echo", "send"].iter().all(|part| ran.out.contains(part)),
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_secret_goes_from_standard_input_to_the_engine_and_nowhere_else() {
    let got = Arc::new(Mutex::new(Value::Null));
    let seen = Arc::clone(&got);
    let house = house(move |_, _, params| {
        *seen.lock().unwrap() = params;
        let status = json!({"state": {"kind": "running"}, "code": "", "message": "", "since": 1});
        Ok(json!({"summary": {"id": "channel:telegram", "kind": "channel", "name": "Telegram", "tagline": null, "icon": null, "workspace": null,
                "plugin": null, "enabled": true, "status": status, "lastActivity": null},
            "timeline": [], "tools": [], "hooks": [], "commands": [], "capabilities": [], "settingsSchema": null, "settings": {},
            "secrets": [{"name": "botToken", "set": true}], "log": [], "jobs": [], "workspaces": []}))
    })
    .await;
    let ran = run(
        house.home.path(),
        TOKEN,
        &["sources", "secret", "channel:telegram", "botToken"],
        "canary 1:2\n",
    )
    .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(got.lock().unwrap()["value"], "canary 1:2", "without the line end");
    assert!(!format!("{ran:?}").contains("canary") && ran.out.contains("botToken is set"));
    let ran = run(house.home.path(), TOKEN, &["sources", "secret", "channel:telegram", "botToken"], "").await;
    assert_eq!(ran.code, 2, "an empty value is a mistake: {ran:?}");
}

#[tokio::test]
async fn stop_waits_until_the_engine_has_ended() {
    let asked = Arc::new(tokio::sync::Notify::new());
    let notify = Arc::clone(&asked);
    let house = house(move |_, op, _| {
        assert_eq!(op, "system.shutdown");
        notify.notify_one();
        Ok(json!({}))
    })
    .await;
    let home = house.home;
    let gateway = house.gateway;
    let end = async {
        asked.notified().await;
        gateway.shutdown(Duration::from_secs(10)).await;
    };
    let (ran, ()) = tokio::join!(kata(home.path(), "stop"), end);
    assert_eq!((ran.code, ran.out.as_str()), (0, "the engine has ended\n"), "{ran:?}");
    assert_eq!(kata(home.path(), "stop").await.code, 3, "and now nothing runs");
}
