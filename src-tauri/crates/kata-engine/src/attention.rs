//! One list of everything that waits for the person, counted for the line of health, and answers that need no further look.
//!
//! The list is made anew from those who know (approvals, sources, plugins, letters, notices, crashes, updates) whenever a fact says that one of them
//! changed; nothing of it is kept.
//!
//! Deliberately absent: answers of its own. Each is the operation that a person would have used.

use crate::engine::{Inner, locked};
use kata_core::operations::{Caller, Operations};
use kata_core::ports::PairingStore;
use kata_protocol::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// What gathers before the list is made again.
const GATHER: Duration = Duration::from_millis(150);
/// Letters that are listed one by one; more of them are one entry.
const LETTERS: usize = 5;
/// How long a source's question waits, milliseconds.
const QUESTION_MS: u64 = kata_sources::PATIENCE.as_millis() as u64;
/// Characters of a line at most.
const LINE: usize = 160;

/// Keeps the list up to date.
#[derive(Default)]
pub(crate) struct AttentionDesk {
    known: Mutex<Vec<Attention>>,
    changed: Notify,
}

impl AttentionDesk {
    /// The list is made again soon.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }
}

impl Inner {
    /// What waits for the person, what waits longest first.
    pub(crate) async fn list_attention(&self) -> Result<Vec<Attention>, WireError> {
        let mut all: Vec<Attention> = self.sessions.approvals(None).await?.iter().map(approval).collect();
        all.extend(self.list_plans(&PlanList::default()).await?.iter().map(plan));
        all.extend(self.sources.questions.list().iter().map(|asked| self.elicitation(asked)));
        let requests = self.store.requests(self.clock.now()).await;
        let requests = requests.map_err(|e| WireError::internal(e.to_string()).hint("look at the log; is the disk full?"))?;
        all.extend(requests.iter().map(|request| self.pairing(request)));
        all.extend(self.board.list().iter().filter_map(source));
        all.extend(self.plugins.list().iter().filter_map(plugin));
        all.extend(letters(&self.letters.list().await?));
        all.extend(self.notices_waiting());
        all.extend(self.crash_attention().into_iter().map(|crash| Attention {
            actions: vec![action("dismiss", "Put away")],
            ..crash
        }));
        all.extend(self.updates.waits());
        all.sort_by_key(|each| each.since);
        Ok(all)
    }

    /// Gives an answer by the operation it stands for.
    pub(crate) async fn answer_attention(&self, answer: &AttentionAnswer) -> Result<(), WireError> {
        let caller = Caller {
            name: "attention".into(),
            scope: Scope::Admin,
        };
        let (kind, about) = answer.id.split_once(':').unwrap_or((&answer.id, ""));
        let about = about.to_owned();
        let done = match (kind, answer.action.as_str()) {
            ("approval", "once" | "deny") => {
                let decision = match answer.action.as_str() {
                    "once" => ApprovalDecision::Once,
                    _ => ApprovalDecision::Deny,
                };
                let outcome = self.approval_answer(&caller, ApprovalAnswer { code: about, decision }).await?;
                if outcome.decision != decision {
                    let message = format!("it was answered before: {:?}", outcome.decision).to_lowercase();
                    return Err(WireError::new(ErrorCode::Conflict, message));
                }
                Ok(())
            }
            ("plan", "accept") => self.accept_plan(&caller, &about).await,
            ("pairing", "approve") => self.pairing_approve(&caller, PairingRef { code: about }).await.map(drop),
            ("pairing", "deny") => self.pairing_deny(&caller, PairingRef { code: about }).await.map(drop),
            ("source", "retry") => {
                let id = SourceId::new(about).map_err(|e| WireError::invalid(format!("“id”: {e}")))?;
                self.source_restart(&caller, SourceRef { id }).await.map(drop)
            }
            ("plugin", "retry") => {
                let id = PluginId::new(about).map_err(|e| WireError::invalid(format!("“id”: {e}")))?;
                self.plugin_reload(&caller, PluginRef { id }).await.map(drop)
            }
            ("letter", "retry") => self.letter_retry(&caller, LetterRef { id: about }).await.map(drop),
            ("letter", "discard") => self.letter_discard(&caller, LetterRef { id: about }).await.map(drop),
            ("crash", "dismiss") => self.crash_dismiss(&caller, CrashRef { id: about }).await.map(drop),
            ("notice", "dismiss") => self.notice_dismiss(&caller, NoticeDismiss { id: about }).await.map(drop),
            ("update", "install") => self.update_install(&caller, UpdateInstall { version: about }).await.map(drop),
            ("update", "dismiss") => self.update_dismiss(&caller, UpdateInstall { version: about }).await.map(drop),
            _ => self.refused_answer(answer).await,
        };
        self.attention.changed();
        done
    }

