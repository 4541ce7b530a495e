//! Floor 2: models over HTTP and the scripted demo, behind [`kata_core::ports::Model`].
//!
//! [`Catalog`] holds the providers a person has set up and is swapped as a whole. Each provider is one wire format:
//! [`anthropic`] (Messages), [`openai`] (Chat Completions; also Ollama and LM Studio) and [`demo`] (scripted, no network).
//! Both wire formats share one way to ask (`attempt`: retries, idle limit, cancellation) and one way to lay a
//! conversation out (`history`); what differs (`remote`) is a pure request builder and a pure decoder each.
//!
//! Neighbours: kata-core asks; kata-engine fills the catalog from config and the secret store.
//! Deliberately absent: running tools, keeping transcripts, reading keys from anywhere, any clock but the injected one.

pub mod anthropic;
mod attempt;
mod catalog;
pub mod demo;
mod detect;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod fault;
mod history;
mod http;
pub mod openai;
mod remote;
mod retry;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;

pub use catalog::{Catalog, ProviderConfig};
pub use detect::{LM_STUDIO, OLLAMA, detect};
pub use http::{Http, HttpError, ModelOptions};
