//! `kata chat`: one message, or line by line. Ctrl-C stops the turn, at the prompt it ends the program.

use super::follow::{Follow, Show};
use super::standard_input;
use crate::args::Chat;
use crate::client::{Client, Told};
use crate::failure::{Exit, Failure};
use crate::interrupts::Interrupts;
use crate::render::clean;
use crate::screen::Screen;
use kata_protocol::*;
use serde_json::json;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

pub(super) async fn run(screen: &Screen, home: &Path, options: Chat) -> Result<(), Failure> {
    let files = super::attachments::read(&options.attach)?;
    let message = match options.message.as_deref() {
        Some("-") => Some(standard_input()?),
        Some(text) => Some(text.to_owned()),
        None => (!files.is_empty()).then(String::new),
    };
    if message.as_ref().is_some_and(|text| text.trim().is_empty() && files.is_empty()) {
        return Err(Failure::usage("the message is empty"));
    }
    let client = Client::connect(home, &[Topic::Session]).await?;
    let mut talk = Talk {
        screen,
        client,
        lines: None,
        files,
        interrupts: Interrupts::listen()?,
    };
    let session = tokio::select! {
        session = choose(screen, &mut talk.client, options) => session?,
        () = talk.interrupts.next() => return Ok(()),
    };
    match message {
        Some(text) => talk.turn(&session, text).await,
        None => talk.converse(&session).await,
    }
}

/// The session that was asked for, the newest one, or a new one.
async fn choose(screen: &Screen, client: &mut Client, options: Chat) -> Result<SessionId, Failure> {
    let folder = options.dir.map(whole).transpose()?;
    let chosen = match options.session {
        Some(id) => Some(id),
        None if options.new => None,
        None => {
            let query = SessionList {
                channel: Some(false),
                limit: Some(1),
                ..SessionList::default()
            };
            client.session_list(query).await?.sessions.into_iter().next().map(|s| s.id)
        }
    };
    let id = match chosen {
        Some(id) => {
            if options.model.is_some() || folder.is_some() {
                let update = SessionUpdate {
                    id: id.clone(),
                    name: None,
                    flagged: None,
                    status: None,
                    labels: None,
                    unread: None,
                    mode: None,
                    model: options.model,
                    working_directory: folder,
                };
                client.session_update(update).await?;
            }
            id
        }
        None => {
            client
                .session_create(SessionCreate {
                    model: options.model,
                    working_directory: folder,
                    ..SessionCreate::default()
                })
                .await?
                .id
        }
    };
    if !screen.json {
        screen.note(&format!("session {id}"));
    }
    Ok(id)
}

/// A folder as this program sees it, by its whole path: the engine works elsewhere.
fn whole(folder: std::path::PathBuf) -> Result<String, Failure> {
    let found = std::fs::canonicalize(&folder).map_err(|e| Failure::usage(format!("--dir {}: {e}", folder.display())))?;
    let text = found.into_os_string().into_string();
    text.map_err(|_| Failure::usage("--dir: the folder's name is not text"))
}

struct Talk<'a> {
    screen: &'a Screen,
    client: Client,
    interrupts: Interrupts,
    /// Files that go with the next message.
    files: Vec<SubmitAttachment>,
    /// Lines a person types; absent with -m, where standard input may be something else.
    lines: Option<Lines<BufReader<Stdin>>>,
}

