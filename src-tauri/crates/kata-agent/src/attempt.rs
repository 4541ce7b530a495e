//! One way to ask, for every wire format: send, read the stream, watch for silence and cancellation, ask again.
//!
//! A wire format brings a request (made once, its bytes sent at each attempt) and a [`Decode`] per attempt. A failed attempt
//! is repeated only while nothing of the answer is settled: a finished text or tool call stays and the failure is shown.
//! (Finished thinking alone settles nothing; it is void with the rest.)
//! Deliberately absent: any knowledge of a provider's events.

use crate::fault::{Fault, Said, Secrets};
use crate::http::{Http, ModelOptions};
use crate::retry::{self, Retry};
use bytes::Bytes;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::{Stream, StreamExt};
use kata_core::ports::{Clock, Entropy, ModelError, ModelErrorCode, ModelEvent, ModelStep};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, Url};
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Largest answer in bytes; more is a provider gone wrong.
const LARGEST_ANSWER: usize = 64 << 20;
/// How much of a refusal is read.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Makes one answer out of the events of one attempt. Never waits.
pub(crate) trait Decode: Send {
    /// Takes an event; pushes what a person may see to `out`. `true` once the answer is complete.
    fn accept(&mut self, event: Event, out: &mut Vec<ModelEvent>) -> Result<bool, Fault>;
    /// The stream ended without a word that it is complete; `true` when it is nevertheless.
    fn complete_at_end(&self) -> bool;
    /// Whether a text or a tool call is finished, so that the attempt may not be repeated.
    fn settled(&self) -> bool;
    /// The complete answer.
    fn finish(&mut self) -> Result<ModelStep, Fault>;
    /// Finished blocks and the text that was not.
    fn partial(&mut self) -> Vec<Value>;
}

/// What every provider is made with.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) http: Http,
    pub(crate) options: ModelOptions,
}

/// A request ready to be sent, as often as needed.
pub(crate) struct Prepared {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

struct Failed {
    fault: Fault,
    partial: Vec<Value>,
    settled: bool,
    said: bool,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            partial: Vec::new(),
            settled: false,
            said: false,
        }
    }
}

impl Surroundings {
    /// Asks until there is an answer, a failure that asking again would not mend, or no attempt left.
    pub(crate) async fn ask<D: Decode>(
        &self,
        prepared: &Prepared,
        decoder: impl Fn() -> D,
        secrets: &Secrets<'_>,
        events: &mpsc::Sender<ModelEvent>,
        cancel: &CancellationToken,
    ) -> Result<ModelStep, ModelError> {
        let mut attempt = 0;
        let mut idled = false;
        loop {
            let failed = match self.attempt(prepared, decoder(), secrets, events, cancel).await {
                Ok(step) => return Ok(step),
                Err(failed) => failed,
            };
            let wait = match failed.fault.retry {
                Retry::No => None,
                // One long silence may be bad luck; a second one would only keep the person waiting.
                _ if failed.fault.code == ModelErrorCode::Idle && std::mem::replace(&mut idled, true) => None,
                _ if failed.settled || attempt >= self.options.retries => None,
                Retry::Backoff => Some(retry::backoff(attempt + 1, self.entropy.next_u64())),
                Retry::After(wait) => Some(wait),
            };
            let Some(wait) = wait else {
                return Err(ModelError {
                    code: failed.fault.code,
                    message: failed.fault.message,
                    partial: failed.partial,
                });
            };
            attempt += 1;
            let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
            tracing::info!(attempt, wait_ms, code = ?failed.fault.code, "the model is asked again");
            let pause = async {
                if failed.said {
                    send(events, ModelEvent::Reset).await;
                }
                send(
                    events,
                    ModelEvent::Retry {
                        attempt,
                        wait_ms,
                        reason: failed.fault.message,
                    },
                )
                .await;
                self.clock.sleep(wait).await;
            };
            if or_cancelled(cancel, pause).await.is_none() {
                let Fault { code, message, .. } = Fault::cancelled();
                return Err(ModelError {
                    code,
                    message,
                    partial: Vec::new(),
                });
            }
        }
    }

    async fn attempt<D: Decode>(
        &self,
        prepared: &Prepared,
        mut decoder: D,
        secrets: &Secrets<'_>,
        events: &mpsc::Sender<ModelEvent>,
        cancel: &CancellationToken,
    ) -> Result<ModelStep, Failed> {
        let mut said = false;
        let read = self.read(prepared, &mut decoder, secrets, events, &mut said);
        let read = or_cancelled(cancel, read).await.unwrap_or_else(|| Err(Fault::cancelled()));
        let whole = match read {
            Ok(()) => decoder.finish(),
            Err(fault) => Err(fault),
        };
        whole.map_err(|fault| Failed {
            fault,
            settled: decoder.settled(),
            partial: decoder.partial(),
            said,
        })
    }

