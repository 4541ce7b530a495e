//! The planned work of one service: which piece is due when, what was missed, and when an interval is stretched.
//!
//! Pure: time and randomness come in, nothing sleeps here. The plugin host asks [`Planner::next`], waits, takes what is
//! [`Planner::due`], and tells how it [`Planner::ended`]. What must outlive the program is [`Planner::kept`]; the host keeps it.
//!
//! Deliberately absent: running anything, and budgets.

mod when;

use jiff::tz::{Offset, TimeZone};
use kata_protocol::{Ms, SourceJob};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use when::{When, Written, span};

/// Most jobs of one service.
const MAX_JOBS: usize = 32;
/// Most jobs that are remembered, those of earlier runs included.
const MAX_KEPT: usize = 64;
/// Longest id, bytes.
const MAX_ID: usize = 128;
/// Longest time the first run of an interval is put off, so that services that start together do not run together, milliseconds.
const SPREAD: u64 = 60_000;
/// A service that nobody has needed for this long is idle; as long again doubles its intervals once more, milliseconds.
const QUIET: u64 = 600_000;
/// A time is missed when it is later than this, milliseconds.
const LATE: u64 = 60_000;
/// Runs in a row that may fail before the service counts as failed.
const FAILURES: u32 = 5;
/// Longest error that is shown, characters.
const ERROR: usize = 500;

/// What does not fit, naming the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schedule: {0}")]
pub struct Unfit(pub(crate) String);

/// What is remembered of a job beyond a run of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When it was planned first.
    pub since: Ms,
    /// When it ran last.
    pub last: Option<Ms>,
    /// The time that run was meant for.
    pub due: Option<Ms>,
}

/// A piece of work that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Job.
    pub id: String,
    /// The time it was meant for.
    pub due: Ms,
    /// The plan it belongs to: one that was planned again meanwhile is another.
    pub plan: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    id: String,
    #[serde(default)]
    when: Written,
    #[serde(default)]
    missed: Option<String>,
}

#[derive(Debug)]
struct Job {
    plan: u64,
    when: When,
    skip: bool,
    next: Option<Ms>,
    /// Start of the present or last run in this plan.
    started: Option<Ms>,
    running: bool,
    stretched: Option<u64>,
    failures: u32,
    error: Option<String>,
}

/// The jobs of a service.
#[derive(Debug)]
pub struct Planner {
    jobs: BTreeMap<String, Job>,
    kept: BTreeMap<String, Kept>,
    local: TimeZone,
    plans: u64,
    busy_at: Ms,
    saving: bool,
}

impl Planner {
    /// No jobs yet. `kept` is what [`Planner::kept`] gave the last time, `zone` the IANA name of this machine's zone, or else its
    /// `offset_s` from UTC in seconds. The service counts as needed from `now` on.
    pub fn new(kept: BTreeMap<String, Kept>, zone: Option<&str>, offset_s: i32, now: Ms) -> Self {
        let fixed = || Offset::from_seconds(offset_s).map_or(TimeZone::UTC, TimeZone::fixed);
        Self {
            jobs: BTreeMap::new(),
            kept,
            local: zone.and_then(when::zone).unwrap_or_else(fixed),
            plans: 0,
            busy_at: now,
            saving: false,
        }
    }

    /// Plans a job, as JSON `{id, when, missed}`. `random` spreads its first run.
    ///
    /// # Errors
    /// [`Unfit`]; what was planned under that id stays then.
    pub fn schedule(&mut self, json: &str, now: Ms, random: u64) -> Result<(), Unfit> {
        let wanted: Wanted =
            serde_json::from_str(json).map_err(|_| Unfit("`id`, `when` and `missed` have types that do not fit".into()))?;
        let id = wanted.id;
        if id.is_empty() || id.len() > MAX_ID {
            return Err(Unfit(format!("`id` must have 1 to {MAX_ID} bytes")));
        }
        let skip = match wanted.missed.as_deref() {
            None | Some("once") => false,
            Some("skip") => true,
            Some(_) => return Err(Unfit(format!("`missed` of “{id}” must be “once” or “skip”"))),
        };
        let when = When::read(&id, wanted.when, &self.local)?;
        if !self.jobs.contains_key(&id) && self.jobs.len() >= MAX_JOBS {
            return Err(Unfit(format!("a service plans at most {MAX_JOBS} jobs")));
        }
        let kept = self.kept.get(&id).cloned();
        let kept = kept.unwrap_or(Kept {
            since: now,
            last: None,
            due: None,
        });
        let next = first(&when, skip, &kept, now, random);
        self.kept.insert(id.clone(), kept);
        self.plans += 1;
        // One that runs at this moment goes on; its successor waits for it.
        let before = self.jobs.remove(&id);
        let job = Job {
            plan: self.plans,
            when,
            skip,
            next,
            started: before.as_ref().and_then(|b| b.started),
            running: before.as_ref().is_some_and(|b| b.running),
            stretched: None,
            failures: 0,
            error: before.and_then(|b| b.error),
        };
        self.jobs.insert(id, job);
        self.forget_old();
        Ok(())
    }

