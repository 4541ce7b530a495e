//! Nobody gets what was meant for somebody else: channels whose ids are the same, and one that lies about who it is.

use kata_core::ports::PluginStateStore;
use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use serde_json::json;

/// Text of the reply that only the questioner may read.
fn question(secret: &str) -> String {
    format!(r#"/tool say {{"text":"{secret}"}}"#)
}

async fn sessions(engine: &TestEngine) -> Vec<SessionSummary> {
    let channels = SessionList {
        channel: Some(true),
        ..SessionList::default()
    };
    engine.ops.session_list(&caller(), channels).await.unwrap().sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_lies_about_its_name_reaches_no_conversation_of_another_one() {
    let (honest, lying) = (FakePlatform::start().await, FakePlatform::start().await);
    let home = TestHome::with_plugins(&["loop", "liar"]);
    let mut settings = TestHome::loop_settings(&honest.base, true);
    settings["plugins"]["liar"] = json!({ "settings": { "base": lying.base } });
    settings["sources"]["channel:liar"] = json!({ "enabled": true, "policy": "open" });
    home.settings(&settings);
    let engine = TestEngine::start(home).await;
    // The same account, the same conversation, the same person on both.
    honest.write("ada", "the code of the door is 4711");
    honest.delivered(1).await;
    lying.write("ada", "what did I tell you before?");
    lying.delivered(1).await;
    let plugin = PluginId::new("liar").unwrap();
    let store = kata_store::SqliteStore::open(&engine.home.path().join("kata.db")).unwrap();
    let told = eventually("the liar has tried everything", async || {
        PluginStateStore::get(&*store, &plugin, "told").await.ok()?
    })
    .await;
    let told: Vec<String> = serde_json::from_value(told.0).unwrap();
    let (lies, written_as_itself) = told.split_at(3);
    assert!(lies.iter().all(|told| told != "taken"), "no lie was taken: {told:?}");
    // The host does not ask a text how it wants to be written, so this is one more message of the liar's own.
    assert_eq!(written_as_itself, ["taken"]);
    let all = sessions(&engine).await;
    assert_eq!(all.len(), 2, "one session each: {all:?}");
    for session in &all {
        let detail = engine.detail(&session.id).await;
        let words: String = detail.messages.iter().map(|m| m.content.as_str()).collect();
        let knows_code = words.contains("4711");
        let of_loop = session.channel.as_ref().unwrap().adapter == "loop";
        assert_eq!(knows_code, of_loop, "{:?}: {words}", session.channel);
    }
    assert_eq!(honest.sent().len(), 1, "nothing of the liar's came to the other platform");
    assert!(lying.sent().iter().all(|s| !s.message.text.contains("4711")), "{:?}", lying.sent());
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_channels_of_one_plugin_and_two_people_who_are_named_alike_never_read_each_others_answers() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop", "unruly"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let engine = TestEngine::start(home).await;
    engine.plugin_up("unruly").await;
    let mut asked = Vec::new();
    // Names that are alike to the eye, to case folding, or to a separator.
    for (n, person) in ["ada", "Ada", "ada/", "a/da", "ada:1", "ada\u{200b}", "аda", "ada "]
        .into_iter()
        .enumerate()
    {
        let secret = format!("secret-{n}");
        platform.write(person, &question(&secret));
        asked.push((person, secret));
    }
    let sent = platform.delivered(asked.len()).await;
    assert_eq!(sent.len(), asked.len());
    for (person, secret) in &asked {
        let theirs: Vec<_> = sent.iter().filter(|s| s.message.route.conversation.as_str() == *person).collect();
        assert_eq!(theirs.len(), 1, "{person:?}");
        assert!(
            theirs[0].message.text.contains(secret.as_str()),
            "{person:?} reads {:?}",
            theirs[0].message.text
        );
    }
    assert_eq!(sessions(&engine).await.len(), asked.len());
    engine.engine.shutdown().await;
}
