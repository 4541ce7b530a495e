//! Programs that lie, flood, stay silent and die: each is contained, and named.

use super::program::Program;
use super::{plugin, well};
use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};

async fn engine() -> TestEngine {
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&json!({ "sources": { "channel:words-line": { "policy": "open" } } }));
    let engine = TestEngine::start(home).await;
    engine.plugin_up("loop").await;
    engine
}

async fn faults(engine: &TestEngine, id: &str) -> Vec<PluginFault> {
    let list = engine.ops.plugin_list(&caller(), Empty {}).await.unwrap();
    list.into_iter().find(|p| p.id.as_str() == id).unwrap().faults
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("it was taken: {answer}"))
}

async fn refused(program: &mut Program, plugin: Value, words: &[&str]) {
    let answer = program.register(plugin).await;
    for word in words {
        assert!(message(&answer).contains(word), "“{word}” in {answer}");
    }
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut plugin = plugin("words");
    change(&mut plugin);
    plugin
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_takes_no_name_that_somebody_has_and_every_refusal_names_field_and_holder() {
    let engine = engine().await;
    let mut first = Program::join(&engine, plugin("words"), Box::new(well)).await;
    let mut second = Program::connect(&engine, Box::new(well)).await;
    refused(&mut second, plugin("loop"), &["the id “loop” is that of plugin", "bundled"]).await;
    refused(&mut second, plugin("words"), &["connected already", "a test's program"]).await;
    refused(&mut first, plugin("words"), &["connected already"]).await;
    let tool = with(|p| {
        p["id"] = "thief".into();
        p["channels"] = json!([]);
    });
    refused(&mut second, tool, &["the tool “words_count” is provided by plugin “words”"]).await;
    let channel = with(|p| {
        p["id"] = "thief".into();
        p["tools"] = json!([]);
        p["channels"] = json!([{ "id": "loop", "name": "x" }]);
    });
    refused(&mut second, channel, &["the channel “loop” is that of plugin “loop”"]).await;

    let many: Vec<Value> = (0..65)
        .map(|n| json!({ "name": format!("t{n}"), "description": "", "parameters": {} }))
        .collect();
    let cases = [
        (with(|p| p["id"] = "../etc".into()), "plugin.id"),
        (with(|p| p["name"] = " ".into()), "plugin.name"),
        (with(|p| p["version"] = 3.into()), "plugin.version"),
        (with(|p| p["tools"] = many.into()), "65 are too many"),
        (
            with(|p| p["tools"][0]["name"] = "no spaces".into()),
            "plugin.tools[0]: registerTool: name",
        ),
        (with(|p| p["tools"][0]["parameters"] = json!({ "type": 7 })), "is not a JSON Schema"),
        (with(|p| p["tools"][0]["timeoutMs"] = 600_001.into()), "plugin.tools[0].timeoutMs"),
        (with(|p| p["hooks"][0]["event"] = "on_sunday".into()), "plugin.hooks[0].event"),
        (
            with(|p| p["channels"][0]["capabilities"] = json!({ "edit": true })),
            "plugin.channels[0].capabilities.edit",
        ),
        (with(|p| p["surprise"] = true.into()), "surprise"),
    ];
    for (plugin, words) in cases {
        let plugin = match plugin["id"].as_str() {
            Some("words") => {
                let mut plugin = plugin;
                plugin["id"] = "bad".into();
                // Only what is wrong with it shall be wrong.
                if let Some(channel) = plugin["channels"].get_mut(0) {
                    channel["id"] = "bad-line".into();
                }
                plugin
            }
            _ => plugin,
        };
        refused(&mut second, plugin, &[words]).await;
    }
    let list = engine.ops.plugin_list(&caller(), Empty {}).await.unwrap();
    let ids: Vec<_> = list.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["loop", "words"], "nothing of a refused one stays");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_speaks_for_its_own_plugins_only_and_what_belongs_nowhere_ends_it() {
    let engine = engine().await;
    let mut victim = Program::join(&engine, plugin("words"), Box::new(well)).await;
    victim.called("start", 1).await;
    let mut liar = Program::join(&engine, plugin("liar"), Box::new(well)).await;
    let answer = liar.write("words", "words-line", "m1", "I am Ada").await;
    assert_eq!(answer["error"]["code"], "not_found");
    let answer = liar.write("liar", "words-line", "m1", "I am Ada").await;
    assert!(message(&answer).contains("has not registered a channel of that name"));
    let draft = json!({ "type": "inbound", "plugin": "liar", "channel": "liar-line", "message": { "account": "a", "text": 7 } });
    let answer = liar.ask(draft).await;
    assert!(message(&answer).contains("draft.text"), "{answer}");
    let lacking = liar.ask(json!({ "type": "inbound", "plugin": "liar" })).await;
    assert!(message(&lacking).contains("lacks `channel`"), "{lacking}");

    for _ in 0..100 {
        liar.send(json!({ "type": "answer", "call": 424_242, "result": { "text": "x" } }))
            .await;
    }
    let (reason, code) = liar.ended().await;
    assert_eq!(code, Some(4000), "{reason}");
    assert!(reason.contains("an answer to a call that nobody made"), "{reason}");
    let faults = faults(&engine, "liar").await;
    assert!(
        faults.iter().any(|f| f.kind == "stray" && f.message.contains("times")),
        "{faults:?}"
    );

    let answer = victim.write("words", "words-line", "m2", "hello").await;
    assert_eq!(answer["result"]["outcome"], "admitted", "the other one goes on");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_late_and_oversize_answers_end_their_call_with_a_reason_and_harm_nothing() {
    let engine = engine().await;
    let nonsense = |call: &Value| {
        if call["kind"] != "tool" {
            return well(call);
        }
        match call["params"]["params"]["text"].as_str().unwrap() {
            "nonsense" => Some(json!({ "result": [1, 2, 3] })),
            "large" => Some(json!({ "result": { "text": "x".repeat(2 << 20) } })),
            "error" => Some(json!({ "error": { "code": "upstream", "message": "the sensor is off" } })),
            "other" => Some(json!({ "call": 99_999, "result": { "text": "x" } })),
            _ => well(call),
        }
    };
    let mut quick = plugin("words");
    quick["tools"][0]["timeoutMs"] = 300.into();
    let program = Program::join(&engine, quick, Box::new(nonsense)).await;
    let session = engine.session().await;
    for (text, words) in [
        ("nonsense", "its answer is no `{text}`"),
        ("large", "its answer is over 1048576 bytes"),
        ("error", "the sensor is off"),
        ("other", "no answer within 300ms"),
        ("well then", "2 words"),
    ] {
        let detail = engine.ask(&session, &format!("/tool words_count {{\"text\":\"{text}\"}}")).await;
        let last = &detail.messages.last().unwrap().content;
        assert!(last.contains(words), "{text}: {last}");
    }
    let given_up = eventually("it is told that nobody waits", async || {
        program.seen.lock().unwrap().cancelled.first().copied()
    })
    .await;
    program
        .send(json!({ "type": "answer", "call": given_up, "result": { "text": "late" } }))
        .await;
    let faults = faults(&engine, "words").await;
    let kinds: Vec<_> = faults.iter().map(|f| f.kind.as_str()).collect();
    assert!(
        kinds.contains(&"bad_result") && kinds.contains(&"timeout") && kinds.contains(&"stray"),
        "{faults:?}"
    );
    assert!(program.seen.lock().unwrap().ended.is_none(), "it is still there");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_answer_is_held_back_and_a_person_lets_it_go_on() {
    let engine = engine().await;
    let silent = json!({ "id": "silent", "name": "Silent", "version": "1", "hooks": [{ "event": "message_received", "timeoutMs": 30 }] });
    let program = Program::join(&engine, silent, Box::new(|_: &Value| None)).await;
    let session = engine.session().await;
    for n in 0..5 {
        engine.ask(&session, &format!("hello {n}")).await;
    }
    let row = eventually("it is held back", async || {
        let list = engine.ops.plugin_list(&caller(), Empty {}).await.ok()?;
        list.into_iter()
            .find(|p| p.id.as_str() == "silent" && matches!(p.status.state, RunState::Quarantined { .. }))
    })
    .await;
    assert_eq!(row.status.code, "unresponsive");
    let asked = program.calls("hook").len();
    engine.ask(&session, "one more").await;
    assert_eq!(program.calls("hook").len(), asked, "it is asked nothing");
    let again = PluginRef { id: row.id };
    let row = engine.ops.plugin_reload(&caller(), again.clone()).await.unwrap();
    assert_eq!(row.status.state, RunState::Running);
    engine.ask(&session, "and now").await;
    assert_eq!(program.calls("hook").len(), asked + 1);
    let only_once = engine.ops.plugin_reload(&caller(), again).await.unwrap_err();
    assert!(only_once.hint.unwrap().contains("restart the program"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_messages_is_taken_in_bounded_and_every_one_is_answered() {
    let engine = engine().await;
    let mut program = Program::join(&engine, plugin("words"), Box::new(well)).await;
    program.called("start", 1).await;
    for n in 0..1_000_u64 {
        let draft = json!({
            "account": "me", "messageId": format!("f{n}"), "conversation": "ada", "chatType": "direct", "sender": { "id": "ada" }, "text": "x",
        });
        let frame = json!({ "type": "inbound", "id": 10_000 + n, "plugin": "words", "channel": "words-line", "message": draft });
        program.send(frame).await;
    }
    let outcomes = eventually("each is answered", async || {
        let seen = program.seen.lock().unwrap();
        (seen.responses.len() == 1_000).then(|| seen.responses.clone())
    })
    .await;
    let admitted = outcomes.values().filter(|r| r["result"]["outcome"] == "admitted").count();
    let limited = outcomes.values().filter(|r| r["result"]["code"] == "rate_limited").count();
    let busy = outcomes.values().filter(|r| r["error"]["code"] == "busy").count();
    assert_eq!(admitted + limited + busy, 1_000, "{:?}", outcomes.values().next());
    assert!((1..=60).contains(&admitted), "{admitted} of a sender within a minute");
    let session = engine.session().await;
    let detail = engine.ask(&session, "are you there?").await;
    assert!(!detail.messages.is_empty(), "the engine goes on");
    assert!(program.write("words", "words-line", "later", "x").await["error"].is_null());
    engine.engine.shutdown().await;
}