    /// Takes a job away; whether there was one.
    pub fn unschedule(&mut self, id: &str) -> bool {
        self.kept.remove(id);
        self.jobs.remove(id).is_some()
    }

    /// Whether nothing is planned.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether a job runs in an interval.
    pub fn is_interval(&self, id: &str) -> bool {
        self.jobs.get(id).is_some_and(|job| matches!(job.when, When::Every { .. }))
    }

    /// The next time something is due.
    pub fn next(&self) -> Option<Ms> {
        self.jobs.values().filter(|job| !job.running).filter_map(|job| job.next).min()
    }

    /// What is due; it counts as running from now on.
    pub fn due(&mut self, now: Ms) -> Vec<Due> {
        let (quiet, saving) = (now.0.saturating_sub(self.busy_at.0), self.saving);
        let mut all = Vec::new();
        for (id, job) in &mut self.jobs {
            let Some(next) = job.next.filter(|next| *next <= now && !job.running) else {
                continue;
            };
            if job.skip && now.0 - next.0 > LATE {
                job.next = after(&job.when, next, now);
                continue;
            }
            // Of several that were missed only the last one is made good.
            let due = match &job.when {
                When::Cron(line) => line.last(now).filter(|last| *last > next).unwrap_or(next),
                When::Every { .. } | When::At(_) => next,
            };
            job.running = true;
            job.started = Some(now);
            job.stretched = None;
            job.next = match &job.when {
                When::Every { every, idle } => {
                    let interval = stretched(*every, *idle, quiet, saving);
                    job.stretched = (interval > *every).then_some(interval);
                    Some(Ms(now.0 + interval))
                }
                When::Cron(line) => line.next(now),
                When::At(_) => None,
            };
            all.push(Due {
                id: id.clone(),
                due,
                plan: job.plan,
            });
        }
        all.sort_by_key(|due| due.due);
        all
    }

    /// A run has ended. Answers why the service counts as failed, after the fifth failure in a row.
    pub fn ended(&mut self, run: &Due, error: Option<String>, now: Ms) -> Option<String> {
        let job = self.jobs.get_mut(&run.id)?;
        job.running = false;
        if let Some(kept) = self.kept.get_mut(&run.id) {
            kept.last = job.started;
            kept.due = Some(run.due);
        }
        if job.plan != run.plan {
            return None;
        }
        // Never twice at a time: what came during the run is left out.
        if let Some(next) = job.next.filter(|next| *next <= now) {
            job.next = match job.when {
                When::Every { every, .. } => Some(Ms(now.0 + every - (now.0 - next.0) % every)),
                _ => after(&job.when, next, now),
            };
        }
        match error {
            None => {
                job.failures = 0;
                job.error = None;
                None
            }
            Some(error) => {
                job.failures += 1;
                let error: String = error.chars().take(ERROR).collect();
                job.error = Some(error.clone());
                let failed = job.failures >= FAILURES;
                if failed {
                    job.failures = 0;
                }
                failed.then(|| format!("“{}” failed {FAILURES} times in a row, the last time with: {error}", run.id))
            }
        }
    }

    /// A run came to nothing, because the plugin ended or was busy: it is made good at `again`.
    pub fn put_off(&mut self, run: &Due, again: Ms) {
        if let Some(job) = self.jobs.get_mut(&run.id) {
            job.running = false;
            if job.plan == run.plan {
                job.next = Some(again);
            }
        }
    }

