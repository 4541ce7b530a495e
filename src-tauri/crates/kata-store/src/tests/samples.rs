//! Values the tests are about.

use kata_core::ports::NewOutbound;
use kata_protocol::{ChatType, Gate, InboundDraft, Ms, PairingRequest, ReplyRoute, Sender, StepOutcome, Trace, TraceStep};
use std::str::FromStr;

/// An identifier; the tests write only valid ones.
pub(crate) fn id<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

pub(crate) fn draft(message: &str) -> InboundDraft {
    InboundDraft {
        account: id("bot"),
        message_id: id(message),
        conversation: id("c1"),
        conversation_name: Some("Kitchen".into()),
        chat_type: ChatType::Direct,
        thread: None,
        sender: Sender {
            id: id("u1"),
            name: Some("Ada".into()),
            is_bot: false,
        },
        text: format!("hello from {message}"),
        reply_to: None,
        mentions_bot: true,
        sent_at: Some(Ms(5)),
        attachments: Vec::new(),
    }
}

pub(crate) fn part(key: &str) -> NewOutbound {
    NewOutbound {
        session: Some(id("260201-swift-river")),
        route: ReplyRoute {
            channel: id("telegram"),
            account: id("bot"),
            conversation: id("c1"),
            thread: None,
            reply_to: None,
        },
        text: format!("answer {key}"),
        idempotency_key: key.into(),
        extras: Default::default(),
    }
}

pub(crate) fn pairing(code: &str, sender: &str, at: u64) -> PairingRequest {
    PairingRequest {
        code: code.into(),
        channel: id("telegram"),
        sender: id(sender),
        sender_name: Some("Ada".into()),
        requested_at: Ms(at),
        expires_at: Ms(at + 100),
    }
}

pub(crate) fn trace(name: &str, session: Option<&str>) -> Trace {
    Trace {
        id: id(name),
        started_at: Ms(1),
        origin: "telegram".into(),
        session: session.map(id),
        steps: vec![TraceStep {
            gate: Gate::Ingress,
            label: "accept".into(),
            plugin: None,
            start_us: 0,
            duration_us: 12,
            outcome: StepOutcome::Ok,
            note: None,
            diff: None,
        }],
        done: false,
    }
}
