//! OpenAI Chat Completions, as spoken by OpenAI, Ollama, LM Studio and most gateways.
//!
//! Blocks inside the house have Anthropic's form; this module converts both ways. What local servers leave out or do their
//! own way (ids, indexes, `[DONE]`, whole calls in one piece, `reasoning`) is tolerated in `decode`.
//! Deliberately absent: the Responses API.

mod decode;
mod request;

use crate::attempt::{Prepared, Surroundings};
use crate::fault::{Fault, Secrets};
use crate::history::ToolNames;
use async_trait::async_trait;
use decode::Decoder;
use kata_core::ports::{Model, ModelError, ModelEvent, ModelRequest, ModelStep};
use kata_protocol::ProviderSettings;
pub(crate) use request::body;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The vendor's own address.
pub const VENDOR: &str = "https://api.openai.com/v1";

/// One model behind Chat Completions.
pub(crate) struct OpenAiChat {
    pub(crate) settings: ProviderSettings,
    pub(crate) label: String,
    pub(crate) base: Url,
    pub(crate) key: Option<SecretString>,
    /// Further parameters of the request (`reasoning_effort`, `temperature` …), passed on as they are.
    pub(crate) extra: Map<String, Value>,
    pub(crate) surroundings: Surroundings,
}

impl OpenAiChat {
    fn headers(&self) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            let bearer = SecretString::from(format!("Bearer {}", key.expose_secret()));
            headers.insert(AUTHORIZATION, crate::catalog::header(bearer.expose_secret())?);
        }
        Ok(headers)
    }
}

#[async_trait]
impl Model for OpenAiChat {
    fn label(&self) -> String {
        self.label.clone()
    }

    fn family(&self) -> &'static str {
        "openai"
    }

    async fn step(
        &self,
        request: ModelRequest,
        events: mpsc::Sender<ModelEvent>,
        cancel: CancellationToken,
    ) -> Result<ModelStep, ModelError> {
        let names = ToolNames::new(&request.tools);
        let body = body(&self.settings, &self.extra, &request, &names);
        let prepared = Prepared {
            url: crate::catalog::endpoint(&self.base, true, "chat/completions"),
            headers: self.headers().map_err(Fault::into_error)?,
            body: serde_json::to_vec(&body)
                .map_err(|_| Fault::protocol("the request cannot be written").into_error())?
                .into(),
        };
        let secrets = Secrets {
            key: self.key.as_ref().map(|key| key.expose_secret()),
            request: &request,
        };
        let decoder = || Decoder::new(self.surroundings.entropy.next_u64());
        let mut step = self.surroundings.ask(&prepared, decoder, &secrets, &events, &cancel).await;
        match &mut step {
            Ok(step) => names.restore(&mut step.blocks),
            Err(error) => names.restore(&mut error.partial),
        }
        step
    }
}
