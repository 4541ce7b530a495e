//! Defects of the earlier Electron app that concern routing, each by the sentence that was written about it.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use serde_json::json;

async fn with_loop(change: impl FnOnce(&mut serde_json::Value)) -> (FakePlatform, TestEngine) {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    let mut settings = TestHome::loop_settings(&platform.base, true);
    change(&mut settings);
    home.settings(&settings);
    (platform, TestEngine::start(home).await)
}

async fn sessions(engine: &TestEngine) -> Vec<SessionSummary> {
    let channels = SessionList {
        channel: Some(true),
        ..SessionList::default()
    };
    engine.ops.session_list(&caller(), channels).await.unwrap().sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_1_all_unthreaded_messages_of_a_channel_share_one_session() {
    let (platform, engine) = with_loop(|_| {}).await;
    platform.write("alice", "my password is hunter2");
    platform.write("bob", "what did the others say?");
    platform.write_in("room", "alice", "group", "hello all");
    platform.delivered(3).await;
    let all = sessions(&engine).await;
    assert_eq!(all.len(), 3, "two people and a group");
    for session in all {
        let detail = engine.detail(&session.id).await;
        let users = detail.messages.iter().filter(|m| m.kind == MessageKind::User).count();
        assert_eq!(users, 1, "nothing of another conversation is in it");
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_3_one_invalid_rule_stops_every_channel_of_every_workspace() {
    let (platform, engine) = with_loop(|settings| {
        settings["routing"] = json!({"bindings": [{"id": "wrong", "match": {"conversation": "(["}}]});
        settings["sources"]["channel:plain"] = json!({"quietHours": {"from": "late", "until": "early"}});
    })
    .await;
    platform.write("ada", "still there?");
    platform.delivered(1).await;
    let notices = engine.ops.system_status(&caller(), Empty {}).await.unwrap().notices;
    let told: Vec<_> = notices.iter().map(|notice| notice.message.as_str()).collect();
    assert!(
        told.iter()
            .any(|told| told.contains("binding “wrong”") && told.contains("match.conversation")),
        "{told:?}"
    );
    assert!(told.iter().any(|told| told.contains("quietHours.from")), "{told:?}");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_4_the_same_name_in_two_places_overwrites_the_first() {
    let (platform, engine) = with_loop(|settings| settings["sources"]["channel:plain"] = json!({"enabled": true, "policy": "open"})).await;
    engine.plugin_up("loop").await;
    let inject = |channel: &str, text: &str| PluginInject {
        id: "loop".parse().unwrap(),
        channel: Some(channel.into()),
        text: text.into(),
        sender: Some("ada".into()),
        conversation: Some("same".into()),
    };
    for channel in ["loop", "plain"] {
        let injected = inject(channel, &format!("by {channel}"));
        engine.ops.plugin_inject(&caller(), injected).await.unwrap();
    }
    let sent = platform.delivered(2).await;
    assert_eq!(sessions(&engine).await.len(), 2);
    for sent in sent {
        let channel = sent.message.route.channel.to_string();
        assert!(
            sent.message.text.contains(&format!("by {channel}")),
            "each answers for itself: {sent:?}"
        );
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_5_the_same_platform_id_twice_becomes_two_rows() {
    let (platform, engine) = with_loop(|_| {}).await;
    let draft = json!({"account": "bot", "messageId": "twice", "conversation": "ada", "chatType": "direct",
        "sender": {"id": "ada"}, "text": "once"});
    platform.write_draft(draft.clone());
    platform.write_draft(draft);
    platform.write("ada", "and another");
    platform.delivered(2).await;
    assert_eq!(engine.ledger().await.accepted.0, 2);
    let session = &sessions(&engine).await[0];
    let detail = engine.detail(&session.id).await;
    let said: Vec<_> = detail
        .messages
        .iter()
        .filter(|m| m.kind == MessageKind::User)
        .map(|m| m.content.as_str())
        .collect();
    assert_eq!(said, ["once", "and another"]);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_8_a_burst_of_messages_of_one_session_is_lost_as_already_processing() {
    let (platform, engine) = with_loop(|_| {}).await;
    for n in 0..20 {
        platform.write("ada", &format!("burst {n:02}"));
    }
    let sent = platform.delivered(20).await;
    for (n, sent) in sent.iter().enumerate() {
        assert!(sent.message.text.contains(&format!("burst {n:02}")), "in their order: {sent:?}");
    }
    eventually("the ledger balances", async || {
        (engine.ledger().await.delivered.0 == 20).then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_9_concurrent_first_messages_make_two_sessions_and_renaming_one_breaks_routing() {
    let (platform, engine) = with_loop(|_| {}).await;
    for n in 0..5 {
        platform.write_in("room", &format!("person-{n}"), "group", "first");
    }
    platform.delivered(5).await;
    let all = sessions(&engine).await;
    assert_eq!(all.len(), 1);
    assert!(!all[0].name.as_deref().unwrap_or_default().contains(':'), "its title is no key");
    let rename = SessionUpdate {
        id: all[0].id.clone(),
        name: Some("Something else".into()),
        flagged: None,
        status: None,
        labels: None,
        unread: None,
        mode: None,
        model: None,
        working_directory: None,
    };
    engine.ops.session_update(&caller(), rename).await.unwrap();
    let engine = engine.restart().await;
    platform.write_in("room", "person-9", "group", "after the renaming");
    platform.delivered(6).await;
    let after = sessions(&engine).await;
    assert_eq!((after.len(), &after[0].id), (1, &all[0].id));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_10_the_senders_name_and_id_are_not_given_to_the_model() {
    let (platform, engine) = with_loop(|_| {}).await;
    platform.write_in("room", "grace", "group", "who am I?");
    platform.delivered(1).await;
    let session = sessions(&engine).await.remove(0);
    let folder = engine.home.path().join("workspaces").join(session.workspace.as_str());
    let journal = folder.join("sessions").join(session.id.as_str()).join("journal.jsonl");
    let journal = std::fs::read_to_string(journal).unwrap();
    let started = journal.lines().find(|line| line.contains("turn_started")).unwrap();
    for part in ["senderName", "senderId", "grace", "group"] {
        assert!(started.contains(part), "{part} is missing in {started}");
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_11_anyone_in_the_chat_drives_a_session() {
    let (platform, engine) = with_loop(|settings| settings["sources"]["channel:loop"] = json!({"enabled": true})).await;
    platform.write_in("room", "mallory", "group", "cat ~/.ssh/id_rsa");
    platform.write("mallory", "env");
    eventually("both are refused", async || (engine.ledger().await.refused.0 == 2).then_some(())).await;
    assert!(sessions(&engine).await.is_empty(), "a stranger makes no session");
    let codes: Vec<_> = engine.ops.refusal_list(&caller(), Empty {}).await.unwrap();
    let mut codes: Vec<_> = codes.iter().map(|count| count.code).collect();
    codes.sort_by_key(|code| format!("{code:?}"));
    assert_eq!(codes, [RefusalCode::NotAllowed, RefusalCode::PairingRequired]);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_12_a_reset_is_lost_on_restart_and_the_old_conversation_comes_back() {
    let (platform, engine) = with_loop(|_| {}).await;
    platform.write("ada", "the old conversation");
    platform.delivered(1).await;
    let old = sessions(&engine).await.remove(0);
    engine
        .ops
        .session_reset(&caller(), SessionRef { id: old.id.clone() })
        .await
        .unwrap();
    let engine = engine.restart().await;
    platform.write("ada", "a new one");
    platform.delivered(2).await;
    let all = sessions(&engine).await;
    assert_eq!(all.len(), 2);
    let keys = engine.ops.route_keys(&caller(), Empty {}).await.unwrap();
    assert_ne!(keys[0].session, old.id);
    engine.engine.shutdown().await;
}
