//! Tidying up of sessions, as rules without any doing: when a conversation begins anew, which sessions go into the archive,
//! and which of those are deleted. Flagged sessions and those at work are left alone by every rule.
//!
//! Neighbours: [`crate::path`] asks about a conversation when its next message comes in; the engine carries a plan out.
//! Deliberately absent: clocks, files, and the sessions themselves.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use kata_protocol::{
    ChatType, ClassRules, HygieneAction, HygieneRules, HygieneStep, InboundDraft, Ms, SessionClass, SessionState, SessionSummary,
};

/// Steps of one plan at most.
pub const MOST_STEPS: usize = 1_000;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;
/// Largest numbers a rule may have.
const MOST_MINUTES: u32 = 366 * 24 * 60;
const MOST_DAYS: u32 = 36_500;
const MOST_SESSIONS: u32 = 1_000_000;

/// A rule that makes no sense; the message names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{field}” {reason}")]
pub struct BadRule {
    /// Path of the field, `direct.resetDailyAt`.
    pub field: String,
    /// What it must be.
    pub reason: String,
}

/// A session as the rules see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// List row, with what it is doing at present.
    pub summary: SessionSummary,
    /// Class.
    pub class: SessionClass,
    /// When it went into the archive; `None` when nobody knows.
    pub archived_at: Option<Ms>,
}

/// The class of the session that a message begins.
pub fn class_of(draft: &InboundDraft) -> SessionClass {
    match (&draft.thread, draft.chat_type) {
        (Some(_), _) => SessionClass::Thread,
        (None, ChatType::Direct) => SessionClass::Direct,
        (None, _) => SessionClass::Group,
    }
}

/// Rules of a class.
pub fn rules_of(rules: &HygieneRules, class: SessionClass) -> &ClassRules {
    match class {
        SessionClass::Desktop => &rules.desktop,
        SessionClass::Direct => &rules.direct,
        SessionClass::Group => &rules.group,
        SessionClass::Thread => &rules.thread,
    }
}

/// Checks rules before they are kept.
pub fn check(rules: &HygieneRules) -> Result<(), BadRule> {
    let classes = [
        ("desktop", SessionClass::Desktop),
        ("direct", SessionClass::Direct),
        ("group", SessionClass::Group),
        ("thread", SessionClass::Thread),
    ];
    let within = |field: String, value: Option<u32>, least: u32, most: u32| match value {
        Some(value) if value < least || value > most => Err(BadRule {
            field,
            reason: format!("must be from {least} to {most}"),
        }),
        _ => Ok(()),
    };
    for (name, class) in classes {
        let of = rules_of(rules, class);
        within(format!("{name}.resetAfterMinutes"), of.reset_after_minutes, 1, MOST_MINUTES)?;
        within(format!("{name}.archiveAfterDays"), of.archive_after_days, 1, MOST_DAYS)?;
        within(format!("{name}.most"), of.most, 1, MOST_SESSIONS)?;
        if of.reset_daily_at.as_deref().is_some_and(|time| minutes_of(time).is_none()) {
            return Err(BadRule {
                field: format!("{name}.resetDailyAt"),
                reason: "must be a time of day, as in 04:30".into(),
            });
        }
        if class == SessionClass::Desktop {
            for (field, given) in [
                ("resetAfterMinutes", of.reset_after_minutes.is_some()),
                ("resetDailyAt", of.reset_daily_at.is_some()),
            ] {
                if given {
                    return Err(BadRule {
                        field: format!("{name}.{field}"),
                        reason: "is for conversations of channels; a desktop session goes on until you begin another".into(),
                    });
                }
            }
        }
    }
    within("deleteArchivedAfterDays".into(), rules.delete_archived_after_days, 1, MOST_DAYS)
}

/// Minutes after midnight of a time of day.
fn minutes_of(time: &str) -> Option<u64> {
    let (hours, minutes) = time.split_once(':')?;
    let two = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u64>().ok())?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Whether a conversation whose last message was at `last` begins anew with one that comes `now`; by which rule, in words.
