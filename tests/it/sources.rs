//! Sources that files set up, through a whole engine: added, used from a session, tried by hand, changed on disk, taken away.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};

/// A server of the Model Context Protocol in a few lines of shell: `echo` gives what it was sent, `die` kills it, `ask` asks the
/// person for a name. Its tools are read from a file, and it says so when it is sent SIGUSR1.
const SERVER: &str = r#"
trap 'printf "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n"' USR1
id_of() { printf '%s' "$1" | sed -n 's/.*"id":\([0-9]*\).*/\1/p'; }
while :; do
  read -r line || { [ $? -gt 128 ] && continue; exit 0; }
  id=$(id_of "$line")
  case "$line" in
    *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"serverInfo":{"name":"s","version":"1"}}}\n' "$id";;
    *'"tools/list"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[{"name":"echo","description":"says it","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]},"annotations":{"readOnlyHint":true}},{"name":"die","inputSchema":{"type":"object"}},{"name":"ask","inputSchema":{"type":"object"}}]}}\n' "$id";;
    *'"die"'*) kill -9 $$;;
    *'"ask"'*) asked=$id; printf '{"jsonrpc":"2.0","id":900,"method":"elicitation/create","params":{"message":"Your name?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}}\n';;
    *'"action"'*) name=$(printf '%s' "$line" | sed -n 's/.*"name":"\([^"]*\)".*/\1/p'); printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"Hello %s"}]}}\n' "$asked" "$name";;
    *'"tools/call"'*) text=$(printf '%s' "$line" | sed -n 's/.*"text":"\([^"]*\)".*/\1/p'); printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"said %s %s"}]}}\n' "$id" "$text" "$TOKEN";;
  esac
done
"#;

fn server() -> Value {
    json!({
        "name": "Demo server", "type": "mcp", "provider": "demo",
        "mcp": { "transport": "stdio", "command": "sh", "args": ["-c", SERVER], "env": { "TOKEN": "${secret:key}" } },
    })
}

async fn add(engine: &TestEngine, config: Value, guide: Option<&str>) -> SourceDetail {
    let params = SourceAdd {
        workspace: None,
        config: Json(config),
        guide: guide.map(str::to_owned),
    };
    engine.ops.source_add(&caller(), params).await.unwrap()
}

async fn stands(engine: &TestEngine, id: &SourceId, wanted: impl Fn(&Status) -> bool) -> SourceSummary {
    eventually(&format!("{id} stands as it should"), async || {
        let sources = engine.ops.source_list(&caller(), Empty {}).await.unwrap();
        sources.into_iter().find(|s| s.id == *id && wanted(&s.status))
    })
    .await
}

fn reference(id: &SourceId) -> SourceRef {
    SourceRef { id: id.clone() }
}

async fn tried(engine: &TestEngine, name: &str, params: Value) -> ToolTried {
    let params = ToolTry {
        name: name.into(),
        params: Json(params),
        workspace: None,
    };
    engine.ops.tool_try(&caller(), params).await.unwrap()
}

