//! Frames as text, without building a tree of JSON values on the way.
//!
//! [`kata_protocol::ServerFrame`] and [`kata_protocol::ClientFrame`] say what the frames are; what stands here writes and reads
//! exactly the same text for the frames that are many (requests, responses, events). Tests hold the two together.

use axum::extract::ws::Utf8Bytes;
use kata_protocol::{Count, Fact, GATEWAY_VERSION, NumberedFact, ServerFrame, Topic, WireError};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// Versions of the frames that are spoken here, the newest first. Two majors live side by side while clients move on.
pub(crate) const SPOKEN: &[u32] = &[GATEWAY_VERSION];

/// The version in force with a client that asks for one, or what to tell it.
pub(crate) fn negotiate(spoken: &[u32], asked: u32) -> Result<u32, Unspoken> {
    if spoken.contains(&asked) {
        return Ok(asked);
    }
    let list: Vec<String> = spoken.iter().map(u32::to_string).collect();
    let (list, verb) = (list.join(" and "), if spoken.len() == 1 { "is" } else { "are" });
    let side = match spoken.iter().max() {
        Some(newest) if asked > *newest => "update the engine",
        _ => "update the client",
    };
    Err(Unspoken(format!("version {asked} is not spoken here; {list} {verb}: {side}")))
}

/// A version that is not spoken: what to tell the client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unspoken(pub(crate) String);

/// A client's frame.
#[derive(Debug)]
pub(crate) enum Incoming<'a> {
    Connect(Connect<'a>),
    Pair(Pair<'a>),
    Request {
        id: u64,
        op: Cow<'a, str>,
        params: &'a RawValue,
    },
    Subscribe(TopicSet),
    Ack(u64),
    /// A frame of a plugin that came by this connection; `external` reads the rest of it.
    External {
        id: Option<u64>,
        text: &'a str,
    },
}

pub(crate) struct Connect<'a> {
    pub(crate) version: u32,
    pub(crate) proof: Shown<'a>,
    pub(crate) client: Cow<'a, str>,
    pub(crate) boot: Option<Cow<'a, str>>,
    pub(crate) last_seq: Option<u64>,
    pub(crate) topics: TopicSet,
}

impl std::fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// What a client shows to come in.
pub(crate) enum Shown<'a> {
    Token(Cow<'a, str>),
    Signature { device: Cow<'a, str>, signature: Cow<'a, str> },
}

pub(crate) struct Pair<'a> {
    pub(crate) version: u32,
    pub(crate) code: Cow<'a, str>,
    pub(crate) client: Cow<'a, str>,
    pub(crate) public_key: Option<Cow<'a, str>>,
}

impl std::fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A frame that is none. Says nothing of the content: it may hold a token or somebody's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadFrame {
    /// Set where the frame was a request, so that it can be answered.
    pub(crate) id: Option<u64>,
    pub(crate) reason: String,
}

/// Every field of every client frame; a tagged enum could not borrow the parameters as text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flat<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default, borrow)]
    op: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    params: Option<&'a RawValue>,
    #[serde(default)]
    version: Option<u32>,
    #[serde(default, borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    device: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    signature: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    code: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    public_key: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    client: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    boot: Option<Cow<'a, str>>,
    #[serde(default)]
    last_seq: Option<u64>,
    #[serde(default)]
    topics: Option<Vec<Topic>>,
    #[serde(default)]
    seq: Option<u64>,
}

