//! One client, from hello to goodbye. Reading, writing and waiting for the end run side by side in one task, so that a
//! client that does not read stops only itself.

use crate::external::Externals;
use crate::feed::Feed;
use crate::frames::{self, Incoming, TopicSet};
use crate::gateway::Shared;
use crate::handshake::{self, Welcomed};
use crate::listener::Meter;
use crate::requests::{Requests, fits};
use crate::tokens::Grant;
use crate::writer::{self, Outgoing, QUEUE, within};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use kata_core::operations::Caller;
use kata_protocol::{Count, ErrorCode, Ms, Scope, WireError};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Sockets at a time, those before the handshake included. Further ones are turned away with status 503.
pub(crate) const MAX_SOCKETS: usize = 256;
/// Time between pings; a client that said nothing for two of them is gone.
const PING: Duration = Duration::from_secs(20);
/// Longest time between two looks at the clock of a client that has an end.
const EXPIRY: Duration = Duration::from_secs(60);
/// Bytes between two pings that count as a sign of life: a large frame takes its time on a slow line, and no pong comes between.
const FLOWS: u64 = 16 * 1024;
/// Time for the goodbye.
const FAREWELL: Duration = Duration::from_secs(2);

/// Codes of the WebSocket close frame that follows a `goodbye`.
pub mod close {
    /// The device is paired; it comes again as what it has become.
    pub const DONE: u16 = 1000;
    /// Something failed inside.
    pub const FAILED: u16 = 1011;
    /// The program ends.
    pub const GOING_AWAY: u16 = 1001;
    /// A binary frame.
    pub const UNSUPPORTED: u16 = 1003;
    /// A frame larger than allowed.
    pub const TOO_LARGE: u16 = 1009;
    /// A frame that cannot be read, or one that does not belong here.
    pub const BAD_FRAME: u16 = 4000;
    /// A wrong token, signature or code.
    pub const UNAUTHORIZED: u16 = 4001;
    /// A version of the frames that is not spoken here.
    pub const VERSION: u16 = 4002;
    /// The token was withdrawn, or the device's time is over.
    pub const REVOKED: u16 = 4003;
    /// A plugin that the connection brought was switched off here.
    pub const PLUGIN_ENDED: u16 = 4004;
    /// No `connect` frame in time, or no answer to a ping.
    pub const TIMEOUT: u16 = 4008;
    /// The client does not read.
    pub const SLOW: u16 = 4010;
    /// Too many wrong tokens, signatures or codes; wait a minute.
    pub const LOCKED_OUT: u16 = 4029;
}

/// A connected client, for the status view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// Name it gave.
    pub name: String,
    /// Name of its token.
    pub token: String,
    /// Device, where it is one.
    pub device: Option<String>,
    /// What it may do.
    pub scope: Scope,
    /// When it connected.
    pub since: Ms,
    /// Number of the last event it said it has taken in.
    pub acked: Count,
}

/// A client as the connection's parts share it.
pub(crate) struct Client {
    pub(crate) caller: Caller,
    pub(crate) grant: Grant,
    since: Ms,
    acked: AtomicU64,
    topics: AtomicU32,
}

impl Client {
    pub(crate) fn topics(&self) -> TopicSet {
        TopicSet(self.topics.load(Ordering::Relaxed))
    }
    pub(crate) fn info(&self) -> ClientInfo {
        ClientInfo {
            name: self.caller.name.clone(),
            token: self.grant.token.clone(),
            device: self.grant.device.clone(),
            scope: self.grant.scope,
            since: self.since,
            acked: Count(self.acked.load(Ordering::Relaxed)),
        }
    }
}

/// Why a connection ends.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) code: u16,
    /// For a person; empty when the client is gone already.
    pub(crate) reason: String,
}

impl End {
    pub(crate) fn new(code: u16, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }
    /// The client ended it.
    pub(crate) fn gone() -> Self {
        Self::new(close::GOING_AWAY, "")
    }
    fn stopping() -> Self {
        Self::new(close::GOING_AWAY, "the program ends")
    }
}

