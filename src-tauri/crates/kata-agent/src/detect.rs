//! Looks for models on this machine at first run. Asks loopback addresses only, reads two environment variables, spends
//! nothing: what is found is shown, and used only when the person says so.

use crate::http::Http;
use kata_protocol::{DetectedModel, ProviderKind, ProviderSettings};
use serde_json::Value;
use std::time::Duration;
use url::Url;

/// Longest wait for a local server.
const PATIENCE: Duration = Duration::from_millis(200);
/// Most models shown of one server.
const MOST: usize = 16;
/// Largest list read, in bytes.
const LARGEST: usize = 1 << 20;
/// What a found key is offered with; the person can change it.
const ANTHROPIC_MODEL: &str = "claude-sonnet-5-5";
const OPENAI_MODEL: &str = "gpt-5.4";

/// Models found: keys in the environment (only their names are reported), then Ollama's and LM Studio's models. The bases
/// are the servers' roots, such as `http://127.0.0.1:11434`; a base that is not on this machine is not asked.
pub async fn detect(
    env: &(dyn Fn(&str) -> Option<String> + Sync),
    http: &Http,
    ollama_base: &str,
    lmstudio_base: &str,
) -> Vec<DetectedModel> {
    let from_env = |variable: &str, kind, model: &str, id: &str| {
        env(variable).filter(|key| !key.trim().is_empty()).map(|_| DetectedModel {
            found: format!("{variable} in the environment"),
            settings: ProviderSettings {
                id: id.to_owned(),
                kind,
                base_url: None,
                model: model.to_owned(),
                max_tokens: None,
            },
            key_env: Some(variable.to_owned()),
        })
    };
    let mut found: Vec<DetectedModel> = Vec::new();
    found.extend(from_env("ANTHROPIC_API_KEY", ProviderKind::Anthropic, ANTHROPIC_MODEL, "anthropic"));
    found.extend(from_env("OPENAI_API_KEY", ProviderKind::OpenaiChat, OPENAI_MODEL, "openai"));
    let (ollama, lmstudio) = futures::join!(
        list(http, ollama_base, "api/tags", "models", "name"),
        list(http, lmstudio_base, "v1/models", "data", "id")
    );
    found.extend(local("Ollama", "ollama", ollama_base, ollama));
    found.extend(local("LM Studio", "lmstudio", lmstudio_base, lmstudio));
    found
}

fn local(place: &str, id: &str, base: &str, models: Vec<String>) -> Vec<DetectedModel> {
    let offered = models
        .into_iter()
        .filter(|model| !model.to_ascii_lowercase().contains("embed"))
        .take(MOST);
    offered
        .enumerate()
        .map(|(n, model)| DetectedModel {
            found: format!("{place} on this machine"),
            settings: ProviderSettings {
                id: if n == 0 { id.to_owned() } else { format!("{id}-{}", n + 1) },
                kind: ProviderKind::OpenaiChat,
                base_url: Some(format!("{}/v1", base.trim_end_matches('/'))),
                model,
                max_tokens: None,
            },
            key_env: None,
        })
        .collect()
}

/// Names in a server's list; empty when nobody answers in time or the answer is not a list.
async fn list(http: &Http, base: &str, path: &str, list: &str, name: &str) -> Vec<String> {
    let asked = async {
        let url = Url::parse(&format!("{}/{path}", base.trim_end_matches('/'))).ok()?;
        if !crate::http::is_loopback(&url) {
            return None;
        }
        let mut response = http
            .client(&url)?
            .get(url)
            .timeout(PATIENCE)
            .send()
            .await
            .ok()
            .filter(|response| response.status().is_success())?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.ok()? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                return None;
            }
        }
        let body: Value = serde_json::from_slice(&body).ok()?;
        let names = body[list]
            .as_array()?
            .iter()
            .filter_map(|model| model[name].as_str())
            .filter(|name| name.len() <= 256);
        Some(names.map(str::to_owned).collect())
    };
    asked.await.unwrap_or_default()
}

/// Where Ollama listens unless told otherwise.
pub const OLLAMA: &str = "http://127.0.0.1:11434";
/// Where LM Studio listens unless told otherwise.
pub const LM_STUDIO: &str = "http://127.0.0.1:1234";
