//! Writes what a client gets: answers from a bounded queue, facts from its feed. Whatever is there goes into one write.

use crate::connection::{End, close};
use crate::feed::Feed;
use crate::gateway::Shared;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures::SinkExt;
use futures::stream::SplitSink;
use kata_core::ports::Clock;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;

/// Answers that wait for one client. When it is full, the client's requests are read no further.
pub(crate) const QUEUE: usize = 1024;
/// Frames of each kind in one write.
const BATCH: usize = 128;
/// Time a client may keep us waiting before it is dropped.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something that waits to be written.
pub(crate) enum Outgoing {
    Frame(Utf8Bytes),
    Ping,
}

impl From<String> for Outgoing {
    fn from(text: String) -> Self {
        Self::Frame(text.into())
    }
}

impl From<Outgoing> for Message {
    fn from(outgoing: Outgoing) -> Self {
        match outgoing {
            Outgoing::Frame(text) => Self::Text(text),
            Outgoing::Ping => Self::Ping(Default::default()),
        }
    }
}

/// Runs until the client does not take what it is given.
pub(crate) async fn run(
    shared: &Shared,
    sink: &mut SplitSink<WebSocket, Message>,
    first: Vec<String>,
    queue: &mut mpsc::Receiver<Outgoing>,
    feed: &mut Feed,
) -> End {
    let mut pen = Pen {
        clock: &*shared.clock,
        sink,
    };
    for frame in first {
        if let Err(end) = pen.feed(Message::Text(frame.into())).await {
            return end;
        }
    }
    loop {
        match round(&mut pen, queue, feed).await {
            Ok(Some(message)) => {
                if let Err(end) = pen.feed(message).await {
                    return end;
                }
            }
            Ok(None) => return End::gone(),
            Err(end) => return end,
        }
    }
}

/// Writes everything that is ready, then waits for one more; it begins the next round.
async fn round(pen: &mut Pen<'_>, queue: &mut mpsc::Receiver<Outgoing>, feed: &mut Feed) -> Result<Option<Message>, End> {
    for _ in 0..BATCH {
        let Ok(answer) = queue.try_recv() else { break };
        pen.feed(answer.into()).await?;
    }
    for _ in 0..BATCH {
        let Some(event) = feed.ready() else { break };
        pen.feed(Message::Text(event)).await?;
    }
    pen.flush().await?;
    Ok(tokio::select! {
        answer = queue.recv() => answer.map(Into::into),
        event = feed.next() => Some(Message::Text(event)),
    })
}

struct Pen<'a> {
    clock: &'a dyn Clock,
    sink: &'a mut SplitSink<WebSocket, Message>,
}

impl Pen<'_> {
    async fn feed(&mut self, message: Message) -> Result<(), End> {
        done(within(self.clock, PATIENCE, self.sink.feed(message)).await)
    }
    async fn flush(&mut self) -> Result<(), End> {
        done(within(self.clock, PATIENCE, self.sink.flush()).await)
    }
}

fn done(outcome: Option<Result<(), axum::Error>>) -> Result<(), End> {
    match outcome {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(End::gone()),
        None => Err(End::new(close::SLOW, "the client has not read for 30 seconds")),
    }
}

/// `None` when `work` takes longer than `limit`. Work that is done at once costs no timer.
pub(crate) async fn within<T>(clock: &dyn Clock, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Poll::Ready(value) = futures::poll!(work.as_mut()) {
        return Some(value);
    }
    tokio::select! {
        value = work => Some(value),
        () = clock.sleep(limit) => None,
    }
}
