//! TCP of a plugin: the allow-list and the resolver's answers before the connection, TLS with the platform's roots where it is
//! asked for, and nothing kept in between: a read takes what is there, a write returns when the system has it. So whoever is slow
//! slows the other side down, and no buffer of the host's grows.
//!
//! Neighbours: `engine::ops` opens, reads and writes; `socket` shares its count of open sockets with it. Deliberately absent:
//! listening, UDP, certificates of the client, a way to trust a certificate that the platform does not trust, and any connection
//! that outlives its generation or its capability.

use crate::body::taken_back;
use crate::dial::{Undialled, dial};
use crate::network::{Blocked, tcp_url};
use crate::options::HostOptions;
use crate::ports::Reach;
use crate::socket::Place;
use crate::standing::Lease;
use rustls_platform_verifier::Verifier;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, crypto};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Most bytes one read gives.
const PIECE: usize = 64 << 10;
/// Longest time for a connection and its TLS.
const OPENING: Duration = Duration::from_secs(30);

/// How a connection begins.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Secure {
    Off,
    On,
    Starttls,
}

/// What JavaScript asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Opening {
    id: u32,
    hostname: String,
    port: u16,
    secure: Secure,
}

/// Why a connection did not open or does not go on. Has no bytes of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TcpError {
    #[error("connect: {0}")]
    Blocked(#[from] Blocked),
    #[error("connect: {0} sockets are open already")]
    TooMany(usize),
    #[error("connect: {host}: {reason}")]
    Connect { host: String, reason: &'static str },
    #[error("connect: {host}: TLS: {reason}")]
    Tls { host: String, reason: String },
    #[error("connect: {host}: no progress within {limit:?}")]
    Timeout { host: String, limit: Duration },
    #[error("the connection is closed")]
    Closed,
    #[error("{host}: the connection broke off")]
    Broken { host: String },
    #[error("startTls: only once, on a connection that was opened with secureTransport “starttls”")]
    NoStartTls,
}

impl TcpError {
    /// What a plugin branches on. With `connect` nothing has left.
    pub(crate) fn code(&self) -> Option<&'static str> {
        Some(match self {
            Self::Blocked(_) => "forbidden",
            Self::Connect { .. } | Self::TooMany(_) => "connect",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::Closed | Self::Broken { .. } => "closed",
            Self::NoStartTls => return None,
        })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}
type Boxed = Box<dyn Stream>;

/// One connection.
struct Connection {
    url: Url,
    read: tokio::sync::Mutex<Option<ReadHalf<Boxed>>>,
    write: tokio::sync::Mutex<Option<WriteHalf<Boxed>>>,
    /// Whether TLS may still begin on it.
    may_start: bool,
    lease: Arc<Lease>,
    ended: CancellationToken,
    place: Mutex<Option<Place>>,
}

impl Connection {
    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }
}

/// The connections of one generation.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<u32, Arc<Connection>>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    fn get(&self, id: u32) -> Option<Arc<Connection>> {
        lock(&self.0).get(&id).cloned()
    }

    /// The plugin is done with it: whatever still goes on ends, and the system closes it.
    pub(crate) fn end(&self, id: u32) {
        if let Some(connection) = lock(&self.0).remove(&id) {
            connection.ended.cancel();
        }
    }
}

/// Opens one. It lasts until it is closed, the generation ends, or its capability is taken back.
pub(crate) async fn open(reach: &Arc<Reach>, opening: Opening) -> Result<(), TcpError> {
    let url = tcp_url(&opening.hostname, opening.port)?;
    let place = reach
        .sockets
        .place(reach.options.sockets)
        .map_err(|_| TcpError::TooMany(reach.options.sockets))?;
    let lease = reach.standing.lease(&url, &reach.stop)?;
    let how = reach.standing.reach(&url)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let connecting = async {
        let stream = dial(&host, opening.port, how).await.map_err(|e| match e {
            Undialled::Blocked(blocked) => TcpError::Blocked(blocked),
            Undialled::Unknown => TcpError::Connect {
                host: host.clone(),
                reason: "the name is not known",
            },
            Undialled::Refused => TcpError::Connect {
                host: host.clone(),
                reason: "cannot connect",
            },
        })?;
        match opening.secure {
            Secure::On => secure(&host, Box::new(stream), &reach.options).await,
            Secure::Off | Secure::Starttls => Ok(Box::new(stream) as Boxed),
        }
    };
    let limit = reach.options.fetch_timeout.min(OPENING);
    let stream = tokio::select! {
        biased;
        () = lease.ended() => Err(TcpError::Blocked(taken_back(&reach.standing, &url))),
        stream = tokio::time::timeout(limit, connecting) => stream.unwrap_or_else(|_| Err(TcpError::Timeout { host: host.clone(), limit })),
    }?;
    keep(reach, opening.id, url, stream, opening.secure == Secure::Starttls, lease, place);
    Ok(())
}

fn keep(reach: &Arc<Reach>, id: u32, url: Url, stream: Boxed, may_start: bool, lease: Arc<Lease>, place: Place) {
    let (read, write) = tokio::io::split(stream);
    let ended = CancellationToken::new();
    let connection = Arc::new(Connection {
        url,
        read: tokio::sync::Mutex::new(Some(read)),
        write: tokio::sync::Mutex::new(Some(write)),
        may_start,
        lease: Arc::clone(&lease),
        ended: ended.clone(),
        place: Mutex::new(Some(place)),
    });
    lock(&reach.connections.0).insert(id, connection);
    // Weak, so that a connection does not keep its generation.
    let reach = Arc::downgrade(reach);
    let tasks = reach.upgrade().map(|r| r.tasks.clone());
    if let Some(tasks) = tasks {
        tasks.spawn("plugin connection", async move {
            tokio::select! {
                () = lease.ended() => {
                    if let Some(reach) = reach.upgrade() {
                        reach.connections.end(id);
                    }
                }
                () = ended.cancelled() => {}
            }
        });
    }
}