    async fn accept_plan(&self, caller: &Caller, about: &str) -> Result<(), WireError> {
        let id = MessageId::new(about).map_err(|e| WireError::invalid(format!("“id”: {e}")))?;
        let answer = PlanAnswer {
            id,
            decision: PlanDecision::Accept,
            text: None,
        };
        let outcome = self.plan_answer(caller, answer).await?;
        if outcome.decision == Some(PlanDecision::Accept) {
            return Ok(());
        }
        let message = match outcome.decision {
            Some(decision) => format!("it was answered before: {decision:?}").to_lowercase(),
            None => "a newer plan of its session has taken its place".to_owned(),
        };
        Err(WireError::new(ErrorCode::Conflict, message))
    }

    /// Says why there is no such answer.
    async fn refused_answer(&self, answer: &AttentionAnswer) -> Result<(), WireError> {
        let hint = "`kata attention list` shows what waits and the answers each takes";
        match self.list_attention().await?.into_iter().find(|each| each.id == answer.id) {
            None => Err(WireError::not_found("thing that waits", &answer.id).hint(hint)),
            Some(each) if each.actions.is_empty() => {
                let message = format!("“{}” cannot be answered from here: one has to look first", each.title);
                Err(WireError::new(ErrorCode::Conflict, message).hint(format!("in the window: {}", each.route)))
            }
            Some(each) => {
                let takes: Vec<_> = each.actions.iter().map(|a| a.id.as_str()).collect();
                let message = format!("“action” must be {}, not “{}”", takes.join(" or "), line(&answer.action));
                Err(WireError::invalid(message).hint(hint))
            }
        }
    }

