//! Keys and message text get into no error, no event and no `Debug`.

use super::kit::*;
use crate::ProviderConfig;
use crate::fake::{Answer, FakeProvider, Script, Trouble};
use kata_protocol::ProviderKind;
use serde_json::{Value, json};

const KEY: &str = "sk-test-canary-key-0123456789";
const WORDS: &str = "the canary sings at midnight in the old mill";

#[tokio::test]
async fn what_a_provider_echoes_of_key_or_conversation_stays_out_of_errors_and_events() {
    let bodies = [
        json!({"error": {"type": "authentication_error", "message": format!("Incorrect API key provided: {KEY}. Find yours at the console")}}),
        json!({"error": {"type": "authentication_error", "message": "Incorrect API key provided: sk-te***6789."}}),
        json!({"error": {"type": KEY, "code": KEY, "message": KEY}}),
        json!({"error": {"type": "invalid_request_error", "message": format!("cannot read “{WORDS}”")}}),
        json!({"error": {"type": "invalid_request_error", "message": format!("{} {}{KEY}", "x".repeat(30), "y ".repeat(75))}}),
        json!({"error": format!("bad input: {WORDS}")}),
        json!({"detail": WORDS}),
    ];
    for kind in WIRES {
        for body in &bodies {
            for status in ["401", "500"] {
                let refused = Answer::new(Vec::new()).with(Trouble::Refuse(status.parse().unwrap(), Vec::new(), body.to_string()));
                let fake = FakeProvider::start(Script::respond(move |_, _| refused.clone())).await.unwrap();
                let (model, _) = model(kind, &fake);
                let (step, events) = ask(&model, request(vec![user(WORDS)])).await;
                let shown = format!("{:?} {events:?}", step.unwrap_err());
                for secret in [KEY, "sk-te", "canary", "midnight", "old mill"] {
                    assert!(!shown.contains(secret), "{secret} in {shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_error_in_the_stream_does_not_repeat_the_conversation() {
    for kind in WIRES {
        let broken = Answer::text("x").with(Trouble::ErrorEvent {
            after: 1,
            kind: "overloaded_error".into(),
        });
        let fake = FakeProvider::start(Script::respond(move |_, _| broken.clone())).await.unwrap();
        let (model, _) = model(kind, &fake);
        let (step, events) = ask(&model, request(vec![user(WORDS)])).await;
        let shown = format!("{:?} {events:?}", step.unwrap_err());
        assert!(shown.contains("overloaded_error") && !shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn a_harmless_line_of_the_provider_is_passed_on() {
    let line = "max_tokens: 999999 > 64000, which is the maximum for this model";
    let fake = FakeProvider::start(Script::new(vec![Answer::refuse(400, &[], "invalid_request_error", line)]))
        .await
        .unwrap();
    let (model, _) = model(ProviderKind::Anthropic, &fake);
    let error = ask(&model, request(vec![user(WORDS)])).await.0.unwrap_err();
    assert_eq!(
        error.message,
        format!("the provider refuses the request (HTTP 400, invalid_request_error): {line}")
    );
}

#[test]
fn debug_shows_neither_keys_nor_parameters() {
    let extra = json!({"thinking": {"note": "canary"}}).as_object().unwrap().clone();
    let base = Some("https://user:canary@host/v1");
    let config = ProviderConfig {
        settings: settings(ProviderKind::Anthropic, base),
        key: Some(KEY.into()),
        extra,
    };
    let catalog = catalog(&Default::default());
    catalog.replace(vec![config.clone()], None);
    let shown = format!("{config:?} {catalog:?} {:?}", catalog.find_error());
    assert!(
        !shown.contains("canary") && shown.contains("has_key: true") && shown.contains("thinking"),
        "{shown}"
    );
}

trait FindError {
    fn find_error(&self) -> Value;
}
impl FindError for crate::Catalog {
    fn find_error(&self) -> Value {
        let error = kata_core::ports::Models::find(self, Some("p")).err();
        serde_json::to_value(error).unwrap()
    }
}
