//! Complete traces to an OpenTelemetry collector, over OTLP/HTTP. The JSON encoding is a documented part of OTLP that every
//! collector takes; it needs the HTTP client we have and no protobuf, gRPC or second tracing stack (`opentelemetry-otlp` brings
//! some thirty crates).
//!
//! A turn never waits for it: a trace goes into a bounded queue or is counted as lost. Neighbours: `kata_core::trace`, which
//! redacts before anything comes here. Deliberately absent: keeping traces for a collector that was away long.

mod encode;

use crate::engine::locked;
use kata_core::ports::Clock;
use kata_protocol::Trace;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Traces that wait; more are counted as lost.
const QUEUE: usize = 512;
/// Traces of one request.
const BATCH: usize = 64;
/// A trace waits this long for company, and for a last step of its own.
const LINGER: Duration = Duration::from_millis(500);
/// Requests for one batch, the first one too.
const TRIES: u32 = 5;
/// Longest wait between two of them.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Longest time of one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Names of traces that were exported, so that one that comes again with a step more is not another one.
const REMEMBERED: usize = 1024;
/// Bytes of a collector's answer that are read.
const ANSWER: usize = 4 * 1024;

/// Where traces leave.
pub(crate) struct Exporter {
    queue: mpsc::Sender<Box<Trace>>,
    waiting: Mutex<Option<mpsc::Receiver<Box<Trace>>>>,
    collector: Mutex<Option<Url>>,
    exported: AtomicU32,
    failed: AtomicU32,
    error: Mutex<Option<String>>,
}

/// How the export stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub exported: u32,
    pub failed: u32,
    pub error: Option<String>,
}