    async fn read<D: Decode>(
        &self,
        prepared: &Prepared,
        decoder: &mut D,
        secrets: &Secrets<'_>,
        events: &mpsc::Sender<ModelEvent>,
        said: &mut bool,
    ) -> Result<(), Fault> {
        let client = self.http.client(&prepared.url).ok_or_else(|| {
            Fault::new(
                ModelErrorCode::Unreachable,
                Retry::No,
                "this machine's TLS setup does not allow a connection",
            )
        })?;
        let request = client
            .post(prepared.url.clone())
            .headers(prepared.headers.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("text/event-stream"))
            .body(prepared.body.clone())
            .send();
        let response = self
            .unless_idle(request)
            .await?
            .map_err(|error| unreachable(&prepared.url, &error))?;
        let response = self.accepted(response, secrets).await?;
        let mut stream = std::pin::pin!(self.bytes(response).eventsource());
        let mut out = Vec::new();
        while let Some(event) = stream.next().await {
            let event = match event {
                Ok(event) => event,
                // Whatever happens to the connection once the answer is whole is no matter.
                Err(_) if decoder.complete_at_end() => return Ok(()),
                Err(EventStreamError::Transport(fault)) => return Err(fault),
                Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_)) => {
                    return Err(Fault::broken("the answer is not an event stream"));
                }
            };
            let done = decoder.accept(event, &mut out);
            for event in out.drain(..) {
                *said = true;
                send(events, event).await;
            }
            if done? {
                return Ok(());
            }
        }
        if decoder.complete_at_end() {
            Ok(())
        } else {
            Err(Fault::broken("the answer broke off"))
        }
    }

    /// Passes a stream on; turns a refusal into its fault.
    async fn accepted(&self, response: Response, secrets: &Secrets<'_>) -> Result<Response, Fault> {
        let status = response.status().as_u16();
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let streams = !kind.starts_with("text/html") && !kind.starts_with("application/json");
        if status == 200 && streams {
            return Ok(response);
        }
        let retry = retry::after_status(status, response.headers(), self.clock.now());
        let mut body = Vec::new();
        let mut bytes = std::pin::pin!(self.bytes(response));
        while let Some(Ok(piece)) = bytes.next().await {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST_REFUSAL {
                break;
            }
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let said = Said::read(&body, secrets);
        Err(match status {
            200 if body.get("error").is_some() => said.stream_fault(),
            200 => Fault::protocol("the provider answered with something else than a stream; is the base URL right?"),
            _ => said.fault(status, retry),
        })
    }

    /// The body, ended by an error where it stays silent too long, breaks off or does not end.
    fn bytes(&self, response: Response) -> impl Stream<Item = Result<Bytes, Fault>> + Send {
        futures::stream::try_unfold((response, 0), move |(mut response, total)| async move {
            let piece = self.unless_idle(response.chunk()).await?;
            // reqwest's own words carry the address, which a person may have put a secret into.
            let Some(piece) = piece.map_err(|_| Fault::broken("the connection broke off"))? else {
                return Ok(None);
            };
            let total = total + piece.len();
            if total > LARGEST_ANSWER {
                return Err(Fault::protocol("the answer is larger than 64 MiB"));
            }
            Ok(Some((piece, (response, total))))
        })
    }

    async fn unless_idle<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.clock.sleep(self.options.idle) => {
                let seconds = self.options.idle.as_secs_f64();
                Err(Fault::new(ModelErrorCode::Idle, Retry::Backoff, format!("the provider has been silent for {seconds} s")))
            }
        }
    }
}

/// The work's result, or nothing once `cancel` is cancelled; the work is dropped then.
pub(crate) async fn or_cancelled<T>(cancel: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        done = work => Some(done),
    }
}

/// A closed queue is nobody listening, which is no reason to stop.
pub(crate) async fn send(events: &mpsc::Sender<ModelEvent>, event: ModelEvent) {
    let _ = events.send(event).await;
}

fn unreachable(url: &Url, error: &reqwest::Error) -> Fault {
    let host = url.host_str().unwrap_or("the provider");
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let why = if error.is_timeout() {
        "does not answer"
    } else {
        "cannot be reached"
    };
    Fault::new(ModelErrorCode::Unreachable, Retry::Backoff, format!("{host}{port} {why}"))
}
