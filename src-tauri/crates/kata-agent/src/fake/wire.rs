//! Turns events into what goes over the wire, piece by piece, with the troubles of the answer.

use super::{Answer, Trouble};
use bytes::Bytes;
use serde_json::{Value, json};

/// One server-sent event.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) event: Option<String>,
    pub(super) data: String,
}

/// One step of the response body.
#[derive(Debug)]
pub(super) enum Step {
    Send(Bytes),
    /// Wait for a release.
    Gate,
    Stall,
    Break,
}

/// The body: every step is flushed before the next.
pub(super) fn steps(answer: &Answer, frames: Vec<Frame>, anthropic: bool, request: &Value) -> Vec<Step> {
    let mut steps = Vec::new();
    let end = if answer.has(&Trouble::Crlf) { "\r\n" } else { "\n" };
    let write = |frame: &Frame| {
        let event = frame
            .event
            .as_deref()
            .map(|event| format!("event: {event}{end}"))
            .unwrap_or_default();
        let data: String = frame.data.split('\n').map(|line| format!("data: {line}{end}")).collect();
        format!("{event}{data}{end}")
    };
    let send = |steps: &mut Vec<Step>, text: String| {
        if answer.has(&Trouble::Bytewise) {
            steps.extend(text.into_bytes().into_iter().map(|byte| Step::Send(Bytes::from(vec![byte]))));
        } else {
            steps.push(Step::Send(text.into()));
        }
    };
    for sent in 0..=frames.len() {
        for trouble in &answer.troubles {
            match trouble {
                Trouble::Stall { after } if *after == sent => {
                    steps.push(Step::Stall);
                    return steps;
                }
                Trouble::Truncate { after } if *after == sent => return steps,
                Trouble::Break { after } if *after == sent => {
                    steps.push(Step::Break);
                    return steps;
                }
                Trouble::ErrorEvent { after, kind } if *after == sent => {
                    let error = json!({"type": kind, "message": format!("Overloaded while reading: {}", last_text(request))});
                    let frame = match anthropic {
                        true => Frame {
                            event: Some("error".into()),
                            data: json!({"type": "error", "error": error}).to_string(),
                        },
                        false => Frame {
                            event: None,
                            data: json!({"error": error}).to_string(),
                        },
                    };
                    send(&mut steps, write(&frame));
                    return steps;
                }
                _ => {}
            }
        }
        let Some(frame) = frames.get(sent) else { break };
        if answer.has(&Trouble::Gated) {
            steps.push(Step::Gate);
        }
        if answer.has(&Trouble::Noise) {
            send(&mut steps, format!(": a comment{end}{end}"));
            if anthropic {
                let ping = Frame {
                    event: Some("ping".into()),
                    data: json!({"type": "ping"}).to_string(),
                };
                let unknown = json!({"type": "something_new", "index": "not a number", "delta": [1, 2]});
                let unknown = Frame {
                    event: Some("something_new".into()),
                    data: unknown.to_string(),
                };
                send(&mut steps, write(&ping));
                send(&mut steps, write(&unknown));
            }
        }
        send(&mut steps, write(frame));
    }
    steps
}

fn last_text(request: &Value) -> String {
    let last = request["messages"].as_array().and_then(|messages| messages.last());
    let content = last.map(|message| &message["content"]);
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(blocks)) => blocks
            .iter()
            .rev()
            .find_map(|block| block["text"].as_str())
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    }
}
