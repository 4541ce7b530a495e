//! Keeping the house in order: tidying up of sessions by the rules, their search, and the index made anew.
//!
//! Neighbours: the rules are [`kata_core::hygiene`]'s; what happens to one session is done by the core's sessions.

use crate::engine::{Inner, locked};
use kata_core::hygiene::{self, Candidate, MOST_STEPS};
use kata_core::session::wire;
use kata_protocol::{
    ErrorCode, Fact, HygieneAction, HygienePlan, HygieneRules, IndexRebuilt, Ms, Notice, SearchPage, SessionId, SessionSearch, WireError,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Hits of a search when the caller names no number, and at most.
const HITS: (u32, u32) = (50, 200);
/// Characters of a query at most.
const QUERY: usize = 400;
/// Time between two rounds of tidying up.
const ROUND: Duration = Duration::from_secs(24 * 3600);
/// What gathers before the search reads a session again: an answer comes in several lines.
const GATHER: Duration = Duration::from_millis(300);
/// Rest between two steps of filling the search, for whoever else writes.
const REST: Duration = Duration::from_millis(10);
/// Between two tries to write to a store that refuses.
const PROBE: Duration = Duration::from_secs(5);
/// Notice that is up while the store refuses.
const STORE_TROUBLE: &str = "store-trouble";
/// Rest after a step that failed.
const TROUBLE: Duration = Duration::from_secs(30);

impl Inner {
    pub(crate) async fn search(&self, params: SessionSearch) -> Result<SearchPage, WireError> {
        if params.query.trim().is_empty() {
            return Err(WireError::invalid("“query” is empty").hint("give it a word of the message"));
        }
        if params.query.chars().count() > QUERY {
            return Err(WireError::invalid(format!("“query” is longer than {QUERY} characters")));
        }
        let limit = params.limit.unwrap_or(HITS.0);
        if limit == 0 || limit > HITS.1 {
            return Err(WireError::invalid(format!("“limit” must be from 1 to {}", HITS.1)));
        }
        let hits = self
            .transcripts
            .search(&params.query, params.workspace, limit)
            .await
            .map_err(wire)?;
        let state = |mut hit: kata_protocol::SearchHit| {
            hit.session = self.with_state(hit.session);
            hit
        };
        Ok(SearchPage {
            hits: hits.into_iter().map(state).collect(),
            waiting: u32::try_from(self.transcripts.unsearched()).unwrap_or(u32::MAX),
        })
    }

    pub(crate) async fn set_hygiene(&self, rules: HygieneRules) -> Result<HygieneRules, WireError> {
        checked(&rules)?;
        self.settings.change(|settings| settings.hygiene.set(&rules))?;
        self.hygiene.store(Arc::new(rules.clone()));
        Ok(rules)
    }

    /// What tidying up would do now.
    pub(crate) async fn hygiene_plan(&self, rules: &HygieneRules) -> Result<HygienePlan, WireError> {
        checked(rules)?;
        let shelf = self.transcripts.shelf().await.map_err(wire)?;
        let looked_at = u32::try_from(shelf.len()).unwrap_or(u32::MAX);
        let candidates: Vec<_> = shelf
            .into_iter()
            .map(|row| Candidate {
                summary: self.with_state(row.summary),
                class: row.class,
                archived_at: row.archived_at,
            })
            .collect();
        Ok(HygienePlan {
            steps: hygiene::plan(&candidates, rules, self.clock.now()),
            looked_at,
        })
    }

    /// Tidies up by the rules in force; answers what was done. A session that began to work meanwhile is left alone.
    pub(crate) async fn tidy_up(&self) -> Result<HygienePlan, WireError> {
        let mut plan = self.hygiene_plan(&self.hygiene.load_full()).await?;
        let mut done = Vec::with_capacity(plan.steps.len());
        for step in std::mem::take(&mut plan.steps) {
            let id = &step.session.id;
            let result = match step.action {
                HygieneAction::Archive => self.sessions.archive(id, true).await.map(drop),
                HygieneAction::Delete => self.delete_session(id).await,
            };
            match result {
                Ok(()) => done.push(step),
                Err(error) if matches!(error.code, ErrorCode::Conflict | ErrorCode::NotFound) => {}
                Err(error) => {
                    tracing::warn!(session = %id, %error, "a session was not tidied up");
                    if done.is_empty() {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        plan.steps = done;
        Ok(plan)
    }

    pub(crate) async fn delete_session(&self, id: &SessionId) -> Result<(), WireError> {
        self.sessions.delete(id).await?;
        self.events.publish(Fact::RoutesChanged {});
        Ok(())
    }

    /// The conversations of a session begin new ones with their next messages.
    pub(crate) async fn reset_session(&self, id: &SessionId) -> Result<(), WireError> {
        if self.sessions.find(id).await?.is_none() {
            return Err(WireError::not_found("session", id));
        }
        if self.conversations.leave(id).await?.is_empty() {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!("no conversation of a channel goes on in session “{id}”"),
            )
            .hint("only a channel's conversation can begin anew; begin a session of your own with `kata chat --new`"));
        }
        self.events.publish(Fact::RoutesChanged {});
        Ok(())
    }

    pub(crate) async fn rebuild_index(&self) -> Result<IndexRebuilt, WireError> {
        let rebuilt = self.transcripts.rebuild_index().await.map_err(wire)?;
        // What sessions in memory know of themselves is newer than their files.
        self.sessions.note_all();
        self.events.publish(Fact::RoutesChanged {});
        Ok(IndexRebuilt {
            sessions: rebuilt.sessions,
            keys: rebuilt.keys,
        })
    }

    /// A line about letters, where there are any.
    pub(crate) async fn letters_notice(&self) -> Result<Option<Notice>, WireError> {
        let count = self.letters.count().await?;
        let message = match count {
            0 => return Ok(None),
            1 => "A message did not get through and waits for you.".to_owned(),
            count => format!("{count} messages did not get through and wait for you."),
        };
        Ok(Some(Notice {
            id: "letters".into(),
            at: Ms(self.clock.now().0),
            message,
            hint: Some("Look at them under Letters, or with `kata letters list`: send again, or put away.".into()),
        }))
    }

    /// Says that the message store cannot be written, and tries until it can, so that the notice goes by itself.
    fn watch_store(self: &Arc<Self>) {
        let (tell, mut told) = tokio::sync::watch::channel(None::<String>);
        self.store.on_trouble(move |reason| {
            tell.send_replace(reason.map(ToString::to_string));
        });
        let inner = Arc::clone(self);
        self.tasks.spawn("watch the store", async move {
            let stopping = inner.tasks.stopping();
            loop {
                let reason = told.borrow_and_update().clone();
                store_trouble(&inner.notices, inner.clock.now(), reason.as_deref());
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    changed = told.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                    () = inner.clock.sleep(PROBE), if reason.is_some() => {
                        // What it answers comes the other way too.
                        let _ = inner.store.probe().await;
                    }
                }
            }
        });
    }

    /// The tasks that do this by themselves.
    pub(crate) fn run_upkeep(self: &Arc<Self>) {
        self.watch_store();
        let inner = Arc::clone(self);
        self.tasks.spawn("tidy up", async move {
            let stopping = inner.tasks.stopping();
            loop {
                match inner.tidy_up().await {
                    Ok(plan) if plan.steps.is_empty() => {}
                    Ok(plan) => {
                        tracing::info!(steps = plan.steps.len(), looked_at = plan.looked_at, "sessions were tidied up");
                        if plan.steps.len() == MOST_STEPS {
                            continue;
                        }
                    }
                    Err(error) => tracing::warn!(%error, "sessions were not tidied up"),
                }
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = inner.clock.sleep(ROUND) => {}
                }
            }
        });
        let inner = Arc::clone(self);
        self.tasks.spawn("fill the search", async move {
            let stopping = inner.tasks.stopping();
            tokio::select! {
                biased;
                () = stopping.cancelled() => {}
                () = inner.fill_search() => {}
            }
        });
    }

    async fn fill_search(&self) {
        loop {
            self.transcripts.lines_added().await;
            self.clock.sleep(GATHER).await;
            loop {
                match self.transcripts.fill_search().await {
                    Ok(0) => break,
                    Ok(_) => self.clock.sleep(REST).await,
                    Err(error) => {
                        tracing::warn!(%error, "the search could not be filled and is tried again");
                        self.clock.sleep(TROUBLE).await;
                    }
                }
            }
        }
    }
}

fn store_trouble(notices: &Mutex<Vec<Notice>>, now: Ms, reason: Option<&str>) {
    let mut notices = locked(notices);
    notices.retain(|notice| notice.id != STORE_TROUBLE);
    notices.extend(reason.map(|reason| Notice {
        id: STORE_TROUBLE.into(),
        at: now,
        message: format!("The message store cannot be written: {reason}. Messages are not taken in until it can; none is lost."),
        hint: Some("Is the disk full, or kata.db read-only? It goes on by itself when it may be written again.".into()),
    }));
}

fn checked(rules: &HygieneRules) -> Result<(), WireError> {
    hygiene::check(rules).map_err(|error| WireError::invalid(error.to_string()))
}
