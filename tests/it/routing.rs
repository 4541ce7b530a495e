//! Routing tables, policies and joining, through the whole engine.

use kata_protocol::*;
use kata_tests::{FakePlatform, Kata, TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use tokio::task::block_in_place;

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn table(value: Value) -> RoutingTable {
    serde_json::from_value(value).unwrap()
}

async fn with_loop() -> (FakePlatform, TestEngine) {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    (platform, TestEngine::start(home).await)
}

async fn keys(engine: &TestEngine) -> Vec<RouteKey> {
    engine.ops.route_keys(&caller(), Empty {}).await.unwrap()
}

fn fields(why: &RouteExplanation) -> Vec<String> {
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let fields = [
        ("binding", Some(why.binding.clone().unwrap_or_else(|| "(the default)".into()))),
        ("person", why.person.clone()),
        ("key", why.key.as_ref().map(ToString::to_string)),
        ("workspace", why.workspace.as_ref().map(ToString::to_string)),
        ("profile", why.profile.clone()),
        ("mode", Some(word(serde_json::to_value(why.mode).unwrap()))),
        ("while busy", Some(word(serde_json::to_value(why.overlap.policy).unwrap()))),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name:<10} {}", value?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_guide_to_routing_is_explained_as_it_is_written() {
    let guide = include_str!("../../docs/routing.md");
    let engine = TestEngine::start(TestHome::new()).await;
    let mut blocks = guide
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.split_once('\n'))
        .peekable();
    let (mut in_force, mut shown) = (None, 0);
    while let Some((language, text)) = blocks.next() {
        if language != "json" {
            continue;
        }
        let value: Value = serde_json::from_str(text).unwrap();
        if value.get("channel").is_none() {
            in_force = Some(engine.ops.route_set(&caller(), table(value)).await.unwrap());
            continue;
        }
        let question: RouteExplain = serde_json::from_value(value).unwrap();
        let why = engine.ops.route_explain(&caller(), question).await.unwrap();
        let (language, expected) = blocks.next().unwrap();
        assert_eq!(language, "text", "an example is followed by what comes out");
        let lines = fields(&why);
        for line in expected.trim().lines() {
            assert!(lines.iter().any(|have| have == line.trim_end()), "{line} is not in {lines:?}");
        }
        shown += 1;
    }
    assert!(shown >= 4 && in_force.is_some_and(|table| table.bindings.len() == 3));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_set_whole_or_not_at_all_and_is_there_after_a_restart() {
    let engine = TestEngine::start(TestHome::new()).await;
    let good =
        table(json!({"profiles": [{"id": "p", "mode": "ask"}], "bindings": [{"id": "b", "match": {"channel": "loop"}, "profile": "p"}]}));
    let mut facts = engine.engine.events().subscribe();
    engine.ops.route_set(&caller(), good.clone()).await.unwrap();
    eventually("clients are told", async || {
        let fact = facts.try_recv().ok()?;
        matches!(fact.fact, Fact::RoutesChanged {}).then_some(())
    })
    .await;
    for (bad, names) in [
        (json!({"bindings": [{"id": "a"}, {"id": "c"}]}), ["“a”", "“c”"]),
        (
            json!({"bindings": [{"id": "a", "workspace": "nowhere"}]}),
            ["binding “a”", "“workspace”"],
        ),
        (json!({"profiles": [{"id": "p", "model": "none"}]}), ["profile “p”", "“model”"]),
        (
            json!({"bindings": [{"id": "a", "match": {"sender": "s"}}]}),
            ["binding “a”", "“match.sender”"],
        ),
    ] {
        let error = engine.ops.route_set(&caller(), table(bad)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Invalid);
        assert!(names.iter().all(|name| error.message.contains(name)), "{}", error.message);
    }
    let engine = engine.restart().await;
    assert_eq!(engine.ops.route_get(&caller(), Empty {}).await.unwrap(), good);

    let create = |profile: &str| SessionCreate {
        profile: Some(profile.into()),
        ..SessionCreate::default()
    };
    let error = engine.ops.session_create(&caller(), create("none")).await.unwrap_err();
    assert!(
        error.message.contains("“profile”") && error.message.contains("“none”"),
        "{}",
        error.message
    );
    let session = engine.ops.session_create(&caller(), create("p")).await.unwrap();
    assert_eq!((session.profile.as_deref(), session.mode), (Some("p"), PermissionMode::Ask));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_table_in_the_file_is_named_keeps_the_last_good_one_in_force_and_stays_in_the_file() {
    let engine = TestEngine::start(TestHome::new()).await;
    let good = table(json!({"bindings": [{"id": "good", "match": {"channel": "loop"}}]}));
    engine.ops.route_set(&caller(), good.clone()).await.unwrap();
    engine.engine.shutdown().await;
    let TestEngine { mut home, engine, ops } = engine;
    drop((engine, ops));
    let bad = json!({"routing": {"bindings": [{"id": "broken", "match": {"thread": "t", "channel": "loop"}}]}});
    home.settings(&bad);
    for _ in 0..2 {
        // Twice: a start with a bad table takes no good one's place.
        let engine = TestEngine::start(home).await;
        let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
        let notice = status.notices.iter().find(|notice| notice.id == "routing-table").expect("a notice");
        assert!(
            notice.message.contains("binding “broken”") && notice.message.contains("“match.thread”"),
            "{}",
            notice.message
        );
        assert_eq!(engine.ops.route_get(&caller(), Empty {}).await.unwrap(), good);
        engine.engine.shutdown().await;
        home = engine.home;
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(home.path().join("settings.json")).unwrap()).unwrap();
    assert_eq!(kept, bad);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_joined_a_desktop_session_is_answered_where_it_asked_and_hears_nothing_else() {
    let (platform, engine) = with_loop().await;
    platform.write("ada", "first");
    platform.delivered(1).await;
    let desktop = engine.session().await;
    let key = keys(&engine).await[0].key.clone();
    let unknown = RouteJoin {
        key: id("loop:bot:nobody"),
        session: Some(desktop.clone()),
    };
    assert_eq!(
        engine.ops.route_join(&caller(), unknown).await.unwrap_err().code,
        ErrorCode::NotFound
    );
    let join = RouteJoin {
        key: key.clone(),
        session: Some(desktop.clone()),
    };
    assert_eq!(engine.ops.route_join(&caller(), join).await.unwrap().session, desktop);
    engine.ask(&desktop, "only for the window").await;
    platform.write("ada", "second");
    platform.delivered(2).await;
    engine.ask(&desktop, "this too").await;
    // A title changes nothing, and neither does a restart.
    let rename = SessionUpdate {
        name: Some("Another title".into()),
        ..update(&desktop)
    };
    engine.ops.session_update(&caller(), rename).await.unwrap();
    let engine = engine.restart().await;
    platform.write("ada", "third");
    let sent = platform.delivered(3).await;
    assert!(
        sent.iter()
            .all(|s| s.message.route.conversation.as_str() == "ada" && !s.message.text.contains("window"))
    );
    let said: Vec<_> = engine.detail(&desktop).await.messages;
    let said: Vec<_> = said
        .iter()
        .filter(|m| m.kind == MessageKind::User)
        .map(|m| m.content.as_str())
        .collect();
    assert_eq!(said, ["only for the window", "second", "this too", "third"]);

    let own = engine.ops.route_join(&caller(), RouteJoin { key, session: None }).await.unwrap();
    platform.write("ada", "fourth");
    platform.delivered(4).await;
    assert_eq!(keys(&engine).await[0].session, own.session);
    assert_eq!(engine.detail(&own.session).await.messages[0].content, "fourth");
    assert_eq!(engine.detail(&desktop).await.messages.len(), said.len() * 2);
    engine.engine.shutdown().await;
}

fn update(session: &SessionId) -> SessionUpdate {
    SessionUpdate {
        id: session.clone(),
        name: None,
        flagged: None,
        status: None,
        labels: None,
        unread: None,
        mode: None,
        model: None,
        working_directory: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_read_and_written_with_its_bounds_and_refusals_are_counted() {
    let (platform, engine) = with_loop().await;
    let ask = |change: Value| {
        let mut change = change;
        change["id"] = json!("channel:loop");
        let params: ChannelPolicy = serde_json::from_value(change).unwrap();
        async { engine.ops.channel_policy(&caller(), params).await }
    };
    for (field, value) in [
        ("perMinuteSender", json!(0)),
        ("perMinuteConversation", json!(10_001)),
        ("maxText", json!(262_145)),
        ("quietHours", json!([{"from": "25:00", "until": "07:00"}])),
        (
            "quietHours",
            json!([{"from": "22:00", "until": "07:00"}, {"from": "12:00", "until": "13:00"}]),
        ),
        ("approvers", json!([""])),
    ] {
        let error = ask(json!({ field: value })).await.unwrap_err();
        assert!(error.message.contains(field), "{field}: {}", error.message);
    }
    let set = ask(
        json!({"approvers": ["ada"], "perMinuteSender": 5, "perMinuteConversation": 6, "maxText": 10,
        "quietHours": [{"from": "03:00", "until": "03:01"}]}),
    );
    let state = set.await.unwrap();
    assert_eq!((state.per_minute_sender, state.per_minute_conversation, state.max_text), (5, 6, 10));
    assert_eq!(state.approvers, ["ada"]);
    assert_eq!(ask(json!({})).await.unwrap(), state, "reading changes nothing");
    assert!(ask(json!({"quietHours": []})).await.unwrap().quiet_hours.is_none());

    platform.write("ada", "longer than ten bytes");
    platform.write("ada", "short");
    platform.delivered(1).await;
    let counts = engine.ops.refusal_list(&caller(), Empty {}).await.unwrap();
    assert_eq!(counts.len(), 1);
    let count = &counts[0];
    assert_eq!(
        (count.channel.as_str(), count.code, count.count),
        ("loop", RefusalCode::TooLarge, 1)
    );
    assert_eq!(count.last_sender.as_str(), "ada");
    let engine = engine.restart().await;
    assert_eq!(engine.ops.refusal_list(&caller(), Empty {}).await.unwrap(), counts);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routing_from_the_command_line() {
    let home = TestHome::with_plugins(&["loop"]);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let run = |args: &[&str]| block_in_place(|| kata.run(args));
    let added = block_in_place(|| kata.json(&["route", "add", "support", "--channel", "loop", "--scope", "sender"]));
    assert_eq!(added["bindings"][0]["match"]["channel"], "loop");
    let tie = run(&["route", "add", "other", "--channel", "loop"]);
    let told = String::from_utf8_lossy(&tie.stderr).into_owned();
    assert!(
        !tie.status.success() && told.contains("support") && told.contains("other"),
        "{told}"
    );
    let message = home.path().join("message.json");
    let draft = json!({"account": "bot", "messageId": "1", "conversation": "room", "chatType": "group", "sender": {"id": "U1"},
        "text": "hi", "mentionsBot": true});
    std::fs::write(&message, json!({"channel": "loop", "message": draft}).to_string()).unwrap();
    let why = run(&["route", "explain", message.to_str().unwrap()]);
    let why = String::from_utf8_lossy(&why.stdout).into_owned();
    for part in ["binding support", "takes it, by channel", "loop:bot:room:=U1", "would be refused"] {
        assert!(why.contains(part), "{part} is missing in {why}");
    }
    let shown = run(&["route", "show"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("channel loop"));
    assert_eq!(run(&["route", "remove", "nobody"]).status.code(), Some(1));
    assert!(run(&["route", "remove", "support"]).status.success());
    assert!(String::from_utf8_lossy(&run(&["route", "keys"]).stdout).contains("no conversations"));
    assert!(String::from_utf8_lossy(&run(&["refusals"]).stdout).contains("nothing was refused"));
    kata_tests::eventually("the channel is known", async || {
        let set = run(&["channels", "policy", "loop", "--quiet", "22:00-07:00", "--approver", "42", "--json"]);
        let state: Value = serde_json::from_slice(&set.stdout).ok()?;
        (state["quietHours"]["until"] == "07:00" && state["approvers"] == json!(["42"])).then_some(())
    })
    .await;
    let wrong = run(&["channels", "policy", "loop", "--quiet", "22-7"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("quietHours.from"));
    serve.stop().await;
}
