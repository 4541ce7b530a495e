//! Anthropic Messages: a thin client of our own, because assistant content must come back byte for byte.
//!
//! `request` lays the question out, `decode` makes the answer; both are pure. Asking itself is `attempt`'s.

mod decode;
mod request;

use crate::attempt::{Prepared, Surroundings};
use crate::fault::{Fault, Secrets};
use crate::history::ToolNames;
use async_trait::async_trait;
use decode::Decoder;
pub(crate) use decode::cut_call;
use kata_core::ports::{Model, ModelError, ModelEvent, ModelRequest, ModelStep};
use kata_protocol::ProviderSettings;
pub(crate) use request::{body, schema};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The vendor's own address.
pub const VENDOR: &str = "https://api.anthropic.com";
/// Longest answer where the settings name none.
pub const DEFAULT_MAX_TOKENS: u32 = 16_384;
/// Version of the wire format we speak.
const VERSION: &str = "2023-06-01";

/// One Anthropic model, or one behind a gateway that speaks Messages.
pub(crate) struct Anthropic {
    pub(crate) settings: ProviderSettings,
    pub(crate) label: String,
    pub(crate) base: Url,
    pub(crate) key: Option<SecretString>,
    /// Further parameters of the request (`thinking`, `output_config`, `temperature` …), passed on as they are.
    pub(crate) extra: Map<String, Value>,
    pub(crate) surroundings: Surroundings,
}

impl Anthropic {
    fn headers(&self) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        if let Some(key) = &self.key {
            headers.insert("x-api-key", crate::catalog::header(key.expose_secret())?);
        }
        Ok(headers)
    }
}

#[async_trait]
impl Model for Anthropic {
    fn label(&self) -> String {
        self.label.clone()
    }

    fn family(&self) -> &'static str {
        "anthropic"
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
            url: crate::catalog::endpoint(&self.base, false, "messages"),
            headers: self.headers().map_err(Fault::into_error)?,
            body: serde_json::to_vec(&body)
                .map_err(|_| Fault::protocol("the request cannot be written").into_error())?
                .into(),
        };
        let secrets = Secrets {
            key: self.key.as_ref().map(|key| key.expose_secret()),
            request: &request,
        };
        let mut step = self.surroundings.ask(&prepared, Decoder::default, &secrets, &events, &cancel).await;
        match &mut step {
            Ok(step) => names.restore(&mut step.blocks),
            Err(error) => names.restore(&mut error.partial),
        }
        step
    }
}
