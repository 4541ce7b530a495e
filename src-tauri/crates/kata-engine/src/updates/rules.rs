//! When to look, fetch and put in: `updates` of `settings.json`, and the decision made of it. Pure.

use kata_core::quiet::Quiet;
use kata_protocol::{Ms, QuietHours, UpdateChannel, UpdateRules, UpdateStage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// Between two looks at the server.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(6 * 3600);
/// After a look that failed.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(3600);
/// Between two questions whether it may be put in now.
pub(super) const ASK_EVERY: Duration = Duration::from_secs(60);

/// `updates` of `settings.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UpdateSettings {
    /// Which versions; released ones when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<UpdateChannel>,
    /// Whether it happens without asking; so when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<bool>,
    /// When an automatic one is put in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Folder of another server, for a mirror (`https://…`); the key that packages must be signed with stays the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Version the person put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissed: Option<String>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl UpdateSettings {
    /// The rules.
    pub fn rules(&self) -> UpdateRules {
        UpdateRules {
            channel: self.channel.unwrap_or_default(),
            automatic: self.automatic.unwrap_or(true),
            quiet_hours: self.quiet_hours.clone(),
        }
    }

    /// Takes rules over.
    pub(super) fn take(&mut self, rules: &UpdateRules) {
        self.channel = Some(rules.channel).filter(|channel| *channel != UpdateChannel::default());
        self.automatic = Some(rules.automatic).filter(|automatic| !automatic);
        self.quiet_hours = rules.quiet_hours.clone();
    }

    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// What the decision rests on.
pub(super) struct Facts<'a> {
    pub rules: &'a UpdateRules,
    pub stage: &'a UpdateStage,
    /// When it last looked, and whether that worked.
    pub looked: Option<(Ms, bool)>,
    /// Version that is offered and was not put off.
    pub offer: Option<&'a str>,
    /// It lies here, verified.
    pub fetched: bool,
    /// Version whose putting in failed the last time.
    pub failed: Option<&'a str>,
    /// Why somebody has to be there when it is put in.
    pub asks: Option<&'a str>,
    pub busy: u32,
    pub now: Ms,
    /// Seconds the clock on the wall is ahead of UTC.
    pub offset_s: i32,
}

/// What to do next by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Look at the server.
    Look,
    /// Fetch what is offered.
    Fetch,
    /// Put it in.
    PutIn,
    /// It is ready and waits.
    Wait(String),
    /// Nothing, for so long.
    Rest(Duration),
}