/// Reads a client's frame.
pub(crate) fn parse(text: &str) -> Result<Incoming<'_>, BadFrame> {
    let flat: Flat<'_> = serde_json::from_str(text).map_err(|e| BadFrame {
        id: None,
        reason: format!("the frame cannot be read ({:?} error at column {})", e.classify(), e.column()).to_lowercase(),
    })?;
    let id = flat.id;
    let missing = |field: &str| BadFrame {
        id,
        reason: format!("the frame lacks “{field}”"),
    };
    match flat.kind.as_ref() {
        "request" => Ok(Incoming::Request {
            id: id.ok_or_else(|| missing("id"))?,
            op: flat.op.ok_or_else(|| missing("op"))?,
            params: flat.params.unwrap_or(RawValue::NULL),
        }),
        "connect" => Ok(Incoming::Connect(Connect {
            version: flat.version.ok_or_else(|| missing("version"))?,
            proof: match (flat.token, flat.device, flat.signature) {
                (Some(token), None, None) => Shown::Token(token),
                (None, Some(device), Some(signature)) => Shown::Signature { device, signature },
                (None, Some(_), None) => return Err(missing("signature")),
                (None, None, _) => return Err(missing("token")),
                (Some(_), ..) => {
                    return Err(BadFrame {
                        id,
                        reason: "the frame has a token and a device; one of them is enough".into(),
                    });
                }
            },
            client: flat.client.ok_or_else(|| missing("client"))?,
            boot: flat.boot,
            last_seq: flat.last_seq,
            topics: flat.topics.map_or(TopicSet::ALL, |topics| TopicSet::of(&topics)),
        })),
        "pair" => Ok(Incoming::Pair(Pair {
            version: flat.version.ok_or_else(|| missing("version"))?,
            code: flat.code.ok_or_else(|| missing("code"))?,
            client: flat.client.ok_or_else(|| missing("client"))?,
            public_key: flat.public_key,
        })),
        "subscribe" => Ok(Incoming::Subscribe(TopicSet::of(&flat.topics.ok_or_else(|| missing("topics"))?))),
        "register" | "inbound" | "report" | "answer" => Ok(Incoming::External { id, text }),
        "ack" => Ok(Incoming::Ack(flat.seq.ok_or_else(|| missing("seq"))?)),
        _ => Err(BadFrame {
            id,
            reason: "the frame's type is not one a client sends".into(),
        }),
    }
}

/// A set of topics as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TopicSet(pub(crate) u32);

impl TopicSet {
    pub(crate) const ALL: Self = Self(u32::MAX);
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn of(topics: &[Topic]) -> Self {
        Self(topics.iter().fold(0, |set, topic| set | Self::bit(*topic)))
    }
    pub(crate) fn contains(self, topic: Topic) -> bool {
        self.0 & Self::bit(topic) != 0
    }
    fn bit(topic: Topic) -> u32 {
        1 << (topic as u32)
    }
}

/// `response` with a result.
pub(crate) fn result_frame(id: u64, result: &RawValue) -> String {
    let mut text = String::with_capacity(result.get().len() + 64);
    // Writing into a string cannot fail.
    let _ = write!(text, r#"{{"type":"response","id":{id},"result":{},"error":null}}"#, result.get());
    text
}

/// `response` with an error.
pub(crate) fn error_frame(id: u64, error: &WireError) -> String {
    control_frame(&ServerFrame::Response {
        id: Count(id),
        result: None,
        error: Some(error.clone()),
    })
}

/// Any frame that is seldom sent.
pub(crate) fn control_frame(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).unwrap_or_else(|e| {
        // Only a map with keys that are not texts can fail, and no frame has one.
        tracing::error!(error = %e, "a frame could not be written");
        r#"{"type":"goodbye","reason":"a frame could not be written"}"#.to_owned()
    })
}

/// `goodbye`.
pub(crate) fn goodbye_frame(reason: &str) -> String {
    control_frame(&ServerFrame::Goodbye { reason: reason.to_owned() })
}

/// `hello`.
pub(crate) fn hello_frame(nonce: String) -> String {
    control_frame(&ServerFrame::Hello {
        nonce,
        versions: SPOKEN.to_vec(),
    })
}

#[derive(Serialize)]
struct EventOut<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    seq: Count,
    fact: &'a Fact,
}

fn event_frame(fact: &NumberedFact) -> Result<String, serde_json::Error> {
    serde_json::to_string(&EventOut {
        kind: "event",
        seq: fact.seq,
        fact: &fact.fact,
    })
}

/// Slots of the memory of written events.
const SLOTS: usize = 128;
/// Longest text that is remembered, bytes; together at most 8 MiB.
const REMEMBERED: usize = 64 * 1024;

