//! A program that does as it should: joins, works, goes, comes back.

use super::program::Program;
use super::{plugin, well};
use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn open_home(channel: &str) -> TestHome {
    let home = TestHome::with_plugins(&[]);
    home.settings(&json!({ "sources": { format!("channel:{channel}"): { "policy": "open" } } }));
    home
}

async fn row(engine: &TestEngine, id: &str) -> Option<PluginSummary> {
    let list = engine.ops.plugin_list(&caller(), Empty {}).await.unwrap();
    list.into_iter().find(|p| p.id.as_str() == id)
}

async fn source(engine: &TestEngine, id: &str) -> SourceSummary {
    let reference = SourceRef {
        id: SourceId::new(id).unwrap(),
    };
    engine.ops.source_get(&caller(), reference).await.unwrap().summary
}

async fn tools(engine: &TestEngine) -> Vec<String> {
    let tools = engine.ops.tool_list(&caller(), Empty {}).await.unwrap();
    tools.into_iter().map(|tool| tool.name).collect()
}

fn last(detail: &SessionDetail) -> String {
    detail.messages.last().unwrap().text.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_over_the_gateway_brings_a_tool_a_hook_and_a_channel_and_all_of_them_work() {
    let engine = TestEngine::start(open_home("words-line")).await;
    let shouts = |call: &Value| match call["kind"].as_str() {
        Some("hook") => {
            let text = call["params"]["input"]["text"].as_str().unwrap();
            Some(json!({ "result": { "text": text.replace("PLEASE ", "") } }))
        }
        _ => well(call),
    };
    let mut program = Program::join(&engine, plugin("words"), Box::new(shouts)).await;

    let row = row(&engine, "words").await.unwrap();
    assert_eq!(
        (row.origin, row.trust, row.enabled),
        (PluginOrigin::Gateway, TrustState::Token, true)
    );
    assert_eq!((row.status.state, row.version.as_str()), (RunState::Running, "1.2.3"));
    assert_eq!(row.capabilities, ["hooks:conversation"], "what its token let it have is shown");
    let client = row.client.unwrap();
    assert_eq!((client.name.as_str(), client.scope), ("a test's program", Scope::Admin));

    let session = engine.session().await;
    let detail = engine.ask(&session, "/tool words_count {\"text\":\"one two three\"}").await;
    assert!(last(&detail).contains("3 words"), "{}", last(&detail));
    let call = program.calls("tool").remove(0);
    assert_eq!(call["plugin"], "words");
    assert_eq!(call["params"]["session"], session.as_str());
    assert_eq!(call["deadlineMs"], 30_000);

    assert_eq!(
        program.called("start", 1).await[0]["params"],
        json!({ "channel": "words-line", "cursor": null })
    );
    eventually("the channel runs", async || {
        (source(&engine, "channel:words-line").await.status.state == RunState::Running).then_some(())
    })
    .await;
    let answer = program
        .write("words", "words-line", "m1", "PLEASE /tool words_count {\"text\":\"a b\"}")
        .await;
    assert_eq!(answer["result"], json!({ "outcome": "admitted" }), "{answer}");
    let sent = program.called("send", 1).await.remove(0);
    let message = &sent["params"]["message"];
    assert!(message["text"].as_str().unwrap().contains("2 words"), "{message}");
    assert_eq!(message["route"]["conversation"], "ada");
    let again = program.write("words", "words-line", "m1", "PLEASE again").await;
    assert_eq!(again["result"], json!({ "outcome": "duplicate" }), "a message counts once");
    eventually("the ledger has it delivered", async || {
        (engine.ledger().await.delivered == Count(1)).then_some(())
    })
    .await;

    let list = engine.ops.trace_list(&caller(), TraceList::default()).await.unwrap();
    let steps: Vec<_> = list.iter().flat_map(|trace| &trace.steps).collect();
    assert!(
        steps
            .iter()
            .any(|step| step.plugin.as_deref() == Some("words") && step.outcome == StepOutcome::Changed),
        "the trace names the program's hook: {steps:?}"
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_brought_is_gone_with_its_socket_and_its_call_in_flight_ends_at_once() {
    let engine = TestEngine::start(open_home("words-line")).await;
    let silent = |call: &Value| (call["kind"] != "tool").then(|| well(call)).flatten();
    let program = Program::join(&engine, plugin("words"), Box::new(silent)).await;
    let other = Program::join(&engine, plugin("other"), Box::new(well)).await;
    program.called("start", 1).await;

    let (waits, goes_on) = (engine.session().await, engine.session().await);
    let asked = async {
        let detail = engine.ask(&waits, "/tool words_count {\"text\":\"x\"}").await;
        (detail, Instant::now())
    };
    let killed = async {
        program.called("tool", 1).await;
        program.kill().await;
        Instant::now()
    };
    let ((detail, ended), killed) = tokio::join!(asked, killed);
    assert!(
        last(&detail).contains("the program of plugin “words” is not connected any more"),
        "{}",
        last(&detail)
    );
    assert!(
        ended.saturating_duration_since(killed) < Duration::from_secs(2),
        "{:?}",
        ended - killed
    );

    assert!(!tools(&engine).await.contains(&"words_count".to_owned()));
    assert!(tools(&engine).await.contains(&"other_count".to_owned()));
    let row = row(&engine, "words").await.unwrap();
    assert_eq!(
        (row.status.state, row.status.code.as_str()),
        (RunState::Failed { recoverable: true }, "not_connected")
    );
    assert!(
        row.client.is_none() && row.status.message.contains("Start it again"),
        "{}",
        row.status.message
    );
    eventually("its channel says so", async || {
        let status = source(&engine, "channel:words-line").await.status;
        (status.code == "not_connected" && status.message.contains("not connected")).then_some(())
    })
    .await;
    let detail = engine.ask(&goes_on, "/tool other_count {\"text\":\"still here\"}").await;
    assert!(last(&detail).contains("2 words"), "{}", last(&detail));
    drop(other);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replies_wait_for_a_program_that_is_away_and_come_once_when_it_is_back_under_its_old_ids() {
    let engine = TestEngine::start(open_home("words-line")).await;
    // Its hook holds what comes in until the program of the channel is gone.
    let slow = json!({ "id": "slow", "name": "Slow", "version": "1", "hooks": [{ "event": "message_received", "timeoutMs": 900 }] });
    let _slow = Program::join(&engine, slow, Box::new(|_: &Value| None)).await;
    let mut program = Program::join(&engine, plugin("words"), Box::new(well)).await;
    program.called("start", 1).await;
    let report = json!({ "type": "report", "plugin": "words", "channel": "words-line", "cursor": "17",
        "status": { "state": { "kind": "running" }, "code": "", "message": "", "since": 0 } });
    program.send(report).await;
    for n in 0..3 {
        let answer = program.write("words", "words-line", &format!("m{n}"), &format!("hello {n}")).await;
        assert_eq!(answer["result"]["outcome"], "admitted");
    }
    let before = program.kill().await;
    assert!(
        before.lock().unwrap().calls.iter().all(|call| call["kind"] != "send"),
        "nothing was answered yet"
    );

    let engine = engine.restart().await;
    let away = row(&engine, "words").await.expect("it is remembered");
    assert_eq!((away.origin, away.status.code.as_str()), (PluginOrigin::Gateway, "not_connected"));
    assert_eq!(source(&engine, "channel:words-line").await.status.code, "not_connected");

    let program = Program::join(&engine, plugin("words"), Box::new(well)).await;
    let start = program.called("start", 1).await.remove(0);
    assert_eq!(start["params"]["cursor"], "17", "where it was read up to is handed back");
    eventually("all is delivered", async || {
        let ledger = engine.ledger().await;
        (ledger.delivered == Count(3) && ledger.pending == Count(0)).then_some(())
    })
    .await;
    let key = |call: &Value| call["params"]["message"]["idempotencyKey"].as_str().unwrap().to_owned();
    let mut keys: Vec<String> = program.calls("send").iter().map(key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), all), (3, 3), "each reply came once");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_that_a_program_died_with_is_not_sent_twice_and_a_person_sees_it() {
    let engine = TestEngine::start(open_home("words-line")).await;
    let dies = |call: &Value| (call["kind"] != "send").then(|| well(call)).flatten();
    let mut program = Program::join(&engine, plugin("words"), Box::new(dies)).await;
    program.called("start", 1).await;
    program.write("words", "words-line", "m1", "hello").await;
    program.called("send", 1).await;
    program.kill().await;
    let program = Program::join(&engine, plugin("words"), Box::new(well)).await;
    program.called("start", 1).await;
    let letter = eventually("it is parked for a person", async || {
        let letters = engine.ops.letter_list(&caller(), Empty {}).await.ok()?;
        letters.into_iter().next()
    })
    .await;
    assert!(format!("{letter:?}").contains("not connected any more"), "{letter:?}");
    assert_eq!(program.calls("send").len(), 0);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_a_person_switches_off_is_ended_and_stays_out_until_it_is_on_again() {
    let engine = TestEngine::start(open_home("words-line")).await;
    let program = Program::join(&engine, plugin("words"), Box::new(well)).await;
    let switch = |enabled| {
        let params = PluginEnable {
            id: PluginId::new("words").unwrap(),
            enabled,
        };
        let ops = std::sync::Arc::clone(&engine.ops);
        async move { ops.plugin_enable(&caller(), params).await }
    };
    switch(false).await.unwrap();
    assert_eq!(program.ended().await, ("plugin “words” was switched off".into(), Some(4004)));
    let mut back = Program::connect(&engine, Box::new(well)).await;
    let refused = back.register(plugin("words")).await;
    assert!(
        refused["error"]["message"].as_str().unwrap().contains("is switched off"),
        "{refused}"
    );
    switch(true).await.unwrap();
    assert!(back.register(plugin("words")).await["error"].is_null());

    let forget = PluginRef {
        id: PluginId::new("words").unwrap(),
    };
    let busy = engine.ops.plugin_uninstall(&caller(), forget.clone()).await.unwrap_err();
    assert!(busy.message.contains("is connected"), "{}", busy.message);
    let trusted = engine
        .ops
        .plugin_revoke(
            &caller(),
            PluginRevoke {
                id: forget.id.clone(),
                capability: None,
            },
        )
        .await
        .unwrap_err();
    assert!(trusted.message.contains("token"), "{}", trusted.message);
    let detail = engine.ops.plugin_get(&caller(), forget.clone()).await.unwrap();
    assert_eq!((detail.files.len(), detail.registered.tools.len(), detail.parts.len()), (0, 1, 1));
    back.kill().await;
    eventually("it can be forgotten", async || {
        engine.ops.plugin_uninstall(&caller(), forget.clone()).await.ok()
    })
    .await;
    assert!(row(&engine, "words").await.is_none());
    engine.engine.shutdown().await;
}
