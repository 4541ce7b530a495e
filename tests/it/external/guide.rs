//! Every frame in `docs/gateway/plugins.md` is one, and the plugin that it writes works.

use super::program::Program;
use kata_protocol::ClientFrame;
use kata_tests::{TestEngine, TestHome};
use serde_json::{Value, json};
use std::path::Path;

/// Frames of the listings, in order.
fn frames() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gateway/plugins.md");
    let text = std::fs::read_to_string(path).unwrap();
    let listings = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let values = listings.flat_map(|listing| serde_json::Deserializer::from_str(listing).into_iter::<Value>());
    values.map(|value| value.expect("a listing is JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_frame_of_the_guide_to_plugins_over_the_gateway_is_one_and_is_taken() {
    let frames = frames();
    for frame in &frames {
        serde_json::from_value::<ClientFrame>(frame.clone()).unwrap_or_else(|e| panic!("{e}: {frame}"));
    }
    let of = |kind: &str| {
        frames
            .iter()
            .find(|f| f["type"] == kind)
            .unwrap_or_else(|| panic!("no {kind} in the guide"))
            .clone()
    };
    let home = TestHome::with_plugins(&[]);
    home.settings(&json!({ "sources": { "channel:hall-display": { "policy": "open" } } }));
    let engine = TestEngine::start(home).await;
    let answers: Vec<Value> = frames.iter().filter(|f| f["type"] == "answer").cloned().collect();
    let does = move |call: &Value| {
        let of_tool = answers.iter().find(|a| a["result"]["text"].is_string()).unwrap();
        let of_send = answers.iter().find(|a| a["error"].is_object()).unwrap();
        Some(match call["kind"].as_str().unwrap() {
            "tool" => json!({ "result": of_tool["result"] }),
            "send" => json!({ "error": of_send["error"] }),
            _ => json!({ "result": null }),
        })
    };
    let mut program = Program::connect(&engine, Box::new(does)).await;
    let answer = program.register(of("register")["plugin"].clone()).await;
    assert!(answer["error"].is_null(), "{answer}");
    let detail = engine.ask(&engine.session().await, "/tool temperature {\"room\":\"hall\"}").await;
    assert!(detail.messages.last().unwrap().text.contains("21.5"));
    program.send(of("report")).await;
    let taken = program.ask(of("inbound")).await;
    assert_eq!(taken["result"]["outcome"], "admitted", "{taken}");
    program.called("send", 1).await;
    assert!(program.seen.lock().unwrap().ended.is_none());
    engine.engine.shutdown().await;
}
