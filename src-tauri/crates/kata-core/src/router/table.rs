//! From a routing table to the bindings in force. What cannot stand is refused whole, with its place and its field.

use super::Binding;
use kata_protocol::{
    AgentProfile, BindingMatch, ChannelId, InboundDraft, Overlap, PermissionMode, Person, RoutingTable, SenderId, SessionScope, WorkspaceId,
};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

/// Bindings, profiles and people a table may have, each.
const MOST: usize = 1_000;
/// Longest addition to the system prompt, bytes.
const MAX_PROMPT: usize = 16 * 1024;

/// Why a table cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// One field of one entry.
    #[error("{place}, field “{field}”: {problem}")]
    Field {
        /// Entry (`binding “support”`, `person “ada”`, `the table`).
        place: String,
        /// Field as it is written.
        field: String,
        /// What is wrong, and what it may be.
        problem: String,
    },
    /// Two bindings for the same messages.
    #[error("bindings “{first}” and “{second}” take the same messages ({by}); take one away, or give one of them another field of “match”")]
    Tie {
        /// The one that stands first.
        first: String,
        /// The other.
        second: String,
        /// What they have in common.
        by: String,
    },
}

impl TableError {
    /// About one field.
    pub fn field(place: impl Into<String>, field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field {
            place: place.into(),
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// Workspace, provider and mode that a channel has of its own.
pub(crate) type OwnSettings = (Option<WorkspaceId>, Option<String>, Option<PermissionMode>);

/// What a source's own settings say for its channel, and the workspace of last resort.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// Workspace where neither table nor source names one.
    pub workspace: WorkspaceId,
    /// Workspace, provider and mode by channel.
    pub channels: HashMap<ChannelId, OwnSettings>,
}

impl Defaults {
    /// Everything into one workspace.
    pub fn new(workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            channels: HashMap::new(),
        }
    }
}

/// The bindings in force. Only [`Bindings::compile`] makes them.
#[derive(Clone, Debug)]
pub struct Bindings {
    table: Arc<RoutingTable>,
    defaults: Defaults,
    /// The most particular one first.
    rules: Vec<Rule>,
    /// Addresses with their person's place in the table.
    people: HashMap<(ChannelId, SenderId), Vec<(usize, usize)>>,
    profiles: HashMap<String, usize>,
}

/// A binding of the table with its rank.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    rank: u8,
    table: Arc<RoutingTable>,
    at: usize,
}

impl Rule {
    fn binding(&self) -> &kata_protocol::Binding {
        &self.table.bindings[self.at]
    }
    pub(super) fn id(&self) -> &str {
        &self.binding().id
    }
    pub(super) fn matches(&self) -> &BindingMatch {
        &self.binding().matches
    }
    /// Its fields in words.
    pub(super) fn fields(&self) -> String {
        fields(self.matches())
    }
}

/// Fields that are set, the most particular one first, with the weight that makes the order lexicographic.
fn set_fields(m: &BindingMatch) -> impl Iterator<Item = (u8, &'static str)> {
    let fields = [
        (64, "thread", m.thread.is_some()),
        (32, "conversation", m.conversation.is_some()),
        (16, "sender", m.sender.is_some()),
        (8, "person", m.person.is_some()),
        (4, "chatType", m.chat_type.is_some()),
        (2, "account", m.account.is_some()),
        (1, "channel", m.channel.is_some()),
    ];
    fields
        .into_iter()
        .filter(|(_, _, set)| *set)
        .map(|(weight, name, _)| (weight, name))
}

fn rank(m: &BindingMatch) -> u8 {
    set_fields(m).map(|(weight, _)| weight).sum()
}

fn fields(m: &BindingMatch) -> String {
    let names: Vec<_> = set_fields(m).map(|(_, name)| name).collect();
    if names.is_empty() {
        "taking everything".into()
    } else {
        names.join(", ")
    }
}

