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

/// The earlier app's sources run here as they are: the folder of notes is not on this machine, Gmail wants a sign-in, and what is
/// wrong is said on each of them alone.
#[tokio::test(flavor = "multi_thread")]
async fn each_of_its_sources_shows_its_right_state_and_a_bad_file_shows_on_its_source_only() {
    let home = home();
    // Nothing is fetched: the server of files is a program of this machine that ends at once, Linear an address nobody answers at.
    let of = |slug: &str| home.path().join("workspaces/my-workspace/sources").join(slug).join("config.json");
    let change = |slug: &str, from: &str, to: &str| {
        let text = std::fs::read_to_string(of(slug)).unwrap();
        assert!(text.contains(from), "{slug}: {text}");
        std::fs::write(of(slug), text.replace(from, to)).unwrap();
    };
    change("files", "\"npx\"", "\"no-such-program\"");
    change("linear", "https://mcp.linear.app", "http://127.0.0.1:1");
    change("notes", "~/Notes", "~/No such notes here");
    let engine = TestEngine::start(home).await;
    let stands = async |name: &str, code: &str| {
        kata_tests::eventually(&format!("{name} stands as {code}"), async || {
            let sources = engine.ops.source_list(&caller(), Empty {}).await.unwrap();
            sources.into_iter().find(|s| s.name == name && s.status.code == code)
        })
        .await
    };
    let gmail = stands("Gmail", "needs_auth").await;
    assert_eq!(
        gmail.status.state,
        RunState::NeedsUser {
            action: UserAction::Relogin
        }
    );
    let files = stands("Files MCP", "no_command").await;
    assert_eq!(files.status.state, RunState::Failed { recoverable: true });
    assert!(files.status.message.contains("no-such-program"), "{}", files.status.message);
    let linear = stands("Linear", "unreachable").await;
    assert!(matches!(linear.status.state, RunState::Backoff { .. }), "{:?}", linear.status);
    let notes = stands("Notes", "no_folder").await;
    assert!(notes.status.message.contains("local.path"), "{}", notes.status.message);

    // An edit on disk shows; the others stay as they are.
    let text = std::fs::read_to_string(engine.home.path().join("workspaces/my-workspace/sources/notes/config.json")).unwrap();
    let edited = text.replace("\"local\": {", "\"local\": { \"was\": 1 }, \"x\": {");
    std::fs::write(engine.home.path().join("workspaces/my-workspace/sources/notes/config.json"), edited).unwrap();
    let notes = stands("Notes", "bad_file").await;
    assert_eq!(notes.status.message, "config.json: local.path is missing");
    stands("Gmail", "needs_auth").await;
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
