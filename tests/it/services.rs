//! Services through the whole engine: which workspaces' sessions see their tools, in which order they begin and end, and what their
//! page and the command line show of their work.

use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use serde_json::json;
use tokio::task::block_in_place;

fn moon() -> SourceId {
    SourceId::new("service:almanac:moon").unwrap()
}

fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::new(name).unwrap()
}

fn home() -> TestHome {
    let home = TestHome::with_plugins(&["almanac"]);
    for name in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(name).join("sessions")).unwrap();
    }
    home
}

async fn switch(engine: &TestEngine, enabled: bool, only: Option<&str>) -> Result<SourceSummary, WireError> {
    let params = SourceEnable {
        id: moon(),
        enabled,
        workspace: only.map(workspace),
    };
    engine.ops.source_enable(&caller(), params).await
}

async fn state(engine: &TestEngine, id: SourceId, wanted: RunState) -> SourceDetail {
    eventually(&format!("{id} is {wanted:?}"), async || {
        let detail = engine.ops.source_get(&caller(), SourceRef { id: id.clone() }).await.ok()?;
        (detail.summary.status.state == wanted).then_some(detail)
    })
    .await
}

/// Calls the tool from a new session of a workspace.
async fn phase(engine: &TestEngine, name: &str) -> String {
    let create = SessionCreate {
        workspace: Some(workspace(name)),
        mode: Some(PermissionMode::AllowAll),
        ..SessionCreate::default()
    };
    let session = engine.ops.session_create(&caller(), create).await.unwrap().id;
    let detail = engine.ask(&session, "/tool moon_phase {}").await;
    let card = detail.messages.iter().rev().find_map(|m| m.tool.clone());
    card.and_then(|card| card.result).unwrap_or_else(|| "no call".into())
}

async fn listed(engine: &TestEngine) -> Option<ToolInfo> {
    let tools = engine.ops.tool_list(&caller(), Empty {}).await.unwrap();
    tools.into_iter().find(|t| t.name == "moon_phase")
}

fn on(detail: &SourceDetail) -> Vec<(String, bool)> {
    let mut all: Vec<_> = detail.workspaces.iter().map(|w| (w.workspace.to_string(), w.enabled)).collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_services_tools_are_there_while_it_runs_and_for_the_workspaces_it_is_on_in() {
    let engine = TestEngine::start(home()).await;
    engine.plugin_up("almanac").await;
    assert_eq!(listed(&engine).await, None, "its service is off");
    assert!(!phase(&engine, "one").await.contains("a crescent"));

    assert!(switch(&engine, true, Some("one")).await.unwrap().enabled, "on in one is on");
    let detail = state(&engine, moon(), RunState::Running).await;
    assert_eq!(on(&detail), [("one".into(), true), ("two".into(), false)]);
    assert_eq!(listed(&engine).await.unwrap().source, Some(moon()));
    assert_eq!(phase(&engine, "one").await, "a crescent");
    let other = phase(&engine, "two").await;
    assert!(!other.contains("a crescent"), "{other}");

    // It outlives a restart, runs on while one of the two wants it, and stops with the last.
    let engine = engine.restart().await;
    state(&engine, moon(), RunState::Running).await;
    assert_eq!(phase(&engine, "one").await, "a crescent");
    switch(&engine, true, Some("two")).await.unwrap();
    assert_eq!(phase(&engine, "two").await, "a crescent");
    switch(&engine, false, Some("one")).await.unwrap();
    state(&engine, moon(), RunState::Running).await;
    assert!(!phase(&engine, "one").await.contains("a crescent"));
    assert!(!switch(&engine, false, Some("two")).await.unwrap().enabled);
    state(&engine, moon(), RunState::Stopped).await;
    assert_eq!(listed(&engine).await, None);

    // “Everywhere” forgets what was said of single workspaces.
    switch(&engine, true, None).await.unwrap();
    let detail = state(&engine, moon(), RunState::Running).await;
    assert_eq!(on(&detail), [("one".into(), true), ("two".into(), true)]);
    let error = switch(&engine, true, Some("three")).await.unwrap_err();
    assert!(error.message.contains("three"), "{}", error.message);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_begin_in_their_order_and_end_in_the_reverse() {
    let home = home();
    home.settings(&json!({ "sources": {
        "service:almanac:moon": { "enabled": true }, "service:almanac:tides": { "enabled": true },
    } }));
    let engine = TestEngine::start(home).await;
    state(&engine, moon(), RunState::Running).await;
    state(&engine, SourceId::new("service:almanac:tides").unwrap(), RunState::Running).await;
    let tail = LogTail {
        limit: Some(100),
        level: None,
        plugin: Some(PluginId::new("almanac").unwrap()),
    };
    let ops = engine.ops.clone();
    engine.engine.shutdown().await;
    let mut said: Vec<_> = ops.log_tail(&caller(), tail).await.unwrap();
    said.sort_by_key(|record| record.at);
    let said: Vec<String> = said.into_iter().map(|record| record.message).collect();
    let place = |text: &str| {
        said.iter()
            .position(|m| m == text)
            .unwrap_or_else(|| panic!("no “{text}” in {said:?}"))
    };
    assert!(place("moon begins") < place("tides begins"));
    assert!(place("tides ends") < place("moon ends"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_what_a_service_plans_and_uses_and_switches_it_by_workspace() {
    let home = home();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let run = |args: &[&str]| {
        let output = block_in_place(|| kata.run(args));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["sources", "enable", "service:almanac:moon", "--workspace", "one"]);
    let shown = eventually("the service runs", async || {
        let shown = run(&["sources", "show", "service:almanac:moon"]);
        shown.contains("state         running").then_some(shown)
    })
    .await;
    for line in [
        "workspace     one is on",
        "workspace     two is off",
        "  look  every hour  next in ",
        "  full  0 9 * * 1-5 (Europe/Berlin)  next in ",
        "  requests    0 of 30",
        "  today       0 of 1000",
        "  wake-ups ",
        " of 60\n",
        "  memory ",
    ] {
        assert!(shown.contains(line), "“{line}” in\n{shown}");
    }
    run(&["sources", "disable", "service:almanac:moon", "--workspace", "one"]);
    let shown = run(&["sources", "show", "service:almanac:moon"]);
    assert!(shown.contains("state         off") && !shown.contains("planned"), "{shown}");
    serve.stop().await;
}