/// Remembers the newest events as text, so that each is written once however many clients there are.
pub(crate) struct EventTexts {
    slots: Box<[Mutex<Slot>]>,
}

/// Number and text of a written event.
type Slot = Option<(u64, Utf8Bytes)>;

impl EventTexts {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Mutex::new(None)).collect(),
        }
    }

    /// The `event` frame of a fact.
    pub(crate) fn text(&self, fact: &NumberedFact) -> Result<Utf8Bytes, serde_json::Error> {
        let seq = fact.seq.0;
        let index = usize::try_from(seq % SLOTS as u64).unwrap_or(0);
        let Some(slot) = self.slots.get(index) else {
            return event_frame(fact).map(Utf8Bytes::from);
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((held, text)) = slot.as_ref()
            && *held == seq
        {
            return Ok(text.clone());
        }
        let text = Utf8Bytes::from(event_frame(fact)?);
        // An older event (a replay) does not push out a newer one.
        if text.len() <= REMEMBERED && slot.as_ref().is_none_or(|(held, _)| *held < seq) {
            *slot = Some((seq, text.clone()));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kata_protocol::{ClientFrame, ErrorCode, Json, SessionEvent, SessionId, SessionState};
    use serde_json::json;

    #[test]
    fn what_is_written_by_hand_is_what_the_protocol_writes() {
        let result = serde_json::value::to_raw_value(&json!({"a": [1, "x\n"], "b": null})).unwrap();
        let by_type = ServerFrame::Response {
            id: Count(7),
            result: Some(Json(json!({"a": [1, "x\n"], "b": null}))),
            error: None,
        };
        assert_eq!(result_frame(7, &result), serde_json::to_string(&by_type).unwrap());
        let error = WireError::new(ErrorCode::Busy, "full").hint("wait");
        let by_type = ServerFrame::Response {
            id: Count(8),
            result: None,
            error: Some(error.clone()),
        };
        assert_eq!(serde_json::from_str::<ServerFrame>(&error_frame(8, &error)).unwrap(), by_type);

        let fact = Fact::Session {
            id: SessionId::new("s").unwrap(),
            event: SessionEvent::State { state: SessionState::Idle },
        };
        let by_type = ServerFrame::Event {
            seq: Count(9),
            fact: Json(serde_json::to_value(&fact).unwrap()),
        };
        let written = event_frame(&NumberedFact { seq: Count(9), fact }).unwrap();
        assert_eq!(written, serde_json::to_string(&by_type).unwrap());
    }

    #[test]
    fn every_client_frame_of_the_protocol_is_understood() {
        let connect = ClientFrame::Connect {
            version: 1,
            token: Some("t\"\\u".into()),
            device: None,
            signature: None,
            client: "test".into(),
            boot: Some("b".into()),
            last_seq: Some(Count(4)),
            topics: Some(vec![Topic::Health]),
        };
        let text = serde_json::to_string(&connect).unwrap();
        let Ok(Incoming::Connect(read)) = parse(&text) else {
            panic!("{text}")
        };
        assert_eq!((read.version, read.client.as_ref(), read.last_seq), (1, "test", Some(4)));
        assert!(matches!(&read.proof, Shown::Token(token) if token == "t\"\\u"));
        assert!(read.topics.contains(Topic::Health) && !read.topics.contains(Topic::Session));

        let text = serde_json::to_string(&ClientFrame::Pair {
            version: 1,
            code: "ABC".into(),
            client: "phone".into(),
            public_key: Some("k".into()),
        })
        .unwrap();
        let Ok(Incoming::Pair(read)) = parse(&text) else { panic!("{text}") };
        assert_eq!((read.code.as_ref(), read.public_key.as_deref()), ("ABC", Some("k")));
        let signed = parse(r#"{"type":"connect","version":1,"client":"c","device":"d","signature":"s"}"#);
        assert!(matches!(
            signed,
            Ok(Incoming::Connect(Connect {
                proof: Shown::Signature { .. },
                ..
            }))
        ));

        let text = serde_json::to_string(&ClientFrame::Request {
            id: Count(3),
            op: "a.b".into(),
            params: Json(json!({"x": 1})),
        })
        .unwrap();
        let Ok(Incoming::Request { id, op, params }) = parse(&text) else {
            panic!("{text}")
        };
        assert_eq!((id, op.as_ref(), params.get()), (3, "a.b", r#"{"x":1}"#));
        let Ok(Incoming::Request { params, .. }) = parse(r#"{"type":"request","id":1,"op":"a"}"#) else {
            panic!()
        };
        assert_eq!(params.get(), "null");

        let text = serde_json::to_string(&ClientFrame::Subscribe {
            topics: vec![Topic::Sessions, Topic::Workspaces],
        })
        .unwrap();
        let Ok(Incoming::Subscribe(topics)) = parse(&text) else {
            panic!("{text}")
        };
        assert!(topics.contains(Topic::Workspaces) && !topics.contains(Topic::Traces));
        let text = serde_json::to_string(&ClientFrame::Ack { seq: Count(5) }).unwrap();
        assert!(matches!(parse(&text), Ok(Incoming::Ack(5))));
    }

    #[test]
    fn a_bad_frame_names_the_field_and_never_quotes_the_content() {
        let bad = parse(r#"{"type":"request","id":4}"#).unwrap_err();
        assert_eq!(
            bad,
            BadFrame {
                id: Some(4),
                reason: "the frame lacks “op”".into()
            }
        );
        for text in [r#"{"type":"connect","token":5,"x":"hunter2"}"#, r#"{"type":"hunter2"}"#, "hunter2"] {
            assert!(!parse(text).unwrap_err().reason.contains("hunter2"), "{text}");
        }
        let connect = parse(r#"{"type":"connect","version":1,"token":"hunter2","client":"c"}"#).unwrap();
        assert!(!format!("{connect:?}").contains("hunter2"));
    }

    #[test]
    fn one_proof_is_needed_and_two_are_refused() {
        for (text, field) in [
            (r#"{"type":"connect","version":1,"client":"c"}"#, "“token”"),
            (r#"{"type":"connect","version":1,"client":"c","device":"d"}"#, "“signature”"),
            (r#"{"type":"connect","version":1,"client":"c","signature":"s"}"#, "“token”"),
            (
                r#"{"type":"connect","version":1,"client":"c","token":"t","device":"d","signature":"s"}"#,
                "one of them",
            ),
        ] {
            assert!(parse(text).unwrap_err().reason.contains(field), "{text}");
        }
    }

    #[test]
    fn two_majors_are_spoken_side_by_side_and_a_third_is_told_who_has_to_move() {
        for (spoken, asked, outcome) in [
            (&[1][..], 1, Ok(1)),
            (&[2, 1], 1, Ok(1)),
            (&[2, 1], 2, Ok(2)),
            (&[2, 1], 3, Err("version 3 is not spoken here; 2 and 1 are: update the engine")),
            (&[3, 2], 1, Err("version 1 is not spoken here; 3 and 2 are: update the client")),
            (&[1], 0, Err("version 0 is not spoken here; 1 is: update the client")),
        ] {
            assert_eq!(
                negotiate(spoken, asked),
                outcome.map_err(|words| Unspoken(words.into())),
                "{spoken:?} {asked}"
            );
        }
    }

    #[test]
    fn an_event_is_written_once_and_shared() {
        let texts = EventTexts::new();
        let fact = |seq| NumberedFact {
            seq: Count(seq),
            fact: Fact::PairingChanged {},
        };
        let (a, b) = (texts.text(&fact(1)).unwrap(), texts.text(&fact(1)).unwrap());
        assert_eq!(a.as_str().as_ptr(), b.as_str().as_ptr(), "the same memory");
        let newer = texts.text(&fact(1 + SLOTS as u64)).unwrap();
        assert!(newer.as_str().contains("129"));
        assert!(
            texts.text(&fact(1)).unwrap().as_str().contains(r#""seq":1,"#),
            "a replay still gets its own text"
        );
    }
}
