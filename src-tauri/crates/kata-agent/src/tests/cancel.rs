//! Stopping a step: within milliseconds, wherever it is, keeping what was finished.

use super::kit::*;
use crate::fake::{Answer, FakeProvider, Say, Script, Trouble};
use kata_core::ports::{ModelErrorCode, ModelEvent};
use kata_protocol::ProviderKind;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Milliseconds, with room for a machine under load.
const SOON: Duration = Duration::from_millis(500);

#[tokio::test]
async fn stopping_keeps_finished_blocks_and_the_text_so_far_and_drops_unsigned_thinking() {
    let say = vec![
        Say::Thinking("done".into(), "sig".into()),
        Say::Text("finished".into()),
        Say::Text("a text that is still going on".into()),
    ];
    let unsigned = vec![Say::Thinking("a long thought that is not signed yet".into(), "sig".into())];
    // Events: start, ping; thinking: start, one piece, signature, stop; text: start, one piece, stop; text: start, two pieces.
    let kept = json!([
        {"type": "thinking", "thinking": "done", "signature": "sig"},
        {"type": "text", "text": "finished"},
        {"type": "text", "text": "a text that is s"},
    ]);
    let cases = [
        (say, 12, "donefinisheda text that is s", kept),
        (unsigned, 5, "a long thought t", json!([])),
    ];
    for (say, events, said, kept) in cases {
        let fake = FakeProvider::start(Script::new(vec![Answer::new(say).with(Trouble::Stall { after: events })]))
            .await
            .unwrap();
        let (model, _) = model(ProviderKind::Anthropic, &fake);
        let cancel = CancellationToken::new();
        let (events, mut heard) = mpsc::channel(4);
        let stop = async {
            let mut all = String::new();
            while all != said {
                match heard.recv().await {
                    Some(ModelEvent::Text(text) | ModelEvent::Thinking(text)) => all.push_str(&text),
                    other => panic!("{other:?}"),
                }
            }
            cancel.cancel();
            Instant::now()
        };
        let both = async { tokio::join!(model.step(request(vec![user("hi")]), events, cancel.clone()), stop) };
        let (step, at) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("it hangs");
        assert!(at.elapsed() < SOON);
        let error = step.unwrap_err();
        assert_eq!(error.code, ModelErrorCode::Cancelled);
        assert_eq!(serde_json::Value::Array(error.partial), kept);
    }
}

#[tokio::test]
async fn a_step_can_be_stopped_before_anything_came() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", deaf.local_addr().unwrap());
    for kind in WIRES {
        let (model, clock) = model_with(kind, &base, Default::default());
        let cancel = CancellationToken::new();
        let stop = async {
            clock.somebody_waits().await;
            cancel.cancel();
            Instant::now()
        };
        let ((step, heard), at) = tokio::join!(ask_until(&model, request(vec![user("hi")]), &cancel), stop);
        assert!(at.elapsed() < SOON);
        assert_eq!(step.unwrap_err().code, ModelErrorCode::Cancelled);
        assert!(heard.is_empty());
    }
}

#[tokio::test]
async fn a_wait_for_the_next_attempt_can_be_stopped() {
    let refused = Answer::refuse(429, &[("retry-after", "100")], "rate_limit_error", "slow down");
    let fake = FakeProvider::start(Script::new(vec![refused])).await.unwrap();
    let (model, clock) = model(ProviderKind::Anthropic, &fake);
    let cancel = CancellationToken::new();
    let stop = async {
        fake.asked(1).await;
        // A hundred seconds are more than the idle limit, so this is the wait and not the silence.
        clock.somebody_waits_for(Duration::from_secs(100)).await;
        cancel.cancel();
    };
    let both = async { tokio::join!(ask_until(&model, request(vec![user("hi")]), &cancel), stop) };
    let ((step, heard), ()) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("it hangs");
    assert_eq!(step.unwrap_err().code, ModelErrorCode::Cancelled);
    assert_eq!(retries(&heard), [(1, 100_000)]);
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_step_whose_listener_is_stuck_can_be_stopped() {
    for kind in WIRES {
        let fake = FakeProvider::start(Script::new(vec![Answer::text(&"word ".repeat(200))]))
            .await
            .unwrap();
        let (model, _) = model(kind, &fake);
        let cancel = CancellationToken::new();
        let (events, mut heard) = mpsc::channel(1);
        let stop = async {
            // Takes one event and never another: the queue is full.
            let first = heard.recv().await;
            assert!(matches!(first, Some(ModelEvent::Text(_))));
            while heard.len() < heard.max_capacity() {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        let both = async { tokio::join!(model.step(request(vec![user("hi")]), events, cancel.clone()), stop) };
        let (step, ()) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("it hangs");
        assert_eq!(step.unwrap_err().code, ModelErrorCode::Cancelled);
    }
}

#[tokio::test]
async fn nobody_listening_any_more_does_not_stop_the_answer() {
    for kind in WIRES {
        let fake = FakeProvider::start(Script::new(vec![Answer::text("all of it")])).await.unwrap();
        let (model, _) = model(kind, &fake);
        let (events, heard) = mpsc::channel(1);
        drop(heard);
        let step = model
            .step(request(vec![user("hi")]), events, CancellationToken::new())
            .await
            .unwrap();
        assert_eq!(step.blocks, [json!({"type": "text", "text": "all of it"})]);
    }
}
