//! What a plugin hands to the host, decoded without a plugin: the door of the fuzzer in `fuzz/`. Every decoder here is the one
//! that serves.
//!
//! Deliberately absent: hook outcomes, which the core decodes into types of kata-protocol.

use crate::body::Bodies;
use crate::capability::Grants;
use crate::doors::{Answer, cut};
use crate::engine::{Op, decode_draft, thrown};
use crate::manifest::parse_manifest;
use crate::register::{Registrations, Rules};
use kata_protocol::{ChannelId, Receipt};

/// What a text claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A channel's message, with the channel's name: `["c", {…}]`.
    Draft,
    /// A tool's result.
    ToolAnswer,
    /// A channel's receipt.
    Receipt,
    /// What was thrown.
    Thrown,
    /// A registration of this kind: `tool`, `hook`, `channel`, `service`, `command`, `route`.
    Registration(&'static str),
}

/// Decodes a text as the host does. Answers what the plugin is told is wrong with it, or nothing.
pub fn complaint(payload: Payload, text: &str) -> Option<String> {
    match payload {
        Payload::Draft => {
            let channel = ChannelId::new("c").ok()?;
            match Op::decode("receive", text.to_owned(), None, &[channel], &Bodies::default()) {
                Ok(Op::Receive { channel, draft }) => decode_draft(&channel, draft).err().map(|e| e.to_string()),
                Ok(_) => None,
                Err(e) => Some(e.to_string()),
            }
        }
        Payload::ToolAnswer => match serde_json::from_str::<Answer>(text) {
            Ok(answer) => {
                let cut = cut(answer.text, 4096);
                (cut.len() > 4096 && !answer.is_error).then_some(cut)
            }
            Err(e) => Some(e.to_string()),
        },
        Payload::Receipt => serde_json::from_str::<Receipt>(text).err().map(|e| e.to_string()),
        Payload::Thrown => {
            let thrown = thrown(text);
            Some(format!("{}: {}", thrown.name, thrown.message))
        }
        Payload::Registration(kind) => {
            let manifest = parse_manifest(r#"{"id":"p","name":"p","version":"1","api":"1"}"#).ok()?;
            let rules = Rules {
                plugin: manifest.id.clone(),
                manifest,
                lone: true,
                account: None,
                grants: Grants::new(&[], &[]),
            };
            let mut all = Registrations::default();
            all.declare(&rules, kind, 0, text).err().map(|e| e.to_string())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_that_does_not_fit_is_told_by_field_and_without_its_words() {
        let draft =
            r#"["c",{"account":"a","messageId":"1","conversation":"c","chatType":"my private words","sender":{"id":"u"},"text":"x"}]"#;
        let words = complaint(Payload::Draft, draft).unwrap();
        assert!(words.contains("draft.chatType") && !words.contains("private"), "{words}");
        assert_eq!(complaint(Payload::Draft, &draft.replace("my private words", "direct")), None);
    }
}
