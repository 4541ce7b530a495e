//! Traces in the JSON encoding of OTLP (opentelemetry-proto 1.x, "JSON Protobuf Encoding"): identifiers in hex, numbers of 64
//! bits as text, enumerations as numbers.
//!
//! Deliberately absent: what was written. Of a diff only the paths leave; a reason leaves as it stands in the trace, redacted.

use kata_protocol::{StepOutcome, Trace, TraceStep};
use serde::Serialize;
use serde_json::{Value, json};

/// SPAN_KIND_INTERNAL and SPAN_KIND_CONSUMER.
const INTERNAL: u8 = 1;
const CONSUMER: u8 = 5;
/// STATUS_CODE_OK and STATUS_CODE_ERROR.
const OK: u8 = 1;
const ERROR: u8 = 2;
/// Paths of one diff that are exported.
const PATHS: usize = 32;

/// One request for `/v1/traces`.
pub(super) fn request(traces: &[Box<Trace>], version: &str) -> Value {
    let spans: Vec<Value> = traces.iter().flat_map(|trace| spans(trace)).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text("service.name", "kata-agents"),
            text("service.version", version),
        ]},
        "scopeSpans": [{ "scope": { "name": "kata", "version": version }, "spans": spans }],
    }]})
}

/// The message as the root, each step as its child.
fn spans(trace: &Trace) -> Vec<Value> {
    let (id, seed) = ids(trace);
    let root = span_id(seed, 0);
    let began = trace.started_at.0.saturating_mul(1_000_000);
    let at = |us: u64| began.saturating_add(us.saturating_mul(1_000)).to_string();
    let end = |step: &TraceStep| u64::from(step.start_us) + u64::from(step.duration_us);
    let whole = trace.steps.iter().map(end).max().unwrap_or_default();
    let failed = trace
        .steps
        .iter()
        .any(|s| matches!(s.outcome, StepOutcome::Error | StepOutcome::Timeout));
    let mut attributes = vec![text("kata.trace", trace.id.as_str()), text("kata.origin", &trace.origin)];
    attributes.extend(trace.session.as_ref().map(|s| text("kata.session", s.as_str())));
    let mut spans = vec![json!({
        "traceId": id, "spanId": root, "name": "message", "kind": CONSUMER,
        "startTimeUnixNano": at(0), "endTimeUnixNano": at(whole),
        "attributes": attributes, "status": { "code": if failed { ERROR } else { OK } },
    })];
    spans.extend(trace.steps.iter().enumerate().map(|(n, step)| {
        let mut attributes = vec![
            text("kata.gate", &word(&step.gate)),
            text("kata.label", &step.label),
            text("kata.outcome", &word(&step.outcome)),
        ];
        attributes.extend(step.plugin.as_ref().map(|p| text("kata.plugin", p)));
        attributes.extend(step.note.as_ref().map(|n| text("kata.note", n)));
        if let Some(operations) = step.diff.as_ref().and_then(|d| d.0.as_array()) {
            let paths = operations.iter().filter_map(|op| op["path"].as_str()).take(PATHS);
            let paths: Vec<Value> = paths.map(|path| json!({ "stringValue": path })).collect();
            attributes.push(json!({ "key": "kata.changed", "value": { "arrayValue": { "values": paths } } }));
        }
        let status = match step.outcome {
            StepOutcome::Ok | StepOutcome::Changed | StepOutcome::Blocked => json!({ "code": OK }),
            StepOutcome::Error | StepOutcome::Timeout => {
                json!({ "code": ERROR, "message": step.note.as_deref().unwrap_or_default() })
            }
        };
        json!({
            "traceId": id, "spanId": span_id(seed, n as u64 + 1), "parentSpanId": root, "name": word(&step.gate), "kind": INTERNAL,
            "startTimeUnixNano": at(step.start_us.into()), "endTimeUnixNano": at(end(step)),
            "attributes": attributes, "status": status,
        })
    }));
    spans
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The trace id of sixteen bytes, and what span ids are made of. Our ids are fourteen bytes in hex; another name is spread over
/// the bytes, the same each time.
fn ids(trace: &Trace) -> (String, u64) {
    let name = trace.id.as_str();
    let spread = |basis: u64| {
        let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        name.as_bytes().iter().fold(basis, step)
    };
    let (high, low) = (spread(0xcbf2_9ce4_8422_2325), spread(0x8422_2325_cbf2_9ce4));
    let ours = name.len() == 28 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) && name.bytes().any(|b| b != b'0');
    let id = if ours {
        format!("{name:0>32}")
    } else {
        format!("{high:016x}{:016x}", low | 1)
    };
    (id, high)
}

/// Never zero, and never twice in a trace: an odd factor gives every number another one.
fn span_id(seed: u64, n: u64) -> String {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    // 257 spans at most; the one that would be zero takes a number that none of them has.
    let id = match seed.wrapping_add(n.wrapping_mul(ODD)) {
        0 => seed.wrapping_add(ODD.wrapping_mul(100_000)),
        id => id,
    };
    format!("{id:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn trace(id: &str, steps: usize) -> Trace {
        let step = json!({"gate": "hook", "label": "message_sending", "plugin": "p", "startUs": 1_500, "durationUs": 250, "outcome": "changed",
            "note": null, "diff": [{"op": "replace", "path": "/text", "value": "what was written"}]});
        serde_json::from_value(
            json!({"id": id, "startedAt": 1_767_225_600_123_u64, "origin": "telegram", "session": "s", "done": true,
            "steps": vec![step; steps]}),
        )
        .unwrap()
    }

    #[test]
    fn a_trace_is_a_root_span_with_a_child_for_each_step_and_nothing_that_was_written() {
        let all = request(&[Box::new(trace("018bcfe568009e3779b97f4a7c15", 2))], "1.2.3");
        let spans = all["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
        assert_eq!(spans.len(), 3);
        assert_eq!(spans[0]["traceId"], "0000018bcfe568009e3779b97f4a7c15");
        assert_eq!(spans[0]["startTimeUnixNano"], "1767225600123000000");
        assert_eq!(spans[0]["endTimeUnixNano"], "1767225600124750000");
        assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
        assert_eq!(spans[1]["startTimeUnixNano"], "1767225600124500000");
        assert!(all.to_string().contains(r#"{"stringValue":"/text"}"#));
        assert!(!all.to_string().contains("what was written"));
    }

    #[test]
    fn every_span_has_an_id_of_its_own_and_any_name_makes_a_trace_id() {
        for name in [
            "018bcfe568009e3779b97f4a7c15",
            "t1",
            "0000000000000000000000000000",
            "UPPER-case_and.more",
        ] {
            let trace = trace(name, 256);
            let all = spans(&trace);
            let ids: HashSet<_> = all.iter().map(|s| s["spanId"].as_str().unwrap().to_owned()).collect();
            assert_eq!(ids.len(), 257);
            let hex = |text: &str, len: usize| {
                text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit()) && text.bytes().any(|b| b != b'0')
            };
            assert!(
                ids.iter().all(|id| hex(id, 16)) && hex(all[0]["traceId"].as_str().unwrap(), 32),
                "{name}"
            );
        }
        for n in 0..257_u64 {
            // A seed that makes the n-th one zero.
            let seed = 0u64.wrapping_sub(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let all: HashSet<_> = (0..257).map(|n| span_id(seed, n)).collect();
            assert!(all.len() == 257 && !all.contains("0000000000000000"));
        }
    }
}