impl Talk<'_> {
    /// Line by line until the end of input.
    async fn converse(&mut self, session: &SessionId) -> Result<(), Failure> {
        self.lines = Some(BufReader::new(tokio::io::stdin()).lines());
        if self.screen.is_interactive() {
            self.screen.note("Enter sends; Ctrl-C stops the answer; Ctrl-D ends.");
        }
        loop {
            self.screen.prompt("> ");
            let Some(text) = self.line().await? else { return Ok(()) };
            if text.trim().is_empty() {
                continue;
            }
            match self.turn(session, text).await {
                Ok(()) => {}
                // A turn that failed is no reason to end the conversation; an engine that is gone is.
                Err(failure) if failure.exit != Exit::NotRunning && !failure.silent && self.screen.is_interactive() => {
                    self.screen.fail(&failure);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// The next line; `None` at the end of input and at Ctrl-C. What the engine says meanwhile is read too, so that its pings
    /// are answered.
    async fn line(&mut self) -> Result<Option<String>, Failure> {
        let Some(lines) = &mut self.lines else { return Ok(None) };
        loop {
            tokio::select! {
                line = lines.next_line() => return Ok(line?),
                () = self.interrupts.next() => return Ok(None),
                told = self.client.listen() => {
                    told?;
                }
            }
        }
    }

    /// Sends a message and shows what comes of it.
    async fn turn(&mut self, session: &SessionId, text: String) -> Result<(), Failure> {
        let submit = SessionSubmit {
            id: session.clone(),
            text,
            delivery: None,
            idempotency_key: None,
            attachments: Some(std::mem::take(&mut self.files)).filter(|files| !files.is_empty()),
        };
        let submitted = tokio::select! {
            submitted = self.client.session_submit(submit) => submitted?,
            () = self.interrupts.next() => return Err(Failure::new(Exit::Failure, "left before the engine had taken the message")),
        };
        if self.screen.json {
            self.screen
                .json_line(&json!({"kind": "submitted", "session": session, "message": submitted.message, "trace": submitted.trace}))?;
        }
        let mut follow = Follow::of(submitted.message);
        let mut interrupted = false;
        loop {
            let told = tokio::select! {
                told = self.client.listen() => told?,
                () = self.interrupts.next() => {
                    if std::mem::replace(&mut interrupted, true) {
                        return Err(Failure::new(Exit::Failure, "left; the turn was asked to stop"));
                    }
                    self.client.session_interrupt(SessionRef { id: session.clone() }).await?;
                    continue;
                }
            };
            let event = match told {
                Told::Fact(fact) => match *fact {
                    Fact::Session { id, event } if id == *session => event,
                    _ => continue,
                },
                Told::Resync => {
                    if self.caught_up(session).await? {
                        return Ok(());
                    }
                    continue;
                }
            };
            if self.screen.json {
                self.screen.json_line(&event)?;
            }
            for show in follow.take(&event) {
                match show {
                    Show::Text(text) if !self.screen.json => self.screen.text(&text)?,
                    Show::Text(_) => {}
                    Show::Note(text) => self.screen.note(&text),
                    Show::Ask { code, always, question } => self.ask(&code, always.is_some(), &question).await?,
                    Show::End { end, error } => return ended(end, error),
                }
            }
        }
    }

    /// After missed events: whether the session is done, in which case its last answer is shown.
    async fn caught_up(&mut self, session: &SessionId) -> Result<bool, Failure> {
        let detail = self
            .client
            .session_get(SessionGet {
                id: session.clone(),
                limit: Some(1),
                before: None,
            })
            .await?;
        if !matches!(detail.state, SessionState::Idle | SessionState::Failed) {
            self.screen.note("parts of the answer came too fast to show; it goes on");
            return Ok(false);
        }
        self.screen.note("parts of the answer came too fast to show; here is its end");
        if let Some(last) = detail.messages.last() {
            if self.screen.json {
                self.screen.json_line(last)?;
            } else {
                self.screen.text(&format!("{}\n", clean(&last.content)))?;
            }
        }
        Ok(true)
    }

    /// Lets the person decide, if one is there.
    async fn ask(&mut self, code: &str, always: bool, question: &str) -> Result<(), Failure> {
        self.screen.note(&format!("a tool call waits for you ({code}): {question}"));
        if self.lines.is_none() || !self.screen.is_interactive() {
            return Err(Failure::new(
                Exit::Refused,
                "a tool call waits for approval; the turn stays open until somebody answers",
            )
            .hint(format!("answer it in the window, or with `kata approvals answer {code} once`")));
        }
        self.screen.prompt(match always {
            true => "allow it? [o]nce, for this [s]ession, [a]lways, [N]o: ",
            false => "allow it? [o]nce, [N]o: ",
        });
        let answer = self.line().await?.unwrap_or_default();
        let decision = match answer.trim().to_lowercase().as_str() {
            "o" | "once" | "y" | "yes" => ApprovalDecision::Once,
            "s" | "session" if always => ApprovalDecision::Session,
            "a" | "always" if always => ApprovalDecision::Always,
            _ => ApprovalDecision::Deny,
        };
        let outcome = self
            .client
            .approval_answer(ApprovalAnswer {
                code: code.to_owned(),
                decision,
            })
            .await?;
        if !outcome.first {
            self.screen.note("somebody had answered it before; that counts");
        }
        Ok(())
    }
}

fn ended(end: TurnEnd, error: Option<WireError>) -> Result<(), Failure> {
    match (end, error) {
        (TurnEnd::Completed, _) => Ok(()),
        (TurnEnd::Interrupted, _) => Err(Failure::new(Exit::Failure, "the turn was stopped")),
        (TurnEnd::Failed, Some(error)) => Err(error.into()),
        (TurnEnd::Failed, None) => Err(Failure::new(Exit::Failure, "the turn failed").hint("`kata trace --last` shows where")),
    }
}
