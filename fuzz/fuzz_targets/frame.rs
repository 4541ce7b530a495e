//! A frame of the gateway's clients, from any bytes: it is read before anybody is trusted. What can be read can be written and
//! read again, and is the same.
#![no_main]

use kata_protocol::ClientFrame;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(frame) = serde_json::from_slice::<ClientFrame>(data) else {
        return;
    };
    let written = serde_json::to_vec(&frame).expect("a frame can be written");
    let again: ClientFrame = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(frame, again);
});