impl Bindings {
    /// Checks a table and puts its bindings in order.
    ///
    /// # Errors
    /// [`TableError`]: the first thing that cannot stand.
    pub fn compile(table: RoutingTable, defaults: Defaults) -> Result<Self, TableError> {
        for (name, count) in [
            ("bindings", table.bindings.len()),
            ("profiles", table.profiles.len()),
            ("people", table.people.len()),
        ] {
            if count > MOST {
                return Err(TableError::field(
                    "the table",
                    name,
                    format!("{count} are too many, at most {MOST}"),
                ));
            }
        }
        let profiles = unique("profile", table.profiles.iter().map(|profile| profile.id.as_str()))?;
        table.profiles.iter().try_for_each(check_profile)?;
        let known_people = unique("person", table.people.iter().map(|person| person.id.as_str()))?;
        let people = addresses(&table.people)?;
        unique("binding", table.bindings.iter().map(|binding| binding.id.as_str()))?;
        if let Some(profile) = table.profile.as_ref().filter(|profile| !profiles.contains_key(*profile)) {
            return Err(no_profile("the table", profile));
        }
        let mut takes: HashMap<&BindingMatch, &str> = HashMap::new();
        for binding in &table.bindings {
            check_binding(binding, &profiles, &known_people)?;
            // Fields compare for equality only, so two bindings meet on one rank exactly where they are the same.
            if let Some(first) = takes.insert(&binding.matches, &binding.id) {
                return Err(TableError::Tie {
                    first: first.to_owned(),
                    second: binding.id.clone(),
                    by: fields(&binding.matches),
                });
            }
        }
        let table = Arc::new(table);
        let mut rules: Vec<_> = (0..table.bindings.len())
            .map(|at| Rule {
                rank: rank(&table.bindings[at].matches),
                table: Arc::clone(&table),
                at,
            })
            .collect();
        // By id among those of one rank: they never take the same message, and an explanation reads the same in any order.
        rules.sort_by(|a, b| b.rank.cmp(&a.rank).then_with(|| a.id().cmp(b.id())));
        Ok(Self {
            table,
            defaults,
            rules,
            people,
            profiles,
        })
    }

    /// Everything to the defaults.
    pub fn plain(defaults: Defaults) -> Self {
        Self {
            table: Arc::default(),
            defaults,
            rules: Vec::new(),
            people: HashMap::new(),
            profiles: HashMap::new(),
        }
    }

    /// The table it was made of.
    pub fn table(&self) -> &RoutingTable {
        &self.table
    }

    /// What the sources' own settings and the active workspace say.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// Workspace where nothing names one.
    pub fn workspace(&self) -> &WorkspaceId {
        self.table.workspace.as_ref().unwrap_or(&self.defaults.workspace)
    }

    /// A profile.
    pub fn profile(&self, id: &str) -> Option<&AgentProfile> {
        self.profiles.get(id).map(|at| &self.table.profiles[*at])
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The person a sender is known as.
    pub(super) fn person(&self, channel: &ChannelId, draft: &InboundDraft) -> Option<&Person> {
        if self.people.is_empty() {
            return None;
        }
        let known = self.people.get(&(channel.clone(), draft.sender.id.clone()))?;
        let mut known = known.iter().map(|(person, address)| (&self.table.people[*person], *address));
        let here = |(person, address): &(&Person, usize)| {
            let account = person.addresses[*address].account.as_ref();
            account.is_none_or(|account| *account == draft.account)
        };
        known.find(here).map(|(person, _)| person)
    }

    /// A binding with what it leaves open filled in: from its profile, then its channel's settings, then the table.
    pub(super) fn place(&self, channel: &ChannelId, rule: Option<&Rule>) -> Binding {
        let binding = rule.map(Rule::binding);
        let (workspace, model, mode) = match self.defaults.channels.get(channel) {
            Some((workspace, model, mode)) => (workspace.as_ref(), model.as_ref(), *mode),
            None => (None, None, None),
        };
        let profile = binding.and_then(|binding| binding.profile.as_ref()).or(self.table.profile.as_ref());
        let found = profile.and_then(|profile| self.profile(profile));
        let workspace = binding.and_then(|binding| binding.workspace.as_ref()).or(workspace);
        Binding {
            id: binding.map(|binding| binding.id.clone()),
            workspace: workspace.unwrap_or_else(|| self.workspace()).clone(),
            profile: profile.cloned(),
            model: found.and_then(|profile| profile.model.as_ref()).or(model).cloned(),
            mode: found.and_then(|profile| profile.mode).or(mode).unwrap_or(PermissionMode::Safe),
            scope: binding.map_or(SessionScope::Thread, |binding| binding.scope),
            overlap: binding.map_or_else(Overlap::default, |binding| binding.overlap),
        }
    }
}

/// Names with their places; each is well formed and stands once.
fn unique<'a>(kind: &str, ids: impl Iterator<Item = &'a str>) -> Result<HashMap<String, usize>, TableError> {
    let mut places = HashMap::new();
    for (at, id) in ids.enumerate() {
        let letters = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if id.is_empty() || id.len() > 64 || !letters {
            let problem = "a name is 1 to 64 small letters, digits and dashes";
            return Err(TableError::field(format!("{kind} “{id}”"), "id", problem));
        }
        if places.insert(id.to_owned(), at).is_some() {
            return Err(TableError::field(format!("{kind} “{id}”"), "id", "the name stands twice"));
        }
    }
    Ok(places)
}

