//! How updates stand, for a person.

use super::{ago, clean, line, word};
use kata_protocol::{Ms, UpdateStage, UpdateState};
use std::fmt::Write;

pub(crate) fn update(state: &UpdateState, now: Ms) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "version    {}", line(&state.current, 40));
    if let Some(reason) = &state.unavailable {
        let _ = writeln!(text, "updates    {}", clean(reason));
    } else {
        let looked = state.checked_at.map_or_else(|| "never".into(), |at| ago(at, now));
        let _ = writeln!(text, "looked     {looked}");
        let _ = writeln!(text, "now        {}", stage(&state.stage));
    }
    let how = if state.rules.automatic {
        "by themselves"
    } else {
        "when you say so"
    };
    let when = match &state.rules.quiet_hours {
        Some(hours) if state.rules.automatic => format!(", {}-{}", hours.from, hours.until),
        _ => String::new(),
    };
    let _ = writeln!(text, "rules      {} versions, put in {how}{when}", word(&state.rules.channel));
    if let Some(last) = &state.last {
        let _ = writeln!(text, "last one   {} ({})", clean(&last.message), ago(last.at, now));
    }
    if let Some(offer) = &state.offer {
        let put_off = if offer.dismissed { " (put off)" } else { "" };
        let _ = writeln!(text, "\n{} is there{put_off}: `kata update install`", line(&offer.version, 40));
        if let Some(notes) = &offer.notes {
            let _ = writeln!(text, "\n{}", clean(notes).trim_end());
        }
    }
    text
}

fn stage(stage: &UpdateStage) -> String {
    match stage {
        UpdateStage::Idle {} => "nothing".into(),
        UpdateStage::Checking {} => "asking the server".into(),
        UpdateStage::Downloading { done, total } => match total.filter(|total| total.0 > 0) {
            Some(total) => format!("fetching, {} %", done.0.saturating_mul(100) / total.0),
            None => format!("fetching, {} bytes so far", done.0),
        },
        UpdateStage::Ready { waits_for } => format!("ready; waits for {}", clean(waits_for)),
        UpdateStage::Draining { busy: 0 } => "about to be put in".into(),
        UpdateStage::Draining { busy: 1 } => "one session finishes its turn".into(),
        UpdateStage::Draining { busy } => format!("{busy} sessions finish their turns"),
        UpdateStage::Installing {} => "being put in; the app starts again".into(),
        UpdateStage::Failed { message } => clean(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kata_protocol::{Count, UpdateChannel, UpdateOffer, UpdateOutcome, UpdateRules};

    #[test]
    fn an_update_shows_what_it_waits_for_its_notes_and_how_the_last_one_ended() {
        let state = UpdateState {
            current: "1.0.0".into(),
            rules: UpdateRules {
                channel: UpdateChannel::Stable,
                automatic: true,
                quiet_hours: None,
            },
            unavailable: None,
            checked_at: None,
            offer: Some(UpdateOffer {
                version: "2.0.0".into(),
                notes: Some("## News\u{1b}[31m\n- faster".into()),
                published_at: None,
                bytes: Some(Count(5)),
                dismissed: false,
            }),
            stage: UpdateStage::Ready {
                waits_for: "8 sessions to end their turns".into(),
            },
            last: Some(UpdateOutcome {
                version: "1.9.0".into(),
                from: "1.0.0".into(),
                at: Ms(1),
                ok: false,
                message: "Version 1.9.0 did not become ready within 60 seconds. Version 1.0.0 runs again.".into(),
            }),
        };
        let text = update(&state, Ms(2));
        assert!(text.contains("waits for 8 sessions to end their turns"), "{text}");
        assert!(text.contains("- faster") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("Version 1.0.0 runs again."), "{text}");
        let alone = UpdateState {
            unavailable: Some("This program was built from source.".into()),
            ..state
        };
        assert!(update(&alone, Ms(2)).contains("built from source"));
    }
}