impl Exporter {
    /// Exports nothing until it has a collector.
    pub(crate) fn new() -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            queue,
            waiting: Mutex::new(Some(waiting)),
            collector: Mutex::default(),
            exported: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            error: Mutex::default(),
        }
    }

    /// From now on there, or nowhere.
    pub(crate) fn to(&self, collector: Option<Url>) {
        *locked(&self.collector) = collector;
    }

    /// Takes a trace on. Does not wait.
    pub(crate) fn offer(&self, trace: &Trace) {
        if locked(&self.collector).is_some() && self.queue.try_send(Box::new(trace.clone())).is_err() {
            self.lost(1, format!("{QUEUE} traces wait for the collector; more are not kept"));
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        Standing {
            exported: self.exported.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            error: locked(&self.error).clone(),
        }
    }

    fn lost(&self, count: usize, error: String) {
        self.failed.fetch_add(u32::try_from(count).unwrap_or(u32::MAX), Ordering::Relaxed);
        *locked(&self.error) = Some(error);
    }

    /// Sends what comes until the program ends; then what waits is tried once more.
    pub(crate) async fn run(self: Arc<Self>, clock: Arc<dyn Clock>, stopping: CancellationToken) {
        let Some(mut queue) = locked(&self.waiting).take() else { return };
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .user_agent(concat!("kata-agents/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = match client {
            Ok(client) => client,
            Err(error) => return self.lost(0, format!("the HTTP client cannot be made: {error}")),
        };
        let mut sent: VecDeque<kata_protocol::TraceId> = VecDeque::new();
        loop {
            let first = tokio::select! {
                biased;
                trace = queue.recv() => trace,
                () = stopping.cancelled() => None,
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            let linger = async {
                while batch.len() < BATCH {
                    let Some(trace) = queue.recv().await else { return };
                    match batch.iter_mut().find(|known| known.id == trace.id) {
                        Some(known) => *known = trace,
                        None => batch.push(trace),
                    }
                }
            };
            tokio::select! {
                () = linger => {}
                () = clock.sleep(LINGER) => {}
                () = stopping.cancelled() => {}
            }
            batch.retain(|trace| !sent.contains(&trace.id));
            let collector = locked(&self.collector).clone();
            let (Some(collector), false) = (collector, batch.is_empty()) else {
                continue;
            };
            match self.send(&client, &collector, &batch, &*clock, &stopping).await {
                Ok(()) => {
                    self.exported
                        .fetch_add(u32::try_from(batch.len()).unwrap_or(u32::MAX), Ordering::Relaxed);
                    *locked(&self.error) = None;
                    sent.extend(batch.into_iter().map(|trace| trace.id));
                    sent.drain(..sent.len().saturating_sub(REMEMBERED));
                }
                Err(error) => {
                    tracing::warn!(%error, count = batch.len(), "traces were not exported");
                    self.lost(batch.len(), error.to_string());
                }
            }
        }
    }

    /// One batch, again and again while the collector says that it may be.
    async fn send(
        &self,
        client: &reqwest::Client,
        collector: &Url,
        batch: &[Box<Trace>],
        clock: &dyn Clock,
        stopping: &CancellationToken,
    ) -> Result<(), Refusal> {
        let body = encode::request(batch, env!("CARGO_PKG_VERSION")).to_string();
        let mut tries = 0;
        loop {
            tries += 1;
            let post = client
                .post(collector.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
            let refusal = match answer(post.send().await).await {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            let wait = match &refusal {
                Refusal::Later { after, .. } => after.unwrap_or(Duration::from_secs(1 << tries.min(6))).min(MAX_WAIT),
                Refusal::Never(_) => return Err(refusal),
            };
            if tries == TRIES || stopping.is_cancelled() {
                return Err(refusal);
            }
            *locked(&self.error) = Some(format!("{refusal}; it is tried again"));
            tokio::select! {
                () = clock.sleep(wait) => {}
                () = stopping.cancelled() => {}
            }
        }
    }
}

/// Why a batch was not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{reason}")]
    Later { reason: String, after: Option<Duration> },
    #[error("{0}")]
    Never(String),
}

async fn answer(response: Result<reqwest::Response, reqwest::Error>) -> Result<(), Refusal> {
    let mut response = response.map_err(|error| Refusal::Later {
        reason: format!("the collector cannot be reached: {}", reason(&error)),
        after: None,
    })?;
    let status = response.status();
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            let seconds = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|v| v.to_str().ok()?.trim().parse().ok());
            return Err(Refusal::Later {
                reason: format!("the collector answers {status}"),
                after: seconds.map(Duration::from_secs),
            });
        }
        status if !status.is_success() => {
            return Err(Refusal::Never(format!(
                "the collector answers {status}; is this its address for OTLP/HTTP?"
            )));
        }
        _ => {}
    }
    let mut text = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await
        && text.len() < ANSWER
    {
        text.extend_from_slice(&chunk);
    }
    // An answer that is no JSON (an empty one, protobuf) says nothing of a part that was refused.
    let part = serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_default();
    let part = &part["partialSuccess"];
    let rejected = part["rejectedSpans"]
        .as_str()
        .map_or_else(|| part["rejectedSpans"].to_string(), str::to_owned);
    match rejected.as_str() {
        "null" | "0" => Ok(()),
        count => Err(Refusal::Never(format!(
            "the collector refused {count} spans: {}",
            part["errorMessage"].as_str().unwrap_or("it says no reason")
        ))),
    }
}

/// What went wrong at the bottom; the words above it repeat the address.
fn reason(error: &reqwest::Error) -> String {
    let mut source: &dyn std::error::Error = error;
    while let Some(below) = source.source() {
        source = below;
    }
    source.to_string()
}

/// Why a text is no address of a collector.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadAddress {
    #[error("not an address: {0}")]
    Unreadable(#[from] url::ParseError),
    #[error("an address begins with http:// or https://")]
    NoHttp,
    #[error("an address without a name, a password, ? and #")]
    Decorated,
}

/// The address traces are posted to: `/v1/traces` below what was given, unless that is it already.
pub(crate) fn collector(text: &str) -> Result<Url, BadAddress> {
    let mut url = Url::parse(text)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(BadAddress::NoHttp);
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(BadAddress::Decorated);
    }
    if !url.path().ends_with("/v1/traces") {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests;