    /// Counts again whenever something may have changed.
    pub(crate) fn run_attention(self: &Arc<Self>) {
        let (inner, stopping) = (Arc::clone(self), self.tasks.stopping());
        self.attention.changed();
        self.tasks.spawn("what waits for the person", async move {
            let mut facts = inner.events.subscribe();
            loop {
                // A pairing code ends by its time, without a fact.
                let left = inner.next_expiry();
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = inner.attention.changed.notified() => {}
                    fact = facts.recv() => match fact {
                        Ok(fact) if !inner.concerns(&fact.fact) => continue,
                        // After a gap it is counted as well.
                        _ => {}
                    },
                    () = inner.clock.sleep(left.unwrap_or_default()), if left.is_some() => {}
                }
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = inner.clock.sleep(GATHER) => {}
                }
                facts = inner.events.subscribe();
                match inner.list_attention().await {
                    Ok(list) => inner.count(list),
                    Err(error) => tracing::warn!(%error, "what waits for the person could not be counted"),
                }
            }
        });
    }

    fn count(&self, list: Vec<Attention>) {
        let waiting = u32::try_from(list.len()).unwrap_or(u32::MAX);
        let changed = {
            let mut known = locked(&self.attention.known);
            let changed = known.len() != list.len() || known.iter().zip(&list).any(|(before, now)| !same(before, now));
            *known = list;
            changed
        };
        if changed {
            self.board.waiting(waiting);
            self.events.publish(Fact::AttentionChanged {});
        }
    }

    /// Whether what happened may change the list.
    fn concerns(&self, fact: &Fact) -> bool {
        match fact {
            Fact::ApprovalsChanged {}
            | Fact::ElicitationsChanged {}
            | Fact::PairingRequested { .. }
            | Fact::PairingChanged {}
            | Fact::PluginChanged { .. }
            | Fact::LettersChanged {}
            | Fact::UpdateChanged {}
            // Somebody else has something new; our own word of it is counted once more and ends there.
            | Fact::AttentionChanged {} => true,
            // A busy channel tells of its activity once a second.
            Fact::SourceChanged { source: row } => {
                let now = source(row);
                let known = locked(&self.attention.known);
                match (known.iter().find(|each| each.id == source_name(&row.id)), &now) {
                    (None, None) => false,
                    (Some(before), Some(now)) => !same(before, now),
                    _ => true,
                }
            }
            // It comes with a new notice too, and with every turn.
            Fact::HealthChanged { .. } => {
                let notices = self.notices_waiting();
                let known = locked(&self.attention.known);
                let before = known.iter().filter(|each| each.kind == "notice").count();
                before != notices.len() || notices.iter().any(|each| !known.contains(each))
            }
            _ => false,
        }
    }

    /// Time until the first pairing code in the list ends.
    fn next_expiry(&self) -> Option<Duration> {
        let first = locked(&self.attention.known)
            .iter()
            .filter(|each| each.kind == "pairing")
            .map(|each| each.since.0 + kata_core::ingress::PAIRING_MS)
            .min()?;
        Some(Duration::from_millis(first.saturating_sub(self.clock.now().0).max(1000)))
    }

    /// A crash has an entry of its own, and is not there twice.
    fn notices_waiting(&self) -> Vec<Attention> {
        let notices = locked(&self.notices);
        notices.iter().filter(|each| !each.id.starts_with("crash:")).map(notice).collect()
    }

    fn name_of(&self, source: &SourceId) -> String {
        self.board.get(source).map_or_else(|_| source.to_string(), |(row, _)| row.name)
    }

    fn elicitation(&self, asked: &Elicitation) -> Attention {
        Attention {
            detail: some(line(&asked.message)),
            source: Some(asked.source.clone()),
            ..entry(
                "elicitation",
                &asked.id,
                format!("{} asks you something", self.name_of(&asked.source)),
                // The question keeps only its end.
                Ms(asked.expires_at.0.saturating_sub(QUESTION_MS)),
                "/waiting".into(),
            )
        }
    }

    fn pairing(&self, request: &PairingRequest) -> Attention {
        let source = SourceId::new(format!("channel:{}", request.channel)).ok();
        let channel = source.as_ref().map_or_else(|| request.channel.to_string(), |id| self.name_of(id));
        let who = request.sender_name.clone().unwrap_or_else(|| request.sender.to_string());
        Attention {
            detail: Some(format!("code {}, sender {}", request.code, line(request.sender.as_str()))),
            source,
            actions: vec![action("approve", "Let in"), action("deny", "Turn away")],
            ..entry(
                "pairing",
                &request.code,
                format!("{who} asks to write to your agent over {channel}"),
                request.requested_at,
                "/waiting".into(),
            )
        }
    }
}

fn approval(waiting: &Approval) -> Attention {
    let session = waiting.session_name.clone().unwrap_or_else(|| waiting.session.to_string());
    Attention {
        detail: some(line(&format!("{session}: {}", waiting.call.input.0))),
        session: Some(waiting.session.clone()),
        actions: vec![action("once", "Allow once"), action("deny", "Refuse")],
        ..entry(
            "approval",
            &waiting.code,
            format!("{} asks to run", waiting.call.name),
            waiting.requested_at,
            "/waiting".into(),
        )
    }
}

fn plan(waiting: &Plan) -> Attention {
    let session = waiting.session_name.clone().unwrap_or_else(|| waiting.session.to_string());
    Attention {
        detail: some(line(&format!("{session}: {}", waiting.title))),
        session: Some(waiting.session.clone()),
        actions: vec![action("accept", "Accept")],
        ..entry(
            "plan",
            waiting.id.as_str(),
            "A plan waits for your answer".into(),
            waiting.submitted_at,
            "/waiting".into(),
        )
    }
}

fn source(row: &SourceSummary) -> Option<Attention> {
    let (title, actions) = match &row.status.state {
        _ if !row.enabled => return None,
        RunState::NeedsUser { .. } => (format!("{} needs you", row.name), Vec::new()),
        RunState::Failed { recoverable } => {
            let retry = recoverable.then(|| action("retry", "Start again"));
            (format!("{} has stopped", row.name), retry.into_iter().collect())
        }
        _ => return None,
    };
    Some(Attention {
        detail: some(line(&row.status.message)),
        source: Some(row.id.clone()),
        actions,
        ..entry(
            "source",
            row.id.as_str(),
            title,
            row.status.since,
            format!("/sources/{}", escaped(row.id.as_str())),
        )
    })
}

fn source_name(id: &SourceId) -> String {
    format!("source:{id}")
}

