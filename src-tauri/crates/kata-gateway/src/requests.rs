//! Requests of one client, side by side.
//!
//! Each is polled once where it was read: most are done by then and cost no task. The others go on in a task of their own,
//! also when the client is gone; an operation is never cut in the middle because somebody closed a window.

use crate::connection::Client;
use crate::frames;
use crate::gateway::Shared;
use crate::writer::Outgoing;
use futures::FutureExt;
use kata_core::operations::dispatch;
use kata_protocol::{ErrorCode, MAX_FRAME, WireError, ops};
use serde_json::value::RawValue;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::{Semaphore, mpsc};

/// Requests of one client at a time; one more is answered `busy`.
const IN_FLIGHT: usize = 256;

pub(crate) struct Requests {
    shared: Arc<Shared>,
    client: Arc<Client>,
    queue: mpsc::Sender<Outgoing>,
    places: Arc<Semaphore>,
}

impl Requests {
    pub(crate) fn new(shared: Arc<Shared>, client: Arc<Client>, queue: mpsc::Sender<Outgoing>) -> Self {
        Self {
            shared,
            client,
            queue,
            places: Arc::new(Semaphore::new(IN_FLIGHT)),
        }
    }

    /// Begins a request. False when there is nobody left to answer.
    pub(crate) async fn begin(&self, id: u64, op: &str, params: &RawValue) -> bool {
        let Some(row) = ops::find(op) else {
            let error = WireError::not_found("operation", op).hint("the welcome frame lists the operations");
            return self.answer(frames::error_frame(id, &error)).await;
        };
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let error = WireError::new(ErrorCode::Busy, format!("{IN_FLIGHT} requests of this client run already"))
                .hint("wait for an answer before asking again");
            return self.answer(frames::error_frame(id, &error)).await;
        };
        let mut work = Box::pin(perform(
            Arc::clone(&self.shared),
            Arc::clone(&self.client),
            id,
            row.name,
            params.to_owned(),
        ));
        match futures::poll!(work.as_mut()) {
            Poll::Ready(frame) => {
                drop(place);
                self.answer(frame).await
            }
            Poll::Pending => {
                let (queue, kill) = (self.queue.clone(), self.shared.kill.clone());
                self.shared.tasks.spawn(async move {
                    tokio::select! {
                        frame = work => {
                            // Nobody left to answer is no failure.
                            let _ = queue.send(frame.into()).await;
                        }
                        () = kill.cancelled() => {}
                    }
                    drop(place);
                });
                true
            }
        }
    }

    async fn answer(&self, frame: String) -> bool {
        self.queue.send(frame.into()).await.is_ok()
    }
}

/// Largest frame of `session.submit`, the only one that may carry files: ten of 16 MiB as base64, and a text.
pub(crate) const MAX_INPUT: usize = 224 << 20;
/// Largest answer of `session.attachment`: one file as base64.
const MAX_ATTACHMENT: usize = 24 << 20;

/// Whether a frame of an operation may have so many bytes.
pub(crate) fn fits(op: &str, bytes: usize) -> bool {
    bytes <= MAX_FRAME || op == "session.submit" && bytes <= MAX_INPUT
}

async fn perform(shared: Arc<Shared>, client: Arc<Client>, id: u64, op: &'static str, params: Box<RawValue>) -> String {
    let largest = if op == "session.attachment" { MAX_ATTACHMENT } else { MAX_FRAME };
    let done = AssertUnwindSafe(dispatch(&*shared.operations, &client.caller, op, &params))
        .catch_unwind()
        .await;
    match done {
        Ok(Ok(result)) if result.get().len() <= largest - 256 => frames::result_frame(id, &result),
        Ok(Ok(_)) => {
            let error = WireError::new(ErrorCode::Invalid, format!("the answer of “{op}” is larger than a frame may be"));
            frames::error_frame(id, &error.hint("ask for less at a time (`limit`)"))
        }
        Ok(Err(error)) => frames::error_frame(id, &error),
        Err(_) => {
            tracing::error!(op, "an operation panicked");
            frames::error_frame(id, &WireError::internal(format!("“{op}” failed inside")).hint("the log says more"))
        }
    }
}
