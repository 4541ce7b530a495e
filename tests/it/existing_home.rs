//! A home that the Electron app wrote opens unchanged.

use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller};

fn home() -> TestHome {
    let home = TestHome::with_plugins(&[]);
    home.fill("kata-agents-home");
    // The fixture's paths are those of its owner's home; here it lies under `home/`.
    let config = home.path().join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let here = home.path().join("workspaces/my-workspace");
    std::fs::write(
        &config,
        text.replace("~/.kata-agents/workspaces/my-workspace", &here.display().to_string()),
    )
    .unwrap();
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn its_sessions_sources_statuses_and_labels_are_there() {
    let engine = TestEngine::start(home()).await;
    let workspaces = engine.ops.workspace_list(&caller(), Empty {}).await.unwrap();
    let workspace = workspaces.iter().find(|w| w.active).unwrap();
    assert_eq!((workspace.name.as_str(), workspace.session_count), ("My Workspace", 2));
    let statuses: Vec<_> = workspace.statuses.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(statuses, ["backlog", "todo", "in-progress", "done", "cancelled"]);
    let labels: Vec<_> = workspace.labels.iter().map(|l| (l.id.as_str(), l.depth)).collect();
    assert_eq!(labels, [("dev", 0), ("bug", 1), ("priority", 0)]);

    let sources = engine.ops.source_list(&caller(), Empty {}).await.unwrap();
    for name in ["Linear", "Gmail", "Files MCP", "Notes"] {
        assert!(sources.iter().any(|s| s.name == name), "{name} is missing");
    }
    let gmail = sources.iter().find(|s| s.name == "Gmail").unwrap();
    assert!(matches!(gmail.status.state, RunState::NeedsUser { .. }), "{:?}", gmail.status);

    let id = SessionId::new("260201-swift-river").unwrap();
    let detail = engine.detail(&id).await;
    assert_eq!(detail.summary.name.as_deref(), Some("Fix the build"));
    assert_eq!(
        (detail.summary.flagged, detail.summary.status.as_deref()),
        (true, Some("in-progress"))
    );
    assert_eq!(detail.summary.labels, ["bug", "priority::3"]);
    assert_eq!(detail.messages.len(), 4, "the torn fifth line is not shown");
    let channel = engine.detail(&SessionId::new("260202-calm-lake").unwrap()).await;
    assert_eq!(channel.summary.channel.map(|c| c.adapter).as_deref(), Some("slack"));

    // It goes on, and what the other program wrote is still there word for word.
    let answer = engine.ask(&id, "and now?").await;
    assert_eq!(answer.messages.iter().filter(|m| m.kind == MessageKind::User).count(), 2);
    let text = std::fs::read_to_string(
        engine
            .home
            .path()
            .join("workspaces/my-workspace/sessions/260201-swift-river/session.jsonl"),
    )
    .unwrap();
    assert!(text.contains(r#""badges":[{"type":"source","label":"Linear","rawText":"@linear","start":0,"end":7}]"#));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_them() {
    let home = home();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let sessions = tokio::task::block_in_place(|| kata.json(&["sessions", "list"]));
    assert!(sessions.to_string().contains("260201-swift-river"), "{sessions}");
    let sources = tokio::task::block_in_place(|| kata.json(&["sources", "list"]));
    assert!(sources.to_string().contains("Linear"), "{sources}");
    let shown = tokio::task::block_in_place(|| kata.run(&["sessions", "show", "260201-swift-river"]));
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("Please fix the build") && text.contains("Bash"), "{text}");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_in_the_credentials_is_told_and_nothing_is_deleted() {
    let home = home();
    let path = home.path().join("credentials.enc");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let engine = TestEngine::start(home).await;
    let notice = kata_tests::eventually("the notice is there", async || {
        let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
        status.notices.into_iter().find(|n| n.message.contains("credentials"))
    })
    .await;
    assert!(notice.hint.is_some());
    let kept = std::fs::read_dir(engine.home.path())
        .unwrap()
        .flatten()
        .filter(|e| e.file_name().to_string_lossy().starts_with("credentials.enc"));
    assert!(
        kept.into_iter().any(|e| std::fs::read(e.path()).unwrap() == bytes),
        "the bytes are still there"
    );
    engine.engine.shutdown().await;
}
