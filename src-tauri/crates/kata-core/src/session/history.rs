//! The conversation as the model gets it, built from what is on disk; and the repair of what a crash left open.
//!
//! Rows say what was said; the journal has the model's blocks verbatim. Where the journal covers a turn it is used, else
//! (a session that another program wrote) the turn is rebuilt from its rows.

use super::asking::Held;
use super::attachments::{self, Place};
use super::rows::{field, kind};
use crate::ports::{HistoryItem, JournalEntry, StoredRow};
use kata_protocol::{AlwaysRule, ApprovalDecision, CallId, MessageId, TurnEnd, TurnId};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// One tool call of an assistant item.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub id: CallId,
    pub name: String,
    pub input: Value,
}

/// Tool calls among content blocks, in order.
pub(super) fn calls(blocks: &[Value]) -> Vec<Call> {
    blocks
        .iter()
        .filter(|b| b["type"] == "tool_use")
        .filter_map(|b| {
            Some(Call {
                id: CallId::new(b["id"].as_str()?).ok()?,
                name: b["name"].as_str()?.to_owned(),
                input: b.get("input").cloned().unwrap_or_else(|| json!({})),
            })
        })
        .collect()
}

/// Text among content blocks.
pub(super) fn text(blocks: &[Value]) -> String {
    blocks
        .iter()
        .filter(|b| b["type"] == "text")
        .filter_map(|b| b["text"].as_str())
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Thinking among content blocks, where the model shows it.
pub(super) fn thinking(blocks: &[Value]) -> Option<String> {
    let all: Vec<_> = blocks
        .iter()
        .filter(|b| b["type"] == "thinking")
        .filter_map(|b| b["thinking"].as_str())
        .collect();
    Some(all.join("\n\n")).filter(|t| !t.is_empty())
}

/// What a crash left open in the last turn.
#[derive(Debug, Default, PartialEq)]
pub(super) struct OpenTurn {
    /// Turn.
    pub turn: Option<TurnId>,
    /// Its input row.
    pub input: Option<MessageId>,
    /// Calls without a result, with what the model is to be told.
    pub calls: Vec<(Call, &'static str)>,
    /// The call that waited for a person, and had not begun.
    pub held: Option<Held>,
}

/// A call that was running when the program ended.
pub(super) const OUTCOME_UNKNOWN: &str =
    "Interrupted when the program ended; whether it took effect is unknown. Check before doing it again.";
/// A call that had not begun.
pub(super) const NOT_EXECUTED: &str = "Not executed: the program ended before it began.";

/// The turn that was begun and not ended, and its open calls.
pub(super) fn open_turn(journal: &[JournalEntry]) -> OpenTurn {
    let mut open = OpenTurn::default();
    let mut proposed: Vec<Call> = Vec::new();
    let mut started = HashSet::new();
    let mut done = HashSet::new();
    let mut held: Option<Held> = None;
    for entry in journal {
        match entry {
            JournalEntry::TurnStarted { turn, input, .. } => {
                open.turn = Some(turn.clone());
                open.input = Some(input.clone());
                proposed.clear();
                // Some models number their calls anew in each turn.
                started.clear();
                done.clear();
                held = None;
            }
            JournalEntry::ApprovalRequested {
                asked: Some(asked),
                by_hook,
                discreet,
                ..
            } => {
                held = Some(Held {
                    approval: (**asked).clone(),
                    by_hook: *by_hook,
                    discreet: *discreet,
                    decided: None,
                });
            }
            JournalEntry::ApprovalResolved { call, decision } => {
                if let Some(held) = held.as_mut().filter(|h| h.approval.call.call_id == *call) {
                    held.decided = Some(*decision);
                }
            }
            JournalEntry::Step { blocks, .. } => proposed.extend(calls(blocks)),
            JournalEntry::ToolStarted { call, .. } => {
                started.insert(call.clone());
            }
            JournalEntry::ToolDone { call, .. } => {
                done.insert(call.clone());
            }
            JournalEntry::TurnEnded { turn, .. } if open.turn.as_ref() == Some(turn) => (open.turn, open.input) = (None, None),
            _ => {}
        }
    }
    if open.turn.is_some() {
        open.held = held.filter(|h| {
            let call = &h.approval.call.call_id;
            proposed.iter().any(|c| c.id == *call) && !started.contains(call) && !done.contains(call)
        });
        let missing = proposed.into_iter().filter(|c| !done.contains(&c.id));
        open.calls = missing
            .map(|c| {
                let text = if started.contains(&c.id) { OUTCOME_UNKNOWN } else { NOT_EXECUTED };
                (c, text)
            })
            .collect();
    }
    open
}

/// How the turn of an input stands.
#[derive(Debug, PartialEq)]
pub(super) enum InputFate {
    /// No turn has begun.
    New,
    /// A turn has begun and not ended.
    Open(TurnId),
    /// It ended; the text of the answer, if there was one.
    Ended(TurnEnd, Option<String>),
    /// It joined the turn of another input, which is open or ended so.
    Joined(Option<TurnEnd>),
    /// It was refused for newer input while it waited.
    Refused,
}

/// What became of the input row `input`.
pub(super) fn fate(rows: &[StoredRow], journal: &[JournalEntry], input: &str) -> InputFate {
    let mut turn = None;
    let mut end = None;
    let mut inputs: HashMap<&TurnId, &MessageId> = HashMap::new();
    let mut joined = None;
    for entry in journal {
        match entry {
            JournalEntry::Refused { input: i } if i.as_str() == input => return InputFate::Refused,
            JournalEntry::TurnStarted { turn: t, input: i, .. } => {
                inputs.insert(t, i);
                if i.as_str() == input {
                    (turn, end, joined) = (Some(t), None, None);
                }
            }
            JournalEntry::Steered { turn: t, input: i } if i.as_str() == input => joined = inputs.get(t).copied(),
            JournalEntry::TurnEnded { turn: t, end: e } if turn == Some(t) => end = Some(*e),
            _ => {}
        }
    }
    if let Some(other) = joined.filter(|other| other.as_str() != input) {
        return InputFate::Joined(match fate(rows, journal, other.as_str()) {
            InputFate::Ended(end, _) => Some(end),
            _ => None,
        });
    }
    let Some(turn) = turn else { return InputFate::New };
    let answer = rows.iter().rev().find(|r| {
        matches!(kind(r), Some("assistant" | "plan"))
            && field(r, "turnId") == Some(turn.as_str())
            && !r.contains_key("isIntermediate")
            && !r.contains_key("interrupted")
    });
    // Rows are written before the journal. A turn that is said to be completed and has no row at all lost it to a power cut,
    // before anybody was told: it is still open.
    let any = rows.iter().any(|r| {
        matches!(kind(r), Some("assistant" | "plan")) && field(r, "turnId") == Some(turn.as_str()) && !r.contains_key("isIntermediate")
    });
    match (end, answer) {
        (Some(TurnEnd::Completed), None) if !any => InputFate::Open(turn.clone()),
        (Some(end), answer) => InputFate::Ended(end, answer.and_then(|r| field(r, "content")).map(str::to_owned)),
        // The row was written and the journal's end was not: the answer is what counts.
        (None, Some(answer)) => InputFate::Ended(TurnEnd::Completed, field(answer, "content").map(str::to_owned)),
        (None, None) => InputFate::Open(turn.clone()),
    }
}

/// What a person has allowed for the rest of the session.
pub(super) fn allowed(journal: &[JournalEntry]) -> HashSet<AlwaysRule> {
    let mut allowed = HashSet::new();
    let mut last: Option<&kata_protocol::Approval> = None;
    for entry in journal {
        match entry {
            JournalEntry::ApprovalRequested { asked, .. } => last = asked.as_deref(),
            JournalEntry::ApprovalResolved { call, decision } => {
                let Some(asked) = last.filter(|a| a.call.call_id == *call) else {
                    continue;
                };
                if *decision == ApprovalDecision::Session {
                    allowed.extend(asked.always.clone());
                }
            }
            _ => {}
        }
    }
    allowed
}

/// The whole conversation.
pub(super) fn build(rows: &[StoredRow], journal: &[JournalEntry], place: &Place) -> Vec<HistoryItem> {
    let mut by_input: HashMap<&str, Vec<&TurnId>> = HashMap::new();
    let mut contexts: HashMap<&TurnId, &Vec<String>> = HashMap::new();
    let mut entries: HashMap<&TurnId, Vec<&JournalEntry>> = HashMap::new();
    let mut steered: HashSet<&str> = HashSet::new();
    for entry in journal {
        let turn = match entry {
            JournalEntry::TurnStarted { turn, input, context, .. } => {
                by_input.entry(input.as_str()).or_default().push(turn);
                contexts.insert(turn, context);
                continue;
            }
            JournalEntry::Steered { turn, input } => {
                steered.insert(input.as_str());
                turn
            }
            JournalEntry::Refused { input } => {
                steered.insert(input.as_str());
                continue;
            }
            JournalEntry::Step { turn, .. } | JournalEntry::ToolDone { turn, .. } => turn,
            _ => continue,
        };
        entries.entry(turn).or_default().push(entry);
    }
    let inputs: HashMap<&str, &StoredRow> = rows
        .iter()
        .filter(|r| kind(r) == Some("user"))
        .filter_map(|r| Some((field(r, "id")?, r)))
        .collect();
    let mut written: HashMap<&str, (&str, Option<String>)> = rows
        .iter()
        .filter(|r| kind(r) == Some("user"))
        .filter_map(|r| Some((field(r, "id")?, (field(r, "content")?, super::rows::writer_of(r)))))
        .collect();
    for entry in journal {
        if let JournalEntry::Reworded { input, text } = entry
            && let Some(there) = written.get_mut(input.as_str())
        {
            there.0 = text;
        }
    }
    let covered: HashSet<&str> = entries.keys().map(|t| t.as_str()).collect();

    let mut history = Vec::new();
    let mut foreign: Vec<&StoredRow> = Vec::new();
    for row in rows {
        match kind(row) {
            Some("user") => {
                let id = field(row, "id").unwrap_or_default();
                if steered.contains(id) {
                    continue;
                }
                flush_foreign(&mut foreign, &mut history);
                let turns = by_input.get(id).map(Vec::as_slice).unwrap_or_default();
                let context = turns.last().and_then(|t| contexts.get(t)).map(|c| (*c).clone()).unwrap_or_default();
                history.push(HistoryItem::User {
                    text: written.get(id).map(|(text, _)| (*text).to_owned()).unwrap_or_default(),
                    context,
                    files: attachments::history(row, place),
                });
                for turn in turns {
                    for entry in entries.get(turn).into_iter().flatten() {
                        push_entry(entry, &written, (&inputs, place), &mut history);
                    }
                }
            }
            Some("assistant" | "tool" | "plan") if !field(row, "turnId").is_some_and(|t| covered.contains(t)) => foreign.push(row),
            _ => {}
        }
    }
    flush_foreign(&mut foreign, &mut history);
    history
}

fn push_entry(
    entry: &JournalEntry,
    written: &HashMap<&str, (&str, Option<String>)>,
    (inputs, place): (&HashMap<&str, &StoredRow>, &Place),
    history: &mut Vec<HistoryItem>,
) {
    match entry {
        JournalEntry::Step { blocks, family, .. } => {
            history.push(HistoryItem::Assistant {
                blocks: blocks.clone(),
                family: family.clone(),
            });
        }
        JournalEntry::ToolDone { call, text, is_error, .. } => {
            history.push(HistoryItem::ToolResult {
                call_id: call.clone(),
                text: text.clone(),
                is_error: *is_error,
            });
        }
        JournalEntry::Steered { input, .. } => {
            let (text, writer) = written.get(input.as_str()).cloned().unwrap_or_default();
            history.push(HistoryItem::User {
                text: text.to_owned(),
                context: writer.into_iter().collect(),
                files: inputs
                    .get(input.as_str())
                    .map(|row| attachments::history(row, place))
                    .unwrap_or_default(),
            });
        }
        _ => {}
    }
}

/// Rows that another program wrote: texts and calls of one stretch become one assistant item with its results.
fn flush_foreign(rows: &mut Vec<&StoredRow>, history: &mut Vec<HistoryItem>) {
    let mut blocks = Vec::new();
    let mut results = Vec::new();
    let mut emit = |blocks: &mut Vec<Value>, results: &mut Vec<HistoryItem>| {
        if !blocks.is_empty() {
            history.push(HistoryItem::Assistant {
                blocks: std::mem::take(blocks),
                family: String::new(),
            });
            history.append(results);
        }
    };
    for row in rows.drain(..) {
        match kind(row) {
            Some("tool") => {
                let Some(call_id) = field(row, "toolUseId").and_then(|c| CallId::new(c).ok()) else {
                    continue;
                };
                blocks.push(json!({
                    "type": "tool_use", "id": call_id, "name": field(row, "toolName").unwrap_or("unknown"),
                    "input": row.get("toolInput").cloned().unwrap_or_else(|| json!({})),
                }));
                results.push(HistoryItem::ToolResult {
                    call_id,
                    text: field(row, "toolResult").unwrap_or("(no result was kept)").to_owned(),
                    is_error: row.get("isError").and_then(Value::as_bool).unwrap_or_default(),
                });
            }
            _ => {
                // A text behind results belongs to the next answer.
                if !results.is_empty() {
                    emit(&mut blocks, &mut results);
                }
                let text = field(row, "content").unwrap_or_default();
                if !text.is_empty() {
                    blocks.push(json!({ "type": "text", "text": text }));
                }
            }
        }
    }
    emit(&mut blocks, &mut results);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(value: Value) -> StoredRow {
        value.as_object().unwrap().clone()
    }
    fn turn(n: &str) -> TurnId {
        TurnId::new(n).unwrap()
    }
    fn call_id(n: &str) -> CallId {
        CallId::new(n).unwrap()
    }
    fn started(t: &str, input: &str) -> JournalEntry {
        JournalEntry::TurnStarted {
            turn: turn(t),
            input: MessageId::new(input).unwrap(),
            model: "m".into(),
            context: vec!["ctx".into()],
        }
    }

    #[test]
    fn a_session_of_another_program_becomes_a_conversation() {
        let rows = [
            row(json!({"id":"1","type":"user","content":"fix"})),
            row(json!({"id":"2","type":"assistant","content":"Looking.","isIntermediate":true,"turnId":"a"})),
            row(
                json!({"id":"3","type":"tool","toolName":"Bash","toolUseId":"toolu_1","toolInput":{"command":"ls"},"toolResult":"ok","turnId":"a"}),
            ),
            row(json!({"id":"4","type":"assistant","content":"Done.","turnId":"b"})),
        ];
        let history = build(&rows, &[], &Place::default());
        assert_eq!(history.len(), 4);
        assert!(matches!(&history[1], HistoryItem::Assistant { blocks, .. } if blocks.len() == 2 && blocks[1]["name"] == "Bash"));
        assert!(matches!(&history[2], HistoryItem::ToolResult { text, .. } if text == "ok"));
        assert!(matches!(&history[3], HistoryItem::Assistant { blocks, .. } if blocks[0]["text"] == "Done."));
    }

    #[test]
    fn blocks_come_back_verbatim_from_the_journal() {
        let thinking = json!({"type":"thinking","thinking":"hm","signature":"sig=="});
        let rows = [
            row(json!({"id":"1","type":"user","content":"q"})),
            row(json!({"id":"2","type":"assistant","content":"a","turnId":"t"})),
        ];
        let journal = [
            started("t", "1"),
            JournalEntry::Step {
                turn: turn("t"),
                blocks: vec![thinking.clone(), json!({"type":"text","text":"a"})],
                family: "anthropic".into(),
            },
        ];
        let history = build(&rows, &journal, &Place::default());
        assert_eq!(history.len(), 2);
        assert!(matches!(&history[0], HistoryItem::User { context, .. } if context == &["ctx"]));
        assert!(matches!(&history[1], HistoryItem::Assistant { blocks, family } if blocks[0] == thinking && family == "anthropic"));
    }

    #[test]
    fn a_started_call_is_unknown_and_an_unstarted_one_not_executed() {
        let blocks = vec![
            json!({"type":"tool_use","id":"a","name":"x","input":{}}),
            json!({"type":"tool_use","id":"b","name":"y","input":{}}),
        ];
        let mut journal = vec![
            started("t", "1"),
            JournalEntry::Step {
                turn: turn("t"),
                blocks,
                family: "f".into(),
            },
            JournalEntry::ToolStarted {
                turn: turn("t"),
                call: call_id("a"),
            },
        ];
        let open = open_turn(&journal);
        let told: Vec<_> = open.calls.iter().map(|(c, text)| (c.id.as_str(), *text)).collect();
        assert_eq!(told, [("a", OUTCOME_UNKNOWN), ("b", NOT_EXECUTED)]);
        journal.push(JournalEntry::TurnEnded {
            turn: turn("t"),
            end: TurnEnd::Failed,
        });
        assert_eq!(open_turn(&journal), OpenTurn::default(), "an ended turn has nothing open");
    }

    #[test]
    fn the_fate_of_an_input_is_known_after_a_crash() {
        let mut rows = vec![row(json!({"id":"1","type":"user","content":"q"}))];
        assert_eq!(fate(&rows, &[], "1"), InputFate::New);
        let journal = [started("t", "1")];
        assert_eq!(fate(&rows, &journal, "1"), InputFate::Open(turn("t")));
        rows.push(row(json!({"id":"2","type":"assistant","content":"a","turnId":"t"})));
        assert_eq!(fate(&rows, &journal, "1"), InputFate::Ended(TurnEnd::Completed, Some("a".into())));
    }
}