fn no_profile(place: impl Into<String>, profile: &str) -> TableError {
    TableError::field(place, "profile", format!("there is no profile “{profile}” in “profiles”"))
}

fn check_profile(profile: &AgentProfile) -> Result<(), TableError> {
    let wrong = |field: &str, problem: String| Err(TableError::field(format!("profile “{}”", profile.id), field, problem));
    if let Some(prompt) = profile.system_prompt.as_ref().filter(|prompt| prompt.len() > MAX_PROMPT) {
        let problem = format!("{} bytes are too many, at most {MAX_PROMPT}", prompt.len());
        return wrong("systemPrompt", problem);
    }
    let lists = [
        ("tools", profile.tools.as_deref().unwrap_or_default()),
        ("withoutTools", &profile.without_tools),
    ];
    for (field, patterns) in lists {
        for pattern in patterns {
            let name = pattern.strip_suffix('*').unwrap_or(pattern);
            if pattern.is_empty() || pattern.len() > 256 || name.contains('*') {
                return wrong(
                    field,
                    format!("“{pattern}” is neither a tool's name nor one with a single * at its end"),
                );
            }
        }
    }
    Ok(())
}

/// Places of addresses (person, address) by channel and sender.
type Addresses = HashMap<(ChannelId, SenderId), Vec<(usize, usize)>>;

/// Addresses by channel and sender; none stands with two people.
fn addresses(people: &[Person]) -> Result<Addresses, TableError> {
    let mut known = Addresses::new();
    for (at, person) in people.iter().enumerate() {
        for (number, address) in person.addresses.iter().enumerate() {
            let others = known.entry((address.channel.clone(), address.sender.clone())).or_default();
            for (other, other_number) in others.iter().filter(|(other, _)| *other != at) {
                let account = people[*other].addresses[*other_number].account.as_ref();
                if account.is_none() || address.account.is_none() || account == address.account.as_ref() {
                    let problem = format!(
                        "sender “{}” of channel “{}” stands with person “{}” already",
                        address.sender, address.channel, people[*other].id
                    );
                    return Err(TableError::field(
                        format!("person “{}”", person.id),
                        format!("addresses[{number}]"),
                        problem,
                    ));
                }
            }
            others.push((at, number));
        }
    }
    Ok(known)
}

fn check_binding(
    binding: &kata_protocol::Binding,
    profiles: &HashMap<String, usize>,
    people: &HashMap<String, usize>,
) -> Result<(), TableError> {
    let place = || format!("binding “{}”", binding.id);
    let wrong = |field: &str, problem: String| Err(TableError::field(place(), field, problem));
    let m = &binding.matches;
    let ids = [
        ("match.account", m.account.is_some()),
        ("match.conversation", m.conversation.is_some()),
        ("match.thread", m.thread.is_some()),
        ("match.sender", m.sender.is_some()),
    ];
    if let (None, Some((field, _))) = (&m.channel, ids.iter().find(|(_, set)| *set)) {
        return wrong(field, "an id means nothing without its channel; add “channel”".into());
    }
    if m.thread.is_some() && m.conversation.is_none() {
        return wrong("match.thread", "a thread is one of a conversation; add “conversation”".into());
    }
    if let Some(person) = &m.person {
        if m.sender.is_some() {
            return wrong("match.person", "a binding is for a person or for a sender, not for both".into());
        }
        if !people.contains_key(person) {
            return wrong("match.person", format!("there is no person “{person}” in “people”"));
        }
    }
    if let Some(profile) = binding.profile.as_ref().filter(|profile| !profiles.contains_key(*profile)) {
        return Err(no_profile(place(), profile));
    }
    let Overlap { collect_ms, most, .. } = binding.overlap;
    if !(100..=60_000).contains(&collect_ms) {
        return wrong("overlap.collectMs", format!("{collect_ms} is out of bounds, 100 to 60,000"));
    }
    if !(1..=1_000).contains(&most) {
        return wrong("overlap.most", format!("{most} is out of bounds, 1 to 1,000"));
    }
    Ok(())
}

