//! Notifications of the desktop, while nobody looks at the window: what needs the person, with its answers; a turn that has ended; a
//! channel that does not work. A click opens the window at the place.
//!
//! [`rules`] decides what is told, without IO; `linux` and `others` show it. Deliberately absent: sounds, and anything that was
//! written, unless the person has switched that on (`notifications.text` in `settings.json`).

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod others;
mod rules;

#[cfg(target_os = "linux")]
use linux::Post;
#[cfg(not(target_os = "linux"))]
use others::Post;

use crate::host::Host;
use crate::{places, tray, window};
use kata_protocol::{Attention, Fact, MessageKind, SessionEvent, SessionGet, SessionId, SourceKind, TurnEnd};
use rules::{Do, Ended, Rules};
use std::sync::Arc;
use std::time::Instant;
use tauri::AppHandle;

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The next one in the same slot takes its place.
    pub slot: String,
    /// First line.
    pub title: String,
    /// What stands below it.
    pub body: Option<String>,
    /// What waits, and the answers it takes: id and words.
    pub answers: Option<(String, Vec<(String, String)>)>,
    /// Where a click leads.
    pub route: String,
}

/// What a person did with one.
pub(crate) enum Chosen {
    /// Clicked it.
    Open,
    /// Pressed the button of an answer.
    Answer(String),
}

/// Tells.
pub(crate) struct Teller {
    app: AppHandle,
    host: Arc<Host>,
    rules: Rules,
    post: Post,
    began: Instant,
}

impl Teller {
    /// Tells nothing yet.
    pub(crate) fn new(app: AppHandle, host: Arc<Host>) -> Self {
        Self {
            post: Post::new(app.clone()),
            app,
            host,
            rules: Rules::default(),
            began: Instant::now(),
        }
    }

    /// So much waits for the person now.
    pub(crate) async fn waiting(&mut self, waiting: &[Attention]) {
        let (now, looked_at, settings) = (self.now(), window::is_looked_at(&self.app), self.host.notifications());
        let all = self.rules.waiting(now, waiting, looked_at, &settings);
        self.act(all).await;
    }

    /// Something has happened.
    pub(crate) async fn heard(&mut self, fact: &Fact) {
        let all = match fact {
            Fact::Session {
                id,
                event: SessionEvent::TurnEnded { end, .. },
            } if *end != TurnEnd::Interrupted => match self.ended(id, *end).await {
                Some(ended) => {
                    let (now, looked_at, settings) = (self.now(), window::is_looked_at(&self.app), self.host.notifications());
                    self.rules.ended(now, ended, looked_at, &settings)
                }
                None => return,
            },
            Fact::SourceChanged { source } if source.kind == SourceKind::Channel => {
                let (now, looked_at, settings) = (self.now(), window::is_looked_at(&self.app), self.host.notifications());
                self.rules.channel(now, source, looked_at, &settings)
            }
            _ => return,
        };
        self.act(all).await;
    }

    /// The session of a turn that has ended, if it is one of the desktop.
    async fn ended(&self, id: &SessionId, end: TurnEnd) -> Option<Ended> {
        if window::is_looked_at(&self.app) || !self.host.notifications().turns {
            return None;
        }
        let operations = self.host.operations().await.ok()?;
        let get = SessionGet {
            id: id.clone(),
            limit: Some(1),
            before: None,
        };
        let session = operations.session_get(self.host.caller(), get).await.ok()?;
        let answer = session
            .messages
            .into_iter()
            .next_back()
            .filter(|m| m.kind == MessageKind::Assistant);
        session.summary.channel.is_none().then(|| Ended {
            id: id.to_string(),
            name: session.summary.name,
            failed: end == TurnEnd::Failed,
            text: answer.map(|answer| answer.text),
        })
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    async fn act(&self, all: Vec<Do>) {
        for each in all {
            match each {
                Do::Show(note) => self.post.show(note).await,
                Do::Withdraw(slot) => self.post.withdraw(&slot).await,
            }
        }
    }
}

/// Does what a person chose.
fn act(app: &AppHandle, note: &Note, chosen: &Chosen) {
    match (chosen, &note.answers) {
        (Chosen::Answer(action), Some((about, _))) => tray::answer(app, about, action),
        _ => places::open_route(app, &note.route),
    }
}
