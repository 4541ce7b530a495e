//! Sources as a whole, over programs that a test writes in a few lines of shell.

use super::*;
use crate::testing::Stage;
use kata_core::ports::ToolRequest;
use kata_protocol::{CallId, PermissionMode, RunState, SessionId, TurnId, UserAction};
use serde_json::{Value, json};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A server in shell: answers `initialize` and `tools/list`; a call of `die` kills it, of `echo` answers.
const SERVER: &str = r#"
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}\n' "$id";;
    *'"tools/list"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"echo","inputSchema":{"type":"object"}},{"name":"die","inputSchema":{"type":"object"}}]}}\n' "$id";;
    *'"die"'*) kill -9 $$;;
    *'"tools/call"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"%s"}]}}\n' "$id" "$TOKEN";;
  esac
done
"#;

fn id(text: &str) -> SourceId {
    SourceId::new(text).unwrap()
}

fn workspace() -> WorkspaceId {
    WorkspaceId::new("w").unwrap()
}

fn folder(slug: &str, document: Value) -> Folder {
    Folder {
        path: "/nowhere".into(),
        slug: slug.into(),
        config: Config::of(&document),
        document,
        guide: None,
        permissions: Value::Null,
        beside: Vec::new(),
    }
}

fn program(script: &str) -> Folder {
    let env = json!({ "TOKEN": "${secret:key}" });
    folder(
        "prog",
        json!({ "name": "Prog", "type": "mcp", "mcp": { "transport": "stdio", "command": "sh", "args": ["-c", script], "env": env } }),
    )
}

fn request(tool: &str) -> ToolRequest {
    ToolRequest {
        session: SessionId::new("s").unwrap(),
        workspace: workspace(),
        working_directory: None,
        mode: PermissionMode::Ask,
        turn: TurnId::new("t").unwrap(),
        call_id: CallId::new("c").unwrap(),
        name: tool.into(),
        params: json!({}),
        cancel: CancellationToken::new(),
    }
}

