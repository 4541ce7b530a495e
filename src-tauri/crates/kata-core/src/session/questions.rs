//! What a conversation is told of a call that waits: the question with its buttons, and what it became. Words only; who may answer
//! is decided where an answer comes in ([`crate::orders`], [`crate::presses`]).

use super::asking::{Held, decision_word};
use crate::names;
use crate::outbox::chunk;
use crate::ports::{Channels, OutboundExtras, SettledApproval};
use kata_protocol::{AlwaysRule, Approval, ApprovalDecision, Button, ButtonStyle, ChannelCapabilities, ReplyRoute};
use serde_json::Value;

/// Most characters of a call's arguments that are told in a channel.
const SHORT: usize = 200;

/// Key of the outbox under which a question leaves.
pub(super) fn key(code: &str, turn: &kata_protocol::TurnId) -> String {
    format!("approval:{code}:asked:{turn}")
}

/// The question, with buttons where the channel has them.
pub(super) fn ask(channels: &dyn Channels, route: &ReplyRoute, held: &Held) -> (String, OutboundExtras) {
    let code = &held.approval.code;
    let buttons = match channels.info(&route.channel) {
        Some((_, info)) => buttons(code, held.approval.always.as_ref(), info.capabilities.buttons),
        None => Vec::new(),
    };
    let how = match buttons.is_empty() {
        false => format!("Press a button, or answer `/approve {code}` or `/deny {code}`. Only listed approvers may."),
        true => format!(
            "Answer `/approve {code}` (or `/approve {code} session`, `/approve {code} always`) or `/deny {code}`. Here only listed \
             approvers may; the owner can also answer in Kata Agents, or with `kata approvals answer {code} once`."
        ),
    };
    let extras = OutboundExtras {
        buttons,
        ..OutboundExtras::default()
    };
    (format!("{}\n\n{how}", what(held)), extras)
}

/// How a question reads once it is settled, with which one it is; `None` where the channel showed no buttons, or cannot edit.
pub(super) fn settled(
    channels: &dyn Channels,
    route: &ReplyRoute,
    turn: &kata_protocol::TurnId,
    held: &Held,
    settled: &SettledApproval,
    why: Option<&str>,
) -> Option<(String, OutboundExtras)> {
    let (_, info) = channels.info(&route.channel)?;
    let ChannelCapabilities {
        buttons: most,
        edit,
        text_max,
        text_unit,
        ..
    } = info.capabilities;
    let code = &held.approval.code;
    if !edit || buttons(code, held.approval.always.as_ref(), most).is_empty() {
        return None;
    }
    let whose = match (settled.expired, why, settled.by.as_deref().map(names::in_markdown)) {
        (true, ..) => "nobody answered within 24 hours".to_owned(),
        (_, Some(why), _) => why.to_owned(),
        (_, None, Some(name)) if !name.is_empty() => format!("by {name}"),
        (_, None, Some(_)) => "here".to_owned(),
        (_, None, None) => "in Kata Agents".to_owned(),
    };
    let outcome = match settled.decision {
        ApprovalDecision::Deny => format!("**Refused** ({code}): {whose}."),
        decision => format!("**Approved**, {} ({code}): {whose}.", decision_word(decision)),
    };
    let whole = format!("{}\n\n{outcome}", what(held));
    // One message takes the place of one.
    let text = match chunk::chunk(&whole, text_max, text_unit).len() {
        0 | 1 => whole,
        _ => format!("`{}`: {outcome}", held.approval.call.name),
    };
    let extras = OutboundExtras {
        edits: Some(key(code, turn)),
        ..OutboundExtras::default()
    };
    Some((text, extras))
}

/// Id of a button under a question.
fn id(code: &str, decision: ApprovalDecision) -> String {
    format!("approve:{code}:{}", decision_word(decision))
}

/// The code and the answer of a button, if it is one of a question.
pub(crate) fn pressed(button: &str) -> Option<(&str, ApprovalDecision)> {
    let (code, word) = button.strip_prefix("approve:")?.split_once(':')?;
    let all = [
        ApprovalDecision::Once,
        ApprovalDecision::Session,
        ApprovalDecision::Always,
        ApprovalDecision::Deny,
    ];
    let decision = all.into_iter().find(|decision| decision_word(*decision) == word)?;
    Some((code, decision))
}

/// At most `most`; none where not even yes and no have room. Without a rule nobody can say what else would be allowed.
fn buttons(code: &str, always: Option<&AlwaysRule>, most: u32) -> Vec<Button> {
    let one = |decision, label: &str, style| Button {
        id: id(code, decision),
        label: label.into(),
        style,
    };
    let once = one(ApprovalDecision::Once, "Once", ButtonStyle::Primary);
    let deny = one(ApprovalDecision::Deny, "Deny", ButtonStyle::Danger);
    let rule = always.is_some();
    match most {
        0 | 1 => Vec::new(),
        3 if rule => vec![once, one(ApprovalDecision::Session, "Session", ButtonStyle::Plain), deny],
        4.. if rule => vec![
            once,
            one(ApprovalDecision::Session, "Session", ButtonStyle::Plain),
            one(ApprovalDecision::Always, "Always", ButtonStyle::Plain),
            deny,
        ],
        _ => vec![once, deny],
    }
}

/// What waits. What a plugin asks, or has changed, is not for the channel.
fn what(held: &Held) -> String {
    let Approval { call, reason, .. } = &held.approval;
    let name = &call.name;
    if held.discreet {
        format!("`{name}` waits for approval. What it would do is shown in Kata Agents.")
    } else {
        format!("`{name}` waits for approval: {reason}.\n{}", short(&call.input.0))
    }
}

/// Arguments in one line, cut to [`SHORT`] characters; quotes of code are taken out, so that they stay inside their own. The
/// shortest come first: a long text must not hide to whom it goes.
fn short(input: &Value) -> String {
    let text = match input {
        Value::Object(fields) => {
            let mut fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}:{value}", Value::from(name.as_str())))
                .collect();
            fields.sort_by_key(String::len);
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    };
    let line: String = text
        .chars()
        .map(|c| if c.is_control() || c == '`' { ' ' } else { c })
        .take(SHORT)
        .collect();
    let cut = if text.chars().count() > SHORT { "…" } else { "" };
    format!("`{line}{cut}`")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_text_does_not_hide_to_whom_it_goes() {
        let shown = short(&json!({ "text": "x".repeat(500), "to": "C042" }));
        assert!(shown.starts_with(r#"`{"to":"C042","text":"#), "{shown}");
        assert!(shown.ends_with("…`") && shown.chars().count() <= SHORT + 3, "{shown}");
    }

    #[test]
    fn a_button_is_read_back_and_fits_every_platform() {
        for decision in [
            ApprovalDecision::Once,
            ApprovalDecision::Session,
            ApprovalDecision::Always,
            ApprovalDecision::Deny,
        ] {
            let id = id("K7Q2XY", decision);
            assert_eq!(pressed(&id), Some(("K7Q2XY", decision)));
            assert!(id.len() <= 48 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':' || b == b'-'));
        }
        for other in ["", "approve:", "approve:K7", "approve:K7:maybe", "deny:K7:once"] {
            assert_eq!(pressed(other), None, "{other}");
        }
    }
}