pub(crate) async fn run(shared: Arc<Shared>, mut socket: WebSocket, meter: Meter) {
    let killed = shared.kill.clone();
    tokio::select! {
        () = killed.cancelled() => {}
        () = async {
            let welcomed = tokio::select! {
                welcomed = handshake::run(&shared, &mut socket, &meter) => welcomed,
                () = shared.stop.cancelled() => Err(End::stopping()),
            };
            let (sink, stream) = socket.split();
            match welcomed {
                Ok(welcomed) => serve(shared, sink, stream, welcomed, &meter).await,
                Err(end) => farewell(&shared, sink, end).await,
            }
        } => {}
    }
}

/// Takes a client off the list however its connection ends.
struct Listed<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.shared
            .clients
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.number);
        self.shared.clients_changed.send_replace(());
    }
}

async fn serve(
    shared: Arc<Shared>,
    mut sink: SplitSink<WebSocket, Message>,
    mut stream: SplitStream<WebSocket>,
    welcomed: Welcomed,
    meter: &Meter,
) {
    let client = Arc::new(Client {
        caller: Caller {
            // A device is called as the person called it, not as it calls itself.
            name: match &welcomed.grant.device {
                Some(_) => welcomed.grant.token.clone(),
                None => welcomed.client,
            },
            scope: welcomed.grant.scope,
        },
        grant: welcomed.grant,
        since: shared.clock.now(),
        acked: AtomicU64::new(0),
        topics: AtomicU32::new(welcomed.topics.0),
    });
    let number = shared.next_client.fetch_add(1, Ordering::Relaxed);
    shared
        .clients
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(number, Arc::clone(&client));
    let listed = Listed { shared: &shared, number };
    shared.clients_changed.send_replace(());
    // One line for each `kata` command would drown the log.
    tracing::debug!(client = client.caller.name, token = client.grant.token, scope = ?client.grant.scope, "a gateway client connected");

    let (queue, mut outgoing) = mpsc::channel(QUEUE);
    let mut feed = Feed::new(Arc::clone(&shared), Arc::clone(&client), welcomed.position);
    let end = {
        let requests = Requests::new(Arc::clone(&shared), Arc::clone(&client), queue.clone());
        // Falls with this block: what it brought is gone before anything else is done.
        let externals = Externals::new(Arc::clone(&shared), &client, queue.clone());
        let read = read(&shared, &client, &mut stream, meter, &requests, &externals, &queue);
        let write = writer::run(&shared, &mut sink, welcomed.first, &mut outgoing, &mut feed);
        tokio::select! {
            end = read => end,
            end = write => end,
            () = shared.stop.cancelled() => End::stopping(),
            () = withdrawn(&shared, &client) => End::new(close::REVOKED, "the token was withdrawn"),
            () = expired(&shared, &client) => End::new(close::REVOKED, "the time of this device is over; pair it again"),
            reason = externals.closed() => End::new(close::PLUGIN_ENDED, reason),
        }
    };
    tracing::info!(
        client = client.caller.name,
        code = end.code,
        reason = end.reason,
        "a gateway client is gone"
    );
    drop(listed);
    // What is answered already goes out before the goodbye: the client that asked us to end waits for its answer.
    while let Ok(message) = outgoing.try_recv() {
        if !matches!(within(&*shared.clock, FAREWELL, sink.feed(message.into())).await, Some(Ok(()))) {
            return;
        }
    }
    farewell(&shared, sink, end).await;
}