async fn running_server() -> (TestEngine, SourceId) {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let id = add(&engine, server(), Some("Say little.")).await.summary.id;
    stands(&engine, &id, |s| matches!(s.state, RunState::NeedsUser { .. })).await;
    let secret = SourceSecret {
        id: id.clone(),
        name: "key".into(),
        value: Some("k1".into()),
    };
    let detail = engine.ops.source_secret(&caller(), secret).await.unwrap();
    assert!(detail.secrets.iter().any(|s| s.name == "key" && s.set));
    stands(&engine, &id, |s| s.state == RunState::Running).await;
    (engine, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_added_used_from_a_session_and_taken_away_and_its_tools_come_and_go_with_it() {
    let (engine, id) = running_server().await;
    assert_eq!(id.as_str(), "mcp:my-workspace:demo-server");
    let tools = engine.ops.source_tools(&caller(), reference(&id)).await.unwrap();
    let judged: Vec<_> = tools.iter().map(|t| (t.info.name.as_str(), t.judged.as_str())).collect();
    assert_eq!(judged[0], ("mcp__demo-server__echo", "allow"), "it says that it only reads");
    assert_ne!(judged[1].1, "allow");
    let tried_it = tried(&engine, "mcp__demo-server__echo", json!({ "text": "hi" })).await;
    assert_eq!((tried_it.ok, tried_it.text.as_str()), (true, "said hi k1"));
    let wrong = ToolTry {
        name: "mcp__demo-server__echo".into(),
        params: Json(json!({ "text": 3 })),
        workspace: None,
    };
    let error = engine.ops.tool_try(&caller(), wrong).await.unwrap_err();
    assert!(error.message.starts_with("params.text: "), "{}", error.message);

    let session = engine.session().await;
    let detail = engine
        .ask(&session, "/tool mcp__demo-server__echo {\"text\":\"from a session\"}")
        .await;
    let results: Vec<_> = detail.messages.iter().filter_map(|m| m.tool.as_ref()?.result.clone()).collect();
    assert_eq!(results, ["said from a session k1"]);

    let off = |enabled| SourceEnable {
        id: id.clone(),
        enabled,
        workspace: None,
    };
    engine.ops.source_enable(&caller(), off(false)).await.unwrap();
    stands(&engine, &id, |s| s.code == "disabled").await;
    let listed = engine.ops.tool_list(&caller(), Empty {}).await.unwrap();
    assert!(listed.iter().all(|t| !t.name.starts_with("mcp__")), "its tools are gone");
    let on_disk = engine.ops.source_document(&caller(), reference(&id)).await.unwrap();
    assert_eq!(on_disk.config.0["enabled"], false);
    engine.ops.source_enable(&caller(), off(true)).await.unwrap();
    stands(&engine, &id, |s| s.state == RunState::Running || s.code == "sleeping").await;

    engine.ops.source_remove(&caller(), reference(&id)).await.unwrap();
    let sources = engine.ops.source_list(&caller(), Empty {}).await.unwrap();
    assert!(sources.iter().all(|s| s.id != id));
    let again = add(&engine, server(), None).await;
    assert!(again.secrets.iter().all(|s| !s.set), "its secret went with it");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_of_a_call_is_a_clear_error_in_the_session_and_it_comes_back() {
    let (engine, id) = running_server().await;
    let died = tried(&engine, "mcp__demo-server__die", json!({})).await;
    assert!(!died.ok);
    assert_eq!(
        died.text,
        "The server of “Demo server” was ended by signal 9 in the middle of the call. It is being started again."
    );
    assert!(died.took_ms < 1000, "{} ms", died.took_ms);
    assert!(tried(&engine, "mcp__demo-server__echo", json!({ "text": "back" })).await.ok);
    let detail = engine.ops.source_get(&caller(), reference(&id)).await.unwrap();
    assert!(
        detail
            .timeline
            .iter()
            .any(|s| matches!(s.state, RunState::Backoff { attempt: 1, .. }))
    );
    assert!(detail.log.iter().any(|l| l.message.contains("mcp__demo-server__echo: done")));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_server_waits_for_the_person_and_its_answer_goes_back_into_the_call() {
    let (engine, id) = running_server().await;
    let answering = async {
        let question = eventually("the question is there", async || {
            engine.ops.elicitation_list(&caller(), Empty {}).await.unwrap().into_iter().next()
        })
        .await;
        assert_eq!((question.source.clone(), question.message.as_str()), (id.clone(), "Your name?"));
        let answer = |content: Value| ElicitationAnswer {
            id: question.id.clone(),
            action: "accept".into(),
            content: Some(Json(content)),
        };
        let error = engine
            .ops
            .elicitation_answer(&caller(), answer(json!({ "name": 1 })))
            .await
            .unwrap_err();
        assert!(error.message.starts_with("content.name: "), "{}", error.message);
        engine
            .ops
            .elicitation_answer(&caller(), answer(json!({ "name": "Ana" })))
            .await
            .unwrap();
        assert!(
            engine
                .ops
                .elicitation_answer(&caller(), answer(json!({ "name": "Eve" })))
                .await
                .is_err()
        );
    };
    let (tried, ()) = tokio::join!(tried(&engine, "mcp__demo-server__ask", json!({})), answering);
    assert_eq!(tried.text, "Hello Ana");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_written_whole_or_not_at_all_and_what_is_wrong_is_named_by_file_and_field() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let bad = SourceAdd {
        workspace: None,
        config: Json(json!({ "name": "X", "type": "api", "api": {} })),
        guide: None,
    };
    let error = engine.ops.source_add(&caller(), bad).await.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (ErrorCode::Invalid, "config.json: api.baseUrl is missing")
    );
    let notes = engine.home.path().join("notes");
    std::fs::create_dir_all(&notes).unwrap();
    std::fs::write(notes.join("a.md"), "hello").unwrap();
    let config = json!({ "name": "My Notes", "type": "local", "local": { "path": notes.display().to_string() }, "future": [1] });
    let id = add(&engine, config, None).await.summary.id;
    stands(&engine, &id, |s| s.state == RunState::Running).await;
    assert_eq!(tried(&engine, "mcp__my-notes__list", json!({})).await.text, "a.md");

    let write = |config: Option<Value>, guide: Option<&str>, permissions: Option<Value>| SourceWrite {
        id: id.clone(),
        config: config.map(Json),
        guide: guide.map(str::to_owned),
        permissions: permissions.map(Json),
    };
    let refused = engine
        .ops
        .source_write(&caller(), write(None, Some("new"), Some(json!({ "allowedMcpPatterns": "all" }))))
        .await
        .unwrap_err();
    assert_eq!(refused.message, "permissions.json: allowedMcpPatterns is no list");
    let before = engine.ops.source_document(&caller(), reference(&id)).await.unwrap();
    assert_eq!(
        (before.guide, before.config.0["future"].clone()),
        (None, json!([1])),
        "nothing was written"
    );
    let rules = json!({ "blockedTools": ["mcp__my-notes__read"] });
    let written = engine
        .ops
        .source_write(&caller(), write(None, Some("Read a.md first."), Some(rules)))
        .await
        .unwrap();
    assert_eq!(written.guide.as_deref(), Some("Read a.md first."));
    let blocked = ToolTry {
        name: "mcp__my-notes__read".into(),
        params: Json(json!({ "path": "a.md" })),
        workspace: None,
    };
    let error = engine.ops.tool_try(&caller(), blocked).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Forbidden, "{}", error.message);

    // A bad file beside the config: the source goes on and says what is wrong.
    std::fs::write(std::path::Path::new(&written.path).join("permissions.json"), "{").unwrap();
    let summary = stands(&engine, &id, |s| s.code == "bad_file").await;
    assert_eq!(summary.status.state, RunState::Degraded);
    assert!(
        summary.status.message.starts_with("permissions.json: is not JSON"),
        "{}",
        summary.status.message
    );
    assert!(tried(&engine, "mcp__my-notes__list", json!({})).await.ok);
    engine
        .ops
        .source_write(&caller(), write(None, Some(""), Some(json!({}))))
        .await
        .unwrap();
    stands(&engine, &id, |s| s.state == RunState::Running).await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_server_sleeps_with_its_tools_on_offer_until_one_is_used() {
    let (engine, id) = running_server().await;
    assert!(tried(&engine, "mcp__demo-server__echo", json!({ "text": "x" })).await.ok);
    eventually("its tools are remembered", async || {
        engine.home.path().join("sources-seen.json").is_file().then_some(())
    })
    .await;
    let engine = engine.restart().await;
    stands(&engine, &id, |s| s.code == "sleeping").await;
    let session = engine.session().await;
    let detail = engine.ask(&session, "/tool mcp__demo-server__echo {\"text\":\"awake\"}").await;
    let results: Vec<_> = detail.messages.iter().filter_map(|m| m.tool.as_ref()?.result.clone()).collect();
    assert_eq!(results, ["said awake k1"]);
    stands(&engine, &id, |s| s.state == RunState::Running).await;
    engine.engine.shutdown().await;
}
