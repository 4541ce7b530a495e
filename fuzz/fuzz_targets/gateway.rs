//! The gateway's own reader of frames, which borrows instead of building a tree, beside the types of the protocol: what the types
//! read, it reads as the same kind; and whatever comes, a refusal says nothing of it. The names and keys a stranger may send, too.
#![no_main]

use kata_gateway::{DeviceKey, GatewayHost};
use kata_protocol::ClientFrame;
use libfuzzer_sys::fuzz_target;

/// Stands for a secret in the seeds; a mutation keeps it more often than not.
const SECRET: &str = "hunter2";

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = kata_gateway::fuzzing::read_frame(text);
    if let Err(kata_gateway::fuzzing::Refused(reason)) = &read {
        assert!(!reason.is_empty() && reason.len() < 300, "{reason}");
        assert!(!reason.contains(SECRET), "{reason}");
    }
    if let Ok(frame) = serde_json::from_str::<ClientFrame>(text) {
        let kind = match frame {
            ClientFrame::Connect { token, device, signature, .. } => match (token, device, signature) {
                (Some(_), None, None) | (None, Some(_), Some(_)) => Some("connect"),
                // The types leave it open what a client shows; the gateway wants one proof.
                _ => {
                    assert!(read.is_err());
                    None
                }
            },
            ClientFrame::Pair { .. } => Some("pair"),
            ClientFrame::Request { .. } => Some("request"),
            ClientFrame::Subscribe { .. } => Some("subscribe"),
            ClientFrame::Ack { .. } => Some("ack"),
            _ => None,
        };
        if let Some(kind) = kind {
            assert_eq!(read, Ok(kind), "{text}");
        }
    }
    if let Some(key) = DeviceKey::from_bytes(data) {
        assert_eq!(key.as_bytes(), data);
    }
    if let Ok(host) = GatewayHost::parse(text) {
        assert!(!host.as_str().contains(['*', '/', '@', ' ', '?', '#']), "{}", host.as_str());
        assert_eq!(GatewayHost::parse(host.as_str()).as_ref(), Ok(&host));
        assert!(host.origin().ends_with(host.as_str()));
    }
});
