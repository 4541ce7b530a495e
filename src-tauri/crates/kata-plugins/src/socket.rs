//! WebSockets of a plugin: the allow-list and the resolver's answers before the connection, and a bounded line in each
//! direction after it. What comes in waits with the sender while the plugin does not take it; what goes out is refused
//! when too much of it waits. A plugin sees neither pings nor their answers, so the host keeps the line alive: it asks every
//! third of `socket_silence`, and takes a side that said nothing for all of it for dead, as a machine that went to sleep leaves it.
//!
//! Neighbours: `engine::ops` opens one and asks for its messages. Deliberately absent: compression, redirects (the
//! standard has none), and any socket that outlives its generation.

use crate::body::taken_back;
use crate::dial::{Undialled, dial};
use crate::network::{Blocked, Reach as How};
use crate::options::HostOptions;
use crate::ports::Reach;
use crate::standing::Lease;
use futures::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Messages that may wait in each direction.
const MESSAGES: usize = 256;
/// How long the other side may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(10);

/// What JavaScript asks for.
#[derive(Debug, Deserialize)]
pub(crate) struct Opening {
    pub(crate) id: u32,
    url: String,
    protocols: Vec<String>,
}

/// What it gets when the socket is open.
#[derive(Debug, Serialize)]
pub(crate) struct Opened {
    protocol: String,
    extensions: String,
}

/// Why a socket did not open. Never contains the URL's path or query: they may carry a token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    #[error("WebSocket: {0}")]
    Blocked(#[from] Blocked),
    #[error("WebSocket: {0} sockets are open already")]
    TooMany(usize),
    #[error("WebSocket: {host}: {reason}")]
    Failed { host: String, reason: String },
}

impl SocketError {
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::Blocked(_) => Some("forbidden"),
            Self::TooMany(_) | Self::Failed { .. } => None,
        }
    }
}

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming {
    Text(String),
    Bytes(Vec<u8>),
    Closed(Closed),
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Closed {
    code: u16,
    reason: String,
    clean: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Closed {
    fn broken(error: impl Into<String>) -> Self {
        Self {
            code: 1006,
            reason: String::new(),
            clean: false,
            error: Some(error.into()),
        }
    }
}

enum Outgoing {
    Message(Message),
    Close(Option<CloseFrame>),
}

/// One socket, as both the plugin's thread and its task see it.
struct Line {
    waiting: Mutex<(VecDeque<Incoming>, usize)>,
    /// Something came, or the end.
    came: Notify,
    /// Something was taken.
    taken: Notify,
    out: mpsc::Sender<Outgoing>,
    /// Bytes that are not with the system yet.
    unsent: AtomicUsize,
    ended: CancellationToken,
}

/// The sockets of one generation.
#[derive(Default)]
pub(crate) struct Sockets {
    lines: Mutex<HashMap<u32, Arc<Line>>>,
    open: Arc<AtomicU32>,
}

/// Counts a socket as long as its task or its opening lives.
pub(crate) struct Place(Arc<AtomicU32>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sockets {
    /// How many are open or being opened.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::Acquire)
    }

    /// A place among those that may be open.
    pub(crate) fn place(&self, most: usize) -> Result<Place, SocketError> {
        let before = self.open.fetch_add(1, Ordering::AcqRel);
        let place = Place(Arc::clone(&self.open));
        if before as usize >= most {
            return Err(SocketError::TooMany(most));
        }
        Ok(place)
    }

    fn line(&self, id: u32) -> Option<Arc<Line>> {
        lock(&self.lines).get(&id).cloned()
    }

    /// Queues a message; says in words when there is no room.
    pub(crate) fn send(&self, id: u32, message: Message, most: usize) -> Option<String> {
        let line = self.line(id)?;
        let size = message.len();
        let before = line.unsent.fetch_add(size, Ordering::AcqRel);
        let full = before + size > most;
        if full || line.out.try_send(Outgoing::Message(message)).is_err() {
            line.unsent.fetch_sub(size, Ordering::AcqRel);
            if line.ended.is_cancelled() {
                return None;
            }
            return Some(format!(
                "send: the other side takes nothing: {before} bytes wait already, and at most {most} bytes or {MESSAGES} messages may"
            ));
        }
        None
    }

    pub(crate) fn buffered(&self, id: u32) -> usize {
        self.line(id).map_or(0, |line| line.unsent.load(Ordering::Acquire))
    }

    /// Says goodbye after what is queued.
    pub(crate) fn close(&self, id: u32, code: Option<u16>, reason: &str) {
        let Some(line) = self.line(id) else { return };
        let frame = code.map(|code| CloseFrame {
            code: CloseCode::from(code),
            reason: reason.to_owned().into(),
        });
        // With no room left there is nobody to say goodbye to.
        if line.out.try_send(Outgoing::Close(frame)).is_err() {
            line.ended.cancel();
        }
    }

    /// The plugin is done with it.
    pub(crate) fn end(&self, id: u32) {
        if let Some(line) = lock(&self.lines).remove(&id) {
            line.ended.cancel();
        }
    }

    /// What came next; waits for it.
    pub(crate) async fn next(&self, id: u32) -> Incoming {
        let Some(line) = self.line(id) else {
            return Incoming::Closed(Closed::broken("the socket is closed"));
        };
        loop {
            let came = line.came.notified();
            tokio::pin!(came);
            came.as_mut().enable();
            {
                let mut waiting = lock(&line.waiting);
                if let Some(first) = waiting.0.pop_front() {
                    waiting.1 -= first.size();
                    line.taken.notify_one();
                    return first;
                }
            }
            came.await;
        }
    }
}

impl Incoming {
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Closed(_) => 0,
        }
    }
}