/// `offset` tells how many seconds the clock on the wall is ahead of UTC at a time.
pub fn due_reset(rules: &ClassRules, last: Ms, now: Ms, offset: impl Fn(Ms) -> i32) -> Option<String> {
    if let Some(minutes) = rules.reset_after_minutes
        && now.0.saturating_sub(last.0) >= u64::from(minutes) * MINUTE
    {
        return Some(format!("silent for {minutes} minutes"));
    }
    let time = rules.reset_daily_at.as_deref()?;
    let boundary = latest(minutes_of(time)?, now, offset);
    (last < boundary && boundary <= now).then(|| format!("the first message after {time}"))
}

/// The newest moment up to `now` at which the clock on the wall showed that time of day.
fn latest(minutes: u64, now: Ms, offset: impl Fn(Ms) -> i32) -> Ms {
    let mut day = moved(now.0, offset(now)) / DAY;
    loop {
        let at = moment((day * DAY).saturating_add(minutes * MINUTE), &offset);
        if at <= now || day == 0 {
            return at;
        }
        day -= 1;
    }
}

/// The moment at which the clock on the wall shows `wall`: the first one where it does so twice, and where it is put forward
/// over it, the one it would have been. The same moment whenever it is asked for.
fn moment(wall: u64, offset: impl Fn(Ms) -> i32) -> Ms {
    let (before, after) = (offset(Ms(wall.saturating_sub(DAY))), offset(Ms(wall.saturating_add(DAY))));
    let (first, second) = (Ms(moved(wall, -before)), Ms(moved(wall, -after)));
    if offset(first) != before && offset(second) == after {
        second
    } else {
        first
    }
}

fn moved(at: u64, seconds: i32) -> u64 {
    let by = u64::from(seconds.unsigned_abs()) * 1000;
    if seconds < 0 {
        at.saturating_sub(by)
    } else {
        at.saturating_add(by)
    }
}

/// What tidying up does now. Deletions come first, then the archive, longest silent first.
pub fn plan(sessions: &[Candidate], rules: &HygieneRules, now: Ms) -> Vec<HygieneStep> {
    let free = |one: &&Candidate| !one.summary.flagged && one.summary.state == SessionState::Idle;
    let mut steps = Vec::new();
    if let Some(days) = rules.delete_archived_after_days {
        let old = |one: &&Candidate| {
            let since = one.archived_at.map(|at| now.0.saturating_sub(at.0));
            one.summary.archived && since.is_some_and(|since| since >= u64::from(days) * DAY)
        };
        let mut due: Vec<_> = sessions.iter().filter(free).filter(old).collect();
        due.sort_by_key(|one| (one.archived_at, one.summary.id.as_str()));
        steps.extend(
            due.into_iter()
                .map(|one| step(one, HygieneAction::Delete, format!("in the archive for {days} days"))),
        );
    }
    let mut archive = Vec::new();
    for class in [
        SessionClass::Desktop,
        SessionClass::Direct,
        SessionClass::Group,
        SessionClass::Thread,
    ] {
        let of = rules_of(rules, class);
        let mut kept: Vec<_> = sessions.iter().filter(|one| one.class == class && !one.summary.archived).collect();
        kept.sort_by_key(|one| (one.summary.last_message_at, one.summary.id.as_str()));
        // What is left alone counts, and is not archived for it.
        let mut left = kept.len();
        for one in kept.iter().filter(|one| free(one)) {
            let silent = now.0.saturating_sub(one.summary.last_message_at.0);
            let reason = match (of.archive_after_days, of.most) {
                (Some(days), _) if silent >= u64::from(days) * DAY => format!("no message for {days} days"),
                (_, Some(most)) if left > most as usize => format!("more than {most} sessions of its kind, and silent longest"),
                _ => break,
            };
            left -= 1;
            archive.push(step(one, HygieneAction::Archive, reason));
        }
    }
    archive.sort_by_key(|step| step.session.last_message_at);
    steps.extend(archive);
    steps.truncate(MOST_STEPS);
    steps
}

fn step(one: &Candidate, action: HygieneAction, reason: String) -> HygieneStep {
    HygieneStep {
        session: one.summary.clone(),
        class: one.class,
        action,
        reason,
    }
}
