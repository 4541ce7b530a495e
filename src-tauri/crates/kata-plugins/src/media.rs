//! `ctx.media` on the host's side: a download goes from the network to the host's disk and never through the plugin's memory.
//!
//! Neighbours: `fetch` reaches the address, with the same allow-list and pace as any request; the engine keeps the bytes.

use crate::fetch::{self, FetchError};
use crate::ports::Reach;
use bytes::Bytes;
use futures::{StreamExt, stream};
use kata_core::files;
use kata_core::ports::{MAX_FILE, MediaError, NewMedia};
use kata_protocol::{Media, MediaKind};
use serde::Deserialize;
use url::Url;

/// A download as JavaScript asks for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    url: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    kind: Option<MediaKind>,
    #[serde(default)]
    max_bytes: Option<f64>,
}

/// What is said of bytes that the plugin has.
#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    name: String,
    #[serde(default)]
    mime: Option<String>,
    #[serde(default)]
    kind: Option<MediaKind>,
}

/// Why a file cannot be had or kept, for the plugin. Never contains the path or query of an address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("media.{0}: {1}")]
    Media(&'static str, MediaError),
    #[error("media.{0}")]
    Fetch(#[from] FetchError),
    #[error("media.fetch: {host}: status {status}")]
    Status { host: String, status: u16 },
}

impl Failure {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Media(_, error) => error.code(),
            Self::Fetch(error) => code_of(error),
            Self::Status { status: 404 | 410, .. } => "not_found",
            Self::Status { status: 401 | 403, .. } => "forbidden",
            Self::Status { .. } => "failed",
        }
    }
}

fn code_of(error: &FetchError) -> &'static str {
    match error {
        FetchError::TooLarge { .. } => "too_large",
        FetchError::Redirected { .. } => "forbidden",
        error if error.code() == Some("forbidden") => "forbidden",
        _ => "failed",
    }
}

/// Most bytes of one file; what a plugin asks for never passes the host's own limit.
fn most(wanted: Option<f64>) -> u64 {
    match wanted {
        Some(most) if most >= 0.0 && most < MAX_FILE as f64 => most as u64,
        _ => MAX_FILE,
    }
}

/// Downloads to the host.
pub(crate) async fn download(reach: &Reach, wanted: Wanted) -> Result<Media, Failure> {
    let last = Url::parse(&wanted.url).ok();
    let last = last.as_ref().and_then(|url| url.path_segments()?.next_back().map(str::to_owned));
    let last = last.map(|part| {
        url::form_urlencoded::parse(format!("n={}", part.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, v)| v.into_owned())
    });
    let most = most(wanted.max_bytes);
    let request = fetch::Request::download(wanted.url, wanted.method.unwrap_or_else(|| "GET".into()), wanted.headers);
    let limit = reach.options.fetch_timeout;
    let began = fetch::begin(reach, request).await?;
    let host = began.host.clone();
    if !(200..300).contains(&began.status) {
        return Err(Failure::Status {
            host,
            status: began.status,
        });
    }
    if began.length.is_some_and(|length| length > most) {
        return Err(Failure::Media("fetch", MediaError::TooLarge { limit: most }));
    }
    let info = NewMedia {
        name: wanted.name.or(last.flatten()).unwrap_or_default(),
        mime: began.mime,
        kind: wanted.kind,
    };
    let pieces = began.pieces.map(|piece| match piece {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) => Err(MediaError::Source {
            code: code_of(&error),
            message: error.to_string(),
        }),
    });
    let kept = reach.backend.media_put(&reach.plugin, info, pieces.boxed(), most);
    let kept = tokio::select! {
        biased;
        () = began.lease.ended() => {
            let message = "fetch: the capability was taken back, or the plugin ends".to_owned();
            Err(MediaError::Source { code: "forbidden", message })
        }
        kept = tokio::time::timeout(limit, kept) => kept.unwrap_or_else(|_| Err(MediaError::Source {
            code: "failed",
            message: FetchError::Timeout { host, limit }.to_string(),
        })),
    };
    kept.map_err(|error| Failure::Media("fetch", error))
}

/// Keeps bytes the plugin has.
pub(crate) async fn put(reach: &Reach, info: Info, bytes: Bytes) -> Result<Media, Failure> {
    let info = NewMedia {
        name: files::shown_name(&info.name),
        mime: info.mime,
        kind: info.kind,
    };
    let content = stream::once(async move { Ok(bytes.to_vec()) }).boxed();
    let kept = reach.backend.media_put(&reach.plugin, info, content, MAX_FILE).await;
    kept.map_err(|error| Failure::Media("put", error))
}
