//! What is told, and when it is too much. Pure: time, settings and whether somebody looks come in.

use super::Note;
use kata_engine::NotificationSettings;
use kata_protocol::{Attention, RunState, SourceSummary};
use std::collections::{BTreeSet, VecDeque};

/// Notifications in a minute that stand for one thing; what comes beyond is counted in one for all.
const A_MINUTE: usize = 4;
/// The one for all is renewed this often, seconds.
const AGAIN: u64 = 10;
/// Tries of a channel before it is told that it does not work: most troubles of a network are over by then.
const TRIES: u32 = 3;
/// Characters of an answer that are shown.
const TEXT: usize = 140;
const MANY: &str = "many";
const TURNS: &str = "turns";

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Do {
    /// Show it, in the place of what is in its slot.
    Show(Note),
    /// Take away what is in a slot.
    Withdraw(String),
}

/// A turn of a session of the desktop that has ended.
pub(super) struct Ended {
    pub id: String,
    pub name: Option<String>,
    pub failed: bool,
    pub text: Option<String>,
}

/// What was told before.
#[derive(Default)]
pub(super) struct Rules {
    known: BTreeSet<String>,
    shown: BTreeSet<String>,
    /// Channels that are known not to work.
    down: BTreeSet<String>,
    /// When single ones were shown within the last minute.
    recent: VecDeque<u64>,
    many: Option<u64>,
    turns: Option<u64>,
}

impl Rules {
    /// What waits now. What is answered elsewhere is taken away, what is new is told.
    pub(super) fn waiting(&mut self, now: u64, waiting: &[Attention], looked_at: bool, settings: &NotificationSettings) -> Vec<Do> {
        let ids: BTreeSet<String> = waiting.iter().map(|each| each.id.clone()).collect();
        let over = |slot: &String| slot.contains(':') && !slot.starts_with("turn:") && !slot.starts_with("channel:") && !ids.contains(slot);
        let gone: Vec<String> = self.shown.iter().filter(|slot| over(slot)).cloned().collect();
        let mut all: Vec<Do> = gone.iter().map(|slot| self.withdraw(slot)).collect();
        if ids.is_empty() && self.shown.contains(MANY) {
            all.push(self.withdraw(MANY));
        }
        let new: Vec<&Attention> = waiting.iter().filter(|each| !self.known.contains(&each.id)).collect();
        self.known = ids;
        if looked_at || !settings.attention || new.is_empty() {
            return all;
        }
        match new.as_slice() {
            [one] if self.has_room(now) => all.push(self.show(about(one, settings))),
            _ if self.many.is_some_and(|before| now < before + AGAIN) => {}
            _ => {
                self.many = Some(now);
                let titles: Vec<&str> = new.iter().take(3).map(|each| each.title.as_str()).collect();
                all.push(self.show(Note {
                    slot: MANY.into(),
                    title: match waiting.len() {
                        1 => "1 thing needs you".into(),
                        count => format!("{count} things need you"),
                    },
                    body: Some(titles.join("\n")),
                    answers: None,
                    route: "/waiting".into(),
                }));
            }
        }
        all
    }

    /// A turn has ended.
    pub(super) fn ended(&mut self, now: u64, ended: Ended, looked_at: bool, settings: &NotificationSettings) -> Vec<Do> {
        if looked_at || !settings.turns {
            return Vec::new();
        }
        let name = ended
            .name
            .map_or_else(|| "A chat".to_owned(), |name| format!("“{}”", line(&name, 60)));
        if !self.has_room(now) {
            if self.turns.is_some_and(|before| now < before + AGAIN) {
                return Vec::new();
            }
            self.turns = Some(now);
            return vec![self.show(Note {
                slot: TURNS.into(),
                title: "Several chats are done".into(),
                body: None,
                answers: None,
                route: "/sessions/all".into(),
            })];
        }
        vec![self.show(Note {
            slot: format!("turn:{}", ended.id),
            title: format!("{name} {}", if ended.failed { "failed" } else { "is done" }),
            body: ended.text.filter(|_| settings.text).map(|text| line(&text, TEXT)),
            answers: None,
            route: format!("/sessions/all/{}", ended.id),
        })]
    }

