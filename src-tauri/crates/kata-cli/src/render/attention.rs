//! What waits for the person, and whether channels are paused.

use super::{ago, line};
use kata_protocol::{Attention, Ms, PauseState};
use std::fmt::Write;

/// Each with its second line, since when, and the answers it takes.
pub(crate) fn attention(waiting: &[Attention], now: Ms) -> String {
    if waiting.is_empty() {
        return "nothing waits for you\n".into();
    }
    let mut text = String::new();
    for each in waiting {
        let _ = writeln!(text, "{}  {}", line(&each.id, 80), line(&each.title, 200));
        if let Some(detail) = &each.detail {
            let _ = writeln!(text, "        {}", line(detail, 200));
        }
        let answers: Vec<_> = each.actions.iter().map(|action| line(&action.id, 20)).collect();
        let how = match answers.is_empty() {
            true => format!("look at it in the window: {}", line(&each.route, 200)),
            false => format!("answers: {}", answers.join(", ")),
        };
        let _ = writeln!(text, "        {} · {how}", ago(each.since, now));
    }
    text += "\nkata attention answer ID ANSWER\n";
    text
}

/// Whether and how long.
pub(crate) fn pause(state: &PauseState, now: Ms) -> String {
    match (state.paused, state.until) {
        (false, _) => "channels go on; what waited is being taken in and sent\n".into(),
        (true, None) => "all channels are paused; `kata resume` lets them go on\n".into(),
        (true, Some(until)) => {
            let minutes = until.0.saturating_sub(now.0).div_ceil(60_000);
            let s = if minutes == 1 { "" } else { "s" };
            format!("all channels are paused for {minutes} minute{s}; `kata resume` lets them go on before that\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kata_protocol::AttentionAction;

    #[test]
    fn what_waits_shows_its_id_its_answers_and_no_control_characters() {
        let each = |actions: &[&str]| Attention {
            id: "approval:K7Q2XY".into(),
            kind: "approval".into(),
            title: "bash asks\u{1b}[2J to run".into(),
            detail: Some("Trip: ls".into()),
            since: Ms(1000),
            session: None,
            source: None,
            route: "/waiting".into(),
            actions: actions
                .iter()
                .map(|id| AttentionAction {
                    id: (*id).into(),
                    label: String::new(),
                })
                .collect(),
        };
        let text = attention(&[each(&["once", "deny"]), each(&[])], Ms(61_000));
        for part in ["approval:K7Q2XY", "answers: once, deny", "in the window: /waiting", "Trip: ls"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'));
        assert_eq!(attention(&[], Ms(0)), "nothing waits for you\n");
    }

    #[test]
    fn a_pause_says_how_long_it_lasts() {
        let told = |paused, until: Option<u64>| {
            pause(
                &PauseState {
                    paused,
                    until: until.map(Ms),
                },
                Ms(0),
            )
        };
        assert!(told(true, Some(30 * 60_000)).contains("for 30 minutes"));
        assert!(told(true, None).contains("kata resume"));
        assert!(told(false, None).contains("go on"));
    }
}
