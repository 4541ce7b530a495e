//! The life of the program beyond one run: how the last one ended, what it left, whether to be careful this time, and who starts
//! it at login.
//!
//! [`running`] is the mark that stands while the program runs, so that the next start knows how it ended; [`reports`] are the
//! files a person can copy; [`panics`] and [`signals`] write what only the dying process knows; [`asked`] keeps which plugins are
//! at work, in memory that outlives the process; [`ends`] counts, and decides about safe mode and the last good settings;
//! [`restart`] begins again; [`background`] is the start at login; [`doctor`] looks at everything. All of it is in `crashes/`.
//!
//! Deliberately absent: sending anything anywhere, and a second process that watches this one.

pub(crate) mod asked;
pub mod background;
pub mod doctor;
mod ends;
pub(crate) mod fault;
mod operations;
mod panics;
mod reports;
pub mod restart;
mod running;
mod signals;
#[cfg(test)]
mod tests;

pub use restart::Restart;

use crate::logging::LogRing;
use asked::Asked;
use ends::Ends;
use kata_core::ports::Clock;
use kata_protocol::{CrashReport, Ms, Notice, SafeMode};
use reports::{End, Reports};
use running::Running;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Unexpected ends within [`ends::WINDOW`] after which plugins stay off, where the settings do not say otherwise.
pub(crate) const SAFE_AFTER: u32 = 3;

/// What is known at a start.
pub(crate) struct Life {
    reports: Arc<Reports>,
    running: Running,
    asked: Arc<Asked>,
    ends: Ends,
    clock: Arc<dyn Clock>,
    suspects: Vec<String>,
    safe: OnceLock<SafeMode>,
    restart: OnceLock<Restart>,
}

impl Life {
    /// Looks at how the last run ended, leaves a report where it did not end in order, and marks this one as running.
    pub(crate) fn begin(home: &Path, clock: &Arc<dyn Clock>, log: &LogRing) -> io::Result<Self> {
        let folder = folder(home);
        kata_store::private_dir(&folder)?;
        let now = clock.now();
        let reports = Arc::new(Reports::open(&folder));
        let mut ends = Ends::read(&folder);
        let left = running::left(&folder);
        let signal = signals::left(&folder);
        let suspects = asked::left(&folder);
        match &left {
            // It ended in order, or it is the first start.
            None => ends.in_order(),
            Some(mark) => {
                let same_boot = mark.boot == running::boot();
                ends.unexpected(now, same_boot, mark.ready, settings_hash(home));
                if same_boot {
                    let end = End {
                        at: now,
                        mark,
                        signal: signal.as_deref(),
                        suspects: &suspects,
                        log: &reports::log_lines(home),
                    };
                    if let Err(error) = reports.ended(&end) {
                        tracing::warn!(%error, "the report about the last run was not written");
                    }
                    tracing::warn!(
                        version = mark.version,
                        ready = mark.ready,
                        ?suspects,
                        "the last run did not end in order"
                    );
                } else {
                    tracing::info!("the machine went down while the last run was at work");
                }
            }
        }
        ends.write(&folder);
        signals::watch(&folder);
        let asked = Arc::new(Asked::open(&folder));
        panics::watch(&reports, log, clock);
        let running = Running::begin(&folder, now)?;
        Ok(Self {
            reports,
            running,
            asked,
            ends,
            clock: Arc::clone(clock),
            suspects: if left.is_some() { suspects } else { Vec::new() },
            safe: OnceLock::new(),
            restart: OnceLock::new(),
        })
    }

    /// Whether the present settings have made the start fail, so that the last good ones should be used.
    pub(crate) fn distrusts_settings(&self, home: &Path) -> bool {
        self.ends.distrusts(settings_hash(home).as_deref())
    }

    /// Decides whether plugins stay off. `after` says how many unexpected ends it takes; 0: never.
    pub(crate) fn judge(&self, asked_for: bool, after: u32) {
        let now = self.clock.now();
        let reason = if asked_for {
            Some("it was asked for".to_owned())
        } else {
            self.ends.loops(now, after)
        };
        if let Some(reason) = reason {
            tracing::warn!(reason, suspects = ?self.suspects, "safe mode: plugins are off");
            let _ = self.safe.set(SafeMode {
                reason,
                suspects: self.suspects.clone(),
                since: now,
            });
        }
    }

    /// Why plugins are off, where they are.
    pub(crate) fn safe_mode(&self) -> Option<SafeMode> {
        self.safe.get().cloned()
    }

    /// Where plugins say that they are at work.
    pub(crate) fn seats(&self) -> Arc<dyn kata_plugins::Seats> {
        Arc::clone(&self.asked) as _
    }

    /// The start is done.
    pub(crate) fn ready(&self) {
        self.running.ready();
    }

    /// It ends in order.
    pub(crate) fn ended(&self) {
        self.running.ended();
    }

    /// Ends that a person has not seen, as notices.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let fresh = self.reports.list().into_iter().filter(|r| !r.seen && r.kind != "panic").take(1);
        fresh.map(|report| notice(&report)).collect()
    }

    /// Reports, newest first.
    pub(crate) fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Begin again once the drain is done; the first word counts.
    pub(crate) fn begin_again(&self, restart: Restart) {
        let _ = self.restart.set(restart);
    }

    /// Whether to begin again.
    pub(crate) fn restart(&self) -> Option<Restart> {
        self.restart.get().copied()
    }

    /// Returns when something panicked and went on.
    pub(crate) async fn panicked(&self) {
        panics::PANICKED.notified().await;
    }
}

/// Folder of everything about ends.
pub(crate) fn folder(home: &Path) -> PathBuf {
    home.join("crashes")
}

/// Id of the notice about a report.
pub(crate) fn notice_id(report: &str) -> String {
    format!("crash:{report}")
}

fn notice(report: &CrashReport) -> Notice {
    Notice {
        id: notice_id(&report.id),
        at: report.at,
        message: "Kata Agents ended unexpectedly and came back; what was open has been taken up again.".into(),
        hint: Some(format!("kata crashes show {} prints a report to copy.", report.id)),
    }
}

fn settings_hash(home: &Path) -> Option<String> {
    use sha2::{Digest, Sha256};
    let bytes = std::fs::read(home.join("settings.json")).ok()?;
    Some(Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect())
}

/// Writes without waiting for the disk: what only has to outlive the process, which the kernel's memory does.
fn write_quickly(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let temporary = path.with_extension("tmp");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&temporary)?.write_all(bytes)?;
    std::fs::rename(&temporary, path)
}

/// As [`Ms`] says it, in a file name.
fn stamp(at: Ms) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "0".into(), |at| at.strftime("%Y%m%dT%H%M%S").to_string())
}
