//! Further accounts of a channel: copies of its plugin that share its files and nothing else.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use serde_json::json;

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn reference(source: &str) -> SourceRef {
    SourceRef { id: id(source) }
}

fn home(plugins: &[&str]) -> TestHome {
    let home = TestHome::with_plugins(plugins);
    for workspace in ["one", "two"] {
        std::fs::create_dir_all(home.path().join("workspaces").join(workspace).join("sessions")).unwrap();
    }
    home
}

async fn add(engine: &TestEngine, channel: &str, name: &str, workspace: Option<&str>) -> Result<SourceSummary, WireError> {
    let add = AccountAdd {
        channel: id(channel),
        name: name.into(),
        workspace: workspace.map(id),
    };
    engine.ops.account_add(&caller(), add).await
}

async fn open(engine: &TestEngine, source: &str) {
    let policy = serde_json::from_value(json!({ "id": source, "policy": "open" })).unwrap();
    engine.ops.channel_policy(&caller(), policy).await.unwrap();
    let enable = SourceEnable {
        id: id(source),
        enabled: true,
        workspace: None,
    };
    engine.ops.source_enable(&caller(), enable).await.unwrap();
}

async fn sources(engine: &TestEngine) -> Vec<String> {
    let list = engine.ops.source_list(&caller(), Empty {}).await.unwrap();
    list.into_iter().filter(|s| s.plugin.is_some()).map(|s| s.id.to_string()).collect()
}

/// Two accounts of `loop`, each with a platform and a workspace of its own.
async fn two() -> (FakePlatform, FakePlatform, TestEngine) {
    let (first, second) = (FakePlatform::start().await, FakePlatform::start().await);
    let home = home(&["loop"]);
    home.settings(&json!({
        "plugins": { "loop": { "settings": { "base": first.base } } },
        "sources": { "channel:loop": { "enabled": true, "policy": "open", "workspace": "one" } },
    }));
    let engine = TestEngine::start(home).await;
    engine.plugin_up("loop").await;
    let added = add(&engine, "loop", "work", Some("two")).await.unwrap();
    assert_eq!(
        (added.id.as_str(), added.name.as_str(), added.enabled),
        ("channel:loop@work", "Loop · work", false)
    );
    assert_eq!(added.workspace, Some(id("two")));
    let settings = SourceConfigure {
        id: id("channel:loop@work"),
        settings: Json(json!({ "base": second.base })),
    };
    engine.ops.source_configure(&caller(), settings).await.unwrap();
    open(&engine, "channel:loop@work").await;
    (first, second, engine)
}

