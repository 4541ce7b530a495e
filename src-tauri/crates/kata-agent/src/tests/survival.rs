//! What a provider or the network may do to a stream, in both wire formats where both can.

use super::kit::*;
use crate::fake::{Answer, FakeProvider, Say, Script, Trouble};
use kata_core::ports::{ModelErrorCode, ModelEvent, StepUsage, StopReason};
use kata_protocol::ProviderKind::{self, Anthropic, OpenaiChat};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpListener;

const TEXT: &str = "Grüße aus Zürich 🏔 — fünf Sätze über das Wetter.";

fn full() -> Answer {
    Answer::new(vec![
        Say::Thinking("Hmm, ich überlege.".into(), "sig-1".into()),
        Say::Text(TEXT.into()),
        Say::Tool("call_1".into(), "weather".into(), json!({"city": "Zürich 🏔", "n": [1, 2.5, null]})),
    ])
}

async fn fake(answers: Vec<Answer>) -> FakeProvider {
    FakeProvider::start(Script::new(answers)).await.unwrap()
}

fn thought(kind: ProviderKind) -> Value {
    match kind {
        Anthropic => json!({"type": "thinking", "thinking": "Hmm, ich überlege.", "signature": "sig-1"}),
        _ => json!({"type": "thinking", "thinking": "Hmm, ich überlege."}),
    }
}

/// Asks for [`full`] with a trouble that must not matter.
async fn unharmed_by(troubles: &[Trouble]) {
    for kind in WIRES {
        let answer = troubles.iter().fold(full(), |answer, trouble| answer.with(trouble.clone()));
        let fake = fake(vec![answer]).await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        let step = step.unwrap();
        let call = json!({"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Zürich 🏔", "n": [1, 2.5, null]}});
        assert_eq!(
            step.blocks,
            [thought(kind), json!({"type": "text", "text": TEXT}), call],
            "{kind:?}"
        );
        assert_eq!(step.stop, StopReason::ToolUse);
        let cache_creation = if kind == Anthropic { 3 } else { 0 };
        assert_eq!(
            step.usage,
            StepUsage {
                input: 25,
                output: 12,
                cache_read: 7,
                cache_creation
            },
            "figures replace, they do not add up"
        );
        assert_eq!((text(&events).as_str(), thinking(&events).as_str()), (TEXT, "Hmm, ich überlege."));
        assert!(retries(&events).is_empty());
    }
}

#[tokio::test]
async fn a_plain_stream_becomes_blocks_in_order() {
    unharmed_by(&[]).await;
}

#[tokio::test]
async fn bytes_split_inside_a_character_do_not_matter() {
    unharmed_by(&[Trouble::Bytewise]).await;
}

#[tokio::test]
async fn crlf_comments_pings_and_unknown_events_do_not_matter() {
    unharmed_by(&[Trouble::Crlf, Trouble::Noise]).await;
    unharmed_by(&[Trouble::Crlf, Trouble::Noise, Trouble::Bytewise]).await;
}

