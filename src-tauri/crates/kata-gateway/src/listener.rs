//! Accepts connections and meters what comes in before the handshake.
//!
//! The limit of the WebSocket itself is set once, at the upgrade, and has to let the large frames of a known client through.
//! So the small limit for strangers sits below it, on the bytes.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Bytes a connection may still send; [`Meter::OPEN`] for any number.
#[derive(Clone, Debug)]
pub(crate) struct Meter(Arc<AtomicI64>);

impl Meter {
    const OPEN: i64 = i64::MAX;

    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(Self::OPEN)))
    }
    /// From now on at most this many bytes.
    pub(crate) fn limit(&self, bytes: u32) {
        self.0.store(bytes.into(), Ordering::Relaxed);
    }
    /// From now on any number.
    pub(crate) fn open(&self) {
        self.0.store(Self::OPEN, Ordering::Relaxed);
    }
    /// Whether the limit was passed.
    pub(crate) fn passed(&self) -> bool {
        self.0.load(Ordering::Relaxed) < 0
    }
    fn take(&self, bytes: usize) -> bool {
        if self.0.load(Ordering::Relaxed) == Self::OPEN {
            return true;
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.fetch_sub(bytes, Ordering::Relaxed) >= bytes
    }
}

impl Connected<IncomingStream<'_, Door>> for Meter {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().meter.clone()
    }
}

/// The loopback listener.
pub(crate) struct Door(pub(crate) TcpListener);

impl Listener for Door {
    type Io = MeteredStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Small frames go out at once; batching is done above, where it is known what belongs together.
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(error = %e, "TCP_NODELAY refused");
        }
        (
            MeteredStream {
                stream,
                meter: Meter::new(),
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection with its meter.
pub(crate) struct MeteredStream {
    stream: TcpStream,
    meter: Meter,
}

impl AsyncRead for MeteredStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