fn plugin(row: &PluginSummary) -> Option<Attention> {
    let (title, actions) = match (row.trust, &row.status.state) {
        (TrustState::Untrusted, _) => (format!("The plugin {} waits until you have looked at it", row.name), Vec::new()),
        (TrustState::Changed, _) => (format!("The files of the plugin {} have changed", row.name), Vec::new()),
        (_, RunState::Quarantined { .. }) if row.enabled => (
            format!("The plugin {} was held back after too many faults", row.name),
            vec![action("retry", "Start again")],
        ),
        _ => return None,
    };
    Some(Attention {
        detail: some(line(&row.status.message)),
        actions,
        ..entry(
            "plugin",
            row.id.as_str(),
            title,
            row.status.since,
            format!("/plugins/{}", escaped(row.id.as_str())),
        )
    })
}

fn letters(all: &[Letter]) -> Vec<Attention> {
    let since = all.iter().map(|letter| letter.at).min().unwrap_or_default();
    if all.len() > LETTERS {
        let title = format!("{} messages did not get through", all.len());
        return vec![entry("letter", "all", title, since, "/letters".into())];
    }
    all.iter()
        .map(|letter| Attention {
            detail: letter.error.as_deref().map(line),
            session: letter.session.clone(),
            actions: vec![action("retry", "Try again"), action("discard", "Put away")],
            ..entry(
                "letter",
                &letter.id,
                format!("A message over {} did not get through", letter.channel),
                letter.at,
                "/letters".into(),
            )
        })
        .collect()
}

fn notice(notice: &Notice) -> Attention {
    Attention {
        detail: notice.hint.as_deref().map(line),
        actions: vec![action("dismiss", "Put away")],
        ..entry(
            "notice",
            &notice.id,
            notice.message.clone(),
            notice.at,
            "/settings/diagnostics".into(),
        )
    }
}

/// Whether a person sees the same. Since when is told by some as of now.
fn same(before: &Attention, now: &Attention) -> bool {
    before.id == now.id && before.title == now.title && before.detail == now.detail && before.actions == now.actions
}

/// An entry without answers. The words may be those of a stranger or a plugin: they become one short line.
/// One entry; `about` is what its answers are for.
pub(crate) fn entry(kind: &str, about: &str, title: String, since: Ms, route: String) -> Attention {
    Attention {
        id: format!("{kind}:{about}"),
        kind: kind.to_owned(),
        title: line(&title),
        detail: None,
        since,
        session: None,
        source: None,
        route,
        actions: Vec::new(),
    }
}

/// One answer.
pub(crate) fn action(id: &str, label: &str) -> AttentionAction {
    AttentionAction {
        id: id.to_owned(),
        label: label.to_owned(),
    }
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Control characters and line ends become spaces, and what is too long ends with an ellipsis.
fn line(text: &str) -> String {
    let mut line = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().count() > LINE {
        line = line.chars().take(LINE - 1).chain(['…']).collect();
    }
    line
}

/// A part of a route of the window: percent-encoded.
fn escaped(part: &str) -> String {
    let mut text = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_strangers_become_one_short_line() {
        assert_eq!(line("a\nb\u{1b}[2J \u{7}c"), "a b [2J c");
        let long = line(&"é".repeat(400));
        assert_eq!((long.chars().count(), long.ends_with('…')), (LINE, true));
    }

    #[test]
    fn a_route_names_a_source_whatever_its_id_is_made_of() {
        assert_eq!(escaped("channel:telegram@work/ü"), "channel%3Atelegram%40work%2F%C3%BC");
    }

    #[test]
    fn many_letters_are_one_entry() {
        let letter = |n: u64| Letter {
            id: format!("out-{n}"),
            state: LetterState::OutboundParked,
            channel: "loop".parse().unwrap_or_else(|_| unreachable!()),
            conversation: "c".into(),
            session: None,
            preview: "hello".into(),
            error: None,
            attempts: 1,
            at: Ms(100 - n),
        };
        let few: Vec<_> = (0..3).map(letter).collect();
        assert_eq!(letters(&few).len(), 3);
        let many: Vec<_> = (0..40).map(letter).collect();
        let one = letters(&many);
        assert_eq!((one.len(), one[0].since, one[0].actions.len()), (1, Ms(61), 0));
    }
}
