//! `kata chat`.

use crate::support::*;
use kata_core::EventHub;
use kata_protocol::{ErrorCode, Fact, SessionId, TokenUsage, WireError};
use serde_json::{Value, json};

fn say(hub: &EventHub, event: Value) {
    hub.publish(Fact::Session {
        id: SessionId::new("s").unwrap(),
        event: serde_json::from_value(event).unwrap(),
    });
}

fn row(id: &str, kind: &str, content: &str, tool: Value) -> Value {
    json!({"kind": "message", "message": {"id": id, "kind": kind, "content": content, "timestamp": null, "turnId": null,
        "intermediate": false, "sender": null, "tool": tool, "thinking": null}})
}

fn summary() -> Value {
    json!({"id": "s", "workspace": "home", "name": null, "preview": null, "createdAt": 1, "lastMessageAt": 1, "flagged": false,
        "status": null, "labels": [], "unread": false, "mode": "safe", "model": null, "channel": null, "messageCount": 1,
        "usage": serde_json::to_value(TokenUsage::default()).unwrap(), "state": "idle"})
}

/// An engine that answers each message with a tool call and an echo.
fn echo(hub: &EventHub, op: &str, params: &Value) -> Result<Value, WireError> {
    match op {
        "session.list" => Ok(json!({"sessions": [], "total": 0})),
        "session.create" => Ok(summary()),
        "session.submit" => {
            let text = params["text"].as_str().unwrap();
            let call = |status: &str, result: Value| json!({"callId": "c", "name": "read", "input": {"p": 1}, "result": result, "status": status, "durationMs": 2});
            say(hub, row("m", "user", text, Value::Null));
            say(hub, json!({"kind": "turn_started", "turn": "t", "model": "Demo (scripted)"}));
            say(hub, row("r", "tool", "", call("executing", Value::Null)));
            say(hub, row("r", "tool", "", call("completed", json!("content"))));
            say(hub, json!({"kind": "text_delta", "message": "a", "text": "You said "}));
            say(hub, json!({"kind": "text_delta", "message": "a", "text": text}));
            say(hub, row("a", "assistant", &format!("You said {text}"), Value::Null));
            say(hub, json!({"kind": "turn_ended", "turn": "t", "end": "completed", "error": null}));
            Ok(json!({"message": "m", "trace": "tr"}))
        }
        other => panic!("{other} was not expected"),
    }
}

#[tokio::test]
async fn one_message_streams_tool_lines_and_the_answer_to_standard_output() {
    let house = house(|hub, op, params| echo(hub, op, &params)).await;
    let ran = run(house.home.path(), TOKEN, &["chat", "-m", "hello there"], "").await;
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "[tool] read {\"p\":1}\n[tool] read ok 2 ms: content\nYou said hello there\n"),
        "{ran:?}"
    );
    assert_eq!(ran.err, "session s\n");
}

#[tokio::test]
async fn the_message_can_come_from_standard_input() {
    let house = house(|hub, op, params| echo(hub, op, &params)).await;
    let ran = run(house.home.path(), TOKEN, &["chat", "--new", "-m", "-"], "two\nlines\n").await;
    assert!(ran.out.ends_with("You said two\nlines\n"), "{ran:?}");
    assert_eq!(run(house.home.path(), TOKEN, &["chat", "-m", "-"], "\n").await.code, 2);
}

#[tokio::test]
async fn lines_of_standard_input_are_messages_until_it_ends() {
    let house = house(|hub, op, params| echo(hub, op, &params)).await;
    let ran = run(house.home.path(), TOKEN, &["chat"], "one\n\ntwo\n").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("You said one\n") && ran.out.ends_with("You said two\n"), "{ran:?}");
}

#[tokio::test]
async fn json_is_one_event_a_line() {
    let house = house(|hub, op, params| echo(hub, op, &params)).await;
    let ran = run(house.home.path(), TOKEN, &["chat", "-m", "x", "--json"], "").await;
    let kinds: Vec<String> = ran
        .out
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds[0], "submitted");
    assert_eq!(kinds.last().map(String::as_str), Some("turn_ended"));
}

#[tokio::test]
async fn a_turn_that_fails_fails_the_command_with_the_engines_hint() {
    let house = house(|hub, op, _| match op {
        "session.submit" => {
            let error = WireError::new(ErrorCode::NeedsUser, "no model is set up").hint("`kata models detect`");
            say(hub, row("m", "user", "x", Value::Null));
            say(hub, json!({"kind": "turn_ended", "turn": "t", "end": "failed", "error": error}));
            Ok(json!({"message": "m", "trace": "tr"}))
        }
        _ => panic!("{op}"),
    })
    .await;
    let ran = run(house.home.path(), TOKEN, &["chat", "s", "-m", "x"], "").await;
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (4, "session s\nerror: no model is set up\nhint: `kata models detect`\n")
    );
}

#[tokio::test]
async fn a_call_that_waits_for_a_person_is_4_where_nobody_sits() {
    let house = house(|hub, op, _| match op {
        "session.submit" => {
            let call = json!({"callId": "c", "name": "bash", "input": {}, "result": null, "status": "pending", "durationMs": null});
            say(hub, row("m", "user", "x", Value::Null));
            let approval = json!({"code": "K7Q2XY", "session": "s", "sessionName": null, "turn": "t", "call": call, "reason": "mode ask",
                "always": null, "channel": null, "requestedAt": 0, "expiresAt": 1});
            say(hub, json!({"kind": "approval_requested", "approval": approval}));
            Ok(json!({"message": "m", "trace": "tr"}))
        }
        _ => panic!("{op}"),
    })
    .await;
    let ran = run(house.home.path(), TOKEN, &["chat", "s", "-m", "x"], "").await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("waits for approval") && ran.err.contains("K7Q2XY"), "{ran:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_stops_the_turn_and_waits_for_its_end() {
    use std::sync::{Arc, Mutex};
    use tokio::sync::Notify;
    let submitted = Arc::new(Notify::new());
    let (notify, asked) = (Arc::clone(&submitted), Arc::new(Mutex::new(Vec::new())));
    let ops = Arc::clone(&asked);
    let house = house(move |hub, op, _| {
        ops.lock().unwrap().push(op);
        match op {
            "session.submit" => {
                say(hub, row("m", "user", "x", Value::Null));
                notify.notify_one();
                Ok(json!({"message": "m", "trace": "tr"}))
            }
            "session.interrupt" => {
                say(hub, json!({"kind": "turn_ended", "turn": "t", "end": "interrupted", "error": null}));
                Ok(json!({}))
            }
            _ => panic!("{op}"),
        }
    })
    .await;
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_kata"))
        .args(["chat", "s", "-m", "x", "--json"])
        .env("KATA_CONFIG_DIR", house.home.path())
        .env("KATA_TOKEN", TOKEN)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    submitted.notified().await;
    // The program waits for the signal once it has printed the answer to its submit and the event after it.
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stdout.take().unwrap()));
    assert!(lines.next_line().await.unwrap().unwrap().contains("submitted"));
    assert!(lines.next_line().await.unwrap().unwrap().contains("message"));
    let pid = child.id().unwrap().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().await.unwrap().code(), Some(1));
    assert_eq!(asked.lock().unwrap().last(), Some(&"session.interrupt"));
}