#[tokio::test]
async fn a_stream_that_ends_in_the_middle_is_asked_again_and_what_it_said_is_void() {
    for kind in WIRES {
        for trouble in [Trouble::Truncate { after: 5 }, Trouble::Break { after: 5 }] {
            let fake = fake(vec![Answer::text(TEXT).with(trouble), Answer::text("whole")]).await;
            let (model, clock) = model(kind, &fake);
            let (step, events) = ask(&model, request(vec![user("hi")])).await;
            assert_eq!(step.unwrap().blocks, [json!({"type": "text", "text": "whole"})]);
            assert_eq!(text(&events), "whole", "said since the reset");
            let reset = events.iter().position(|event| *event == ModelEvent::Reset).expect("a reset");
            assert!(matches!(events[reset - 1], ModelEvent::Text(_)), "something was said before it");
            assert_eq!(retries(&events), [(1, 500)]);
            assert_eq!(clock.short_sleeps(), [Duration::from_millis(500)]);
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_each_time_is_an_error_that_keeps_the_text() {
    for kind in WIRES {
        let broken = Answer::text(TEXT).with(Trouble::Truncate { after: 5 });
        let fake = fake(vec![broken.clone(), broken.clone(), broken]).await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        let error = step.unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (ModelErrorCode::Protocol, "the answer broke off")
        );
        assert_eq!(retries(&events), [(1, 500), (2, 1000)]);
        assert_eq!(error.partial.len(), 1);
        assert_eq!(error.partial[0]["text"], text(&events), "a person keeps what a person saw");
    }
}

#[tokio::test]
async fn a_finished_tool_call_is_never_asked_for_again() {
    // Anthropic says when a block ends; in the Chat format the next call's beginning says it.
    let call = |id: &str| Say::Tool(id.into(), "weather".into(), json!({"city": "B"}));
    let cases = [
        (Anthropic, vec![call("a"), Say::Text("and".into())]),
        (OpenaiChat, vec![call("a"), call("b")]),
    ];
    for (kind, say) in cases {
        let cut = if kind == Anthropic { 11 } else { 7 };
        let fake = fake(vec![Answer::new(say).with(Trouble::Truncate { after: cut })]).await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        let error = step.unwrap_err();
        assert_eq!(error.message, "the answer broke off", "{kind:?}");
        assert!(retries(&events).is_empty(), "{kind:?}");
        assert_eq!(
            error.partial[0],
            json!({"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "B"}})
        );
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test]
async fn silence_is_broken_off_and_asked_again_once() {
    for kind in WIRES {
        for after in [0, 4] {
            let stall = Answer::text(TEXT).with(Trouble::Stall { after });
            let fake = fake(vec![stall.clone(), Answer::text("whole")]).await;
            let (model, clock) = model(kind, &fake);
            let silence = async {
                fake.stalled().await;
                clock.silence().await;
            };
            let ((step, events), ()) = tokio::join!(ask(&model, request(vec![user("hi")])), silence);
            assert_eq!(step.unwrap().blocks, [json!({"type": "text", "text": "whole"})]);
            assert_eq!(retries(&events), [(1, 500)]);
        }
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_is_given_up() {
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", deaf.local_addr().unwrap());
    let (model, clock) = model_with(Anthropic, &base, Default::default());
    let silence = async {
        for _ in 0..2 {
            clock.somebody_waits().await;
            clock.advance(IDLE - Duration::from_millis(1));
            tokio::task::yield_now().await;
            assert_eq!(clock.longest_wait(), Some(Duration::from_millis(1)), "not a moment early");
            clock.advance(Duration::from_millis(1));
        }
    };
    let ((step, events), ()) = tokio::join!(ask(&model, request(vec![user("hi")])), silence);
    let error = step.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (ModelErrorCode::Idle, "the provider has been silent for 90 s")
    );
    assert_eq!(retries(&events), [(1, 500)]);
}

#[tokio::test]
async fn a_ping_starts_the_patience_anew() {
    let ping = json!({"type": "ping"}).to_string();
    let lines = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 1}}}).to_string(),
        ping.clone(),
        ping.clone(),
        ping,
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}).to_string(),
        json!({"type": "message_stop"}).to_string(),
    ];
    let count = lines.len();
    let fake = fake(vec![Answer::raw(lines).with(Trouble::Gated)]).await;
    let (model, clock) = model(Anthropic, &fake);
    let slow = async {
        fake.asked(1).await;
        for _ in 0..count - 1 {
            clock.somebody_waits().await;
            // Four fifths of the patience, five times over: without the pings it would be long gone.
            clock.advance(IDLE * 4 / 5);
            fake.release(1);
            clock.somebody_waits().await;
        }
        fake.release(1);
    };
    let ((step, events), ()) = tokio::join!(ask(&model, request(vec![user("hi")])), slow);
    assert_eq!(step.unwrap().stop, StopReason::EndTurn);
    assert!(retries(&events).is_empty());
}

#[tokio::test]
async fn a_429_waits_as_long_as_the_provider_says() {
    for kind in WIRES {
        let refused = Answer::refuse(429, &[("retry-after", "7")], "rate_limit_error", "slow down");
        let fake = fake(vec![refused, Answer::text("ok")]).await;
        let (model, clock) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        assert_eq!(step.unwrap().blocks.len(), 1);
        assert_eq!(retries(&events), [(1, 7000)]);
        assert_eq!(clock.short_sleeps(), [Duration::from_secs(7)]);
        assert!(!events.contains(&ModelEvent::Reset), "nothing was said, nothing is void");
    }
}

