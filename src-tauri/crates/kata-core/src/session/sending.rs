//! `send_file`: the agent sends a file of its own. It is kept, copied into the session and put into the outbox while the tool runs:
//! what the tool says has happened has happened, also after a kill. In a session of the desktop the transcript shows it.
//!
//! Neighbours: the tool reads the file by its own rules (port `Tools`), the outbox sends it in the order of the conversation.

use super::attachments::Noted;
use super::runner::Runner;
use super::turn::Turn;
use crate::files;
use crate::hooks::Verdict;
use crate::outbox::{self, Reply};
use crate::ports::{MAX_FILE, MediaError, NewMedia, OutboundExtras, ToolFile, ToolOutcome, ToolRequest};
use futures::{StreamExt, stream};
use kata_protocol::{Media, MessageSending, ReplyRoute};

/// Why a file was not sent, for the model.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotSent(String);

impl From<MediaError> for NotSent {
    fn from(error: MediaError) -> Self {
        Self(format!("The file could not be kept: {error}."))
    }
}

impl Runner {
    /// What came of the call, and the file for the row.
    pub(super) async fn send_file(&self, turn: &Turn, request: ToolRequest) -> (ToolOutcome, Vec<Noted>) {
        let failed = |text: String| ToolOutcome { text, is_error: true };
        let file = match self.deps.tools.file(&request).await {
            Ok(file) => file,
            Err(unfit) => return (failed(unfit.0), Vec::new()),
        };
        let kept = self.keep_file(turn, &request, &file).await;
        let (media, note) = match kept {
            Ok(kept) => kept,
            Err(error) => return (failed(error.0), Vec::new()),
        };
        let sent = match &turn.inbox {
            None => Ok(format!("“{}” ({} bytes) is shown to the person.", media.name, media.bytes.0)),
            Some((_, route)) => self.hand_out(turn, &request, route.clone(), &media, file.caption).await,
        };
        let outcome = match sent {
            Ok(text) => ToolOutcome { text, is_error: false },
            Err(error) => failed(error.0),
        };
        (outcome, vec![note])
    }

    async fn keep_file(&self, turn: &Turn, request: &ToolRequest, file: &ToolFile) -> Result<(Media, Noted), NotSent> {
        let info = NewMedia {
            name: file.name.clone(),
            ..NewMedia::default()
        };
        let bytes = file.bytes.clone();
        let content = stream::once(async move { Ok(bytes) }).boxed();
        let media = self.deps.media.put(info, content, MAX_FILE).await?;
        let key = format!("{}/{}", turn.id, request.call_id);
        let attached = self.deps.media.attach(&self.live.id, &key, &file.name, &media.id).await?;
        let note = Noted {
            id: attached.id,
            kind: media.kind,
            name: files::shown_name(&file.name),
            mime: media.mime.clone(),
            bytes: attached.bytes,
            place: Ok(attached.path),
        };
        Ok((media, note))
    }

    /// Puts the file into the outbox for the conversation that asked.
    async fn hand_out(
        &self,
        turn: &Turn,
        request: &ToolRequest,
        route: ReplyRoute,
        media: &Media,
        caption: String,
    ) -> Result<String, NotSent> {
        let shown = "The person can open it in Kata Agents.";
        if let Some((_, info)) = self.deps.channels.info(&route.channel)
            && let Some(why) = outbox::unsendable(&info.capabilities, media)
        {
            return Err(NotSent(format!("“{}” was not sent: {why}. {shown}", media.name)));
        }
        let event = MessageSending {
            session: self.live.id.clone(),
            text: caption,
            route: Some(route.clone()),
        };
        let text = match self.deps.hooks.run(event, &turn.trace).await {
            Verdict::Pass { event, .. } => event.text,
            Verdict::Stopped { plugin, reason } => {
                return Err(NotSent(format!("“{}” was held back by plugin “{plugin}”: {reason}", media.name)));
            }
        };
        let reply = Reply {
            inbox: None,
            session: Some(self.live.id.clone()),
            route,
            text,
            key: format!("file:{}:{}:{}", self.live.id, turn.id, request.call_id),
            trace: None,
            extras: OutboundExtras {
                attachments: vec![media.clone()],
                ..OutboundExtras::default()
            },
        };
        match self.deps.outbox.insist(reply).await {
            Ok(_) => Ok(format!(
                "“{}” ({} bytes) is on its way to the conversation.",
                media.name, media.bytes.0
            )),
            Err(stopping) => Err(NotSent(format!("“{}” was not sent: {stopping}.", media.name))),
        }
    }
}