    /// A channel's state has changed. One that needs the person is told as such.
    pub(super) fn channel(&mut self, now: u64, row: &SourceSummary, looked_at: bool, settings: &NotificationSettings) -> Vec<Do> {
        let slot = row.id.to_string();
        let down = match &row.status.state {
            RunState::Backoff { attempt, .. } => *attempt >= TRIES,
            RunState::Quarantined { .. } => true,
            RunState::Starting | RunState::Connecting => return Vec::new(),
            _ => false,
        };
        if !down || !row.enabled {
            let was = self.down.remove(&slot) && self.shown.contains(&slot);
            return was.then(|| self.withdraw(&slot)).into_iter().collect();
        }
        if !self.down.insert(slot.clone()) || looked_at || !settings.channels || !self.has_room(now) {
            return Vec::new();
        }
        vec![self.show(Note {
            route: format!("/sources/{}", slot.replace(':', "%3A").replace('@', "%40")),
            slot,
            title: format!("{} does not work at present", line(&row.name, 60)),
            body: Some(line(&row.status.message, TEXT)).filter(|body| !body.is_empty()),
            answers: None,
        })]
    }

    fn show(&mut self, note: Note) -> Do {
        self.shown.insert(note.slot.clone());
        Do::Show(note)
    }

    fn withdraw(&mut self, slot: &str) -> Do {
        self.shown.remove(slot);
        Do::Withdraw(slot.to_owned())
    }

    /// Whether one more may be shown now; it counts.
    fn has_room(&mut self, now: u64) -> bool {
        while self.recent.front().is_some_and(|at| at + 60 <= now) {
            self.recent.pop_front();
        }
        let room = self.recent.len() < A_MINUTE;
        if room {
            self.recent.push_back(now);
        }
        room
    }
}

fn about(each: &Attention, settings: &NotificationSettings) -> Note {
    let answers: Vec<_> = each.actions.iter().map(|a| (a.id.clone(), a.label.clone())).collect();
    Note {
        slot: each.id.clone(),
        title: each.title.clone(),
        // A call's arguments and a question's words are what somebody wrote.
        body: each.detail.clone().filter(|_| settings.text),
        answers: (!answers.is_empty()).then(|| (each.id.clone(), answers)),
        route: each.route.clone(),
    }
}

