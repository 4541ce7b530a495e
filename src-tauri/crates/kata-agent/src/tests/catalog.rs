//! Finding a model, and finding models on this machine.

use super::kit::*;
use crate::fake::{FakeProvider, Script};
use crate::{Http, ProviderConfig, detect};
use kata_core::ports::Models;
use kata_protocol::{ErrorCode, ProviderKind, ProviderSettings};
use serde_json::Map;
use std::sync::Arc;

fn provider(id: &str, kind: ProviderKind, base_url: Option<&str>, key: Option<&str>) -> ProviderConfig {
    let settings = ProviderSettings {
        id: id.into(),
        ..settings(kind, base_url)
    };
    ProviderConfig {
        settings,
        key: key.map(Into::into),
        extra: Map::new(),
    }
}

#[test]
fn without_a_model_a_person_is_told_to_add_one_or_choose_the_demo() {
    let catalog = catalog(&Arc::default());
    let error = catalog.find(None).err().unwrap();
    assert_eq!(error.code, ErrorCode::NeedsUser);
    assert!(error.hint.unwrap().contains("demo"));
    assert_eq!(catalog.find(Some("gone")).err().unwrap().code, ErrorCode::NotFound);
}

#[test]
fn providers_are_found_by_id_or_as_the_default_and_replaced_as_a_whole() {
    let catalog = catalog(&Arc::default());
    let demo = provider("demo", ProviderKind::Demo, None, None);
    let claude = provider("claude", ProviderKind::Anthropic, None, Some("k\n"));
    catalog.replace(vec![demo.clone(), claude], Some("demo".into()));
    assert_eq!(catalog.find(None).unwrap().label(), "Demo (scripted)");
    assert_eq!(catalog.find(Some("claude")).unwrap().family(), "anthropic");
    let labels: Vec<String> = catalog.summaries().into_iter().map(|(_, label)| label).collect();
    assert_eq!(labels, ["Demo (scripted)", "fake-model (Anthropic)"]);
    let kept = catalog.find(Some("claude")).unwrap();
    catalog.replace(vec![demo], None);
    assert!(catalog.find(Some("claude")).is_err() && catalog.find(None).is_err());
    assert_eq!(kept.family(), "anthropic", "a step under way keeps its model");
}

#[test]
fn a_provider_that_cannot_work_is_listed_and_says_why() {
    let catalog = catalog(&Arc::default());
    let cases = [
        (
            provider("p", ProviderKind::Anthropic, None, None),
            ErrorCode::NeedsUser,
            "has no key",
        ),
        (
            provider("p", ProviderKind::OpenaiChat, None, Some("  ")),
            ErrorCode::NeedsUser,
            "has no key",
        ),
        (
            provider("p", ProviderKind::OpenaiChat, Some("localhost:11434"), None),
            ErrorCode::Invalid,
            "not an http or https address",
        ),
        (
            provider("p", ProviderKind::OpenaiChat, Some("not a url"), None),
            ErrorCode::Invalid,
            "not a URL",
        ),
        (
            provider("p", ProviderKind::OpenaiChat, Some("https://me:hunter2@host/v1"), None),
            ErrorCode::Invalid,
            "password",
        ),
    ];
    for (config, code, why) in cases {
        catalog.replace(vec![config], None);
        assert_eq!(catalog.summaries().len(), 1);
        let error = catalog.find(Some("p")).err().unwrap();
        assert_eq!(error.code, code);
        assert!(
            error.message.contains(why) && !error.message.contains("hunter2"),
            "{}",
            error.message
        );
    }
    catalog.replace(
        vec![provider("p", ProviderKind::OpenaiChat, Some("http://127.0.0.1:11434/v1"), None)],
        None,
    );
    assert_eq!(catalog.find(Some("p")).unwrap().label(), "fake-model (Ollama)");
}

#[test]
fn base_urls_are_read_as_people_write_them() {
    let url = |base: &str, bare: bool, path: &str| crate::catalog::endpoint(&base.parse().unwrap(), bare, path).to_string();
    assert_eq!(
        url("https://api.anthropic.com", false, "messages"),
        "https://api.anthropic.com/v1/messages"
    );
    assert_eq!(
        url("https://gate.example/anthropic/", false, "messages"),
        "https://gate.example/anthropic/v1/messages"
    );
    assert_eq!(
        url("https://gate.example/v1", false, "messages"),
        "https://gate.example/v1/messages"
    );
    assert_eq!(
        url("http://127.0.0.1:11434", true, "chat/completions"),
        "http://127.0.0.1:11434/v1/chat/completions"
    );
    assert_eq!(
        url("http://127.0.0.1:11434/v1/", true, "chat/completions"),
        "http://127.0.0.1:11434/v1/chat/completions"
    );
    assert_eq!(
        url("https://g.example/v1beta/openai?a=b", true, "chat/completions"),
        "https://g.example/v1beta/openai/chat/completions?a=b"
    );
}

#[tokio::test]
async fn detection_reports_keys_by_name_and_local_models_that_can_talk() {
    let fake = FakeProvider::start(Script::agent()).await.unwrap();
    let env = |name: &str| (name == "ANTHROPIC_API_KEY").then(|| "sk-secret".to_owned());
    let http = Http::new(&options()).unwrap();
    let found = detect(&env, &http, &fake.base_url, &format!("{}/", fake.base_url)).await;
    let rows: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|m| (m.found.as_str(), m.settings.id.as_str(), m.settings.model.as_str()))
        .collect();
    assert_eq!(
        rows,
        [
            ("ANTHROPIC_API_KEY in the environment", "anthropic", "claude-sonnet-5-5"),
            ("Ollama on this machine", "ollama", "fake-llama:latest"),
            ("LM Studio on this machine", "lmstudio", "fake-model"),
        ]
    );
    assert_eq!(found[0].key_env.as_deref(), Some("ANTHROPIC_API_KEY"));
    assert_eq!(found[1].settings.base_url, Some(format!("{}/v1", fake.base_url)));
    assert!(!format!("{found:?}").contains("sk-secret"));
    assert!(fake.requests().is_empty(), "nothing is spent");
}

#[tokio::test]
async fn detection_finds_nothing_where_nothing_is_and_asks_nobody_but_this_machine() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Bound, but nobody accepts: the limit ends it.
    let deaf = format!("http://{}", free.local_addr().unwrap());
    let http = Http::new(&options()).unwrap();
    assert!(detect(&|_| None, &http, &deaf, "http://192.0.2.1:1234").await.is_empty());
}
