//! What a session says during one turn, as text that grows. Knows nothing of sockets and terminals.

use crate::render::{clean, line};
use kata_protocol::{ApprovalDecision, CallId, MessageId, MessageKind, SessionEvent, ToolCall, ToolStatus, TurnEnd, WireError};
use std::collections::{HashMap, HashSet};

/// What to show or do next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Show {
    /// Part of the answer.
    Text(String),
    /// A word beside it.
    Note(String),
    /// A tool call waits for a person.
    Ask {
        code: String,
        /// Tool a rule could allow from now on.
        always: Option<String>,
        question: String,
    },
    /// The turn is over.
    End { end: TurnEnd, error: Option<WireError> },
}

/// Follows the turn that answers one message.
#[derive(Default)]
pub(super) struct Follow {
    /// The message; what comes before it belongs to others.
    message: Option<MessageId>,
    begun: bool,
    /// Turns of others that end before ours begins.
    ahead: u32,
    /// What was shown of each row.
    shown: HashMap<MessageId, String>,
    calls: HashSet<CallId>,
    /// The text shown last did not end its line.
    open_line: bool,
}

impl Follow {
    /// Follows from the row `message` on. `begun` when the row has been seen already.
    pub(super) fn of(message: MessageId) -> Self {
        Self {
            message: Some(message),
            ..Self::default()
        }
    }

    /// Takes in what the session said.
    pub(super) fn take(&mut self, event: &SessionEvent) -> Vec<Show> {
        if !self.begun {
            if let SessionEvent::Message { message } = event
                && Some(&message.id) == self.message.as_ref()
            {
                self.begun = true;
            }
            return Vec::new();
        }
        if let SessionEvent::Queued { depth } = event {
            self.ahead = *depth;
            return vec![Show::Note(format!(
                "the session is busy; {depth} {} first",
                if *depth == 1 { "turn ends" } else { "turns end" }
            ))];
        }
        if self.ahead > 0 {
            if matches!(event, SessionEvent::TurnEnded { .. }) {
                self.ahead -= 1;
            }
            return Vec::new();
        }
        self.ours(event)
    }

    fn ours(&mut self, event: &SessionEvent) -> Vec<Show> {
        match event {
            SessionEvent::TextDelta { message, text } => {
                let text = clean(text);
                self.shown.entry(message.clone()).or_default().push_str(&text);
                self.text(text)
            }
            SessionEvent::Message { message } => match message.kind {
                MessageKind::Assistant => self.row(&message.id, &clean(&message.content)),
                MessageKind::Plan => {
                    let mut shows = self.row(&message.id, &clean(&message.content));
                    let id = &message.id;
                    shows.extend(self.note(format!(
                        "this plan waits for you: kata plans accept {id}, or kata plans refine {id} …"
                    )));
                    shows
                }
                MessageKind::Tool => message.tool.as_ref().map(|tool| self.tool(tool)).unwrap_or_default(),
                MessageKind::Warning => self.note(line(&message.content, 400)),
                _ => Vec::new(),
            },
            SessionEvent::MessageReset { message } => match self.shown.remove(message) {
                Some(text) if !text.is_empty() => self.note("that attempt failed; the answer begins again".into()),
                _ => Vec::new(),
            },
            SessionEvent::ModelRetry { attempt, wait_ms, reason } => self.note(format!(
                "the model is asked again (attempt {}, in {wait_ms} ms): {}",
                attempt + 1,
                line(reason, 200)
            )),
            SessionEvent::ApprovalRequested { approval } => {
                let (call, reason) = (&approval.call, &approval.reason);
                let mut shows = self.end_line();
                let always = approval.always.as_ref().map(|rule| line(&rule.tool, 60));
                let question = format!(
                    "{} {}\n{}",
                    line(&call.name, 60),
                    line(&call.input.0.to_string(), 400),
                    line(reason, 200)
                );
                shows.push(Show::Ask {
                    code: approval.code.clone(),
                    always,
                    question,
                });
                shows
            }
            SessionEvent::ApprovalResolved {
                decision: ApprovalDecision::Deny,
                ..
            } => self.note("the call was refused".into()),
            SessionEvent::TurnEnded { end, error, .. } => {
                let mut shows = self.end_line();
                shows.push(Show::End {
                    end: *end,
                    error: error.clone(),
                });
                shows
            }
            _ => Vec::new(),
        }
    }

    /// A whole row: what of it was not shown yet.
    fn row(&mut self, id: &MessageId, content: &str) -> Vec<Show> {
        let shown = self.shown.insert(id.clone(), content.to_owned()).unwrap_or_default();
        let mut shows = match content.strip_prefix(shown.as_str()) {
            Some(rest) => self.text(rest.to_owned()),
            // A hook changed it on the way; the whole is shown below what was there.
            None => {
                let mut shows = self.end_line();
                shows.extend(self.text(content.to_owned()));
                shows
            }
        };
        shows.extend(self.end_line());
        shows
    }

    fn tool(&mut self, tool: &ToolCall) -> Vec<Show> {
        let mut shows = Vec::new();
        if self.calls.insert(tool.call_id.clone()) {
            shows.extend(self.end_line());
            shows.push(Show::Text(format!(
                "[tool] {} {}\n",
                line(&tool.name, 60),
                line(&tool.input.0.to_string(), 160)
            )));
        }
        if matches!(tool.status, ToolStatus::Completed | ToolStatus::Error | ToolStatus::Backgrounded) {
            shows.extend(self.end_line());
            let how = match tool.status {
                ToolStatus::Completed => "ok",
                ToolStatus::Error => "failed",
                _ => "goes on",
            };
            let took = tool.duration_ms.map(|ms| format!(" {ms} ms")).unwrap_or_default();
            let result = tool.result.as_deref().map(|r| format!(": {}", line(r, 160))).unwrap_or_default();
            shows.push(Show::Text(format!("[tool] {} {how}{took}{result}\n", line(&tool.name, 60))));
        }
        shows
    }

