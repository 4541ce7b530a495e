//! The scripted demo: says that it is one, obeys its commands, keeps nothing.

use super::kit::*;
use crate::demo::Demo;
use kata_core::ports::{HistoryItem, Model, ModelErrorCode, ModelRequest, ModelStep, StopReason};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn demo() -> Arc<dyn Model> {
    Arc::new(Demo::new(Arc::new(TestClock::default()), Duration::ZERO))
}

async fn said(request: ModelRequest) -> (ModelStep, String) {
    let (step, events) = ask(&demo(), request).await;
    (step.unwrap(), text(&events))
}

#[tokio::test]
async fn it_says_that_it_is_scripted_echoes_and_lists_tools_and_commands() {
    assert_eq!((demo().label().as_str(), demo().family()), ("Demo (scripted)", "demo"));
    for words in ["Good morning", "/help"] {
        let (step, text) = said(request(vec![user(words)])).await;
        assert_eq!(step.stop, StopReason::EndTurn);
        assert_eq!(step.blocks, [json!({"type": "text", "text": text})]);
        for part in [
            "scripted",
            "`weather`",
            "`/tool name {json}`",
            "`/think …`",
            "`/long N`",
            "`/fail`",
            "`/help`",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.contains("Good morning"), words == "Good morning");
    }
}

#[tokio::test]
async fn a_message_that_begins_with_plan_hands_one_in_where_that_can_be_done() {
    let mut request = request(vec![user("Plan move the API\nplease")]);
    let (step, text) = said(request.clone()).await;
    assert!(
        step.stop == StopReason::EndTurn && text.contains("I heard you"),
        "there is no such tool: {text}"
    );
    let mut tools = request.tools.to_vec();
    tools[0].name = kata_core::ports::SUBMIT_PLAN.into();
    request.tools = tools.into();
    let (step, _) = said(request).await;
    assert_eq!((step.stop, &step.blocks[1]["name"]), (StopReason::ToolUse, &json!("submit_plan")));
    assert_eq!(step.blocks[1]["input"]["title"], "move the API");
    assert!(step.blocks[1]["input"]["plan"].as_str().unwrap().starts_with("# move the API\n"));
}

#[tokio::test]
async fn a_tool_is_called_and_its_result_quoted() {
    let (step, _) = said(request(vec![user("/tool weather {\"city\": \"Zürich\"}\n/tool weather")])).await;
    assert_eq!(step.stop, StopReason::ToolUse);
    assert_eq!(step.blocks[0]["type"], "text");
    assert_eq!(
        (&step.blocks[1]["name"], &step.blocks[1]["input"]),
        (&json!("weather"), &json!({"city": "Zürich"}))
    );
    assert_eq!(step.blocks[2]["input"], json!({}));
    assert_ne!(step.blocks[1]["id"], step.blocks[2]["id"]);

    let ids: Vec<String> = step.blocks[1..]
        .iter()
        .map(|block| block["id"].as_str().unwrap().to_owned())
        .collect();
    let answer = assistant("demo", step.blocks.into());
    let failed = HistoryItem::ToolResult {
        call_id: kata_protocol::CallId::new(ids[1].as_str()).unwrap(),
        text: "no city".into(),
        is_error: true,
    };
    let (step, text) = said(request(vec![user("/tool weather"), answer, result(&ids[0], "sunny"), failed])).await;
    assert_eq!(step.stop, StopReason::EndTurn);
    assert_eq!(text, "The tool `weather` answered: sunny\n\nThe tool `weather` failed: no city");
}

#[tokio::test]
async fn a_later_call_in_the_session_has_another_id() {
    let first = said(request(vec![user("/tool weather")])).await.0;
    let id = first.blocks[1]["id"].as_str().unwrap().to_owned();
    let again = vec![
        user("/tool weather"),
        assistant("demo", first.blocks.into()),
        result(&id, "x"),
        user("/tool weather"),
    ];
    assert_ne!(said(request(again.clone())).await.0.blocks[1]["id"], json!(id));
    assert_eq!(
        said(request(again.clone())).await,
        said(request(again)).await,
        "the same conversation, the same answer"
    );
}

#[tokio::test]
async fn it_calls_only_tools_on_offer_with_objects() {
    let (step, text) = said(request(vec![user("/tool hammer {}\n/tool weather [1]\n/tool weather {\"city\"")])).await;
    assert_eq!(step.stop, StopReason::EndTurn);
    assert!(
        text.contains("no tool `hammer`") && text.contains("Tools on offer: `weather`"),
        "{text}"
    );
    assert_eq!(text.matches("not a JSON object").count(), 2);
}

#[tokio::test]
async fn it_thinks_first_and_fails_when_told_to() {
    let (step, events) = ask(&demo(), request(vec![user("/think about it\n/long 5")])).await;
    let step = step.unwrap();
    assert_eq!(step.blocks[0]["thinking"], "(scripted) about it");
    assert_eq!(step.blocks[1]["text"], "one two three four five");
    assert_eq!(thinking(&events), "(scripted) about it");

    let failing = vec![user("/fail")];
    assert_eq!(
        ask(&demo(), request(failing.clone())).await.0.unwrap_err().code,
        ModelErrorCode::Unavailable
    );
    let recovered = failing.into_iter().chain([user("hello")]).collect();
    assert!(
        ask(&demo(), request(recovered)).await.0.is_ok(),
        "an unanswered command is not obeyed twice"
    );
}

#[tokio::test]
async fn it_streams_in_small_pieces_with_the_pause_it_is_given_and_can_be_stopped_in_one() {
    let clock = Arc::new(TestClock::default());
    let model: Arc<dyn Model> = Arc::new(Demo::new(clock.clone(), Duration::from_millis(12)));
    let (_, events) = ask(&model, request(vec![user("/long 100")])).await;
    assert!(events.len() > 10);
    assert_eq!(clock.short_sleeps(), vec![Duration::from_millis(12); events.len()]);

    let slow: Arc<dyn Model> = Arc::new(Demo::new(clock.clone(), IDLE));
    let cancel = CancellationToken::new();
    let (sender, mut heard) = mpsc::channel(4);
    let stop = async {
        clock.somebody_waits().await;
        clock.advance(IDLE);
        heard.recv().await.unwrap();
        clock.somebody_waits().await;
        cancel.cancel();
    };
    let (step, ()) = tokio::join!(slow.step(request(vec![user("/long 100")]), sender, cancel.clone()), stop);
    let error = step.unwrap_err();
    assert_eq!(error.code, ModelErrorCode::Cancelled);
    assert_eq!(error.partial, [json!({"type": "text", "text": "one two three four five six "})]);
}
