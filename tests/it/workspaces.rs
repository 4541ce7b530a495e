//! Workspaces, skills, preferences, notes, exports, files and tokens, over the whole engine and its command line.

use kata_agent::fake::{Answer, FakeProvider, Script};
use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const REPORT: &str = "---\nname: Weekly report\ndescription: When the report of the week is asked for.\n---\n\nThree parts, no more.\n";

fn workspace() -> WorkspaceId {
    WorkspaceId::new("my-workspace").unwrap()
}

fn update(value: Value) -> WorkspaceUpdate {
    let mut all = json!({ "id": "my-workspace", "name": null, "mode": null, "model": null, "workingDirectory": null, "statuses": null, "labels": null });
    for (key, value) in value.as_object().unwrap() {
        all[key] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

/// Waits until `fact` comes.
async fn told(facts: &mut tokio::sync::broadcast::Receiver<std::sync::Arc<NumberedFact>>, fact: impl Fn(&Fact) -> bool) {
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        loop {
            match facts.recv().await {
                Ok(numbered) if fact(&numbered.fact) => return,
                Ok(_) => {}
                Err(gone) => panic!("facts were missed: {gone:?}"),
            }
        }
    })
    .await
    .expect("the fact comes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skill_reaches_the_agent_and_so_does_one_that_is_edited_on_the_disk() {
    let provider = FakeProvider::start(Script::respond(|_, _| Answer::text("Yes."))).await.unwrap();
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    provider_set(&engine, format!("{}/v1", provider.base_url)).await;
    let systems = || {
        provider
            .requests()
            .iter()
            .map(|request| system_of(&request.body))
            .collect::<Vec<_>>()
    };
    let session = engine.session().await;
    engine.ask(&session, "before").await;
    assert!(!systems()[0].contains("Weekly report"));

    let write = |text: &str| SkillWrite {
        workspace: workspace(),
        slug: "report".into(),
        text: text.into(),
    };
    engine.ops.skill_write(&caller(), write(REPORT)).await.unwrap();
    engine.ask(&session, "after").await;
    let last = systems().pop().unwrap();
    assert!(
        last.contains("report (“Weekly report”): When the report of the week is asked for."),
        "{last}"
    );
    assert!(last.contains("skills/report/SKILL.md"), "{last}");

    // A person edits the file in their editor: clients are told, and the next turn knows.
    let mut facts = engine.engine.events().subscribe();
    let file = engine.home.path().join("workspaces/my-workspace/skills/report/SKILL.md");
    std::fs::write(&file, REPORT.replace("of the week", "of the month")).unwrap();
    told(&mut facts, |fact| matches!(fact, Fact::WorkspacesChanged {})).await;
    eventually("the next turn knows what is on the disk", async || {
        engine.ask(&session, "again").await;
        systems().pop().unwrap().contains("report of the month").then_some(())
    })
    .await;

    let refused = engine.ops.skill_write(&caller(), write("no head")).await.unwrap_err();
    assert!(refused.message.starts_with("text:"), "{refused:?}");
    let gone = SkillRef {
        workspace: workspace(),
        slug: "report".into(),
    };
    engine.ops.skill_remove(&caller(), gone).await.unwrap();
    engine.ask(&session, "without").await;
    assert!(!systems().pop().unwrap().contains("Weekly report"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_tells_about_themselves_reaches_the_next_turn_and_survives_a_restart() {
    let provider = FakeProvider::start(Script::respond(|_, _| Answer::text("Yes."))).await.unwrap();
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    provider_set(&engine, format!("{}/v1", provider.base_url)).await;
    let tell = |value: Value| {
        let mut all = json!({ "name": null, "timezone": null, "language": null, "city": null, "country": null, "notes": null });
        for (key, value) in value.as_object().unwrap() {
            all[key] = value.clone();
        }
        serde_json::from_value::<Preferences>(all).unwrap()
    };
    let zone = engine
        .ops
        .preference_set(&caller(), tell(json!({ "timezone": "Mars/Olympus" })))
        .await
        .unwrap_err();
    assert!(zone.message.starts_with("timezone:"), "{zone:?}");
    engine
        .ops
        .preference_set(&caller(), tell(json!({ "name": "Mara", "city": "Oslo" })))
        .await
        .unwrap();
    let engine = engine.restart().await;
    let known = engine.ops.preference_get(&caller(), Empty {}).await.unwrap();
    assert_eq!((known.name.as_deref(), known.city.as_deref()), (Some("Mara"), Some("Oslo")));
    let session = engine.session().await;
    engine.ask(&session, "hi").await;
    let system = provider.requests().last().map(|request| system_of(&request.body)).unwrap();
    assert!(system.contains("Name: Mara") && system.contains("Place: Oslo"), "{system}");
    engine.engine.shutdown().await;
}

async fn provider_set(engine: &TestEngine, base_url: String) {
    let settings = ProviderSettings {
        id: "fake".into(),
        kind: ProviderKind::OpenaiChat,
        base_url: Some(base_url),
        model: "m".into(),
        max_tokens: None,
    };
    let set = ModelSet {
        settings,
        api_key: Some("k".into()),
        key_env: None,
        default: true,
    };
    engine.ops.model_set(&caller(), set).await.unwrap();
}

fn system_of(request: &Value) -> String {
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let system = messages
        .iter()
        .find(|m| ["system", "developer"].iter().any(|role| m["role"] == *role));
    system.map(|m| m["content"].to_string().replace("\\n", "\n")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_is_made_set_up_and_used_for_new_sessions() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let mut facts = engine.engine.events().subscribe();
    let made = engine
        .ops
        .workspace_create(
            &caller(),
            WorkspaceCreate {
                name: "Night shift".into(),
            },
        )
        .await
        .unwrap();
    told(&mut facts, |fact| matches!(fact, Fact::WorkspacesChanged {})).await;
    assert_eq!((made.id.as_str(), made.active), ("night-shift", false));
    // Beside the home: what lies in it is the app's own.
    let folder = engine.home.path().parent().unwrap().join("project");
    std::fs::create_dir_all(&folder).unwrap();
    let change = update(json!({ "id": "night-shift", "mode": "allow-all", "workingDirectory": folder }));
    let settings = engine.ops.workspace_update(&caller(), change).await.unwrap();
    assert_eq!(settings.mode, Some(PermissionMode::AllowAll));
    assert!(
        engine
            .ops
            .workspace_activate(&caller(), WorkspaceRef { id: made.id.clone() })
            .await
            .unwrap()
            .active
    );
    let engine = engine.restart().await;
    let session = engine.session().await;
    let summary = engine.detail(&session).await.summary;
    assert_eq!(
        (summary.workspace.as_str(), summary.mode),
        ("night-shift", PermissionMode::AllowAll)
    );
    assert_eq!(summary.working_directory.as_deref(), folder.canonicalize().unwrap().to_str());

    for (change, why) in [
        (json!({ "model": "nobody" }), "nobody"),
        (json!({ "workingDirectory": "not/absolute" }), "workingDirectory"),
        (json!({ "name": " " }), "name:"),
    ] {
        let refused = engine.ops.workspace_update(&caller(), update(change)).await.unwrap_err();
        assert!(refused.message.contains(why), "{refused:?}");
    }
    let unknown = engine
        .ops
        .workspace_get(
            &caller(),
            WorkspaceRef {
                id: WorkspaceId::new("nowhere").unwrap(),
            },
        )
        .await;
    assert_eq!(unknown.unwrap_err().code, ErrorCode::NotFound);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_sessions_carry_cannot_be_left_out() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let session = engine.session().await;
    let mark = |status: &str| -> SessionUpdate { serde_json::from_value(json!({ "id": session, "status": status })).unwrap() };
    engine.ops.session_update(&caller(), mark("backlog")).await.unwrap();
    let fixed =
        json!({ "statuses": [{ "id": "todo", "label": "Todo" }, { "id": "done", "label": "Done" }, { "id": "cancelled", "label": "No" }] });
    let refused = engine.ops.workspace_update(&caller(), update(fixed.clone())).await.unwrap_err();
    assert!(
        refused.code == ErrorCode::Conflict && refused.message.contains("carries “backlog”"),
        "{refused:?}"
    );
    engine.ops.session_update(&caller(), mark("done")).await.unwrap();
    let settings = engine.ops.workspace_update(&caller(), update(fixed)).await.unwrap();
    assert_eq!(settings.statuses.0.as_array().unwrap().len(), 3);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_an_export_files_and_tokens_are_there_after_a_restart() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let id = engine.session().await;
    engine.ask(&id, "a pear, please").await;
    let notes = |text: Option<&str>| SessionNotes {
        id: id.clone(),
        text: text.map(str::to_owned),
    };
    engine.ops.session_notes(&caller(), notes(Some("ask Jon"))).await.unwrap();
    let folder = engine.home.path().join("workspaces/my-workspace");
    std::fs::create_dir_all(folder.join("papers")).unwrap();
    std::fs::write(folder.join("papers/pear.md"), "x").unwrap();
    let engine = engine.restart().await;
    assert_eq!(
        engine.ops.session_notes(&caller(), notes(None)).await.unwrap().text.as_deref(),
        Some("ask Jon")
    );
    let find = FileFind {
        session: id.clone(),
        query: "pear".into(),
    };
    let hits = engine.ops.file_find(&caller(), find).await.unwrap();
    assert_eq!(hits.iter().map(|hit| hit.path.as_str()).collect::<Vec<_>>(), ["papers/pear.md"]);
    let export = |format: &str| SessionExport {
        id: id.clone(),
        format: format.into(),
    };
    let text = engine.ops.session_export(&caller(), export("markdown")).await.unwrap();
    assert!(text.name.ends_with(".md") && text.text.contains("\na pear, please\n"), "{text:?}");
    let whole: Value = serde_json::from_str(&engine.ops.session_export(&caller(), export("json")).await.unwrap().text).unwrap();
    assert_eq!(whole["messages"][0]["content"], "a pear, please");
    assert!(
        engine
            .ops
            .session_export(&caller(), export("pdf"))
            .await
            .unwrap_err()
            .message
            .contains("pdf")
    );
    let usage = engine.ops.usage_get(&caller(), UsageGet { days: 2 }).await.unwrap();
    let turns: u64 = usage.iter().map(|row| row.turns.0).sum();
    assert!(turns == 1 && usage[0].input.0 + usage[0].output.0 > 0, "{usage:?}");
    assert!(engine.ops.usage_get(&caller(), UsageGet { days: 0 }).await.is_err());
    engine.ops.session_notes(&caller(), notes(Some(""))).await.unwrap();
    assert!(!folder.join("sessions").join(id.as_str()).join("notes.md").exists());
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_keeps_workspaces_skills_preferences_notes_and_exports() {
    let home = TestHome::with_plugins(&[]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let with_input = |args: &[&str], input: &str| {
        let mut child = kata
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    tokio::task::block_in_place(|| {
        assert_eq!(kata.json(&["workspaces", "create", "Night shift"])["id"], "night-shift");
        assert_eq!(kata.json(&["workspaces", "set", "night-shift", "--mode", "ask"])["mode"], "ask");
        assert_eq!(kata.json(&["workspaces", "use", "night-shift"])["active"], true);
        assert_eq!(kata.json(&["workspaces", "list"]).as_array().unwrap().len(), 2);
        assert_eq!(kata.json(&["workspaces", "statuses", "night-shift"])[1]["id"], "todo");
        let labels = with_input(
            &["workspaces", "labels", "night-shift", "--write"],
            r#"[{"id":"late","name":"Late"}]"#,
        );
        assert!(labels.status.success(), "{}", String::from_utf8_lossy(&labels.stderr));
        assert_eq!(kata.json(&["workspaces", "labels", "night-shift"])[0]["name"], "Late");

        let written = with_input(&["skills", "write", "report"], REPORT);
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        assert_eq!(kata.json(&["skills", "list"])[0]["name"], "Weekly report");
        assert!(
            kata.json(&["skills", "show", "report"])["text"]
                .as_str()
                .unwrap()
                .contains("Three parts")
        );
        let broken = with_input(&["skills", "write", "report"], "no head");
        assert!(!broken.status.success() && String::from_utf8_lossy(&broken.stderr).contains("SKILL.md"));
        kata.json(&["skills", "remove", "report"]);
        assert_eq!(kata.json(&["skills", "list"]), json!([]));

        assert_eq!(
            kata.json(&["preferences", "set", "name=Mara", "language=Norsk"])["language"],
            "Norsk"
        );
        assert_eq!(kata.json(&["preferences", "set", "language="])["language"], Value::Null);
        assert!(kata.run(&["chat", "--new", "-m", "a quince"]).status.success());
        let id = kata.json(&["sessions", "list"])["sessions"][0]["id"].as_str().unwrap().to_owned();
        assert!(with_input(&["notes", &id, "--write"], "remember\n").status.success());
        assert_eq!(kata.json(&["notes", &id])["text"], "remember");
        let text = kata.run(&["export", &id]);
        assert!(String::from_utf8_lossy(&text.stdout).contains("a quince"));
        let out = home.path().join("out.md");
        kata.json(&["export", &id, "--out", out.to_str().unwrap()]);
        assert!(std::fs::read_to_string(&out).unwrap().contains("a quince"));
        assert!(
            !kata.run(&["export", &id, "--out", out.to_str().unwrap()]).status.success(),
            "nothing is written over"
        );
        assert_eq!(kata.json(&["usage"])[0]["turns"], 1);
        assert!(kata.json(&["files", &id]).is_array());
        assert_eq!(kata.json(&["git", &id])["branch"], Value::Null);
    });
    serve.stop().await;
    eventually("it has ended", async || (!home.path().join("gateway.json").exists()).then_some(())).await;
}
