//! Bodies that are on their way: answers that a plugin reads piece by piece, and requests that it writes piece by piece.
//! Nothing is read ahead: what the plugin does not ask for stays with the sender.
//!
//! Each answer has a task that owns the connection, so that it ends with the generation, when its capability is taken
//! back, and when nobody asks for more in the time one exchange may take.

use crate::fetch::FetchError;
use crate::network::Blocked;
use crate::standing::{Lease, Standing};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kata_core::tasks::Tasks;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use url::Url;

/// Answers that may be open at once, read or not.
const OPEN: usize = 64;

/// A stream of an answer's bytes.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, FetchError>>;

struct Ask {
    /// All that is left, at most so many bytes; one piece otherwise.
    all: Option<usize>,
    answer: oneshot::Sender<Result<Option<Vec<u8>>, FetchError>>,
}

struct Open {
    asks: mpsc::Sender<Ask>,
    url: Url,
}

/// The open answers and requests of one generation.
#[derive(Default)]
pub(crate) struct Bodies {
    next: AtomicU32,
    answers: Mutex<HashMap<u32, Open>>,
    uploads: Mutex<HashMap<u32, Upload>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bodies {
    /// Keeps an answer that is not read yet; gives its number.
    pub(crate) fn keep(
        &self,
        tasks: &Tasks,
        url: &Url,
        lease: Arc<Lease>,
        early: VecDeque<Bytes>,
        pieces: Pieces,
        idle: Duration,
    ) -> Result<u32, FetchError> {
        let mut answers = lock(&self.answers);
        answers.retain(|_, open| !open.asks.is_closed());
        if answers.len() >= OPEN {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(FetchError::TooMany { host, open: OPEN });
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let (asks, asked) = mpsc::channel(1);
        answers.insert(id, Open { asks, url: url.clone() });
        let host = url.host_str().unwrap_or_default().to_owned();
        let source = Source { host, early, pieces, idle };
        tasks.clone().spawn("plugin answer", source.serve(asked, lease));
        Ok(id)
    }

    /// The next piece of an answer, or all that is left of it; `None` at its end.
    pub(crate) async fn read(&self, id: u32, all: Option<usize>, standing: &Standing) -> Result<Option<Vec<u8>>, FetchError> {
        let found = lock(&self.answers).get(&id).map(|open| (open.asks.clone(), open.url.clone()));
        let Some((asks, url)) = found else { return Ok(None) };
        let (answer, answered) = oneshot::channel();
        let told = match asks.send(Ask { all, answer }).await {
            Ok(()) => answered.await.ok(),
            Err(_) => None,
        };
        let result = told.unwrap_or_else(|| {
            let host = url.host_str().unwrap_or_default().to_owned();
            let reason = "the answer is gone: nobody read it in time, or the plugin ends";
            Err(standing
                .reach(&url)
                .map_or_else(FetchError::Blocked, |_| FetchError::Failed { host, reason }))
        });
        if all.is_some() || !matches!(result, Ok(Some(_))) {
            self.end(id);
        }
        result
    }

    /// Nobody reads this answer any more.
    pub(crate) fn end(&self, id: u32) {
        lock(&self.answers).remove(&id);
    }

    /// A request body that will be written piece by piece.
    pub(crate) fn upload(&self, id: u32) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<> {
        let (pieces, mut written) = mpsc::channel::<Bytes>(1);
        let whole = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&whole);
        lock(&self.uploads).insert(id, Upload { pieces, whole });
        async_stream(move |cx| match written.poll_recv(cx) {
            std::task::Poll::Ready(None) if !seen.load(Ordering::Acquire) => {
                // The end of a channel alone would look like the end of the body.
                seen.store(true, Ordering::Release);
                std::task::Poll::Ready(Some(Err(std::io::Error::other("the body broke off"))))
            }
            other => other.map(|piece| piece.map(Ok)),
        })
    }

    /// Hands one piece over; waits until the connection takes it.
    pub(crate) async fn write(&self, id: u32, piece: Bytes) -> Result<(), &'static str> {
        let over = "fetch: the request has ended before its body";
        let pieces = lock(&self.uploads).get(&id).map(|u| u.pieces.clone()).ok_or(over)?;
        pieces.send(piece).await.map_err(|_| over)
    }

    /// The body is written; `whole` says whether as it should be.
    pub(crate) fn written(&self, id: u32, whole: bool) {
        if let Some(upload) = lock(&self.uploads).remove(&id) {
            upload.whole.store(whole, Ordering::Release);
        }
    }
}

struct Upload {
    pieces: mpsc::Sender<Bytes>,
    whole: Arc<AtomicBool>,
}

fn async_stream<T>(mut poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<T>>) -> impl Stream<Item = T> {
    futures::stream::poll_fn(move |cx| poll(cx))
}

struct Source {
    host: String,
    early: VecDeque<Bytes>,
    pieces: Pieces,
    idle: Duration,
}

impl Source {
    async fn serve(mut self, mut asked: mpsc::Receiver<Ask>, lease: Arc<Lease>) {
        loop {
            let ask = tokio::select! {
                biased;
                () = lease.ended() => return,
                ask = tokio::time::timeout(self.idle, asked.recv()) => match ask {
                    Ok(Some(ask)) => ask,
                    Ok(None) | Err(_) => return,
                },
            };
            let Ask { all, mut answer } = ask;
            let read = async {
                match all {
                    None => self.piece().await.map(|piece| piece.map(Into::into)),
                    Some(max) => self.rest(max).await.map(Some),
                }
            };
            let result = tokio::select! {
                biased;
                // The sender falls with this task, and whoever asked looks for the reason.
                () = lease.ended() => return,
                () = answer.closed() => return,
                result = read => result,
            };
            let over = all.is_some() || !matches!(result, Ok(Some(_)));
            let _ = answer.send(result);
            if over {
                return;
            }
        }
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, FetchError> {
        if let Some(early) = self.early.pop_front() {
            return Ok(Some(early));
        }
        let limit = self.idle;
        match tokio::time::timeout(limit, self.pieces.next()).await {
            Ok(piece) => piece.transpose(),
            Err(_) => Err(FetchError::Timeout {
                host: self.host.clone(),
                limit,
            }),
        }
    }

    async fn rest(&mut self, max: usize) -> Result<Vec<u8>, FetchError> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            if bytes.len() + piece.len() > max {
                return Err(FetchError::TooLarge {
                    host: self.host.clone(),
                    limit: max,
                });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// Why something that goes to `url` had to end.
pub(crate) fn taken_back(standing: &Standing, url: &Url) -> Blocked {
    standing.reach(url).err().unwrap_or(Blocked::Ended)
}
