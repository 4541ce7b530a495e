//! Plugins that a client brings: its frames `register`, `inbound`, `report` and `answer`, and the calls that go to it.
//!
//! They live as long as the connection: when [`Externals`] falls, all it brought is gone. What a plugin may be called and do is
//! not judged here ([`ExternalPlugins`]); that a client speaks of its own plugins only, and how much of it may be under way, is.
//!
//! [`ExternalPlugins`]: kata_core::ports::ExternalPlugins

use crate::connection::{Client, End, close};
use crate::frames;
use crate::gateway::Shared;
use crate::writer::Outgoing;
use kata_core::ports::{AttachedPlugin, Claim, Outlet, OutletCall};
use kata_protocol::{ErrorCode, ExternalClient, Json, MAX_EXTERNAL_PLUGINS, Scope, Status, WireError};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use tokio::sync::{Semaphore, mpsc, watch};

/// Messages of one connection that are being taken in at a time; one more is answered `busy`.
const INBOUND: usize = 64;
/// Frames that belong nowhere after which the connection ends.
const STRAYS: u32 = 100;

/// What a client sends about its plugins. [`kata_protocol::ClientFrame`] says it with types that this does not rely on: the
/// parts are judged one by one, so that an error names what is wrong.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Frame {
    Register {
        id: u64,
        plugin: Json,
    },
    Inbound {
        id: u64,
        plugin: String,
        channel: String,
        message: Json,
    },
    Report {
        plugin: String,
        channel: String,
        status: Status,
        #[serde(default)]
        cursor: Option<String>,
    },
    Answer {
        call: u64,
        #[serde(default)]
        result: Option<Json>,
        #[serde(default)]
        error: Option<WireError>,
    },
}

/// The plugins of one connection.
pub(crate) struct Externals {
    shared: Arc<Shared>,
    who: ExternalClient,
    line: Arc<Line>,
    queue: mpsc::Sender<Outgoing>,
    attached: Mutex<Vec<Arc<dyn AttachedPlugin>>>,
    inbound: Arc<Semaphore>,
    strays: AtomicU32,
}

impl Externals {
    pub(crate) fn new(shared: Arc<Shared>, client: &Client, queue: mpsc::Sender<Outgoing>) -> Self {
        let info = client.info();
        Self {
            shared,
            who: ExternalClient {
                name: info.name,
                token: info.token,
                scope: info.scope,
                since: info.since,
            },
            line: Arc::new(Line {
                queue: queue.clone(),
                number: AtomicU64::new(0),
                closed: watch::Sender::new(None),
            }),
            queue,
            attached: Mutex::default(),
            inbound: Arc::new(Semaphore::new(INBOUND)),
            strays: AtomicU32::new(0),
        }
    }

    /// Returns, with the reason, when one of the plugins is ended from here.
    pub(crate) async fn closed(&self) -> String {
        let mut closed = self.line.closed.subscribe();
        // The sender is this value's own.
        let reason = closed.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }

    fn all(&self) -> Vec<Arc<dyn AttachedPlugin>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn named(&self, id: &str) -> Option<Arc<dyn AttachedPlugin>> {
        self.all().into_iter().find(|plugin| plugin.id().as_str() == id)
    }