fn line(text: &str, most: usize) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|w| !w.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some(_) => line.chars().take(most - 1).chain(['…']).collect(),
        None => line,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use kata_protocol::{AttentionAction, Ms, SourceKind, Status};

    fn waits(id: &str) -> Attention {
        Attention {
            id: id.into(),
            kind: "approval".into(),
            title: format!("{id} asks to run"),
            detail: Some("rm -rf the secret plan".into()),
            since: Ms(0),
            session: None,
            source: None,
            route: "/waiting".into(),
            actions: vec![AttentionAction {
                id: "once".into(),
                label: "Allow once".into(),
            }],
        }
    }

    fn slots(all: &[Do]) -> Vec<String> {
        let name = |each: &Do| match each {
            Do::Show(note) => format!("+{}", note.slot),
            Do::Withdraw(slot) => format!("-{slot}"),
        };
        all.iter().map(name).collect()
    }

    fn plain() -> NotificationSettings {
        NotificationSettings::default()
    }

    #[test]
    fn what_is_new_is_told_once_with_its_answers_and_taken_away_when_it_was_answered_elsewhere() {
        let mut rules = Rules::default();
        let told = rules.waiting(0, &[waits("approval:A")], false, &plain());
        let [Do::Show(note)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (note.body.as_ref(), note.answers.as_ref().unwrap().1.len()),
            (None, 1),
            "nothing of what was written"
        );
        assert_eq!(rules.waiting(1, &[waits("approval:A")], false, &plain()), []);
        assert_eq!(
            slots(&rules.waiting(2, &[waits("approval:B")], false, &plain())),
            ["-approval:A", "+approval:B"]
        );
        let open = NotificationSettings { text: true, ..plain() };
        let told = Rules::default().waiting(0, &[waits("approval:A")], false, &open);
        assert!(matches!(&told[0], Do::Show(note) if note.body.as_deref() == Some("rm -rf the secret plan")));
    }

    #[test]
    fn whoever_looks_at_the_window_or_has_switched_it_off_is_told_nothing_then_and_later() {
        let mut rules = Rules::default();
        assert_eq!(rules.waiting(0, &[waits("approval:A")], true, &plain()), []);
        assert_eq!(rules.waiting(1, &[waits("approval:A")], false, &plain()), [], "it was seen");
        let off = NotificationSettings {
            attention: false,
            ..plain()
        };
        assert_eq!(rules.waiting(2, &[waits("approval:B")], false, &off), []);
    }

    #[test]
    fn several_at_once_and_a_storm_are_one_that_counts() {
        let mut rules = Rules::default();
        let mut waiting = vec![waits("approval:1"), waits("approval:2")];
        let told = rules.waiting(0, &waiting, false, &plain());
        assert!(matches!(&told[0], Do::Show(note) if note.slot == MANY && note.title == "2 things need you" && note.answers.is_none()));
        let mut shown = 0;
        for n in 3..200 {
            waiting.push(waits(&format!("approval:{n}")));
            shown += rules.waiting(n / 10, &waiting, false, &plain()).len();
        }
        assert!(shown <= A_MINUTE + 2, "{shown} in twenty seconds");
        let gone = rules.waiting(30, &[], false, &plain());
        assert!(slots(&gone).contains(&format!("-{MANY}")), "{gone:?}");
    }

    #[test]
    fn a_turn_that_ended_is_told_by_the_sessions_name_and_its_text_only_where_that_is_wanted() {
        let ended = || Ended {
            id: "s1".into(),
            name: Some("Trip\nto Rome".into()),
            failed: false,
            text: Some("The answer.".into()),
        };
        let told = Rules::default().ended(0, ended(), false, &plain());
        let [Do::Show(note)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(
            (note.title.as_str(), note.body.as_deref(), note.route.as_str()),
            ("“Trip to Rome” is done", None, "/sessions/all/s1")
        );
        let open = NotificationSettings { text: true, ..plain() };
        let told = Rules::default().ended(0, ended(), false, &open);
        assert!(matches!(&told[0], Do::Show(note) if note.body.as_deref() == Some("The answer.")));
        let off = NotificationSettings { turns: false, ..plain() };
        assert!(
            Rules::default().ended(0, ended(), false, &off).is_empty() && Rules::default().ended(0, ended(), true, &plain()).is_empty()
        );
        let mut rules = Rules::default();
        let told: usize = (0..50).map(|n| rules.ended(n / 25, ended(), false, &plain()).len()).sum();
        assert!(told <= A_MINUTE + 1, "{told}");
    }

    #[test]
    fn a_channel_that_does_not_come_back_is_told_once_and_taken_away_when_it_does() {
        let row = |state| SourceSummary {
            id: "channel:telegram".parse().unwrap(),
            kind: SourceKind::Channel,
            name: "Telegram".into(),
            tagline: None,
            icon: None,
            workspace: None,
            plugin: None,
            enabled: true,
            status: Status::plain(state, Ms(0)),
            last_activity: None,
        };
        let backoff = |attempt| row(RunState::Backoff { attempt, until: Ms(9) });
        let mut rules = Rules::default();
        assert_eq!(rules.channel(0, &backoff(1), false, &plain()), [], "it may pass");
        assert_eq!(slots(&rules.channel(1, &backoff(3), false, &plain())), ["+channel:telegram"]);
        assert_eq!(rules.channel(2, &row(RunState::Connecting), false, &plain()), []);
        assert_eq!(rules.channel(3, &backoff(4), false, &plain()), [], "told once");
        assert_eq!(rules.waiting(3, &[], false, &plain()), [], "it is not among what waits");
        assert_eq!(
            slots(&rules.channel(4, &row(RunState::Running), false, &plain())),
            ["-channel:telegram"]
        );
    }
}