#[tokio::test]
async fn a_529_that_must_not_be_repeated_is_not() {
    for kind in WIRES {
        let fake = fake(vec![Answer::refuse(
            529,
            &[("x-should-retry", "false")],
            "overloaded_error",
            "Overloaded",
        )])
        .await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        let error = step.unwrap_err();
        assert_eq!(error.code, ModelErrorCode::Unavailable);
        assert_eq!(
            error.message,
            "the provider is overloaded or failing (HTTP 529, overloaded_error): Overloaded"
        );
        assert!(events.is_empty());
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_asked_again() {
    for kind in WIRES {
        let error = Trouble::ErrorEvent {
            after: 5,
            kind: "overloaded_error".into(),
        };
        let fake = fake(vec![Answer::text(TEXT).with(error), Answer::text("ok")]).await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        assert_eq!(step.unwrap().blocks, [json!({"type": "text", "text": "ok"})]);
        assert_eq!(retries(&events), [(1, 500)]);
        assert_eq!(text(&events), "ok");
    }
}

#[tokio::test]
async fn a_502_page_is_asked_again_and_its_html_never_shown() {
    let page = Answer::new(Vec::new()).with(Trouble::Refuse(502, Vec::new(), "<html>Bad Gateway</html>".into()));
    for kind in WIRES {
        let fake = fake(vec![page.clone(), page.clone(), page.clone()]).await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        let error = step.unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            (ModelErrorCode::Unavailable, "the provider is overloaded or failing (HTTP 502)")
        );
        assert_eq!(retries(&events).len(), 2);
    }
}

#[tokio::test]
async fn a_page_in_place_of_a_stream_points_at_the_base_url() {
    let page = Answer::new(Vec::new()).with(Trouble::Refuse(200, Vec::new(), "<html>Welcome</html>".into()));
    let fake = fake(vec![page]).await;
    let (model, _) = model(Anthropic, &fake);
    let (step, _) = ask(&model, request(vec![user("hi")])).await;
    assert!(step.unwrap_err().message.contains("base URL"));
}

#[tokio::test]
async fn a_tool_call_cut_by_the_token_limit_is_an_error_and_is_not_asked_again() {
    for kind in WIRES {
        let fake = fake(vec![full().with(Trouble::CutTool)]).await;
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user("hi")])).await;
        let error = step.unwrap_err();
        assert_eq!(error.code, ModelErrorCode::Protocol);
        assert!(
            error.message.contains("token limit") && error.message.contains("`weather`"),
            "{}",
            error.message
        );
        assert!(retries(&events).is_empty());
        assert!(error.partial.iter().any(|block| block["text"] == TEXT), "the finished text is kept");
        assert!(!error.partial.iter().any(|block| block["type"] == "tool_use"), "half a call is not");
    }
}

#[tokio::test]
async fn a_call_cut_before_its_first_argument_is_not_taken_for_one_without_arguments() {
    for kind in WIRES {
        let call = Say::Tool("a".into(), "weather".into(), json!({}));
        let cut = if kind == Anthropic { "max_tokens" } else { "length" };
        let raw = json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "weather", "arguments": ""}}]}, "finish_reason": "length"}]});
        let answer = if kind == Anthropic {
            Answer::new(vec![call]).stop(cut)
        } else {
            Answer::raw([raw.to_string(), "[DONE]".into()])
        };
        let fake = fake(vec![answer]).await;
        let (model, _) = model(kind, &fake);
        let (step, _) = ask(&model, request(vec![user("hi")])).await;
        assert!(step.unwrap_err().message.contains("token limit"), "{kind:?}");
    }
}

#[tokio::test]
async fn a_tool_without_arguments_gets_an_empty_object() {
    for kind in WIRES {
        let fake = fake(vec![Answer::tool("a", "weather", json!({}))]).await;
        let (model, _) = model(kind, &fake);
        let step = ask(&model, request(vec![user("hi")])).await.0.unwrap();
        assert_eq!(
            step.blocks,
            [json!({"type": "tool_use", "id": "a", "name": "weather", "input": {}})]
        );
    }
}