/// Returns when the client's token is no longer in force.
async fn withdrawn(shared: &Shared, client: &Client) {
    let mut changes = shared.tokens.changes();
    while shared.tokens.still_grants(&client.grant) {
        if changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Returns when the client's time is over.
async fn expired(shared: &Shared, client: &Client) {
    let Some(end) = client.grant.expires_at else {
        return std::future::pending().await;
    };
    // A machine that slept has a sleep that lasts longer than its clock.
    loop {
        let left = end.0.saturating_sub(shared.clock.now().0);
        if left == 0 {
            return;
        }
        shared.clock.sleep(Duration::from_millis(left).min(EXPIRY)).await;
    }
}

async fn farewell(shared: &Shared, mut sink: SplitSink<WebSocket, Message>, end: End) {
    let said = async {
        if !end.reason.is_empty() {
            sink.feed(Message::Text(frames::goodbye_frame(&end.reason).into())).await?;
        }
        // The close frame holds 123 bytes of text; the goodbye before it said everything.
        sink.feed(Message::Close(Some(CloseFrame {
            code: end.code,
            reason: "".into(),
        })))
        .await?;
        sink.flush().await
    };
    // A client that went without a word does not hear it, and that is fine.
    let _ = within(&*shared.clock, FAREWELL, said).await;
}

async fn read(
    shared: &Shared,
    client: &Client,
    stream: &mut SplitStream<WebSocket>,
    meter: &Meter,
    requests: &Requests,
    externals: &Externals,
    queue: &mpsc::Sender<Outgoing>,
) -> End {
    let mut tick = shared.clock.sleep(PING);
    let (mut heard, mut total) = (true, meter.total());
    loop {
        let message = tokio::select! {
            biased;
            message = stream.next() => message,
            () = &mut tick => {
                let flows = meter.total().saturating_sub(std::mem::replace(&mut total, meter.total())) >= FLOWS;
                if !std::mem::take(&mut heard) && !flows {
                    return End::new(close::TIMEOUT, "no answer to a ping");
                }
                tick = shared.clock.sleep(PING);
                // A full queue is the writer's business; it ends the connection by itself when nothing moves.
                let _ = queue.try_send(Outgoing::Ping);
                continue;
            }
        };
        heard = true;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Binary(_))) => return End::new(close::UNSUPPORTED, "frames are JSON text"),
            Some(Ok(Message::Close(_))) | None => return End::gone(),
            Some(Err(e)) => return broken(&e),
        };
        let parsed = frames::parse(&text);
        // Files make an input large; nothing else is.
        let op = match &parsed {
            Ok(Incoming::Request { op, .. }) => op,
            _ => "",
        };
        if !fits(op, text.len()) {
            return too_large();
        }
        match parsed {
            Ok(Incoming::Request { id, op, params }) => {
                if !requests.begin(id, &op, params).await {
                    return End::gone();
                }
            }
            Ok(Incoming::External { id, text }) => {
                if let Some(end) = externals.take(id, text).await {
                    return end;
                }
            }
            Ok(Incoming::Subscribe(topics)) => {
                let topics = handshake::allowed(client.grant.scope, topics);
                client.topics.store(topics.0, Ordering::Relaxed);
            }
            Ok(Incoming::Ack(seq)) => {
                client.acked.fetch_max(seq, Ordering::Relaxed);
            }
            Ok(Incoming::Connect(_) | Incoming::Pair(_)) => return End::new(close::BAD_FRAME, "the handshake is done already"),
            Err(bad) => {
                let Some(id) = bad.id else {
                    return End::new(close::BAD_FRAME, bad.reason);
                };
                let error = WireError::new(ErrorCode::Invalid, bad.reason);
                if queue.send(frames::error_frame(id, &error).into()).await.is_err() {
                    return End::gone();
                }
            }
        }
    }
}

/// The end after a failure of the socket. The library's error tells a frame that is too large from a lost connection only
/// by its words.
pub(crate) fn broken(error: &axum::Error) -> End {
    let words = error.to_string();
    if words.contains("too long") || words.contains("too large") || words.contains("too big") {
        return too_large();
    }
    tracing::debug!(error = words, "a socket failed");
    End::gone()
}

fn too_large() -> End {
    End::new(
        close::TOO_LARGE,
        format!("a frame is larger than {} MiB", kata_protocol::MAX_FRAME >> 20),
    )
}