    /// Somebody needs the service: intervals are what it declared. Whether that changed a time.
    pub fn busy(&mut self, now: Ms) -> bool {
        self.busy_at = now;
        !self.saving && self.tighten(now)
    }

    /// Whether the machine saves power from now on. Whether that changed a time.
    pub fn save_power(&mut self, saving: bool, now: Ms) -> bool {
        let ends = self.saving && !saving;
        self.saving = saving;
        ends && now.0.saturating_sub(self.busy_at.0) < QUIET && self.tighten(now)
    }

    /// What has to be kept.
    pub fn kept(&self) -> &BTreeMap<String, Kept> {
        &self.kept
    }

    /// As a person sees them, the next one first.
    pub fn shown(&self) -> Vec<SourceJob> {
        let mut all: Vec<SourceJob> = self.jobs.iter().map(|(id, job)| shown(id, job, self.kept.get(id))).collect();
        all.sort_by_key(|job| job.next.unwrap_or(Ms(u64::MAX)));
        all
    }

    fn tighten(&mut self, now: Ms) -> bool {
        let mut changed = false;
        for job in self.jobs.values_mut() {
            if let (When::Every { every, .. }, Some(_), Some(started)) = (&job.when, job.stretched.take(), job.started) {
                job.next = job.next.min(Some(Ms((started.0 + every).max(now.0))));
                changed = true;
            }
        }
        changed
    }

    /// Forgets the oldest of those that are not planned any more.
    fn forget_old(&mut self) {
        while self.kept.len() > MAX_KEPT {
            let gone = self.kept.iter().filter(|(id, _)| !self.jobs.contains_key(*id));
            let Some(oldest) = gone
                .min_by_key(|(_, kept)| kept.last.unwrap_or(kept.since))
                .map(|(id, _)| id.clone())
            else {
                return;
            };
            self.kept.remove(&oldest);
        }
    }
}

fn shown(id: &str, job: &Job, kept: Option<&Kept>) -> SourceJob {
    let when = match job.stretched {
        Some(interval) => format!("{}, now every {}", job.when.words(), span(interval)),
        None => job.when.words(),
    };
    SourceJob {
        id: id.to_owned(),
        when,
        next: job.next,
        last: kept.and_then(|kept| kept.last),
        stretched: job.stretched.is_some(),
        error: job.error.clone(),
    }
}

/// The first time of a job that is planned now.
fn first(when: &When, skip: bool, kept: &Kept, now: Ms, random: u64) -> Option<Ms> {
    match when {
        When::Every { every, .. } => {
            let soon = |most: u64| Ms(now.0 + random % most.clamp(1, SPREAD));
            let Some(last) = kept.last else { return Some(soon(*every)) };
            let next = Ms(last.0 + every);
            if next > now && next.0 <= now.0 + every {
                return Some(next);
            }
            // The clock may have been set back.
            if skip || next > now {
                return Some(Ms(now.0 + every - now.0.saturating_sub(last.0) % every));
            }
            Some(soon(*every))
        }
        When::Cron(line) => {
            let from = if skip { now } else { kept.due.unwrap_or(kept.since).min(now) };
            line.next(from)
        }
        // It has run already, before a restart.
        When::At(at) if kept.due == Some(*at) => None,
        When::At(at) if skip && kept.since < *at && now.0.saturating_sub(at.0) > LATE => None,
        When::At(at) => Some(*at),
    }
}

/// The next time after `now` of a job whose time `next` is left out.
fn after(when: &When, next: Ms, now: Ms) -> Option<Ms> {
    match when {
        When::Every { every, .. } => Some(Ms(now.0 + every - (now.0 - next.0) % every)),
        When::Cron(line) => line.next(now),
        When::At(_) => None,
    }
}

/// The interval of a service that nobody has needed for `quiet`.
fn stretched(every: u64, idle: u64, quiet: u64, saving: bool) -> u64 {
    if saving {
        return idle;
    }
    let doublings = (quiet / QUIET).min(16);
    (every << doublings).clamp(every, idle.max(every))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