#[tokio::test]
async fn unknown_blocks_pass_through_verbatim_and_go_back_as_they_came() {
    let strange = json!({"type": "hologram", "zeta": 1, "alpha": {"b": [true, "ä"]}});
    let redacted = json!({"type": "redacted_thinking", "data": "EqAB"});
    let search = json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}});
    let found = json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result", "url": "https://e"}]});
    let say = vec![
        Say::Thinking("first".into(), "sig-a".into()),
        Say::Block(redacted.clone()),
        Say::Text("between".into()),
        Say::Thinking("second".into(), "sig-b".into()),
        Say::Block(search.clone()),
        Say::Block(found.clone()),
        Say::Block(strange.clone()),
        Say::Tool("t1".into(), "weather".into(), json!({"city": "Z"})),
    ];
    let fake = fake(vec![Answer::new(say), Answer::text("done")]).await;
    let (model, _) = model(Anthropic, &fake);
    let step = ask(&model, request(vec![user("hi")])).await.0.unwrap();
    assert_eq!(step.blocks[1], redacted);
    assert_eq!(
        step.blocks[0],
        json!({"type": "thinking", "thinking": "first", "signature": "sig-a"})
    );
    assert_eq!(
        serde_json::to_string(&step.blocks[6]).unwrap(),
        strange.to_string(),
        "field order included"
    );

    let back = assistant("anthropic", Value::Array(step.blocks.clone()));
    ask(&model, request(vec![user("hi"), back, result("t1", "sunny")])).await.0.unwrap();
    let sent = &fake.requests()[1].body["messages"][1]["content"];
    assert_eq!(sent.to_string(), Value::Array(step.blocks).to_string(), "byte for byte, in order");
    assert!(fake.violations().is_empty());
}

#[tokio::test]
async fn server_tool_arguments_and_citations_are_put_together() {
    let lines = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 1, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{\"query\":"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "\"x\"}"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "", "citations": null}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"url": "https://e"}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "hologram_delta", "text": {"not": "a text"}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "cited"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "pause_turn"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ];
    let fake = fake(vec![Answer::raw(lines.map(|line| line.to_string()))]).await;
    let (model, _) = model(Anthropic, &fake);
    let step = ask(&model, request(vec![user("hi")])).await.0.unwrap();
    assert_eq!(step.blocks[0]["input"], json!({"query": "x"}));
    assert_eq!(
        step.blocks[1],
        json!({"type": "text", "text": "cited", "citations": [{"url": "https://e"}]})
    );
    assert_eq!((step.stop, step.usage.output), (StopReason::Pause, 9));
}

#[tokio::test]
async fn every_stop_reason_has_its_meaning() {
    let cases = [
        (Anthropic, "end_turn", StopReason::EndTurn),
        (Anthropic, "stop_sequence", StopReason::EndTurn),
        (Anthropic, "max_tokens", StopReason::MaxTokens),
        (Anthropic, "pause_turn", StopReason::Pause),
        (Anthropic, "refusal", StopReason::Refusal),
        (Anthropic, "model_context_window_exceeded", StopReason::ContextExceeded),
        (OpenaiChat, "stop", StopReason::EndTurn),
        (OpenaiChat, "length", StopReason::MaxTokens),
        (OpenaiChat, "content_filter", StopReason::Refusal),
    ];
    for (kind, reason, stop) in cases {
        let fake = fake(vec![Answer::text("x").stop(reason)]).await;
        let (model, _) = model(kind, &fake);
        assert_eq!(ask(&model, request(vec![user("hi")])).await.0.unwrap().stop, stop, "{reason}");
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let cases = [
        (401, "authentication_error", "invalid x-api-key", ModelErrorCode::Unauthorized),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            ModelErrorCode::ContextExceeded,
        ),
        (400, "context_length_exceeded", "too much", ModelErrorCode::ContextExceeded),
        (413, "request_too_large", "big", ModelErrorCode::ContextExceeded),
        (404, "not_found_error", "model: nope", ModelErrorCode::Rejected),
        (422, "invalid_request_error", "no", ModelErrorCode::Rejected),
        (429, "rate_limit_error", "slow", ModelErrorCode::RateLimited),
        (500, "api_error", "oops", ModelErrorCode::Unavailable),
    ];
    for kind in WIRES {
        for (status, name, line, code) in cases {
            let fake = fake(vec![Answer::refuse(status, &[("x-should-retry", "false")], name, line)]).await;
            let (model, _) = model(kind, &fake);
            let error = ask(&model, request(vec![user("hi")])).await.0.unwrap_err();
            assert_eq!(error.code, code, "{status} {name}");
            assert!(error.message.contains(line), "{}", error.message);
        }
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable_after_the_retries() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (model, clock) = model_with(OpenaiChat, &base, Default::default());
    let error = ask(&model, request(vec![user("hi")])).await.0.unwrap_err();
    assert_eq!(error.code, ModelErrorCode::Unreachable);
    assert!(error.message.ends_with("cannot be reached"), "{}", error.message);
    assert_eq!(clock.short_sleeps(), [Duration::from_millis(500), Duration::from_secs(1)]);
}