/// What came next, at most 64 KiB; `None` when the other side has ended.
pub(crate) async fn read(reach: &Reach, id: u32) -> Result<Option<Vec<u8>>, TcpError> {
    let connection = reach.connections.get(id).ok_or(TcpError::Closed)?;
    let take = async {
        let mut half = connection.read.lock().await;
        let half = half.as_mut().ok_or(TcpError::Closed)?;
        let mut piece = Vec::with_capacity(PIECE);
        match half.take(PIECE as u64).read_buf(&mut piece).await {
            Ok(0) => Ok(None),
            Ok(_) => {
                piece.shrink_to_fit();
                Ok(Some(piece))
            }
            // Without TLS's goodbye: bytes may be missing, and the plugin must not take this for the end.
            Err(_) => Err(TcpError::Broken { host: connection.host() }),
        }
    };
    tokio::select! {
        biased;
        () = connection.ended.cancelled() => Err(over(reach, &connection)),
        taken = take => taken,
    }
}

/// Writes all of it; returns when the system has it.
pub(crate) async fn write(reach: &Reach, id: u32, bytes: &[u8]) -> Result<(), TcpError> {
    let connection = reach.connections.get(id).ok_or(TcpError::Closed)?;
    let limit = reach.options.fetch_timeout;
    let put = async {
        let mut half = connection.write.lock().await;
        let half = half.as_mut().ok_or(TcpError::Closed)?;
        let broken = |_| TcpError::Broken { host: connection.host() };
        for piece in bytes.chunks(PIECE) {
            let written = tokio::time::timeout(limit, half.write_all(piece)).await;
            written
                .map_err(|_| TcpError::Timeout {
                    host: connection.host(),
                    limit,
                })?
                .map_err(broken)?;
        }
        tokio::time::timeout(limit, half.flush())
            .await
            .map_err(|_| TcpError::Timeout {
                host: connection.host(),
                limit,
            })?
            .map_err(broken)
    };
    tokio::select! {
        biased;
        () = connection.ended.cancelled() => Err(over(reach, &connection)),
        written = put => written,
    }
}

/// Says that nothing more is written.
pub(crate) async fn shut(reach: &Reach, id: u32) -> Result<(), TcpError> {
    let Some(connection) = reach.connections.get(id) else {
        return Ok(());
    };
    let shut = async {
        if let Some(half) = connection.write.lock().await.as_mut() {
            let _ = tokio::time::timeout(reach.options.stop_timeout, half.shutdown()).await;
        }
    };
    tokio::select! {
        () = connection.ended.cancelled() => {}
        () = shut => {}
    }
    Ok(())
}

/// Begins TLS on a connection, which goes on under another number.
pub(crate) async fn start_tls(reach: &Arc<Reach>, from: u32, to: u32) -> Result<(), TcpError> {
    let plain = reach.connections.get(from).ok_or(TcpError::Closed)?;
    if !plain.may_start {
        return Err(TcpError::NoStartTls);
    }
    lock(&reach.connections.0).remove(&from);
    // What still reads or writes lets go of its half.
    plain.ended.cancel();
    let halves = (plain.read.lock().await.take(), plain.write.lock().await.take());
    let (Some(read), Some(write)) = halves else {
        return Err(TcpError::Closed);
    };
    let place = lock(&plain.place).take().ok_or(TcpError::Closed)?;
    let host = plain.host();
    let limit = reach.options.fetch_timeout.min(OPENING);
    let stream = tokio::select! {
        biased;
        () = plain.lease.ended() => Err(TcpError::Blocked(taken_back(&reach.standing, &plain.url))),
        stream = tokio::time::timeout(limit, secure(&host, read.unsplit(write), &reach.options)) => {
            stream.unwrap_or_else(|_| Err(TcpError::Timeout { host: host.clone(), limit }))
        }
    }?;
    keep(reach, to, plain.url.clone(), stream, false, Arc::clone(&plain.lease), place);
    Ok(())
}

fn over(reach: &Reach, connection: &Connection) -> TcpError {
    match reach.standing.reach(&connection.url) {
        Err(_) => TcpError::Blocked(taken_back(&reach.standing, &connection.url)),
        Ok(_) => TcpError::Closed,
    }
}

async fn secure(host: &str, stream: Boxed, options: &HostOptions) -> Result<Boxed, TcpError> {
    let failed = |reason: String| TcpError::Tls {
        host: host.to_owned(),
        reason,
    };
    let config = config(&options.extra_roots).map_err(|e| failed(e.to_string()))?;
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(name).map_err(|e| failed(e.to_string()))?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    Ok(Box::new(stream.map_err(|e| failed(e.to_string()))?))
}

/// The platform's roots, read once; with further ones in tests.
fn config(extra: &[Vec<u8>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    static PLATFORM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = PLATFORM.get().filter(|_| extra.is_empty()) {
        return Ok(Arc::clone(config));
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let verifier = if extra.is_empty() {
        Verifier::new(Arc::clone(&provider))
    } else {
        extra_roots(extra, &provider)
    };
    let verifier = Arc::new(verifier?);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let config = Arc::new(config);
    if extra.is_empty() {
        let _ = PLATFORM.set(Arc::clone(&config));
    }
    Ok(config)
}

#[cfg(not(target_os = "android"))]
fn extra_roots(extra: &[Vec<u8>], provider: &Arc<crypto::CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(extra.iter().cloned().map(CertificateDer::from), Arc::clone(provider))
}