/// What one message in each account came to; `n` is how many each has had.
async fn never_mix(first: &FakePlatform, second: &FakePlatform, engine: &TestEngine, n: usize) {
    first.write("ada", &format!("to the first, {n}"));
    second.write("ada", &format!("to the second, {n}"));
    for (platform, word, other) in [(first, "first", "second"), (second, "second", "first")] {
        let sent = platform.delivered(n).await;
        let text = &sent.last().unwrap().message.text;
        assert!(text.contains(&format!("to the {word}, {n}")) && !text.contains(other), "{text}");
    }
    let of_channels = SessionList {
        channel: Some(true),
        ..SessionList::default()
    };
    let page = engine.ops.session_list(&caller(), of_channels).await.unwrap();
    let mut found: Vec<_> = page
        .sessions
        .iter()
        .map(|s| {
            let channel = s.channel.clone().unwrap();
            (s.workspace.to_string(), channel.adapter, channel.slug)
        })
        .collect();
    found.sort();
    let row = |workspace: &str, slug: &str| (workspace.to_owned(), "loop".to_owned(), slug.to_owned());
    assert_eq!(
        found,
        [row("one", "loop"), row("two", "loop@work")],
        "the same person, two conversations"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_one_channel_in_two_workspaces_never_mix_also_after_a_restart() {
    let (first, second, engine) = two().await;
    never_mix(&first, &second, &engine, 1).await;
    let tools: Vec<String> = engine
        .ops
        .tool_list(&caller(), Empty {})
        .await
        .unwrap()
        .into_iter()
        .map(|t| t.name)
        .collect();
    for name in ["count", "count_work", "change", "change_work"] {
        assert!(tools.iter().any(|t| t == name), "{name} is not in {tools:?}");
    }
    let list = engine.ops.plugin_list(&caller(), Empty {}).await.unwrap();
    let list: Vec<_> = list.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(list, ["loop", "loop@work"], "a copy stands behind its original");

    let engine = engine.restart().await;
    engine.plugin_up("loop@work").await;
    never_mix(&first, &second, &engine, 2).await;
    // Each has a cursor of its own, so neither took a message twice.
    let ledger = engine.ledger().await;
    assert_eq!((ledger.accepted.0, ledger.refused.0), (4, 0), "{ledger:?}");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_account_leaves_nothing_and_one_of_its_name_begins_with_nothing() {
    let (first, second, engine) = two().await;
    never_mix(&first, &second, &engine, 1).await;
    let folder = engine.home.path().join("services/loop@work");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("kept.txt"), "kept").unwrap();
    let first_account = engine.ops.account_remove(&caller(), reference("channel:loop")).await.unwrap_err();
    assert!(
        first_account.code == ErrorCode::Invalid && first_account.message.contains("“id”"),
        "{}",
        first_account.message
    );

    engine.ops.account_remove(&caller(), reference("channel:loop@work")).await.unwrap();
    assert_eq!(sources(&engine).await, ["channel:loop", "channel:plain"]);
    let settings = std::fs::read_to_string(engine.home.path().join("settings.json")).unwrap();
    assert!(!settings.contains("@work") && !settings.contains("\"work\""), "{settings}");
    assert!(!folder.exists());
    let keys = engine.ops.route_keys(&caller(), Empty {}).await.unwrap();
    assert!(keys.len() == 1 && keys[0].key.as_str().starts_with("loop:"), "{keys:?}");
    let again = engine
        .ops
        .account_remove(&caller(), reference("channel:loop@work"))
        .await
        .unwrap_err();
    assert_eq!(again.code, ErrorCode::NotFound);
    let sessions = engine.ops.session_list(&caller(), SessionList::default()).await.unwrap();
    assert_eq!(sessions.total, 2, "what was said stays");
    let engine = engine.restart().await;
    engine.plugin_up("loop").await;
    assert_eq!(sources(&engine).await, ["channel:loop", "channel:plain"]);

    let added = add(&engine, "loop", "work", None).await.unwrap();
    assert!(!added.enabled);
    let detail = engine.ops.source_get(&caller(), reference("channel:loop@work")).await.unwrap();
    assert_eq!(detail.settings.0, json!({ "base": "http://127.0.0.1:9" }));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_is_refused_by_the_name_of_its_field() {
    let engine = TestEngine::start(home(&["loop"])).await;
    engine.plugin_up("loop").await;
    for name in ["", "Work", "a@b", "a b", "../x", &"x".repeat(25)] {
        let error = add(&engine, "loop", name, None).await.unwrap_err();
        assert!(
            error.code == ErrorCode::Invalid && error.message.contains("“name”"),
            "{name}: {}",
            error.message
        );
    }
    let error = add(&engine, "loop", "work", Some("nowhere")).await.unwrap_err();
    assert!(
        error.code == ErrorCode::Invalid && error.message.contains("“workspace”"),
        "{}",
        error.message
    );
    let error = add(&engine, "nothing", "work", None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
    add(&engine, "loop", "work", None).await.unwrap();
    let error = add(&engine, "loop", "work", None).await.unwrap_err();
    assert!(
        error.code == ErrorCode::Conflict && error.message.contains("“name”"),
        "{}",
        error.message
    );
    let error = add(&engine, "loop@work", "more", None).await.unwrap_err();
    assert!(error.message.contains("“channel”"), "{}", error.message);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_one_copy_leaves_the_other_alone_and_both_end_with_their_original() {
    let home = home(&["guided"]);
    home.settings(&json!({
        "plugins": {
            "guided": { "settings": { "team": "blue", "limit": 1 } },
            "guided@work": { "settings": { "team": "red", "limit": 1, "lies": "spin" } },
        },
        "accounts": { "guided": { "work": {} } },
        "sources": { "channel:guided": { "enabled": true }, "channel:guided@work": { "enabled": true } },
    }));
    let engine = TestEngine::start(home).await;
    for plugin in ["guided", "guided@work"] {
        engine.plugin_up(plugin).await;
    }
    let state = async |source: &str| {
        engine
            .ops
            .source_get(&caller(), reference(source))
            .await
            .unwrap()
            .summary
            .status
            .state
    };
    for source in ["channel:guided", "channel:guided@work"] {
        eventually("it runs", async || (state(source).await == RunState::Running).then_some(())).await;
    }
    let session = engine.session().await;
    for (tool, said) in [("list_guided", "first knows 0"), ("list_guided_work", "work knows 0")] {
        let detail = engine.ask(&session, &format!("/tool {tool} {{}}")).await;
        let text = &detail.messages.last().unwrap().content;
        assert!(text.contains(said), "a copy's tool calls its channel by the plain name: {text}");
    }
    let plugins = async || engine.ops.plugin_list(&caller(), Empty {}).await.unwrap();
    engine
        .ops
        .channel_probe(&caller(), reference("channel:guided@work"))
        .await
        .unwrap_err();
    eventually("the fault is told", async || {
        plugins().await[1].faults.first().filter(|f| f.kind == "cpu").map(|_| ())
    })
    .await;
    let first = plugins().await.remove(0);
    assert!(
        first.id.as_str() == "guided" && first.faults.is_empty() && first.generation == 1,
        "{first:?}"
    );
    assert_eq!(state("channel:guided").await, RunState::Running);
    assert!(engine.ops.channel_probe(&caller(), reference("channel:guided")).await.is_ok());

    let secret = PluginSecret {
        id: id("guided@work"),
        name: "token".into(),
        value: Some("theirs!".into()),
    };
    engine.ops.plugin_secret(&caller(), secret).await.unwrap();
    let detail = engine.ops.source_get(&caller(), reference("channel:guided")).await.unwrap();
    assert!(!detail.secrets[0].set, "a secret is its account's alone");

    let off = PluginEnable {
        id: id("guided"),
        enabled: false,
    };
    engine.ops.plugin_enable(&caller(), off).await.unwrap();
    assert!(
        plugins().await.iter().all(|p| !p.enabled && p.status.state == RunState::Stopped),
        "{:?}",
        plugins().await
    );
    let alone = PluginEnable {
        id: id("guided@work"),
        enabled: true,
    };
    let error = engine.ops.plugin_enable(&caller(), alone).await.unwrap_err();
    assert!(
        error.code == ErrorCode::Conflict && error.message.contains("“guided”"),
        "{}",
        error.message
    );
    engine.engine.shutdown().await;
}
