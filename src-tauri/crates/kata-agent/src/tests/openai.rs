//! What servers that speak Chat Completions do their own way.

use super::kit::*;
use crate::fake::{Answer, FakeProvider, Script};
use kata_core::ports::{ModelError, ModelEvent, ModelStep, StopReason};
use kata_protocol::ProviderKind::OpenaiChat;
use serde_json::{Value, json};

async fn heard(lines: Vec<Value>, done: bool) -> (Result<ModelStep, ModelError>, Vec<ModelEvent>) {
    let lines = lines.iter().map(Value::to_string).chain(done.then(|| "[DONE]".to_owned()));
    let fake = FakeProvider::start(Script::new(vec![Answer::raw(lines)])).await.unwrap();
    let (model, _) = model(OpenaiChat, &fake);
    ask(&model, request(vec![user("hi")])).await
}

fn delta(delta: Value, finish: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

fn calls(pieces: Value) -> Value {
    delta(json!({"tool_calls": pieces}), Value::Null)
}

fn inputs(step: &ModelStep) -> Vec<&Value> {
    step.blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(|block| &block["input"])
        .collect()
}

#[tokio::test]
async fn ollama_sends_whole_calls_under_one_index_and_stops_with_stop() {
    let piece = |id: &str, city: &str| json!({"index": 0, "id": id, "type": "function", "function": {"name": "weather", "arguments": json!({"city": city}).to_string()}});
    let lines = vec![
        calls(json!([piece("call_a", "A")])),
        calls(json!([piece("call_b", "B")])),
        delta(json!({"content": ""}), json!("stop")),
    ];
    let step = heard(lines, true).await.0.unwrap();
    assert_eq!(inputs(&step), [&json!({"city": "A"}), &json!({"city": "B"})]);
    assert_eq!(step.stop, StopReason::ToolUse);
}

#[tokio::test]
async fn calls_without_ids_or_indexes_get_ids_of_their_own() {
    let piece = |city: &str| json!({"function": {"name": "weather", "arguments": {"city": city}}});
    let lines = vec![
        calls(json!([piece("A")])),
        calls(json!([piece("B")])),
        delta(json!({}), json!("tool_calls")),
    ];
    let step = heard(lines, true).await.0.unwrap();
    assert_eq!(inputs(&step), [&json!({"city": "A"}), &json!({"city": "B"})]);
    let ids: Vec<&str> = step.blocks.iter().map(|block| block["id"].as_str().unwrap()).collect();
    assert!(!ids[0].is_empty() && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn pieces_of_two_calls_may_be_mixed() {
    let lines = vec![
        calls(json!([{"index": 0, "id": "a", "function": {"name": "weather", "arguments": ""}}])),
        calls(
            json!([{"index": 1, "id": "b", "function": {"name": "weather", "arguments": "{\"city\":"}}, {"index": 0, "function": {"arguments": "{\"city\""}}]),
        ),
        calls(json!([{"index": 0, "function": {"arguments": ":\"A\"}"}}, {"index": 1, "function": {"arguments": "\"B\"}"}}])),
        delta(json!({}), json!("tool_calls")),
    ];
    let step = heard(lines, true).await.0.unwrap();
    assert_eq!(inputs(&step), [&json!({"city": "A"}), &json!({"city": "B"})]);
}

#[tokio::test]
async fn reasoning_is_shown_under_both_its_names_and_kept_as_thinking() {
    for name in ["reasoning_content", "reasoning"] {
        let lines = vec![
            delta(json!({name: "first "}), Value::Null),
            delta(json!({name: "then"}), Value::Null),
            delta(json!({"content": "so"}), json!("stop")),
        ];
        let (step, events) = heard(lines, true).await;
        let blocks = step.unwrap().blocks;
        assert_eq!(
            blocks,
            [
                json!({"type": "thinking", "thinking": "first then"}),
                json!({"type": "text", "text": "so"})
            ]
        );
        assert_eq!((thinking(&events).as_str(), text(&events).as_str()), ("first then", "so"));
    }
}

#[tokio::test]
async fn the_last_word_may_be_missing_but_not_the_reason() {
    let whole = vec![delta(json!({"content": "so"}), json!("stop"))];
    assert!(heard(whole, false).await.0.is_ok());
    let cut = vec![delta(json!({"content": "so"}), Value::Null)];
    let error = heard(cut, false).await.0.unwrap_err();
    assert!(!error.message.is_empty());
}

#[tokio::test]
async fn arguments_that_are_json_inside_json_are_read_and_others_are_an_error() {
    let line = |arguments: Value| {
        vec![
            calls(json!([{"index": 0, "id": "a", "function": {"name": "weather", "arguments": arguments}}])),
            delta(json!({}), json!("tool_calls")),
        ]
    };
    let inner = Value::String(json!("{\"city\":\"A\"}").to_string());
    assert_eq!(inputs(&heard(line(inner), true).await.0.unwrap()), [&json!({"city": "A"})]);
    for wrong in ["{\"city\":", "[1]", "42", "city=A"] {
        let error = heard(line(json!(wrong)), true).await.0.unwrap_err();
        assert!(error.message.contains("not JSON"), "{wrong}: {}", error.message);
    }
}

#[tokio::test]
async fn a_refusal_is_text_with_its_own_reason() {
    let step = heard(vec![delta(json!({"refusal": "I will not."}), json!("stop"))], true)
        .await
        .0
        .unwrap();
    assert_eq!((step.stop, &step.blocks[0]["text"]), (StopReason::Refusal, &json!("I will not.")));
}

#[tokio::test]
async fn the_key_is_a_bearer_and_usage_is_asked_for() {
    let fake = FakeProvider::start(Script::new(vec![Answer::text("ok")])).await.unwrap();
    let (model, _) = model(OpenaiChat, &fake);
    ask(&model, request(vec![user("hi")])).await.0.unwrap();
    let got = fake.requests().remove(0);
    assert_eq!(got.header("authorization"), Some("Bearer sk-test-canary-key-0123456789"));
    assert_eq!(got.body["stream_options"], json!({"include_usage": true}));
    assert_eq!(got.body["tools"][0]["function"]["name"], "weather");
    assert!(got.body.get("max_tokens").is_none(), "absent settings are the provider's own");
}
