//! Plans with the real program: handed in, shown, accepted or refined, once, also over a kill and from a channel.

use kata_protocol::{AttentionAnswer, ErrorCode, MessageId, PlanAnswer, PlanDecision, PlanList};
use kata_tests::{FakePlatform, Kata, TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};

/// Runs `kata` and says what it answered: JSON, or what stands on standard error.
fn json_of(kata: &Kata<'_>, args: &[&str]) -> Value {
    tokio::task::block_in_place(|| kata.json(args))
}

fn failure(kata: &Kata<'_>, args: &[&str]) -> String {
    let output = tokio::task::block_in_place(|| kata.run(args));
    assert!(!output.status.success(), "kata {args:?} succeeded");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn newest(kata: &Kata<'_>) -> Value {
    let page = json_of(kata, &["sessions", "list"]);
    let sessions = page.get("sessions").unwrap_or(&page);
    sessions[0].clone()
}

fn rows(kata: &Kata<'_>, session: &str) -> Vec<Value> {
    json_of(kata, &["sessions", "show", session])["messages"]
        .as_array()
        .unwrap()
        .clone()
}

async fn becomes_idle(kata: &Kata<'_>, session: &str, rows_at_least: usize) -> Vec<Value> {
    eventually("the session is idle", async || {
        let shown = json_of(kata, &["sessions", "show", session]);
        let messages = shown["messages"].as_array()?.clone();
        (shown["state"] == "idle" && messages.len() >= rows_at_least).then_some(messages)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_waits_over_a_kill_is_accepted_once_and_its_session_asks_from_then_on() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    tokio::task::block_in_place(|| kata.run(&["chat", "--new", "-m", "plan Move the API"]));
    let waiting = json_of(&kata, &["plans", "list"]);
    let plan = waiting[0].clone();
    assert_eq!((waiting.as_array().unwrap().len(), &plan["title"]), (1, &json!("Move the API")));
    let (id, session) = (plan["id"].as_str().unwrap(), plan["session"].as_str().unwrap());
    assert_eq!(newest(&kata)["mode"], json!("safe"));
    let row = rows(&kata, session).pop().unwrap();
    assert_eq!(
        (&row["kind"], &row["id"], &row["content"]),
        (&json!("plan"), &plan["id"], &plan["plan"])
    );
    let file = plan["path"].as_str().unwrap();
    assert!(file.starts_with("plans/") && file.ends_with("-move-the-api.md"), "{file}");
    let folder = std::fs::read_dir(home.path().join("workspaces"))
        .unwrap()
        .map(|w| w.unwrap().path().join("sessions").join(session))
        .find(|p| p.is_dir())
        .unwrap();
    assert_eq!(std::fs::read_to_string(folder.join(file)).unwrap(), plan["plan"].as_str().unwrap());
    let waits = json_of(&kata, &["attention", "list"]);
    let entry = waits.as_array().unwrap().iter().find(|a| a["kind"] == "plan").unwrap();
    assert_eq!(entry["actions"], json!([{ "id": "accept", "label": "Accept" }]));

    // As a person would pull the plug.
    drop(serve);
    let mut serve = kata.serve_with(&[("KATA_CRASH_AT", "after_plan_answered")]).await;
    assert_eq!(json_of(&kata, &["plans", "list"])[0]["id"], plan["id"]);
    // Answered, and killed before anything came of it.
    failure(&kata, &["plans", "accept", id]);
    serve.died().await;
    drop(serve);

    let serve = kata.serve(None).await;
    let messages = becomes_idle(&kata, session, rows_before(&row) + 2).await;
    let told: Vec<_> = messages
        .iter()
        .filter(|m| m["kind"] == "user" && m["content"].as_str().unwrap().contains("I accept “Move the API”"))
        .collect();
    assert_eq!(told.len(), 1, "{messages:?}");
    assert_eq!(newest(&kata)["mode"], json!("ask"));
    assert_eq!(json_of(&kata, &["plans", "list"]), json!([]));
    let late = json_of(&kata, &["plans", "refine", id, "too late"]);
    assert_eq!((&late["first"], &late["decision"]), (&json!(false), &json!("accept")));
    assert!(failure(&kata, &["plans", "accept", "msg-1-abc"]).contains("kata plans"));
    serve.stop().await;
}

/// The message, the words before the plan, its call, the plan.
fn rows_before(_: &Value) -> usize {
    4
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_that_answer_a_plan_at_once_give_one_outcome_and_the_agent_is_told_once() {
    let engine = TestEngine::start(TestHome::with_plugins(&["diary"])).await;
    engine.plugin_up("diary").await;
    let session = engine.session().await;
    let detail = engine.ask(&session, "plan Tidy up").await;
    let plan = engine.ops.plan_list(&caller(), PlanList::default()).await.unwrap().remove(0);
    assert_eq!((&plan.session, &plan.id), (&session, &detail.messages.last().unwrap().id));
    let answer = |decision, text: Option<&str>| {
        let params = PlanAnswer {
            id: plan.id.clone(),
            decision,
            text: text.map(str::to_owned),
        };
        let ops = engine.ops.clone();
        async move { ops.plan_answer(&caller(), params).await }
    };
    // What makes no sense decides nothing.
    for wrong in [
        answer(PlanDecision::Refine, Some(" ")).await,
        answer(PlanDecision::Accept, Some("but")).await,
    ] {
        assert_eq!(wrong.unwrap_err().code, ErrorCode::Invalid);
    }
    let (all, refine) = tokio::join!(
        answer(PlanDecision::AcceptAll, None),
        answer(PlanDecision::Refine, Some("without step two"))
    );
    let (all, refine) = (all.unwrap(), refine.unwrap());
    assert!(all.first != refine.first, "{all:?} {refine:?}");
    assert_eq!(all.decision, refine.decision, "both learn which one counts");
    let told = |messages: &[kata_protocol::Message]| {
        messages
            .iter()
            .filter(|m| m.content == "without step two" || m.content.starts_with("I accept “Tidy up”"))
            .count()
    };
    let detail = eventually("the agent has answered", async || {
        let detail = engine.detail(&session).await;
        let last = detail.messages.last()?;
        (detail.state == kata_protocol::SessionState::Idle && last.kind == kata_protocol::MessageKind::Assistant).then_some(detail)
    })
    .await;
    assert_eq!(told(&detail.messages), 1);
    let mode = if all.first {
        kata_protocol::PermissionMode::AllowAll
    } else {
        kata_protocol::PermissionMode::Safe
    };
    assert_eq!(detail.summary.mode, mode);

    // A newer plan takes the place of one that waits.
    engine.ask(&session, "plan One").await;
    let old = engine.ops.plan_list(&caller(), PlanList::default()).await.unwrap().remove(0);
    engine.ask(&session, "plan Two").await;
    let waiting = engine.ops.plan_list(&caller(), PlanList::default()).await.unwrap();
    assert_eq!(waiting.iter().map(|p| p.title.as_str()).collect::<Vec<_>>(), ["Two"]);
    let late = PlanAnswer {
        id: old.id,
        decision: PlanDecision::Accept,
        text: None,
    };
    let late = engine.ops.plan_answer(&caller(), late).await.unwrap();
    assert_eq!((late.first, late.decision), (false, None));

    // Answered from the list of what waits, as a notification does.
    let id = format!("plan:{}", waiting[0].id);
    let action = "accept".to_owned();
    engine
        .ops
        .attention_answer(&caller(), AttentionAnswer { id, action })
        .await
        .unwrap();
    assert!(engine.ops.plan_list(&caller(), PlanList::default()).await.unwrap().is_empty());
    let unknown = PlanAnswer {
        id: MessageId::new("msg-1-abc").unwrap(),
        decision: PlanDecision::Accept,
        text: None,
    };
    assert_eq!(
        engine.ops.plan_answer(&caller(), unknown).await.unwrap_err().code,
        ErrorCode::NotFound
    );

    // Who looks on was told of each, with the plan's words.
    eventually("the plugin has heard of three plans", async || {
        let seen = crate::hooks::diary(&engine.home).await;
        let plans: Vec<_> = seen.iter().filter(|page| page["event"] == "plan_submitted").collect();
        (plans.len() == 3 && plans[0]["payload"]["plan"] == json!(plan.plan) && plans[0]["payload"]["session"] == json!(session))
            .then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_channel_is_the_reply_and_nothing_written_there_accepts_it() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    let mut settings = TestHome::loop_settings(&platform.base, true);
    // Even somebody who may answer calls there.
    settings["sources"]["channel:loop"]["approvers"] = json!(["ada"]);
    home.settings(&settings);
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    platform.write("ada", "plan Restart it");
    let reply = platform.delivered(1).await.remove(0).message.text;
    assert!(
        reply.contains("Change it in small steps") && reply.contains("nothing of it is done yet"),
        "{reply}"
    );
    let plan = eventually("the plan waits", async || {
        json_of(&kata, &["plans", "list"])[0].as_object().cloned()
    })
    .await;
    let id = plan["id"].as_str().unwrap().to_owned();
    assert_eq!(plan["channel"], json!("loop"));
    for (n, words) in [
        format!("/approve {id}"),
        format!("/approve {id} always"),
        "I accept the plan. Carry it out.".into(),
    ]
    .iter()
    .enumerate()
    {
        platform.write("ada", words);
        platform.delivered(2 + n).await;
    }
    assert_eq!(json_of(&kata, &["plans", "list"])[0]["id"], plan["id"]);
    let session = plan["session"].as_str().unwrap();
    let mode = || json_of(&kata, &["sessions", "show", session])["summary"]["mode"].clone();
    assert_eq!(mode(), json!("safe"));
    let refused = failure(&kata, &["plans", "accept", &id, "--allow-all"]);
    assert!(refused.contains("everybody who writes there"), "{refused}");
    assert_eq!(
        json_of(&kata, &["plans", "list"])[0]["id"],
        plan["id"],
        "a refused answer decides nothing"
    );
    let before = rows(&kata, session).len();
    assert_eq!(json_of(&kata, &["plans", "accept", &id])["first"], json!(true));
    becomes_idle(&kata, session, before + 2).await;
    assert_eq!(mode(), json!("ask"));
    assert_eq!(platform.sent().len(), 4, "what is said here stays here");
    serve.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_its_row_is_written_a_plan_still_waits_and_a_deleted_session_leaves_none() {
    let home = TestHome::new();
    let kata = Kata(&home);
    let mut serve = kata.serve_with(&[("KATA_CRASH_AT", "after_plan_handed_in")]).await;
    let session = newest_made(&kata);
    tokio::task::block_in_place(|| kata.run(&["chat", &session, "-m", "plan Move it"]));
    serve.died().await;
    drop(serve);
    let serve = kata.serve(None).await;
    let plan = json_of(&kata, &["plans", "show", &session]);
    assert!(plan["plan"].as_str().unwrap().contains("# Move it"));
    assert_eq!(
        json_of(&kata, &["plans", "refine", &session, "in", "two", "steps"])["first"],
        json!(true)
    );
    becomes_idle(&kata, &session, 3).await;
    assert!(rows(&kata, &session).iter().any(|m| m["content"] == "in two steps"));
    tokio::task::block_in_place(|| kata.run(&["chat", &session, "-m", "plan Another"]));
    assert_eq!(json_of(&kata, &["plans", "list"]).as_array().unwrap().len(), 1);
    json_of(&kata, &["sessions", "archive", &session]);
    json_of(&kata, &["sessions", "delete", &session, "-y"]);
    assert_eq!(json_of(&kata, &["plans", "list"]), json!([]));
    serve.stop().await;
}

/// A session with one answer.
fn newest_made(kata: &Kata<'_>) -> String {
    tokio::task::block_in_place(|| kata.run(&["chat", "--new", "-m", "hello"]));
    newest(kata)["id"].as_str().unwrap().to_owned()
}
