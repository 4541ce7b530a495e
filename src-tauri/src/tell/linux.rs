//! Linux: the desktop's notification service over the session bus, by the Desktop Notifications Specification 1.3 (freedesktop.org).
//!
//! Spoken directly, because its answers (`ActionInvoked`) come as signals to whoever stays on the bus, and one task hears them all.
//! Where there is no bus or nobody serves, nothing is shown and nothing else changes.

use super::{Chosen, Note, act};
use futures::StreamExt as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tauri::AppHandle;
use tokio::sync::OnceCell;
use zbus::zvariant::Value;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// What a click on the notification itself is called.
const DEFAULT: &str = "default";
/// A service that does not answer holds up nothing else.
const PATIENCE: Duration = Duration::from_secs(5);
/// Signals that may wait to be read.
const WAITING: usize = 64;

type Shown = Arc<Mutex<HashMap<u32, Note>>>;

/// Shows notifications.
pub(crate) struct Post {
    app: AppHandle,
    bus: OnceCell<Option<Bus>>,
    shown: Shown,
}

struct Bus {
    connection: zbus::Connection,
    /// The service reads `<b>` as bold, so a text needs its escapes.
    markup: bool,
}

impl Post {
    /// Asks nobody yet.
    pub(crate) fn new(app: AppHandle) -> Self {
        Self {
            app,
            bus: OnceCell::new(),
            shown: Shown::default(),
        }
    }

    /// Shows one in its slot.
    pub(crate) async fn show(&self, note: Note) {
        let Some(bus) = self.bus().await else { return };
        let before = lock(&self.shown)
            .iter()
            .find(|(_, other)| other.slot == note.slot)
            .map(|(id, _)| *id);
        let asked = tokio::time::timeout(PATIENCE, bus.notify(&note, before.unwrap_or_default())).await;
        match asked {
            Ok(Ok(id)) => {
                let mut shown = lock(&self.shown);
                if let Some(before) = before {
                    shown.remove(&before);
                }
                shown.insert(id, note);
            }
            Ok(Err(error)) => tracing::debug!(%error, "a notification was not shown"),
            Err(_) => tracing::debug!("the notification service does not answer"),
        }
    }

    /// Takes away what is in a slot.
    pub(crate) async fn withdraw(&self, slot: &str) {
        let Some(bus) = self.bus().await else { return };
        let ids: Vec<u32> = lock(&self.shown)
            .iter()
            .filter(|(_, note)| note.slot == slot)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            lock(&self.shown).remove(&id);
            let closed = bus
                .connection
                .call_method(Some(NAME), PATH, Some(NAME), "CloseNotification", &(id,));
            if let Ok(Err(error)) = tokio::time::timeout(PATIENCE, closed).await {
                tracing::debug!(%error, "a notification was not taken away");
            }
        }
    }

    async fn bus(&self) -> Option<&Bus> {
        let connect = || Bus::open(self.app.clone(), Arc::clone(&self.shown));
        self.bus.get_or_init(connect).await.as_ref()
    }
}

impl Bus {
    async fn open(app: AppHandle, shown: Shown) -> Option<Self> {
        match Self::connect(app, shown).await {
            Ok(bus) => Some(bus),
            Err(error) => {
                tracing::info!(%error, "no notifications: there is no session bus");
                None
            }
        }
    }

    async fn connect(app: AppHandle, shown: Shown) -> zbus::Result<Self> {
        let connection = zbus::Connection::session().await?;
        // The bus lets through what the service itself says, and nobody else under its name.
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(NAME)?
            .interface(NAME)?
            .path(PATH)?
            .build();
        let mut signals = zbus::MessageStream::for_match_rule(rule, &connection, Some(WAITING)).await?;
        tauri::async_runtime::spawn(async move {
            while let Some(Ok(signal)) = signals.next().await {
                hear(&app, &shown, &signal);
            }
        });
        let can = connection.call_method(Some(NAME), PATH, Some(NAME), "GetCapabilities", &());
        let can: Vec<String> = match tokio::time::timeout(PATIENCE, can).await {
            Ok(Ok(answer)) => answer.body().deserialize().unwrap_or_default(),
            // It may begin to serve later; escapes that show are better than markup that counts.
            _ => vec!["body-markup".into()],
        };
        Ok(Self {
            connection,
            markup: can.iter().any(|each| each == "body-markup"),
        })
    }

    async fn notify(&self, note: &Note, replaces: u32) -> zbus::Result<u32> {
        let mut actions = vec![DEFAULT, "Open"];
        for (id, label) in note.answers.iter().flat_map(|(_, answers)| answers) {
            actions.extend([id.as_str(), label.as_str()]);
        }
        let body = note.body.as_deref().unwrap_or_default();
        let body = if self.markup { escaped(body) } else { body.to_owned() };
        let hints = HashMap::from([("desktop-entry", Value::from("kata-agents")), ("urgency", Value::from(1_u8))]);
        let notification = (
            "Kata Agents",
            replaces,
            "kata-agents",
            note.title.as_str(),
            body,
            actions,
            hints,
            -1_i32,
        );
        let answer = self.connection.call_method(Some(NAME), PATH, Some(NAME), "Notify", &notification);
        answer.await?.body().deserialize()
    }
}

/// A signal of the service: an answer that was chosen, or a notification that is gone.
fn hear(app: &AppHandle, shown: &Shown, signal: &zbus::Message) {
    match signal.header().member().map(|member| member.as_str()) {
        Some("ActionInvoked") => {
            let Ok((id, action)) = signal.body().deserialize::<(u32, String)>() else {
                return;
            };
            // Each counts once; another program's is none of ours.
            let Some(note) = lock(shown).remove(&id) else { return };
            let chosen = match action.as_str() {
                DEFAULT => Chosen::Open,
                _ => Chosen::Answer(action),
            };
            act(app, &note, &chosen);
        }
        Some("NotificationClosed") => {
            if let Ok((id, _reason)) = signal.body().deserialize::<(u32, u32)>() {
                lock(shown).remove(&id);
            }
        }
        _ => {}
    }
}

/// The specification's markup is a subset of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn lock(shown: &Shown) -> std::sync::MutexGuard<'_, HashMap<u32, Note>> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_no_markup() {
        assert_eq!(escaped("<b>a</b> & <img src=x>"), "&lt;b&gt;a&lt;/b&gt; &amp; &lt;img src=x&gt;");
    }
}