    /// Takes a frame. `Some` when the connection has to end.
    pub(crate) async fn take(&self, id: Option<u64>, text: &str) -> Option<End> {
        let frame = match serde_json::from_str::<Frame>(text) {
            Ok(frame) => frame,
            Err(error) => {
                let words = error.to_string();
                // Anything else may quote what somebody wrote.
                let words = match words.strip_prefix("missing field ") {
                    Some(field) => format!("the frame lacks {}", field.split(" at line").next().unwrap_or_default()),
                    None => "a field of the frame has another type than it should".to_owned(),
                };
                let Some(id) = id else {
                    return Some(End::new(close::BAD_FRAME, words));
                };
                return self.answer(id, Err(WireError::invalid(words))).await;
            }
        };
        match frame {
            Frame::Register { id, plugin } => {
                let result = self.register(plugin).await.map(|()| json!(null));
                self.answer(id, result).await
            }
            Frame::Inbound {
                id,
                plugin,
                channel,
                message,
            } => self.inbound(id, &plugin, channel, message).await,
            Frame::Report {
                plugin,
                channel,
                status,
                cursor,
            } => match self.named(&plugin) {
                Some(plugin) => {
                    plugin.report(&channel, status, cursor).await;
                    None
                }
                None => self.stray("a state of a plugin that it has not registered"),
            },
            Frame::Answer { call, result, error } => {
                let answer = match error {
                    Some(error) => Err(error),
                    None => Ok(result),
                };
                for plugin in self.all() {
                    // A copy for each is made of errors and small answers only where a connection brings several plugins.
                    if plugin.answer(call, answer.clone()) != Claim::Unknown {
                        return None;
                    }
                }
                self.stray("an answer to a call that nobody made")
            }
        }
    }

    async fn register(&self, plugin: Json) -> Result<(), WireError> {
        if !matches!(self.who.scope, Scope::Plugin | Scope::Admin) {
            return Err(
                WireError::new(ErrorCode::Forbidden, "bringing plugins takes a token of scope “plugin” or “admin”")
                    .hint("`kata devices pair --scope plugin` makes one"),
            );
        }
        let Some(port) = self.shared.plugins.get() else {
            return Err(WireError::new(ErrorCode::Busy, "plugins are not taken in yet").hint("try again in a moment"));
        };
        let known = self.all();
        if known.len() >= MAX_EXTERNAL_PLUGINS {
            return Err(WireError::new(
                ErrorCode::Busy,
                format!("one connection brings at most {MAX_EXTERNAL_PLUGINS} plugins"),
            )
            .hint("open another connection"));
        }
        let attached = port
            .attach(self.who.clone(), plugin, Arc::clone(&self.line) as Arc<dyn Outlet>)
            .await?;
        self.attached.lock().unwrap_or_else(PoisonError::into_inner).push(attached);
        Ok(())
    }

    /// Begun in the order in which they came; each is answered when it is durable.
    async fn inbound(&self, id: u64, plugin: &str, channel: String, message: Json) -> Option<End> {
        let Some(plugin) = self.named(plugin) else {
            let words = "this connection has not registered a plugin of that id";
            let error = WireError::new(ErrorCode::NotFound, words).hint("a client speaks for its own plugins only");
            return self.answer(id, Err(error)).await;
        };
        let Ok(place) = Arc::clone(&self.inbound).try_acquire_owned() else {
            let error = WireError::new(
                ErrorCode::Busy,
                format!("{INBOUND} messages of this connection are being taken in already"),
            );
            return self
                .answer(id, Err(error.hint("wait for an answer before handing in another")))
                .await;
        };
        let mut work = Box::pin(async move {
            let answer = plugin.inbound(&channel, message).await;
            frame(
                id,
                answer.and_then(|answer| serde_json::to_value(answer).map_err(|e| WireError::internal(e.to_string()))),
            )
        });
        match futures::poll!(work.as_mut()) {
            Poll::Ready(frame) => {
                drop(place);
                self.say(frame).await
            }
            Poll::Pending => {
                let (queue, kill) = (self.queue.clone(), self.shared.kill.clone());
                self.shared.tasks.spawn(async move {
                    tokio::select! {
                        frame = work => {
                            // Nobody left to answer is no failure: it is handed in again, and counts once.
                            let _ = queue.send(frame.into()).await;
                        }
                        () = kill.cancelled() => {}
                    }
                    drop(place);
                });
                None
            }
        }
    }

    fn stray(&self, what: &str) -> Option<End> {
        if let Some(plugin) = self.all().first() {
            plugin.stray(what);
        }
        let count = self.strays.fetch_add(1, Ordering::Relaxed) + 1;
        (count >= STRAYS).then(|| End::new(close::BAD_FRAME, format!("{STRAYS} frames belonged nowhere, the last one: {what}")))
    }

