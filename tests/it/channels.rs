//! What a person does with a channel before and beside its messages: set it up, look at its platform, sign out.

use kata_protocol::*;
use kata_tests::{Kata, TestEngine, TestHome, caller, eventually};
use serde_json::json;
use std::io::Write;
use std::process::Stdio;
use tokio::task::block_in_place;

fn source(id: &str) -> SourceId {
    SourceId::new(id).unwrap()
}

fn reference(id: &str) -> SourceRef {
    SourceRef { id: source(id) }
}

async fn step(engine: &TestEngine, id: &str, answer: Option<(&str, &str)>) -> Result<SetupStep, WireError> {
    let answer = answer.map(|(name, value)| SetupAnswer {
        name: name.into(),
        value: value.into(),
    });
    engine.ops.channel_setup(&caller(), ChannelSetup { id: source(id), answer }).await
}

fn asks(step: &SetupStep) -> (&str, Option<&str>) {
    match step {
        SetupStep::Input { field, error, .. } | SetupStep::Choice { field, error, .. } => (field, error.as_deref()),
        SetupStep::Secret { secret, error, .. } => (secret, error.as_deref()),
        other => panic!("{other:?} asks for nothing"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_off_and_has_nothing_is_set_up_step_by_step_and_then_runs() {
    let engine = TestEngine::start(TestHome::with_plugins(&["guided"])).await;
    let id = "channel:guided";
    assert_eq!(
        asks(&step(&engine, id, None).await.unwrap()),
        ("team", None),
        "without it the plugin cannot be loaded"
    );
    let short = step(&engine, id, Some(("team", "x"))).await.unwrap_err();
    assert_eq!(short.code, ErrorCode::Invalid);
    assert!(
        short.message.contains("answer.value") && short.message.contains("“team”"),
        "{}",
        short.message
    );
    let unknown = step(&engine, id, Some(("colour", "red"))).await.unwrap_err();
    assert!(
        unknown.message.contains("“answer.name”") && unknown.message.contains("token, team"),
        "{}",
        unknown.message
    );

    assert_eq!(asks(&step(&engine, id, Some(("team", "blue"))).await.unwrap()), ("token", None));
    let empty = step(&engine, id, Some(("token", " \n"))).await.unwrap_err();
    assert_eq!(empty.details.unwrap().0, json!({ "field": "token" }));
    let refused = step(&engine, id, Some(("token", "wrong"))).await.unwrap();
    assert_eq!(asks(&refused), ("token", Some("The platform refuses the token.")));
    assert_eq!(
        asks(&step(&engine, id, Some(("token", " right!\n"))).await.unwrap()),
        ("limit", None)
    );
    let word = step(&engine, id, Some(("limit", "many"))).await.unwrap_err();
    assert!(word.message.contains("“limit” must be a number"), "{}", word.message);
    let done = step(&engine, id, Some(("limit", "3"))).await.unwrap();
    assert_eq!(
        done,
        SetupStep::Done {
            account: AccountId::new("blue").unwrap(),
            name: "blue (3)".into()
        }
    );
    let row = engine.ops.source_get(&caller(), reference(id)).await.unwrap();
    assert!(!row.summary.enabled, "who sets it up decides when it begins");
    assert_eq!(row.settings.0, json!({"lies": "", "team": "blue", "limit": 3}));

    let enable = SourceEnable {
        id: source(id),
        enabled: true,
        workspace: None,
    };
    engine.ops.source_enable(&caller(), enable).await.unwrap();
    let engine = engine.restart().await;
    eventually("it runs after a restart", async || {
        let row = engine.ops.source_get(&caller(), reference(id)).await.ok()?;
        (row.summary.status.state == RunState::Running).then_some(())
    })
    .await;
    assert_eq!(step(&engine, id, None).await.unwrap(), done, "what was answered is kept");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_a_wizard_is_asked_for_what_its_manifest_needs() {
    let engine = TestEngine::start(TestHome::with_plugins(&["bare"])).await;
    let id = "channel:bare";
    let first = step(&engine, id, None).await.unwrap();
    let SetupStep::Input { field, title, help, .. } = &first else {
        panic!("{first:?}")
    };
    assert_eq!((field.as_str(), title.as_str(), help.as_str()), ("server", "Server", "Its name."));
    let choice = step(&engine, id, Some(("server", "s"))).await.unwrap();
    let SetupStep::Choice { field, options, .. } = &choice else {
        panic!("{choice:?}")
    };
    assert_eq!((field.as_str(), options.len()), ("region", 2));
    let other = step(&engine, id, Some(("region", "mars"))).await.unwrap_err();
    assert!(other.message.contains("“region”"), "{}", other.message);
    assert_eq!(asks(&step(&engine, id, Some(("region", "eu"))).await.unwrap()).0, "first");
    assert_eq!(asks(&step(&engine, id, Some(("first", "1"))).await.unwrap()).0, "second");
    let done = step(&engine, id, Some(("second", "2"))).await.unwrap();
    assert!(matches!(done, SetupStep::Done { .. }), "{done:?}");
    let error = engine.ops.channel_probe(&caller(), reference(id)).await.unwrap_err();
    assert!(
        error.code == ErrorCode::Conflict && error.message.contains("bare"),
        "{}",
        error.message
    );
    let directory = engine.ops.channel_directory(&caller(), reference(id)).await.unwrap();
    assert_eq!(directory, ChannelDirectory::default(), "what it does not offer is absent");
    engine.engine.shutdown().await;
}

async fn guided(lies: &str) -> TestEngine {
    let home = TestHome::with_plugins(&["guided"]);
    home.settings(&json!({
        "plugins": { "guided": { "settings": { "team": "blue", "limit": 1, "lies": lies } } },
        "sources": { "channel:guided": { "policy": "open" } },
    }));
    let engine = TestEngine::start(home).await;
    engine.plugin_up("guided").await;
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_off_is_probed_audited_and_asked_whom_it_knows() {
    let engine = guided("").await;
    let id = reference("channel:guided");
    let probe = engine.ops.channel_probe(&caller(), id.clone()).await.unwrap();
    assert_eq!((probe.ok, probe.latency_ms), (false, 7), "there is no token yet");
    let codes: Vec<String> = engine
        .ops
        .channel_audit(&caller(), id.clone())
        .await
        .unwrap()
        .into_iter()
        .map(|warning| warning.code)
        .collect();
    assert_eq!(codes, ["no_privacy", "policy_open"]);
    let directory = engine.ops.channel_directory(&caller(), id.clone()).await.unwrap();
    assert_eq!(directory.me.unwrap().id.as_str(), "bot");
    assert_eq!(directory.peers.unwrap().len(), 1);
    assert_eq!(directory.groups, None);
    let service = engine.ops.channel_probe(&caller(), reference("channel:none")).await.unwrap_err();
    assert_eq!(service.code, ErrorCode::NotFound);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_fit_is_the_plugins_fault_by_part_and_field() {
    for (lie, words) in [
        ("step", "setup.next: title: must be a text"),
        ("undeclared", "setup.next: secret: “other” is not in the manifest"),
        ("probe", "status.probe: ok: expected a boolean"),
        ("peers", "directory.peers: [0].chatType: expected one of"),
    ] {
        let engine = guided(lie).await;
        let id = reference("channel:guided");
        let error = match lie {
            "probe" => engine.ops.channel_probe(&caller(), id).await.unwrap_err(),
            "peers" => engine.ops.channel_directory(&caller(), id).await.unwrap_err(),
            _ => step(&engine, "channel:guided", None).await.unwrap_err(),
        };
        assert_eq!(error.code, ErrorCode::Upstream, "{lie}");
        assert!(error.message.contains(words), "{lie}: {}", error.message);
        let plugin = engine.ops.plugin_list(&caller(), Empty {}).await.unwrap().remove(0);
        assert_eq!(plugin.status.state, RunState::Running, "it goes on");
        if lie != "undeclared" {
            let fault = plugin.faults.first().unwrap();
            assert!(fault.kind == "bad_result" && fault.message.contains(words), "{fault:?}");
        }
        engine.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_switches_the_channel_off_and_forgets_its_secrets_once_the_platform_knows() {
    let secret = |engine: &TestEngine| {
        let ops = std::sync::Arc::clone(&engine.ops);
        async move {
            let detail = ops.source_get(&caller(), reference("channel:guided")).await.unwrap();
            (detail.summary.enabled, detail.secrets[0].set)
        }
    };
    for (lie, left) in [("logout", true), ("", false)] {
        let engine = guided(lie).await;
        step(&engine, "channel:guided", Some(("token", "right!"))).await.unwrap();
        let enable = SourceEnable {
            id: source("channel:guided"),
            enabled: true,
            workspace: None,
        };
        engine.ops.source_enable(&caller(), enable).await.unwrap();
        assert_eq!(secret(&engine).await, (true, true));
        let out = engine.ops.channel_logout(&caller(), reference("channel:guided")).await;
        assert_eq!(out.is_err(), left, "{out:?}");
        assert_eq!(
            secret(&engine).await,
            (false, left),
            "{lie}: off, and the secret is kept where the platform did not answer"
        );
        engine.engine.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_sets_a_channel_up_and_is_told_what_is_missing_by_name_and_exit_code() {
    let home = TestHome::with_plugins(&["guided"]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let run = |args: &[&str], input: &str| {
        block_in_place(|| {
            let mut command = kata.command(args);
            let mut child = command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
            (output.status.code(), text(output.stdout), text(output.stderr))
        })
    };
    let (code, out, told) = run(&["channels", "setup", "guided", "--answer", "team=blue", "--json"], "");
    assert_eq!(code, Some(4), "{told}");
    let step: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((step["kind"].as_str(), step["secret"].as_str()), (Some("secret"), Some("token")));
    assert!(told.contains("“token”"), "{told}");

    let (code, _, told) = run(&["channels", "setup", "guided", "--answer", "token=-"], "wrong\n");
    assert!(
        code == Some(4) && told.contains("The platform refuses the token."),
        "{code:?} {told}"
    );
    let (code, _, told) = run(&["channels", "setup", "guided", "--answer", "limit=many"], "");
    assert!(code == Some(2) && told.contains("limit"), "{code:?} {told}");
    let args = [
        "channels", "setup", "guided", "--answer", "limit=3", "--answer", "token=-", "--enable",
    ];
    let (code, out, told) = run(&args, "right!\n");
    assert!(code == Some(0) && out.contains("blue (3)"), "{code:?} {out}{told}");
    assert!(!out.contains("right!") && !told.contains("right!"));
    let list = block_in_place(|| kata.json(&["channels", "list"]));
    assert_eq!(
        (list[0]["id"].as_str(), list[0]["enabled"].as_bool()),
        (Some("channel:guided"), Some(true))
    );

    let (code, out, _) = run(&["channels", "probe", "guided"], "");
    assert!(code == Some(0) && out.contains("It answers."), "{out}");
    let (code, out, _) = run(&["channels", "audit", "guided"], "");
    assert!(code == Some(0) && out.contains("no_privacy"), "{out}");
    let (code, out, _) = run(&["channels", "directory", "guided"], "");
    assert!(
        code == Some(0) && out.contains("Ann") && out.contains("groups: the channel does not list them"),
        "{out}"
    );
    let (code, _, told) = run(&["channels", "accounts", "add", "guided", "Bad Name"], "");
    assert!(code == Some(2) && told.contains("“name”"), "{told}");
    let (code, out, _) = run(&["channels", "accounts", "add", "guided", "work"], "");
    assert!(code == Some(0) && out.contains("guided@work"), "{out}");
    let (code, _, told) = run(&["channels", "accounts", "remove", "guided@work"], "");
    assert_eq!(code, Some(4), "a person has to agree: {told}");
    let (code, ..) = run(&["channels", "accounts", "remove", "guided@work", "-y"], "");
    assert_eq!(code, Some(0));
    let (code, out, _) = run(&["channels", "logout", "guided", "-y"], "");
    assert!(code == Some(0) && out.contains("off"), "{out}");
    let (code, ..) = run(&["channels", "probe", "guided"], "");
    assert_eq!(code, Some(1), "it has no token any more");
    serve.stop().await;
}
