//! Which conversation belongs to which session, and how the agent is in it: a pure function from a draft and the bindings in
//! force to a place.
//!
//! The most particular binding that takes a message decides: one for its thread before one for its conversation (with its
//! threads), its sender, its person, its chat type, its account, its channel, and the default. A binding with several fields
//! stands where its most particular field stands, then the next one. `table` makes bindings of a
//! [`kata_protocol::RoutingTable`] and refuses what cannot stand, `key` makes keys. Core never parses an id of a channel: it
//! compares and escapes, so that two different conversations can never meet, whatever the plugin puts into its ids.
//!
//! Deliberately absent: who may write ([`crate::ingress`]), and sessions ([`crate::path`]).

mod key;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use key::escape;
pub use key::{channel_of, person_of, session_channel};
pub(crate) use table::has_tool;
pub use table::{Bindings, Defaults, TableError, parse};

use kata_protocol::{ChannelId, ChatType, InboundDraft, Overlap, PermissionMode, Person, RouteStep, SessionKey, SessionScope, WorkspaceId};
use table::Rule;

/// How conversations go on: a binding with everything filled in that it leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Name in the table; absent for the default.
    pub id: Option<String>,
    /// Workspace of new sessions.
    pub workspace: WorkspaceId,
    /// Agent profile of new sessions.
    pub profile: Option<String>,
    /// Provider id; the default one when absent.
    pub model: Option<String>,
    /// Permission mode of new sessions.
    pub mode: PermissionMode,
    /// What shares a session.
    pub scope: SessionScope,
    /// Messages that come while the agent works.
    pub overlap: Overlap,
}

/// A draft with its place. Only [`route`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    key: SessionKey,
    binding: Binding,
    person: Option<String>,
}

impl Routed {
    /// The key.
    pub fn key(&self) -> &SessionKey {
        &self.key
    }
    /// What happens to it while the session is at work.
    pub fn overlap(&self) -> Overlap {
        self.binding.overlap
    }
    /// The binding that decided.
    pub fn binding(&self) -> &Binding {
        &self.binding
    }
    /// The person its sender is known as.
    pub fn person(&self) -> Option<&str> {
        self.person.as_deref()
    }
}

/// Finds the place of a draft. The error is the id type's own: a key longer than its bound, which no valid ids make.
pub fn route(bindings: &Bindings, channel: &ChannelId, draft: &InboundDraft) -> Result<Routed, kata_protocol::IdError> {
    decide(bindings, channel, draft, &mut |_, _, _| {})
}

/// [`route`], with each thing that was looked at on the way.
pub fn explain(bindings: &Bindings, channel: &ChannelId, draft: &InboundDraft) -> Result<(Routed, Vec<RouteStep>), kata_protocol::IdError> {
    let mut steps = Vec::new();
    let routed = decide(bindings, channel, draft, &mut |question, answer, decided| {
        steps.push(RouteStep {
            question: question(),
            answer: answer(),
            decided,
        });
    })?;
    Ok((routed, steps))
}

/// Told what is asked, what comes out, and whether that decides; the texts are made only where somebody reads them.
type Look<'a> = &'a mut dyn FnMut(&dyn Fn() -> String, &dyn Fn() -> String, bool);

fn decide(bindings: &Bindings, channel: &ChannelId, draft: &InboundDraft, look: Look<'_>) -> Result<Routed, kata_protocol::IdError> {
    let person = bindings.person(channel, draft);
    look(&|| "person".into(), &|| known_as(person), false);
    let mut taken = None;
    for rule in bindings.rules() {
        let against = mismatch(rule, channel, draft, person);
        look(
            &|| format!("binding {}", rule.id()),
            &|| match against {
                Some(field) => format!("does not take it: “{field}” is another one."),
                None => format!("takes it, by {}.", rule.fields()),
            },
            against.is_none(),
        );
        if against.is_none() {
            taken = Some(rule);
            break;
        }
    }
    let binding = bindings.place(channel, taken);
    if taken.is_none() {
        look(&|| "default".into(), &|| "no binding takes it: the default does.".into(), true);
    }
    look(&|| "scope".into(), &|| scope_in_words(binding.scope, draft, person), false);
    let key = key::of(channel, draft, binding.scope, person)?;
    look(&|| "key".into(), &|| key.to_string(), false);
    Ok(Routed {
        key,
        binding,
        person: person.map(|person| person.id.clone()),
    })
}

/// The first field of a binding that a message is not, the most particular one first.
fn mismatch(rule: &Rule, channel: &ChannelId, draft: &InboundDraft, person: Option<&Person>) -> Option<&'static str> {
    fn other<T: PartialEq>(wanted: &Option<T>, have: Option<&T>) -> bool {
        wanted.as_ref().is_some_and(|wanted| have != Some(wanted))
    }
    let wanted = rule.matches();
    let checks = [
        ("channel", other(&wanted.channel, Some(channel))),
        ("account", other(&wanted.account, Some(&draft.account))),
        ("conversation", other(&wanted.conversation, Some(&draft.conversation))),
        ("thread", other(&wanted.thread, draft.thread.as_ref())),
        ("sender", other(&wanted.sender, Some(&draft.sender.id))),
        ("person", other(&wanted.person, person.map(|person| &person.id))),
        ("chatType", other(&wanted.chat_type, Some(&draft.chat_type))),
    ];
    checks.into_iter().find(|(_, other)| *other).map(|(field, _)| field)
}

fn known_as(person: Option<&Person>) -> String {
    match person {
        Some(person) => match &person.name {
            Some(name) => format!("the sender is known as “{}” ({name}).", person.id),
            None => format!("the sender is known as “{}”.", person.id),
        },
        None => "the sender is nobody of the table.".into(),
    }
}

fn scope_in_words(scope: SessionScope, draft: &InboundDraft, person: Option<&Person>) -> String {
    let direct = draft.chat_type == ChatType::Direct;
    let threads = if draft.thread.is_some() {
        "one session for this thread."
    } else {
        "one session for the conversation; threads in it have their own."
    };
    match (scope, person) {
        (SessionScope::Thread, _) => format!("thread: {threads}"),
        (SessionScope::Conversation, _) => "conversation: one session for it with all its threads.".into(),
        (SessionScope::Sender, _) if direct => "sender: one session for this direct conversation.".into(),
        (SessionScope::Sender, _) => "sender: one session for this sender in the conversation.".into(),
        (SessionScope::Person, Some(person)) if direct => {
            format!(
                "person: one session for the direct conversations of “{}” over all channels.",
                person.id
            )
        }
        (SessionScope::Person, Some(_)) => format!("person, which counts in direct conversations only, so thread: {threads}"),
        (SessionScope::Person, None) => format!("person, and this one is not known, so thread: {threads}"),
    }
}