/// Decides.
pub(super) fn next(facts: &Facts<'_>) -> Next {
    let at_work = !matches!(
        facts.stage,
        UpdateStage::Idle {} | UpdateStage::Ready { .. } | UpdateStage::Failed { .. }
    );
    if at_work || !facts.rules.automatic {
        return Next::Rest(LOOK_EVERY);
    }
    let due = match facts.looked {
        None => Duration::ZERO,
        Some((at, went_well)) => {
            let since = Duration::from_millis(facts.now.0.saturating_sub(at.0));
            let every = if went_well { LOOK_EVERY } else { LOOK_AGAIN };
            every.saturating_sub(since)
        }
    };
    if due.is_zero() {
        return Next::Look;
    }
    let Some(version) = facts.offer else {
        return Next::Rest(due);
    };
    if facts.failed == Some(version) {
        return Next::Wait(format!(
            "you: {version} was tried and did not work; it is not tried again by itself"
        ));
    }
    if !facts.fetched {
        return if matches!(facts.stage, UpdateStage::Failed { .. }) {
            Next::Rest(due)
        } else {
            Next::Fetch
        };
    }
    if let Some(asks) = facts.asks {
        return Next::Wait(format!("you: {asks}"));
    }
    match &facts.rules.quiet_hours {
        None if facts.busy == 0 => Next::PutIn,
        None if facts.busy == 1 => Next::Wait("one session to end its turn".into()),
        None => Next::Wait(format!("{} sessions to end their turns", facts.busy)),
        Some(hours) => match Quiet::new(hours) {
            Ok(quiet) if quiet.until(facts.now, |_| facts.offset_s).is_some() => Next::PutIn,
            _ => Next::Wait(format!("the quiet hours from {}", hours.from)),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rules(hours: Option<(&str, &str)>) -> UpdateRules {
        UpdateRules {
            channel: UpdateChannel::Stable,
            automatic: true,
            quiet_hours: hours.map(|(from, until)| QuietHours {
                from: from.into(),
                until: until.into(),
            }),
        }
    }

    /// 1 March 2026, at so many minutes after midnight, UTC.
    fn at(minute: u64) -> Ms {
        Ms(1_772_323_200_000 + minute * 60_000)
    }

    fn facts<'a>(rules: &'a UpdateRules, stage: &'a UpdateStage) -> Facts<'a> {
        Facts {
            rules,
            stage,
            looked: Some((at(0), true)),
            offer: Some("2.0.0"),
            fetched: true,
            failed: None,
            asks: None,
            busy: 0,
            now: at(1),
            offset_s: 0,
        }
    }

    #[test]
    fn an_automatic_update_is_looked_for_fetched_and_put_in_when_nothing_is_busy() {
        let (rules, idle) = (rules(None), UpdateStage::Idle {});
        let with = |change: fn(&mut Facts<'_>)| {
            let mut facts = facts(&rules, &idle);
            change(&mut facts);
            next(&facts)
        };
        assert_eq!(with(|f| f.looked = None), Next::Look);
        assert_eq!(with(|f| f.now = at(6 * 60)), Next::Look, "every six hours");
        assert_eq!(with(|f| f.now = at(6 * 60 - 1)), Next::PutIn);
        assert_eq!(
            with(|f| (f.looked, f.now) = (Some((at(0), false)), at(60))),
            Next::Look,
            "an hour after one that failed"
        );
        assert_eq!(with(|f| f.offer = None), Next::Rest(LOOK_EVERY - Duration::from_secs(60)));
        assert_eq!(with(|f| f.fetched = false), Next::Fetch);
        assert_eq!(with(|_| {}), Next::PutIn);
        assert_eq!(with(|f| f.busy = 1), Next::Wait("one session to end its turn".into()));
        assert_eq!(with(|f| f.busy = 8), Next::Wait("8 sessions to end their turns".into()));
    }

    #[test]
    fn quiet_hours_count_by_the_clock_on_the_wall_and_busy_sessions_are_drained_in_them() {
        let (rules, idle) = (rules(Some(("02:00", "05:00"))), UpdateStage::Idle {});
        let mut facts = facts(&rules, &idle);
        facts.busy = 8;
        assert_eq!(next(&facts), Next::Wait("the quiet hours from 02:00".into()));
        facts.now = at(120);
        assert_eq!(next(&facts), Next::PutIn);
        facts.offset_s = -3600;
        assert_eq!(next(&facts), Next::Wait("the quiet hours from 02:00".into()));
    }

    #[test]
    fn nothing_happens_by_itself_where_a_person_wants_to_be_asked_or_has_to_be_there() {
        let (mut asked, idle) = (rules(None), UpdateStage::Idle {});
        asked.automatic = false;
        assert_eq!(next(&facts(&asked, &idle)), Next::Rest(LOOK_EVERY));
        let rules = rules(None);
        let mut facts = facts(&rules, &idle);
        facts.asks = Some("installing asks for the password");
        assert_eq!(next(&facts), Next::Wait("you: installing asks for the password".into()));
    }

    #[test]
    fn a_version_that_did_not_work_is_not_tried_again_by_itself() {
        let (rules, idle) = (rules(None), UpdateStage::Idle {});
        let mut facts = facts(&rules, &idle);
        facts.failed = Some("2.0.0");
        assert!(matches!(next(&facts), Next::Wait(words) if words.contains("2.0.0")));
        facts.failed = Some("1.9.0");
        assert_eq!(next(&facts), Next::PutIn);
    }

    #[test]
    fn a_fetch_that_failed_waits_for_the_next_look() {
        let (rules, failed) = (rules(None), UpdateStage::Failed { message: "cut".into() });
        let mut facts = facts(&rules, &failed);
        facts.fetched = false;
        assert!(matches!(next(&facts), Next::Rest(_)));
    }

    #[test]
    fn settings_keep_what_they_do_not_know_and_write_only_what_differs() {
        let text = r#"{"channel":"beta","color":"red","server":"https://mirror.example/"}"#;
        let mut settings: UpdateSettings = serde_json::from_str(text).unwrap();
        assert_eq!((settings.rules().channel, settings.rules().automatic), (UpdateChannel::Beta, true));
        settings.take(&UpdateRules {
            automatic: false,
            ..rules(None)
        });
        let text = serde_json::to_value(&settings).unwrap();
        let wanted = serde_json::json!({"automatic": false, "server": "https://mirror.example/", "color": "red"});
        assert_eq!(text, wanted);
    }
}
