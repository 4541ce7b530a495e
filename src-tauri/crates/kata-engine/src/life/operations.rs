//! The operations about life in the background: start at login, restart, crashes, the doctor.

use super::background::{BackgroundError, Desk, Launch, Starts};
use super::{Restart, doctor};
use crate::Options;
use crate::engine::{Inner, locked};
use kata_protocol::{Attention, Background, BackgroundSet, Check, CrashRef, CrashReport, Empty, Fact, SystemRestart, WireError};
use std::sync::Arc;

/// This program as it would be started at login.
pub(crate) fn launch(options: &Options) -> Result<Launch, BackgroundError> {
    let program = std::env::current_exe().map_err(|e| BackgroundError::Nobody(format!("this program's file is not known: {e}")))?;
    let app = program.file_stem().is_some_and(|stem| stem == "kata-agents");
    let starts = if app { Starts::App } else { Starts::Serve };
    Ok(Launch::of(&program, starts, &options.home, &Options::usual_home(), &|key| {
        (options.env)(key)
    }))
}

fn desk() -> Result<Desk, BackgroundError> {
    Desk::of_this_machine().ok_or_else(|| BackgroundError::Nobody("this account has no home folder".into()))
}

impl Inner {
    /// `system.background`
    pub(crate) async fn background(&self) -> Result<Background, WireError> {
        let launch = launch(&self.options)?;
        let looked = tokio::task::spawn_blocking(move || Ok::<_, BackgroundError>(desk()?.status(&launch))).await;
        Ok(looked.map_err(|_| WireError::internal("the start at login could not be looked at"))??)
    }

    /// `system.background_set`
    pub(crate) async fn set_background(&self, params: BackgroundSet) -> Result<Background, WireError> {
        let launch = launch(&self.options)?;
        let done = tokio::task::spawn_blocking(move || {
            let desk = desk()?;
            if params.at_login {
                desk.switch_on(&launch, false)?;
            } else {
                desk.switch_off(&launch)?;
            }
            Ok::<_, BackgroundError>(desk.status(&launch))
        });
        let done = done
            .await
            .map_err(|_| WireError::internal("the start at login could not be changed"))?;
        Ok(done?)
    }

    /// `system.restart`
    pub(crate) fn restart(&self, client: &str, params: &SystemRestart) -> Empty {
        tracing::info!(client, safe = params.safe, "asked to begin again");
        self.life.begin_again(Restart { safe: params.safe });
        self.quit.cancel();
        Empty {}
    }

    /// `crash.list`
    pub(crate) fn crashes(&self) -> Vec<CrashReport> {
        self.life.reports().list()
    }

    /// `crash.dismiss`
    pub(crate) fn dismiss_crash(&self, params: &CrashRef) -> Result<Empty, WireError> {
        let seen = self.life.reports().see(&params.id);
        let seen = seen.map_err(|e| WireError::internal(format!("the report could not be marked: {e}")).hint("is the disk full?"))?;
        seen.ok_or_else(|| WireError::not_found("crash report", &params.id).hint("`kata crashes` shows them"))?;
        locked(&self.notices).retain(|notice| notice.id != super::notice_id(&params.id));
        self.events.publish(Fact::AttentionChanged {});
        Ok(Empty {})
    }

    /// What of it waits for the person: reports that nobody has seen.
    pub(crate) fn crash_attention(&self) -> Vec<Attention> {
        let unseen = self.life.reports().list().into_iter().filter(|report| !report.seen);
        unseen
            .map(|report| Attention {
                id: format!("crash:{}", report.id),
                kind: "crash".into(),
                title: match report.kind.as_str() {
                    "panic" => "A part of Kata Agents stopped unexpectedly".into(),
                    _ => "Kata Agents ended unexpectedly and came back".into(),
                },
                detail: report.place,
                since: report.at,
                session: None,
                source: None,
                route: "/settings/diagnostics".into(),
                actions: Vec::new(),
            })
            .collect()
    }

    /// `doctor.run`
    pub(crate) async fn doctor(self: &Inner) -> Result<Vec<Check>, WireError> {
        doctor::of_a_running_engine(self).await
    }

    /// Tells clients when a part of the program stopped and left a report.
    pub(crate) fn run_crash_watch(self: &Arc<Self>) {
        let (inner, stopping) = (Arc::clone(self), self.tasks.stopping());
        self.tasks.spawn("tell of panics", async move {
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = inner.life.panicked() => {
                        let place = inner.life.reports().list().into_iter().next().and_then(|report| report.place);
                        tracing::error!(place, "a part of the program stopped unexpectedly; a report was written");
                        inner.events.publish(Fact::AttentionChanged {});
                    }
                }
            }
        });
    }
}