    fn text(&mut self, text: String) -> Vec<Show> {
        if text.is_empty() {
            return Vec::new();
        }
        self.open_line = !text.ends_with('\n');
        vec![Show::Text(text)]
    }

    fn note(&mut self, text: String) -> Vec<Show> {
        let mut shows = self.end_line();
        shows.push(Show::Note(text));
        shows
    }

    fn end_line(&mut self) -> Vec<Show> {
        if std::mem::take(&mut self.open_line) {
            vec![Show::Text("\n".into())]
        } else {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(value: Value) -> SessionEvent {
        serde_json::from_value(value).unwrap()
    }

    fn row(id: &str, kind: &str, content: &str, tool: Value) -> SessionEvent {
        event(
            json!({"kind": "message", "message": {"id": id, "kind": kind, "content": content, "timestamp": null, "turnId": null,
            "intermediate": false, "sender": null, "tool": tool, "thinking": null}}),
        )
    }

    fn delta(id: &str, text: &str) -> SessionEvent {
        event(json!({"kind": "text_delta", "message": id, "text": text}))
    }

    fn ended(end: &str) -> SessionEvent {
        event(json!({"kind": "turn_ended", "turn": "t", "end": end, "error": null}))
    }

    fn play(follow: &mut Follow, events: &[SessionEvent]) -> (String, Vec<Show>) {
        let mut text = String::new();
        let rest = events
            .iter()
            .flat_map(|e| follow.take(e))
            .filter_map(|show| match show {
                Show::Text(more) => {
                    text += &more;
                    None
                }
                other => Some(other),
            })
            .collect();
        (text, rest)
    }

    fn mine() -> (Follow, SessionEvent) {
        (Follow::of(MessageId::new("mine").unwrap()), row("mine", "user", "hi", Value::Null))
    }

    #[test]
    fn an_answer_is_shown_as_it_grows_and_not_again_at_its_end() {
        let (mut follow, input) = mine();
        let events = [
            input,
            delta("a", "Hel"),
            delta("a", "lo\x1b[2J."),
            row("a", "assistant", "Hello\x1b[2J.", Value::Null),
            ended("completed"),
        ];
        let (text, rest) = play(&mut follow, &events);
        assert_eq!(text, "Hello[2J.\n");
        assert_eq!(
            rest,
            [Show::End {
                end: TurnEnd::Completed,
                error: None
            }]
        );
    }

    #[test]
    fn an_answer_without_growth_or_with_a_changed_end_is_shown_whole() {
        let (mut follow, input) = mine();
        let events = [
            input,
            row("a", "assistant", "At once.", Value::Null),
            delta("b", "secret"),
            row("b", "assistant", "[cut]", Value::Null),
        ];
        assert_eq!(play(&mut follow, &events).0, "At once.\nsecret\n[cut]\n");
    }

    #[test]
    fn a_tool_call_is_a_line_when_it_begins_and_one_when_it_ends() {
        let (mut follow, input) = mine();
        let call = |status: &str, result: Value| {
            row(
                "c",
                "tool",
                "",
                json!({"callId": "c1", "name": "read", "input": {"p": 1}, "result": result, "status": status, "durationMs": 3}),
            )
        };
        let events = [
            input,
            delta("a", "Looking"),
            call("pending", Value::Null),
            call("executing", Value::Null),
            call("completed", json!("two\nlines")),
        ];
        assert_eq!(
            play(&mut follow, &events).0,
            "Looking\n[tool] read {\"p\":1}\n[tool] read ok 3 ms: two lines\n"
        );
    }

    #[test]
    fn what_others_say_before_our_turn_is_not_shown() {
        let (mut follow, input) = mine();
        let events = [
            delta("x", "other"),
            input,
            event(json!({"kind": "queued", "depth": 1})),
            delta("x", "still other"),
            ended("completed"),
            delta("a", "ours"),
            ended("completed"),
        ];
        let (text, rest) = play(&mut follow, &events);
        assert_eq!(text, "ours\n");
        assert_eq!(rest.len(), 2, "the note of the queue and one end: {rest:?}");
    }

    #[test]
    fn a_broken_attempt_and_a_waiting_call_are_said() {
        let (mut follow, input) = mine();
        let call =
            json!({"callId": "c1", "name": "bash", "input": {"command": "ls"}, "result": null, "status": "pending", "durationMs": null});
        let events = [
            input,
            delta("a", "Hel"),
            event(json!({"kind": "message_reset", "message": "a"})),
            event(
                json!({"kind": "approval_requested", "approval": {"code": "K7Q2XY", "session": "s", "sessionName": null, "turn": "t",
                "call": call, "reason": "mode ask", "always": null, "channel": null, "requestedAt": 1, "expiresAt": 2}}),
            ),
        ];
        let (text, rest) = play(&mut follow, &events);
        assert_eq!(text, "Hel\n");
        assert!(matches!(&rest[0], Show::Note(n) if n.contains("begins again")));
        assert!(
            matches!(&rest[1], Show::Ask { code, question, .. } if code == "K7Q2XY" && question == "bash {\"command\":\"ls\"}\nmode ask")
        );
    }
}