fn put(stage: &Stage, id: &SourceId, folder: &Folder, seen: Option<Seen>) {
    stage.sources.put(id, &workspace(), Path::new("/"), folder, seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_a_call_fails_it_at_once_and_comes_back_with_its_tools() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new(home.path());
    stage.typed.0.lock().unwrap().insert("key".into(), "k1".into());
    let id = id("mcp:w:prog");
    put(&stage, &id, &program(SERVER), None);
    stage.until(&id, |s| s.state == RunState::Running).await;
    assert_eq!(
        stage.sources.call(&request("mcp__prog__echo")).await.text,
        "k1",
        "the secret went into its environment"
    );
    let outcome = stage.sources.call(&request("mcp__prog__die")).await;
    assert_eq!(
        (outcome.text.as_str(), outcome.is_error),
        (
            "The server of “Prog” was ended by signal 9 in the middle of the call. It is being started again.",
            true
        )
    );
    let status = stage.until(&id, |s| matches!(s.state, RunState::Backoff { attempt: 1, .. })).await;
    assert_eq!(
        (status.code.as_str(), status.message.as_str()),
        ("ended", "The server was ended by signal 9.")
    );
    assert_eq!(stage.sources.tools(&workspace()).len(), 2, "its tools stay while it is tried again");
    // The next call waits for it.
    let asking = request("mcp__prog__echo");
    let again = stage.sources.call(&asking);
    let passing = async {
        stage.clock.slept_on(1).await;
        stage.clock.advance(Duration::from_secs(1));
    };
    let (outcome, ()) = tokio::join!(again, passing);
    assert_eq!((outcome.text.as_str(), outcome.is_error), ("k1", false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_was_seen_before_sleeps_until_it_is_used_and_sleeps_again_when_nobody_does() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new(home.path());
    stage.typed.0.lock().unwrap().insert("key".into(), "k1".into());
    let id = id("mcp:w:prog");
    put(&stage, &id, &program(SERVER), None);
    stage.until(&id, |s| s.state == RunState::Running).await;
    let seen = stage.heard.seen.lock().unwrap()[&id].clone();
    let seen: Seen = serde_json::from_value(serde_json::to_value(&seen).unwrap()).unwrap();

    let next = Stage::new(home.path());
    next.typed.0.lock().unwrap().insert("key".into(), "k2".into());
    put(&next, &id, &program(SERVER), Some(seen.clone()));
    next.until(&id, |s| s.code == "sleeping").await;
    assert_eq!(next.sources.tools(&workspace()).len(), 2);
    assert_eq!(next.sources.call(&request("mcp__prog__echo")).await.text, "k2");
    next.until(&id, |s| s.state == RunState::Running).await;
    next.clock.slept_on(1).await;
    next.clock.advance(Duration::from_secs(900));
    next.until(&id, |s| s.code == "sleeping").await;
    assert_eq!(
        next.sources.call(&request("mcp__prog__echo")).await.text,
        "k2",
        "and it wakes again"
    );

    // What it was seen to have under another command counts for nothing.
    let other = Stage::new(home.path());
    other.typed.0.lock().unwrap().insert("key".into(), "k3".into());
    put(&other, &id, &program(&SERVER.replace("echo", "tell")), Some(seen));
    other.until(&id, |s| s.state == RunState::Running).await;
    assert_eq!(other.sources.tools(&workspace())[0].name, "mcp__prog__tell");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_shows_what_it_needs_and_its_tools_come_and_go_with_it_in_its_own_workspace_only() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new(home.path());
    let notes = id("local:w:notes");
    let mut document = json!({ "name": "Notes", "type": "local", "local": { "path": "~/Notes" } });
    put(&stage, &notes, &folder("notes", document.clone()), None);
    let status = stage.until(&notes, |s| matches!(s.state, RunState::Failed { .. })).await;
    assert_eq!(status.code, "no_folder");
    std::fs::create_dir(home.path().join("Notes")).unwrap();
    stage.sources.restart(&notes);
    stage.until(&notes, |s| s.state == RunState::Running).await;
    assert_eq!(stage.sources.tools(&workspace()).len(), 3);
    assert!(stage.sources.tools(&WorkspaceId::new("other").unwrap()).is_empty());
    let mut elsewhere = request("mcp__notes__list");
    elsewhere.workspace = WorkspaceId::new("other").unwrap();
    assert!(stage.sources.call(&elsewhere).await.is_error);

    document["enabled"] = json!(false);
    put(&stage, &notes, &folder("notes", document.clone()), None);
    stage.until(&notes, |s| s.code == "disabled").await;
    assert!(stage.sources.tools(&workspace()).is_empty());
    assert!(stage.sources.call(&request("mcp__notes__list")).await.is_error);

    document["local"] = json!({});
    document["enabled"] = json!(true);
    put(&stage, &notes, &folder("notes", document), None);
    let status = stage.until(&notes, |s| s.code == "bad_file").await;
    assert_eq!(status.message, "config.json: local.path is missing");

    let prog = id("mcp:w:prog");
    put(&stage, &prog, &program(SERVER), None);
    let status = stage.until(&prog, |s| matches!(s.state, RunState::NeedsUser { .. })).await;
    assert_eq!(
        status.state,
        RunState::NeedsUser {
            action: UserAction::Configure { field: "key".into() }
        }
    );
    assert_eq!(stage.sources.secrets(&prog), ["key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn guides_of_what_is_on_offer_go_to_the_model_and_are_bounded() {
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new(home.path());
    std::fs::create_dir(home.path().join("Notes")).unwrap();
    for n in 0..6 {
        let id = id(&format!("local:w:notes{n}"));
        let mut folder = folder(
            &format!("notes{n}"),
            json!({ "name": "Notes", "type": "local", "local": { "path": "~/Notes" } }),
        );
        folder.guide = Some("é".repeat(GUIDE));
        put(&stage, &id, &folder, None);
        stage.until(&id, |s| s.state == RunState::Running).await;
    }
    let guides = stage.sources.guides(&workspace());
    assert!(guides[0].starts_with("Guide of the source “Notes” (its tools begin with mcp__notes0__):\né"));
    assert!(guides[0].ends_with("[Cut: the guide is longer.]"));
    assert!(guides.iter().map(String::len).sum::<usize>() < GUIDES + 6 * 200);
}

#[tokio::test]
async fn a_machines_id_and_secret_are_for_the_authorization_server_they_were_made_for() {
    let published = json!({ "issuer": "{}", "authorization_endpoint": "{}/authorize", "token_endpoint": "{}/token" });
    let at = crate::testing::documents(&[("/.well-known/oauth-authorization-server", published)]).await;
    let own = at.origin().ascii_serialization();
    let home = tempfile::tempdir().unwrap();
    let stage = Stage::new(home.path());
    let place = async |name: &str, issuer: Value| {
        let mcp = json!({ "url": at.as_str(), "grant": "client_credentials", "clientId": "robot", "issuer": issuer });
        let folder = folder(name, json!({ "name": "Demo", "type": "mcp", "enabled": false, "mcp": mcp }));
        let source = id(&format!("mcp:w:{name}"));
        stage.sources.put(&source, &workspace(), home.path(), &folder, None);
        assert_eq!(stage.sources.secrets(&source), ["clientSecret", "clientKey"]);
        stage.sources.sign_in_place(&source, None, &[], None).await
    };
    let bare = place("bare", Value::Null).await.unwrap_err();
    assert!(bare.message.ends_with("its secret is not there"), "{}", bare.message);
    stage.typed.0.lock().unwrap().insert("clientSecret".into(), "canary".into());
    for (name, good) in [("own", json!(own)), ("slash", json!(format!("{own}/"))), ("any", Value::Null)] {
        let found = place(name, good).await.unwrap().unwrap();
        assert!(found.machine && found.client_secret.is_some() && found.client_key.is_none());
    }
    let other = place("other", json!("https://id.example.org")).await.unwrap_err();
    assert_eq!(
        other.message,
        format!("“Demo” signs in at {own}, and its id belongs to https://id.example.org")
    );
    stage.typed.0.lock().unwrap().insert("clientKey".into(), "canary".into());
    let found = place("key", Value::Null).await.unwrap().unwrap();
    assert!(
        found.client_secret.is_none() && found.client_key.is_some(),
        "where there is a key no secret is sent"
    );
}
