//! Accepts connections, and keeps those short that nobody knows yet.
//!
//! The limit of the WebSocket itself is set once, at the upgrade, and has to let the large frames of a known client through.
//! So the small limit for strangers sits below it, on the bytes. Time is limited here too: a request's head has to be whole
//! [`HEAD_TIME`] after the connection, or after the answer before it, however its bytes trickle in. And there is room for
//! [`STRANGERS`] connections that are not known; a further one takes the place of the oldest, so that whoever opens many and says
//! nothing keeps nobody out.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use futures::future::BoxFuture;
use kata_core::ports::Clock;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Time for the head of a request.
pub(crate) const HEAD_TIME: Duration = Duration::from_secs(15);
/// Connections at a time that are not known.
pub(crate) const STRANGERS: usize = 384;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// A request's head is waited for.
    Head,
    /// A request is answered.
    Busy,
    /// It is a socket before its handshake.
    Socket,
    /// The handshake is done.
    Known,
}

/// Connections that are not known, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Strangers(Mutex<BTreeMap<u64, Meter>>);

impl Strangers {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Meter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn add(&self, meter: &Meter) {
        let mut all = self.all();
        if all.len() >= STRANGERS {
            // One that waits before one that is being served; among those the oldest.
            let waits = all.iter().find(|(_, m)| m.phase() != Phase::Busy).map(|(number, _)| *number);
            let number = waits.or_else(|| all.keys().next().copied());
            if let Some(meter) = number.and_then(|number| all.remove(&number)) {
                tracing::debug!("a connection that said nothing made way for another one");
                meter.0.evicted.cancel();
            }
        }
        all.insert(meter.0.number, meter.clone());
    }
    /// Ends the oldest socket that has not been welcomed. False when there is none.
    pub(crate) fn end_oldest_socket(&self) -> bool {
        let mut all = self.all();
        let number = all.iter().find(|(_, m)| m.phase() == Phase::Socket).map(|(number, _)| *number);
        match number.and_then(|number| all.remove(&number)) {
            Some(meter) => {
                meter.0.evicted.cancel();
                true
            }
            None => false,
        }
    }
}

/// What is known of a connection below the frames.
#[derive(Clone, Debug)]
pub(crate) struct Meter(Arc<Measured>);

#[derive(Debug)]
struct Measured {
    number: u64,
    strangers: Arc<Strangers>,
    /// Bytes it may still send; [`Meter::OPEN`] for any number.
    left: AtomicI64,
    /// Bytes it has sent.
    total: AtomicU64,
    phase: AtomicU8,
    /// Counts the heads that were waited for.
    heads: AtomicU32,
    evicted: CancellationToken,
}

impl Meter {
    const OPEN: i64 = i64::MAX;

    fn new(number: u64, strangers: Arc<Strangers>) -> Self {
        Self(Arc::new(Measured {
            number,
            strangers,
            left: AtomicI64::new(Self::OPEN),
            total: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Head as u8),
            heads: AtomicU32::new(0),
            evicted: CancellationToken::new(),
        }))
    }
    /// From now on at most this many bytes.
    pub(crate) fn limit(&self, bytes: u32) {
        self.0.left.store(bytes.into(), Ordering::Relaxed);
    }
    /// Whoever sends is known: any number of bytes, and its place is its own.
    pub(crate) fn known(&self) {
        self.0.left.store(Self::OPEN, Ordering::Relaxed);
        self.set(Phase::Known);
        self.0.strangers.all().remove(&self.0.number);
    }
    /// A request's head is whole.
    pub(crate) fn busy(&self) {
        self.set(Phase::Busy);
    }
    /// It is answered; the next head may come.
    pub(crate) fn answered(&self) {
        self.0.heads.fetch_add(1, Ordering::Relaxed);
        self.set(Phase::Head);
    }
    /// It has become a socket.
    pub(crate) fn upgraded(&self) {
        self.set(Phase::Socket);
    }
    /// Whether the limit was passed.
    pub(crate) fn passed(&self) -> bool {
        self.0.left.load(Ordering::Relaxed) < 0
    }
    /// Bytes that came in.
    pub(crate) fn total(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }
    fn set(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Relaxed);
    }
    fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::Head,
            1 => Phase::Busy,
            2 => Phase::Socket,
            _ => Phase::Known,
        }
    }
    fn take(&self, bytes: usize) -> bool {
        self.0.total.fetch_add(bytes as u64, Ordering::Relaxed);
        if self.0.left.load(Ordering::Relaxed) == Self::OPEN {
            return true;
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.left.fetch_sub(bytes, Ordering::Relaxed) >= bytes
    }
}

impl Connected<IncomingStream<'_, Door>> for Meter {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().meter.clone()
    }
}

/// The loopback listener.
pub(crate) struct Door {
    listener: TcpListener,
    strangers: Arc<Strangers>,
    clock: Arc<dyn Clock>,
    next: u64,
}

impl Door {
    pub(crate) fn new(listener: TcpListener, strangers: Arc<Strangers>, clock: Arc<dyn Clock>) -> Self {
        Self {
            listener,
            strangers,
            clock,
            next: 0,
        }
    }
}

impl Listener for Door {
    type Io = MeteredStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        // Small frames go out at once; batching is done above, where it is known what belongs together.
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(error = %e, "TCP_NODELAY refused");
        }
        self.next += 1;
        let meter = Meter::new(self.next, Arc::clone(&self.strangers));
        self.strangers.add(&meter);
        let io = MeteredStream {
            stream,
            evicted: Box::pin(meter.0.evicted.clone().cancelled_owned()),
            meter,
            clock: Arc::clone(&self.clock),
            head: None,
        };
        (io, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection with its meter.
pub(crate) struct MeteredStream {
    stream: TcpStream,
    meter: Meter,
    clock: Arc<dyn Clock>,
    evicted: Pin<Box<WaitForCancellationFutureOwned>>,
    /// The end of the time for a head, and which head it is for.
    head: Option<(u32, BoxFuture<'static, ()>)>,
}

impl Drop for MeteredStream {
    fn drop(&mut self) {
        self.meter.0.strangers.all().remove(&self.meter.0.number);
    }
}

impl MeteredStream {
    /// Whether its time or its place is gone.
    fn over(&mut self, cx: &mut Context<'_>) -> Option<&'static str> {
        let phase = self.meter.phase();
        if phase == Phase::Known {
            self.head = None;
            return None;
        }
        if self.evicted.as_mut().poll(cx).is_ready() {
            return Some("made way for another connection");
        }
        if phase != Phase::Head {
            self.head = None;
            return None;
        }
        let heads = self.meter.0.heads.load(Ordering::Relaxed);
        if self.head.as_ref().is_none_or(|(of, _)| *of != heads) {
            let clock = Arc::clone(&self.clock);
            self.head = Some((heads, Box::pin(async move { clock.sleep(HEAD_TIME).await })));
        }
        let (_, end) = self.head.as_mut()?;
        end.as_mut().poll(cx).is_ready().then_some("no whole request in time")
    }
}

impl AsyncRead for MeteredStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(reason) = self.over(cx) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if !self.meter.take(buf.filled().len() - before) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "more bytes before the handshake than it takes",
            ))),
            other => other,
        }
    }
}

impl AsyncWrite for MeteredStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // After an answer nothing is read until something comes; the time for the next head begins all the same.
        if let Some(reason) = self.over(cx) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
