//! What an agent may do, from the message to the disk: modes, questions, the sandbox, and rules made with “always”.

use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use serde_json::json;
use std::path::PathBuf;
use tokio::task::block_in_place;

struct Place {
    engine: TestEngine,
    work: PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = std::fs::canonicalize(folder.path()).unwrap().join("work");
        std::fs::create_dir(&work).unwrap();
        std::fs::write(work.join("found.txt"), "what is here\n").unwrap();
        Self {
            engine: TestEngine::start(TestHome::with_plugins(&[])).await,
            work,
            _folder: folder,
        }
    }

    async fn session(&self, mode: PermissionMode) -> SessionId {
        let create = SessionCreate {
            mode: Some(mode),
            working_directory: Some(self.work.display().to_string()),
            ..SessionCreate::default()
        };
        self.engine.ops.session_create(&caller(), create).await.unwrap().id
    }

    /// The result of one tool call of the demo agent.
    async fn tool(&self, session: &SessionId, call: &str) -> (String, ToolStatus) {
        let detail = self.engine.ask(session, &format!("/tool {call}")).await;
        let card = detail
            .messages
            .iter()
            .rev()
            .find_map(|m| m.tool.clone())
            .expect("a tool was called");
        (card.result.unwrap_or_default(), card.status)
    }

    async fn sandbox(&self) -> String {
        let state = self.engine.ops.permission_list(&caller(), PermissionList { workspace: None }).await;
        state.unwrap().sandbox
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_mode_safe_a_command_that_reads_runs_and_one_that_writes_is_denied_with_the_reason() {
    let place = Place::new().await;
    let session = place.session(PermissionMode::Safe).await;
    let (text, status) = place.tool(&session, r#"bash {"command":"ls"}"#).await;
    let sandbox = place.sandbox().await;
    if sandbox.starts_with("none") {
        assert!(status == ToolStatus::Error && text.contains("cannot be shut in"), "{text}");
    } else {
        assert_eq!((text.as_str(), status), ("found.txt\n", ToolStatus::Completed), "{sandbox}");
    }
    let (text, status) = place.tool(&session, r#"bash {"command":"touch x"}"#).await;
    assert_eq!(status, ToolStatus::Error);
    assert!(
        text.contains("ode safe") && (sandbox.starts_with("none") || text.contains("touch")),
        "{text}"
    );
    let (text, status) = place.tool(&session, r#"read {"path":"found.txt"}"#).await;
    assert!(status == ToolStatus::Completed && text.contains("what is here"), "{text}");
    let (text, status) = place.tool(&session, r#"read {"path":"/etc/hostname"}"#).await;
    assert!(status == ToolStatus::Error && text.contains("outside"), "{text}");
    assert!(!place.work.join("x").exists());
    place.engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_mode_ask_a_command_that_writes_waits_for_a_person_and_runs_in_the_sandbox_afterwards() {
    let place = Place::new().await;
    let session = place.session(PermissionMode::Ask).await;
    let outside = place.work.parent().unwrap().join("outside");
    let command = format!("touch x {}", outside.display());
    let (id, ops) = (session.clone(), place.engine.ops.clone());
    let submit = SessionSubmit {
        id: id.clone(),
        text: format!("/tool bash {}", json!({ "command": command })),
        delivery: None,
        idempotency_key: None,
        attachments: None,
    };
    ops.session_submit(&caller(), submit).await.unwrap();
    let waiting = eventually("the call waits", async || {
        place.engine.detail(&session).await.approvals.into_iter().next()
    })
    .await;
    assert!(!place.work.join("x").exists(), "nothing ran before the answer");
    let rule = waiting.always.clone().expect("“always” can be said of a plain command");
    assert_eq!(rule.prefix, ["touch", "x", outside.to_str().unwrap()]);
    let approve = SessionApprove {
        id,
        call_id: waiting.call.call_id,
        decision: ApprovalDecision::Always,
    };
    ops.session_approve(&caller(), approve).await.unwrap();
    eventually("it has run", async || place.work.join("x").exists().then_some(())).await;
    eventually("the turn has ended", async || {
        (place.engine.detail(&session).await.state == SessionState::Idle).then_some(())
    })
    .await;
    assert_eq!(
        outside.exists(),
        place.sandbox().await.starts_with("none"),
        "outside the working folder only without a sandbox"
    );

    // The rule is kept, seen, outlives a restart, and can be taken back.
    let Place { engine, work, _folder } = place;
    let engine = engine.restart().await;
    let explain = async |engine: &TestEngine, command: &str| {
        let params = PermissionExplain {
            session: Some(session.clone()),
            workspace: None,
            mode: None,
            tool: "bash".into(),
            params: Json(json!({ "command": command })),
        };
        engine.ops.permission_explain(&caller(), params).await.unwrap().outcome
    };
    let free = if engine
        .ops
        .permission_list(&caller(), PermissionList { workspace: None })
        .await
        .unwrap()
        .sandbox
        .starts_with("none")
    {
        PermissionOutcome::Ask
    } else {
        PermissionOutcome::Allow
    };
    assert_eq!(explain(&engine, &command).await, free);
    assert_eq!(explain(&engine, &format!("{command}; rm x")).await, PermissionOutcome::Ask);
    assert_eq!(explain(&engine, "touch x").await, PermissionOutcome::Ask);
    let forget = PermissionForget { workspace: None, rule };
    let state = engine.ops.permission_forget(&caller(), forget.clone()).await.unwrap();
    assert!(state.rules.iter().all(|r| r.always.is_none()));
    assert!(
        engine.ops.permission_forget(&caller(), forget).await.is_err(),
        "it is not there twice"
    );
    assert_eq!(explain(&engine, &command).await, PermissionOutcome::Ask);
    drop(work);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_working_folder_that_cannot_be_used_is_refused_with_the_name_of_the_field() {
    let place = Place::new().await;
    let home = place.engine.home.path();
    for folder in ["work", "/no/such/folder", &home.display().to_string()] {
        let create = SessionCreate {
            working_directory: Some(folder.to_owned()),
            ..SessionCreate::default()
        };
        let refused = place.engine.ops.session_create(&caller(), create).await.unwrap_err();
        assert!(refused.message.contains("workingDirectory"), "{folder}: {}", refused.message);
    }
    place.engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_explains_a_call_and_lists_rules_and_tools() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let explain = |mode: &str, command: &str| block_in_place(|| kata.json(&["permissions", "explain", "bash", command, "--mode", mode]));
    let asked = explain("ask", "ls; rm -rf x");
    assert_eq!(asked["outcome"], "ask", "{asked}");
    assert!(asked["reason"].as_str().unwrap().contains("rm"), "{asked}");
    assert_eq!(explain("safe", "ls; rm -rf x")["outcome"], "deny");
    let text = block_in_place(|| kata.run(&["permissions", "explain", "read", "~/.ssh/id_rsa", "--mode", "safe"]));
    assert!(String::from_utf8_lossy(&text.stdout).starts_with("deny: "), "{text:?}");
    let state = block_in_place(|| kata.json(&["permissions", "list"]));
    assert!(state["sandbox"].as_str().is_some_and(|s| !s.is_empty()), "{state}");
    let tools = block_in_place(|| kata.json(&["tools", "list"]));
    for name in ["read", "glob", "grep", "write", "edit", "bash", "web_fetch"] {
        assert!(
            tools.as_array().unwrap().iter().any(|t| t["name"] == name && t["plugin"].is_null()),
            "{name}"
        );
    }
    let missing = block_in_place(|| kata.run(&["permissions", "forget", "bash", "npm", "run"]));
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
    serve.stop().await;
}
