//! Tool calls that wait for a person.

use super::{ago, line, word};
use kata_protocol::{Approval, ApprovalOutcome, Ms};
use std::fmt::Write;

/// Code, tool and arguments, why, since when, and what “always” would mean.
pub(crate) fn approvals(waiting: &[Approval], now: Ms) -> String {
    if waiting.is_empty() {
        return "no call waits for you\n".into();
    }
    let mut text = String::new();
    for a in waiting {
        let name = a.session_name.as_deref().map(|n| format!(" “{}”", line(n, 40))).unwrap_or_default();
        let hours = a.expires_at.0.saturating_sub(now.0).div_ceil(3_600_000);
        let _ = writeln!(
            text,
            "{}  {} {}\n        {}\n        session {}{name} · asked {} · counts as refused in {hours} h",
            line(&a.code, 12),
            line(&a.call.name, 60),
            line(&a.call.input.0.to_string(), 400),
            line(&a.reason, 300),
            a.session,
            ago(a.requested_at, now),
        );
        if let Some(rule) = &a.always {
            let what = match (&rule.folder, rule.prefix.as_slice()) {
                (Some(folder), _) => format!(" in {}", line(folder, 200)),
                (None, []) => String::new(),
                (None, words) => format!(": {} …", line(&words.join(" "), 200)),
            };
            let _ = writeln!(text, "        always would allow {}{what}", line(&rule.tool, 60));
        }
    }
    text += "\nkata approvals answer CODE once|session|always|deny\n";
    text
}

/// Whose answer counted.
pub(crate) fn approval_outcome(outcome: &ApprovalOutcome) -> String {
    let decision = word(&outcome.decision);
    if outcome.first {
        format!("answered: {decision}\n")
    } else {
        format!("answered before: {decision}; that counts\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_that_waits_shows_its_code_what_it_would_do_and_what_always_means() {
        let waiting = json!([{"code": "K7Q2XY", "session": "260201-swift-river", "sessionName": "Trip", "turn": "t1",
            "reason": "it may change things", "always": {"tool": "bash", "prefix": ["git", "push"], "folder": null}, "channel": null,
            "requestedAt": 1000, "expiresAt": 7_201_000,
            "call": {"callId": "c9", "name": "bash", "input": {"command": "git push\u{1b}[2J"}, "result": null, "status": "pending", "durationMs": null}}]);
        let waiting: Vec<Approval> = serde_json::from_value(waiting).unwrap();
        let text = approvals(&waiting, Ms(1000));
        for part in [
            "K7Q2XY  bash {",
            "it may change things",
            "“Trip”",
            "refused in 2 h",
            "always would allow bash: git push …",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'));
        assert_eq!(approvals(&[], Ms(0)), "no call waits for you\n");
    }
}
