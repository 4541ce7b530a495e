//! Anthropic Messages: a thin client of our own, because assistant content must come back byte for byte.
//!
//! `request` lays the question out, `decode` makes the answer; both are pure. Asking itself is `remote`'s and `attempt`'s.

mod decode;
mod request;

use crate::fault::Fault;
use crate::history::ToolNames;
use crate::remote::Wire;
use decode::Decoder;
pub(crate) use decode::cut_call;
use kata_core::ports::{Entropy, ModelRequest};
use kata_protocol::ProviderSettings;
pub(crate) use request::{body, schema};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// The vendor's own address.
pub const VENDOR: &str = "https://api.anthropic.com";
/// Longest answer where the settings name none.
pub const DEFAULT_MAX_TOKENS: u32 = 16_384;
/// Version of the wire format we speak.
const VERSION: &str = "2023-06-01";

/// Anthropic, or a gateway that speaks Messages.
pub(crate) struct Messages;

impl Wire for Messages {
    const FAMILY: &'static str = "anthropic";
    const PICTURES_ELSEWHERE: bool = true;
    const PATH: (&'static str, bool) = ("messages", false);
    type Decoder = Decoder;

    fn headers(key: Option<&SecretString>) -> Result<HeaderMap, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert("anthropic-version", HeaderValue::from_static(VERSION));
        if let Some(key) = key {
            headers.insert("x-api-key", crate::catalog::header(key.expose_secret())?);
        }
        Ok(headers)
    }

    fn body(settings: &ProviderSettings, extra: &Map<String, Value>, request: &ModelRequest, names: &ToolNames) -> Value {
        body(settings, extra, request, names)
    }

    fn decoder(_: &dyn Entropy) -> Decoder {
        Decoder::default()
    }
}
