//! The providers a person has set up, found by name. Swapped as a whole, so a change never shows half of itself.
//!
//! Deliberately absent: where settings and keys come from; the engine brings both.

use crate::anthropic::{self, Messages};
use crate::attempt::Surroundings;
use crate::demo::Demo;
use crate::fault::Fault;
use crate::http::{Http, HttpError, ModelOptions};
use crate::openai::{self, Chat};
use crate::remote::{Remote, Wire};
use crate::retry::Retry;
use arc_swap::ArcSwap;
use kata_core::ports::{Clock, Entropy, Model, ModelErrorCode, Models};
use kata_protocol::{ErrorCode, ProviderKind, ProviderSettings, WireError};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::marker::PhantomData;
use std::sync::Arc;
use url::Url;

/// A provider as the person set it up. `Debug` shows neither the key nor the extra parameters.
#[derive(Clone)]
pub struct ProviderConfig {
    /// Settings as clients see them.
    pub settings: ProviderSettings,
    /// Key, where there is one.
    pub key: Option<SecretString>,
    /// Further parameters of each request, passed on as they are (`thinking`, `output_config`, `temperature`,
    /// `reasoning_effort` …). They cannot replace the model, the conversation, the tools or streaming.
    pub extra: Map<String, Value>,
}

impl std::fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extra: Vec<&String> = self.extra.keys().collect();
        f.debug_struct("ProviderConfig")
            .field("id", &self.settings.id)
            .field("kind", &self.settings.kind)
            .field("has_key", &self.key.is_some())
            .field("extra", &extra)
            .finish_non_exhaustive()
    }
}

struct Entry {
    settings: ProviderSettings,
    label: String,
    /// The error says what a person must do before this provider can be asked.
    model: Result<Arc<dyn Model>, Box<WireError>>,
}

#[derive(Default)]
struct Contents {
    entries: Vec<Entry>,
    default: Option<String>,
}

/// Finds models by provider id. Cheap to read from many tasks; a step under way keeps the model it began with.
pub struct Catalog {
    surroundings: Surroundings,
    contents: ArcSwap<Contents>,
}

impl Catalog {
    /// An empty catalog.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, options: ModelOptions) -> Result<Self, HttpError> {
        let http = Http::new(&options)?;
        Ok(Self {
            surroundings: Surroundings {
                clock,
                entropy,
                http,
                options,
            },
            contents: ArcSwap::default(),
        })
    }

    /// The connections, for [`crate::detect`].
    pub fn http(&self) -> &Http {
        &self.surroundings.http
    }

    /// Puts these providers in place of all before; of two with one id the later one counts. A provider whose settings
    /// cannot work stays listed, and [`Models::find`] says what is wrong with it.
    pub fn replace(&self, providers: Vec<ProviderConfig>, default: Option<String>) {
        let mut entries: Vec<Entry> = Vec::new();
        for provider in providers {
            entries.retain(|entry| entry.settings.id != provider.settings.id);
            entries.push(self.entry(provider));
        }
        self.contents.store(Arc::new(Contents { entries, default }));
    }

    /// Settings and name to show of every provider, in the order they were given.
    pub fn summaries(&self) -> Vec<(ProviderSettings, String)> {
        self.contents
            .load()
            .entries
            .iter()
            .map(|entry| (entry.settings.clone(), entry.label.clone()))
            .collect()
    }

    /// Id of the provider that [`Models::find`] takes when it is given none.
    pub fn default_id(&self) -> Option<String> {
        self.contents.load().default.clone()
    }

    fn entry(&self, provider: ProviderConfig) -> Entry {
        let settings = provider.settings.clone();
        let label = label(&settings);
        Entry {
            model: self.model(provider, label.clone()),
            settings,
            label,
        }
    }

    fn model(&self, provider: ProviderConfig, label: String) -> Result<Arc<dyn Model>, Box<WireError>> {
        let ProviderConfig { settings, key, extra } = provider;
        let vendor = match settings.kind {
            ProviderKind::Demo => {
                let Surroundings { clock, options, .. } = &self.surroundings;
                return Ok(Arc::new(Demo::new(clock.clone(), options.demo_pause)));
            }
            ProviderKind::Anthropic => anthropic::VENDOR,
            ProviderKind::OpenaiChat => openai::VENDOR,
        };
        let base = base(&settings, vendor)?;
        // Keys are pasted; a line end belongs to the clipboard.
        let key = key
            .map(|key| SecretString::from(key.expose_secret().trim()))
            .filter(|key| !key.expose_secret().is_empty());
        if key.is_none() && settings.base_url.is_none() {
            let message = format!("the model provider “{}” has no key", settings.id);
            return Err(WireError::new(ErrorCode::NeedsUser, message)
                .hint("Add its API key in the settings, or choose another model.")
                .into());
        }
        if settings.model.trim().is_empty() {
            return Err(WireError::invalid(format!("the model provider “{}” names no model", settings.id))
                .hint("Set `model`.")
                .into());
        }
        fn model<W: Wire>(remote: Remote<W>) -> Arc<dyn Model> {
            Arc::new(remote)
        }
        let messages = settings.kind == ProviderKind::Anthropic;
        let remote = Remote {
            settings,
            label,
            base,
            key,
            extra,
            surroundings: self.surroundings.clone(),
            wire: PhantomData::<Chat>,
        };
        Ok(if messages {
            model(remote.speaking::<Messages>())
        } else {
            model(remote)
        })
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<String> = self.summaries().into_iter().map(|(settings, _)| settings.id).collect();
        f.debug_struct("Catalog").field("providers", &ids).finish_non_exhaustive()
    }
}