    async fn answer(&self, id: u64, result: Result<serde_json::Value, WireError>) -> Option<End> {
        self.say(frame(id, result)).await
    }

    async fn say(&self, frame: String) -> Option<End> {
        self.queue.send(frame.into()).await.is_err().then(End::gone)
    }
}

impl Drop for Externals {
    fn drop(&mut self) {
        for plugin in self.all() {
            plugin.detach();
        }
    }
}

fn frame(id: u64, result: Result<serde_json::Value, WireError>) -> String {
    match result {
        Ok(value) => format!(r#"{{"type":"response","id":{id},"result":{value},"error":null}}"#),
        Err(error) => frames::error_frame(id, &error),
    }
}

/// The way back: what is put here is written in order with everything else this client gets.
struct Line {
    queue: mpsc::Sender<Outgoing>,
    number: AtomicU64,
    closed: watch::Sender<Option<String>>,
}

impl Outlet for Line {
    fn number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn call(&self, call: OutletCall) -> bool {
        self.queue.try_send(call_frame(&call).into()).is_ok()
    }

    fn cancel(&self, number: u64) {
        // One that is lost with a full queue is an answer that comes late, and is known as such.
        let _ = self.queue.try_send(format!(r#"{{"type":"cancel","call":{number}}}"#).into());
    }

    fn close(&self, reason: &str) {
        self.closed.send_replace(Some(reason.to_owned()));
    }
}

/// `call`, without reading its parameters once more.
fn call_frame(call: &OutletCall) -> String {
    let deadline = u32::try_from(call.deadline.as_millis()).unwrap_or(u32::MAX);
    let mut text = String::with_capacity(call.params.len() + 128);
    // Writing into a string cannot fail, and neither id nor kind has a key that is no text.
    let _ = write!(
        text,
        r#"{{"type":"call","call":{},"plugin":{},"kind":{},"params":{},"deadlineMs":{deadline}}}"#,
        call.number,
        serde_json::Value::from(call.plugin.as_str()),
        serde_json::to_string(&call.kind).unwrap_or_default(),
        call.params,
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use kata_protocol::{Count, ExternalCall, PluginId, ServerFrame};
    use std::time::Duration;

    #[test]
    fn a_call_is_written_as_the_protocol_writes_it() {
        let call = OutletCall {
            number: 7,
            plugin: PluginId::new("weather").unwrap(),
            kind: ExternalCall::Tool,
            params: r#"{"name":"forecast","params":{"city":"Ulm \"x\""},"session":"s"}"#.into(),
            deadline: Duration::from_secs(30),
        };
        let by_type = ServerFrame::Call {
            call: Count(7),
            plugin: call.plugin.clone(),
            kind: ExternalCall::Tool,
            params: Json(serde_json::from_str(&call.params).unwrap()),
            deadline_ms: 30_000,
        };
        assert_eq!(serde_json::from_str::<ServerFrame>(&call_frame(&call)).unwrap(), by_type);
        let cancel = serde_json::from_str::<ServerFrame>(r#"{"type":"cancel","call":7}"#).unwrap();
        assert_eq!(cancel, ServerFrame::Cancel { call: Count(7) });
    }

    #[test]
    fn every_frame_of_a_plugin_is_understood_as_the_protocol_has_it() {
        use kata_protocol::{ClientFrame, Ms, RunState};
        let plugin = PluginId::new("p").unwrap();
        let report = ClientFrame::Report {
            plugin: plugin.clone(),
            channel: "c".into(),
            status: Status::plain(RunState::Running, Ms(0)),
            cursor: Some("9".into()),
        };
        let inbound = ClientFrame::Inbound {
            id: Count(1),
            plugin,
            channel: "c".into(),
            message: Json(json!({})),
        };
        let answer = ClientFrame::Answer {
            call: Count(3),
            result: None,
            error: Some(WireError::invalid("x")),
        };
        for frame in [report, inbound, answer] {
            let text = serde_json::to_string(&frame).unwrap();
            assert!(serde_json::from_str::<Frame>(&text).is_ok(), "{text}");
        }
    }
}