impl Line {
    fn push(&self, incoming: Incoming) {
        let mut waiting = lock(&self.waiting);
        waiting.1 += incoming.size();
        waiting.0.push_back(incoming);
        drop(waiting);
        self.came.notify_one();
    }

    /// Waits until the plugin has taken enough.
    async fn room(&self, bytes: usize) {
        loop {
            let taken = self.taken.notified();
            {
                let waiting = lock(&self.waiting);
                if waiting.0.len() < MESSAGES && waiting.1 < bytes {
                    return;
                }
            }
            taken.await;
        }
    }
}

/// Opens one; its task runs until it is closed, the generation ends, or its capability is taken back.
pub(crate) async fn open(reach: &Arc<Reach>, opening: Opening) -> Result<Opened, SocketError> {
    let failed = |host: &str, reason: String| SocketError::Failed {
        host: host.to_owned(),
        reason,
    };
    let url = Url::parse(&opening.url).map_err(|_| failed("", "the URL is not valid".into()))?;
    // The list knows hosts by the ports of http and https, which are those of ws and wss.
    let mut as_http = url.clone();
    let scheme = if url.scheme() == "wss" { "https" } else { "http" };
    as_http.set_scheme(scheme).map_err(|()| SocketError::Blocked(Blocked::Scheme))?;
    let place = reach.sockets.place(reach.options.sockets)?;
    let lease = reach.standing.lease(&as_http, &reach.stop)?;
    let how = reach.standing.reach(&as_http)?;
    let host = as_http.host_str().unwrap_or_default().to_owned();
    let (out, outgoing) = mpsc::channel(MESSAGES);
    let line = Arc::new(Line {
        waiting: Mutex::default(),
        came: Notify::new(),
        taken: Notify::new(),
        out,
        unsent: AtomicUsize::new(0),
        ended: CancellationToken::new(),
    });
    lock(&reach.sockets.lines).insert(opening.id, Arc::clone(&line));
    let connecting = connect(&url, &as_http, how, opening.protocols, &reach.options);
    let limit = reach.options.fetch_timeout.min(Duration::from_secs(30));
    let connected = tokio::select! {
        biased;
        () = lease.ended() => Err(SocketError::Blocked(taken_back(&reach.standing, &as_http))),
        () = line.ended.cancelled() => Err(failed(&host, "it was closed before it was open".into())),
        connected = tokio::time::timeout(limit, connecting) => {
            connected.unwrap_or_else(|_| Err(failed(&host, format!("no answer within {limit:?}"))))
        }
    };
    match connected {
        Err(error) => {
            reach.sockets.end(opening.id);
            Err(error)
        }
        Ok((socket, opened)) => {
            let kept = Arc::clone(reach);
            reach.tasks.spawn("plugin socket", async move {
                let closed = run(socket, &line, outgoing, &lease, &kept.options).await;
                let closed = closed.unwrap_or_else(|| Closed::broken(format!("WebSocket: {}", taken_back(&kept.standing, &as_http))));
                line.ended.cancel();
                line.push(Incoming::Closed(closed));
                drop(place);
            });
            Ok(opened)
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(
    url: &Url,
    as_http: &Url,
    how: How,
    protocols: Vec<String>,
    options: &HostOptions,
) -> Result<(Socket, Opened), SocketError> {
    let host = as_http.host_str().unwrap_or_default().to_owned();
    let failed = |reason: String| SocketError::Failed {
        host: host.clone(),
        reason,
    };
    let port = as_http.port_or_known_default().ok_or(Blocked::NoHost)?;
    let stream = dial(&host, port, how).await.map_err(|e| match e {
        Undialled::Blocked(blocked) => blocked.into(),
        Undialled::Unknown => failed("the name is not known".into()),
        Undialled::Refused => failed("cannot connect".into()),
    })?;
    let mut request = url.as_str().into_client_request().map_err(|e| failed(e.to_string()))?;
    let agent = concat!("kata-agents/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(agent));
    if !protocols.is_empty() {
        let list = HeaderValue::from_str(&protocols.join(", ")).map_err(|_| failed("a subprotocol's name is not valid".into()))?;
        request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, list);
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(16 << 10)
        .max_message_size(Some(options.fetch_bytes))
        .max_frame_size(Some(options.fetch_bytes));
    let (socket, answer) = client_async_tls_with_config(request, stream, Some(config), None)
        .await
        .map_err(|e| failed(words(&e)))?;
    let header = |name| {
        answer
            .headers()
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
            .unwrap_or("")
            .to_owned()
    };
    let opened = Opened {
        protocol: header(header::SEC_WEBSOCKET_PROTOCOL),
        extensions: header(header::SEC_WEBSOCKET_EXTENSIONS),
    };
    Ok((socket, opened))
}

fn words(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Http(answer) => format!("the server answered {} instead of opening a socket", answer.status().as_u16()),
        tungstenite::Error::Io(_) => "the connection broke off".into(),
        other => other.to_string(),
    }
}

/// Moves messages until one side is done; `None` when the lease ended it.
async fn run(socket: Socket, line: &Line, mut outgoing: mpsc::Receiver<Outgoing>, lease: &Lease, options: &HostOptions) -> Option<Closed> {
    let (room, silence) = (options.payload_bytes, options.socket_silence);
    let (mut sink, mut stream) = socket.split();
    let mut pulse = tokio::time::interval(silence / 3);
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (leaving, left) = (CancellationToken::new(), CancellationToken::new());
    let write = async {
        loop {
            let next = tokio::select! {
                next = outgoing.recv() => next,
                _ = pulse.tick() => Some(Outgoing::Message(Message::Ping(Default::default()))),
                () = left.cancelled() => break,
            };
            match next {
                Some(Outgoing::Message(message)) => {
                    let size = if message.is_ping() { 0 } else { message.len() };
                    let sent = tokio::select! {
                        sent = sink.send(message) => sent,
                        () = left.cancelled() => break,
                    };
                    line.unsent.fetch_sub(size, Ordering::AcqRel);
                    if sent.is_err() {
                        break;
                    }
                }
                Some(Outgoing::Close(frame)) => {
                    let _ = sink.send(Message::Close(frame)).await;
                    leaving.cancel();
                    break;
                }
                None => break,
            }
        }
        // Until the other half ends: only then has the goodbye been answered.
        left.cancelled().await;
        sink
    };
    let read = async {
        let closed = loop {
            // A plugin that says goodbye takes nothing more; the other side's goodbye must not wait for it.
            tokio::select! {
                () = line.room(room) => {}
                () = leaving.cancelled() => {}
            }
            // Only while it is listened: what a busy plugin leaves lying is no silence.
            let Ok(next) = tokio::time::timeout(silence, stream.next()).await else {
                let words = format!("WebSocket: the other side has been silent for {silence:?}");
                break (Closed::broken(words), None);
            };
            match next {
                Some(Ok(Message::Text(_) | Message::Binary(_))) if leaving.is_cancelled() => {}
                Some(Ok(Message::Text(text))) => line.push(Incoming::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => line.push(Incoming::Bytes(bytes.to_vec())),
                Some(Ok(Message::Close(frame))) => {
                    // Polled once more, so that the library's answer leaves.
                    let _ = stream.next().await;
                    let (code, reason) = frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.as_str().to_owned()));
                    break (
                        Closed {
                            code,
                            reason,
                            clean: true,
                            error: None,
                        },
                        None,
                    );
                }
                Some(Ok(_)) => {}
                Some(Err(e)) => {
                    let code = match &e {
                        tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(CloseCode::Size),
                        tungstenite::Error::Utf8(_) => Some(CloseCode::Invalid),
                        tungstenite::Error::Protocol(_) => Some(CloseCode::Protocol),
                        _ => None,
                    };
                    break (Closed::broken(format!("WebSocket: {}", words(&e))), code);
                }
                None => break (Closed::broken("WebSocket: the connection broke off"), None),
            }
        };
        left.cancel();
        closed
    };
    let both = async {
        let ((closed, code), mut sink) = tokio::join!(read, write);
        if let Some(code) = code {
            let reason = "".into();
            let _ = tokio::time::timeout(GOODBYE, sink.send(Message::Close(Some(CloseFrame { code, reason })))).await;
        }
        closed
    };
    let late = async {
        leaving.cancelled().await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        biased;
        () = lease.ended() => None,
        () = line.ended.cancelled() => Some(Closed::broken("WebSocket: it was closed")),
        closed = both => Some(closed),
        () = late => Some(Closed::broken("WebSocket: the other side did not say goodbye")),
    }
}