impl Models for Catalog {
    fn find(&self, id: Option<&str>) -> Result<Arc<dyn Model>, WireError> {
        let contents = self.contents.load();
        let Some(id) = id.or(contents.default.as_deref()) else {
            return Err(WireError::new(ErrorCode::NeedsUser, "no model is set up")
                .hint("Add a model in the settings (a key, Ollama or LM Studio), or choose the scripted demo."));
        };
        match contents.entries.iter().find(|entry| entry.settings.id == id) {
            Some(entry) => entry.model.clone().map_err(|error| *error),
            None => Err(WireError::not_found("model provider", id).hint("Choose another model for this session, or add this one again.")),
        }
    }
}

/// The name to show: the model and who runs it; the demo says that it is scripted.
fn label(settings: &ProviderSettings) -> String {
    let base = settings.base_url.as_deref().and_then(|base| Url::parse(base).ok());
    let place = base.as_ref().map(|url| match (crate::http::is_loopback(url), url.port()) {
        (true, Some(11434)) => "Ollama".to_owned(),
        (true, Some(1234)) => "LM Studio".to_owned(),
        _ => url.host_str().unwrap_or("custom").to_owned(),
    });
    match settings.kind {
        ProviderKind::Demo => crate::demo::LABEL.to_owned(),
        ProviderKind::Anthropic => format!("{} ({})", settings.model, place.unwrap_or_else(|| "Anthropic".to_owned())),
        ProviderKind::OpenaiChat => format!("{} ({})", settings.model, place.unwrap_or_else(|| "OpenAI".to_owned())),
    }
}

fn base(settings: &ProviderSettings, vendor: &str) -> Result<Url, Box<WireError>> {
    let wrong = |why: &str| -> Box<WireError> {
        let message = format!("the base URL of the model provider “{}” {why}", settings.id);
        WireError::invalid(message)
            .hint("It looks like https://host/v1 or http://127.0.0.1:11434/v1.")
            .into()
    };
    let url = Url::parse(settings.base_url.as_deref().unwrap_or(vendor).trim()).map_err(|_| wrong("is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("is not an http or https address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("contains a user name or password; use the key instead"));
    }
    Ok(url)
}

/// `base` with the version and `path` behind it. A base that ends in a version has it already; with `bare` any path of its
/// own counts as one (the custom of OpenAI's clients).
pub(crate) fn endpoint(base: &Url, bare: bool, path: &str) -> Url {
    let mut url = base.clone();
    let last = base.path().trim_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let version = last
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        if !version && (last.is_empty() || !bare) {
            segments.push("v1");
        }
        segments.extend(path.split('/'));
    }
    url
}

/// A header value that is never printed.
pub(crate) fn header(secret: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(secret).map_err(|_| {
        Fault::new(
            ModelErrorCode::Unauthorized,
            Retry::No,
            "the key contains characters a key cannot have",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}
