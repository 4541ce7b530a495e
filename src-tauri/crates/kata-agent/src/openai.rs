//! OpenAI Chat Completions, as spoken by OpenAI, Ollama, LM Studio and most gateways.
//!
//! Blocks inside the house have Anthropic's form; this module converts both ways. What local servers leave out or do their
//! own way (ids, indexes, `[DONE]`, whole calls in one piece, `reasoning`) is tolerated in `decode`.
//! Deliberately absent: the Responses API.

mod decode;
mod request;

use crate::fault::Fault;
use crate::history::ToolNames;
use crate::remote::Wire;
use decode::Decoder;
use kata_core::ports::{Entropy, ModelRequest};
use kata_protocol::ProviderSettings;
pub(crate) use request::body;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// The vendor's own address.
pub const VENDOR: &str = "https://api.openai.com/v1";

/// OpenAI, or whoever speaks Chat Completions.
pub(crate) struct Chat;

impl Wire for Chat {
    const FAMILY: &'static str = "openai";
    const PICTURES_ELSEWHERE: bool = false;
    const PATH: (&'static str, bool) = ("chat/completions", true);
    type Decoder = Decoder;

    fn headers(key: Option<&SecretString>) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        if let Some(key) = key {
            let bearer = SecretString::from(format!("Bearer {}", key.expose_secret()));
            headers.insert(AUTHORIZATION, crate::catalog::header(bearer.expose_secret())?);
        }
        Ok(headers)
    }

    fn body(settings: &ProviderSettings, extra: &Map<String, Value>, request: &ModelRequest, names: &ToolNames) -> Value {
        body(settings, extra, request, names)
    }

    fn decoder(entropy: &dyn Entropy) -> Decoder {
        Decoder::new(entropy.next_u64())
    }
}
