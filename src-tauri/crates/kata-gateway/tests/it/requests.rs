//! Requests and answers.

use crate::support::*;
use kata_gateway::close;
use kata_protocol::{ErrorCode, ServerFrame, WireError};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;

#[tokio::test]
async fn a_request_reaches_the_engine_with_caller_and_parameters_and_the_answer_comes_back() {
    let house = house(answering(|caller, op, params| {
        assert_eq!((caller.name.as_str(), op), ("test", "session.list"));
        Ok(json!({"sessions": [], "total": params["limit"]}))
    }))
    .await;
    let mut client = house.client(ADMIN).await;
    assert_eq!(
        client.ask(5, "session.list", json!({"limit": 3})).await,
        Ok(json!({"sessions": [], "total": 3}))
    );
}

#[tokio::test]
async fn an_error_of_the_engine_crosses_whole() {
    let refusal = WireError::new(ErrorCode::NeedsUser, "no model is set up").hint("add one");
    let copy = refusal.clone();
    let house = house(answering(move |_, _, _| Err(copy.clone()))).await;
    let mut client = house.client(ADMIN).await;
    assert_eq!(client.ask(1, "model.list", json!({})).await, Err(refusal));
}

#[tokio::test]
async fn a_token_that_may_only_read_changes_nothing() {
    let house = house(answering(|_, op, _| {
        if op == "model.list" {
            Ok(json!([]))
        } else {
            panic!("{op} reached the engine")
        }
    }))
    .await;
    let mut client = house.client(READER).await;
    for (op, params) in [
        ("session.submit", json!({"id": "s", "text": "hi"})),
        ("session.approve", json!({"id": "s", "callId": "c", "decision": "once"})),
        ("plugin.reload", json!({"id": "echo"})),
    ] {
        let error = client.ask(1, op, params).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Forbidden, "{op}: {error}");
    }
    assert!(client.ask(2, "model.list", json!({})).await.is_ok());
}

#[tokio::test]
async fn bad_requests_are_answered_and_the_connection_goes_on() {
    let house = house(quiet()).await;
    let mut client = house.client(ADMIN).await;
    assert_eq!(client.ask(1, "no.such", json!({})).await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(
        client.ask(2, "session.list", json!({"limit": "many"})).await.unwrap_err().code,
        ErrorCode::Invalid
    );
    client.send(json!({"type": "request", "id": 3})).await;
    let ServerFrame::Response {
        id, error: Some(error), ..
    } = client.frame().await
    else {
        panic!()
    };
    assert_eq!((id.0, error.code), (3, ErrorCode::Invalid));
    assert!(
        client.ask(4, "model.list", Value::Null).await.is_ok(),
        "null stands for no parameters"
    );
}

#[tokio::test]
async fn a_frame_that_is_none_ends_the_connection_with_a_reason() {
    let house = house(quiet()).await;
    for frame in [
        json!({"type": "dance"}),
        json!([1]),
        json!({"type": "connect", "version": 1, "token": ADMIN, "client": "again"}),
    ] {
        let mut client = house.client(ADMIN).await;
        client.send(frame).await;
        let (reason, code) = client.ending().await;
        assert!(!reason.is_empty());
        assert_eq!(code, Some(close::BAD_FRAME));
    }
}

#[tokio::test]
async fn a_panic_in_an_operation_is_an_answer_and_stays_with_its_request() {
    let house = house(answering(|_, op, _| {
        if op == "tool.list" {
            panic!("broken inside")
        } else {
            Ok(json!([]))
        }
    }))
    .await;
    let mut client = house.client(ADMIN).await;
    let error = client.ask(1, "tool.list", json!({})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Internal);
    assert!(client.ask(2, "model.list", json!({})).await.is_ok());
}

/// `tool.list` waits until the test lets it go; everything else is answered at once.
fn gated(gate: &Arc<Notify>) -> Answer {
    let gate = Arc::clone(gate);
    Box::new(move |_, op, _| {
        let gate = Arc::clone(&gate);
        Box::pin(async move {
            if op == "tool.list" {
                gate.notified().await;
            }
            Ok(json!([]))
        })
    })
}

#[tokio::test]
async fn a_request_that_takes_long_holds_up_no_other() {
    let gate = Arc::new(Notify::new());
    let house = house(gated(&gate)).await;
    let mut client = house.client(ADMIN).await;
    client.send(json!({"type": "request", "id": 1, "op": "tool.list"})).await;
    assert!(client.ask(2, "model.list", json!({})).await.is_ok());
    gate.notify_one();
    assert!(matches!(client.frame().await, ServerFrame::Response { id, .. } if id.0 == 1));
}

#[tokio::test]
async fn the_257th_request_at_a_time_is_busy_and_none_is_lost() {
    let gate = Arc::new(Notify::new());
    let house = house(gated(&gate)).await;
    let mut client = house.client(ADMIN).await;
    for id in 0..257 {
        client.send(json!({"type": "request", "id": id, "op": "tool.list"})).await;
    }
    let ServerFrame::Response {
        id, error: Some(error), ..
    } = client.frame().await
    else {
        panic!()
    };
    assert_eq!((id.0, error.code), (256, ErrorCode::Busy));
    let mut open: BTreeSet<u64> = (0..256).collect();
    while !open.is_empty() {
        gate.notify_one();
        let ServerFrame::Response { id, error: None, .. } = client.frame().await else {
            panic!()
        };
        assert!(open.remove(&id.0), "{id:?} twice");
    }
    gate.notify_one();
    assert!(client.ask(300, "tool.list", json!({})).await.is_ok(), "the places are free again");
}

#[tokio::test]
async fn an_answer_larger_than_a_frame_is_an_error_that_says_what_to_do() {
    let house = house(answering(|_, _, _| {
        let text = "x".repeat(17 << 20);
        Ok(json!([{"at": 1, "level": "INFO", "target": "t", "plugin": null, "message": text}]))
    }))
    .await;
    let mut client = house.client(ADMIN).await;
    let error = client.ask(1, "log.tail", json!({})).await.unwrap_err();
    assert!(error.hint.is_some_and(|h| h.contains("limit")));
}

#[tokio::test]
async fn ten_thousand_pipelined_requests_are_answered_once_each() {
    let house = house(quiet()).await;
    let client = house.client(ADMIN).await;
    let (mut sink, mut stream) = futures::StreamExt::split(client.socket);
    let send = async {
        for id in 0..10_000 {
            let text = json!({"type": "request", "id": id, "op": "model.list"}).to_string();
            futures::SinkExt::feed(&mut sink, tokio_tungstenite::tungstenite::Message::text(text))
                .await
                .unwrap();
        }
        futures::SinkExt::flush(&mut sink).await.unwrap();
    };
    let receive = async {
        let mut seen = BTreeSet::new();
        while seen.len() < 10_000 {
            let message = futures::StreamExt::next(&mut stream).await.unwrap().unwrap();
            let Ok(ServerFrame::Response { id, error: None, .. }) = serde_json::from_str(message.to_text().unwrap()) else {
                continue;
            };
            assert!(seen.insert(id.0));
        }
    };
    soon("all answers", async { tokio::join!(send, receive) }).await;
}