/// A table as it stands in a file. An error names the entry, which the format's own errors do not. Fields of the table that
/// are not known here (a newer version's) are passed over; those of an entry are not, since a rule that is half understood
/// would send messages elsewhere.
///
/// # Errors
/// [`TableError::Field`].
pub fn parse(value: &Map<String, Value>) -> Result<RoutingTable, TableError> {
    fn one<T: serde::de::DeserializeOwned>(place: impl Display, field: &str, value: &Value) -> Result<T, TableError> {
        T::deserialize(value).map_err(|error| TableError::field(place.to_string(), field, error.to_string()))
    }
    fn list<T: serde::de::DeserializeOwned>(value: &Map<String, Value>, field: &str, kind: &str) -> Result<Vec<T>, TableError> {
        let entries = match value.get(field) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(TableError::field("the table", field, "it must be a list")),
        };
        let parsed = entries.iter().enumerate().map(|(at, entry)| {
            let place = match entry.get("id").and_then(Value::as_str) {
                Some(id) => format!("{kind} “{id}”"),
                None => format!("{kind} number {}", at + 1),
            };
            let Some(fields) = entry.as_object() else {
                return Err(TableError::field(place, field, "each entry must be an object"));
            };
            T::deserialize(entry).map_err(|error| {
                let problem = error.to_string();
                // The format quotes the field it stumbled over, or none.
                let named = problem.split('`').nth(1).map(str::to_owned);
                let culprit = fields.keys().find(|key| breaks::<T>(fields, key)).cloned();
                TableError::field(place, culprit.or(named).unwrap_or_else(|| field.to_owned()), problem)
            })
        });
        parsed.collect()
    }
    /// Whether an entry can be read, or fails elsewhere, without this field.
    fn breaks<T: serde::de::DeserializeOwned>(fields: &Map<String, Value>, key: &str) -> bool {
        let without: Map<_, _> = fields
            .iter()
            .filter(|(name, _)| *name != key)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        T::deserialize(Value::Object(without)).is_ok()
    }
    let table = RoutingTable {
        workspace: value
            .get("workspace")
            .map_or(Ok(None), |value| one("the table", "workspace", value))?,
        profile: value.get("profile").map_or(Ok(None), |value| one("the table", "profile", value))?,
        bindings: list(value, "bindings", "binding")?,
        profiles: list(value, "profiles", "profile")?,
        people: list(value, "people", "person")?,
    };
    Ok(table)
}

/// Whether a profile has a tool: it is on the list where there is one, and not among those it is without.
pub(crate) fn has_tool(profile: &AgentProfile, tool: &str) -> bool {
    let is = |pattern: &String| match pattern.strip_suffix('*') {
        Some(beginning) => tool.starts_with(beginning),
        None => pattern == tool,
    };
    profile.tools.as_ref().is_none_or(|tools| tools.iter().any(is)) && !profile.without_tools.iter().any(is)
}

impl Bindings {
    /// Workspaces that are named, each with the place and the field for an error.
    pub fn named_workspaces(&self) -> Vec<(String, WorkspaceId)> {
        let mut seen = HashSet::new();
        let of_table = self.table.workspace.iter().map(|workspace| ("the table".to_owned(), workspace));
        let of_bindings = self.table.bindings.iter();
        let of_bindings = of_bindings.filter_map(|b| Some((format!("binding “{}”", b.id), b.workspace.as_ref()?)));
        of_table
            .chain(of_bindings)
            .filter(|(_, workspace)| seen.insert((*workspace).clone()))
            .map(|(place, workspace)| (place, workspace.clone()))
            .collect()
    }
}
