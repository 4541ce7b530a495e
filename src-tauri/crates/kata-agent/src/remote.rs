//! A model behind HTTP. What a wire format brings is [`Wire`]: where, with which headers, a pure request builder and a pure
//! decoder; everything else is the same for all of them and stands here, and asking itself in `attempt`.

use crate::attempt::{Decode, Prepared, Surroundings};
use crate::fault::{Fault, Secrets};
use crate::history::ToolNames;
use async_trait::async_trait;
use kata_core::ports::{Entropy, Model, ModelError, ModelEvent, ModelRequest, ModelStep};
use kata_protocol::ProviderSettings;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use std::marker::PhantomData;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Parameter by which a person says whether the model looks at pictures; never sent.
pub(crate) const PICTURES: &str = "pictures";

/// A wire format.
pub(crate) trait Wire: Send + Sync + 'static {
    /// [`Model::family`] of its models.
    const FAMILY: &'static str;
    /// Whether models behind another address than the vendor's look at pictures too.
    const PICTURES_ELSEWHERE: bool;
    /// Path of the question below the base; `true` where any path of the base counts as a version.
    const PATH: (&'static str, bool);
    /// Makes one answer.
    type Decoder: Decode;

    /// Headers, the key among them.
    fn headers(key: Option<&SecretString>) -> Result<HeaderMap, Fault>;
    /// The question.
    fn body(settings: &ProviderSettings, extra: &Map<String, Value>, request: &ModelRequest, names: &ToolNames) -> Value;
    /// A decoder for one attempt.
    fn decoder(entropy: &dyn Entropy) -> Self::Decoder;
}

/// One model that speaks `W`.
pub(crate) struct Remote<W> {
    pub(crate) settings: ProviderSettings,
    pub(crate) label: String,
    pub(crate) base: Url,
    pub(crate) key: Option<SecretString>,
    /// Further parameters of the request (`thinking`, `temperature` …), passed on as they are.
    pub(crate) extra: Map<String, Value>,
    pub(crate) surroundings: Surroundings,
    pub(crate) wire: PhantomData<W>,
}

impl<W> Remote<W> {
    /// The same model, in another wire format.
    pub(crate) fn speaking<V>(self) -> Remote<V> {
        Remote {
            settings: self.settings,
            label: self.label,
            base: self.base,
            key: self.key,
            extra: self.extra,
            surroundings: self.surroundings,
            wire: PhantomData,
        }
    }
}

#[async_trait]
impl<W: Wire> Model for Remote<W> {
    fn label(&self) -> String {
        self.label.clone()
    }

    fn family(&self) -> &'static str {
        W::FAMILY
    }

    fn sees_pictures(&self) -> bool {
        match self.extra.get(PICTURES).and_then(Value::as_bool) {
            Some(said) => said,
            // A server of one's own may run a model that knows text only, and then it refuses the whole question.
            None => W::PICTURES_ELSEWHERE || self.settings.base_url.is_none(),
        }
    }

    async fn step(
        &self,
        request: ModelRequest,
        events: mpsc::Sender<ModelEvent>,
        cancel: CancellationToken,
    ) -> Result<ModelStep, ModelError> {
        let names = ToolNames::new(&request.tools);
        let body = W::body(&self.settings, &self.extra, &request, &names);
        let (path, bare) = W::PATH;
        let prepared = Prepared {
            url: crate::catalog::endpoint(&self.base, bare, path),
            headers: W::headers(self.key.as_ref()).map_err(Fault::into_error)?,
            body: serde_json::to_vec(&body)
                .map_err(|_| Fault::protocol("the request cannot be written").into_error())?
                .into(),
        };
        let secrets = Secrets {
            key: self.key.as_ref().map(|key| key.expose_secret()),
            request: &request,
        };
        let decoder = || W::decoder(&*self.surroundings.entropy);
        let mut step = self.surroundings.ask(&prepared, decoder, &secrets, &events, &cancel).await;
        match &mut step {
            Ok(step) => names.restore(&mut step.blocks),
            Err(error) => names.restore(&mut error.partial),
        }
        step
    }
}
