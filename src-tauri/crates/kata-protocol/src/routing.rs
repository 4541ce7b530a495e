//! Where channel conversations go: bindings, agent profiles, people known over several channels, and the explanation of one
//! decision. The rules themselves stand in `kata_core::router`.

use crate::{
    AccountId, ChannelId, ChatType, ConversationId, InboundDraft, Ms, PermissionMode, RefusalCode, SenderId, SessionId, SessionKey,
    ThreadId, WorkspaceId,
};
use serde::{Deserialize, Serialize};

/// Which parts of a conversation share a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// One session for the conversation; one for each thread in it where the platform has threads.
    #[default]
    Thread,
    /// One session for the conversation with all its threads.
    Conversation,
    /// One session for each sender in the conversation.
    Sender,
    /// One session for a known person's direct conversations over all channels; as `thread` for everybody else and in groups.
    Person,
}

/// What happens to a channel's message that comes while the agent works in its session. Approvals and commands pass by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverlapPolicy {
    /// After the present turn, each in a turn of its own.
    #[default]
    Queue,
    /// Into the present turn, between tool calls.
    Steer,
    /// Those that come within the pause are one input, also while nothing runs.
    Collect,
    /// Stops the present turn first.
    Interrupt,
    /// Not taken; kept in the ledger as refused.
    Drop,
}

/// What happens when as many messages wait as may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// The newest is refused.
    #[default]
    RefuseNew,
    /// The oldest that waits is refused, and the newest takes its place.
    RefuseOld,
}

/// Overlap rule of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Overlap {
    /// What happens.
    pub policy: OverlapPolicy,
    /// Pause of `collect` in milliseconds, 100 to 60,000.
    pub collect_ms: u32,
    /// Messages that may wait in one session, 1 to 1,000.
    pub most: u32,
    /// What happens beyond that.
    pub when_full: WhenFull,
}

impl Default for Overlap {
    fn default() -> Self {
        Self {
            policy: OverlapPolicy::Queue,
            collect_ms: 1_500,
            most: 64,
            when_full: WhenFull::RefuseNew,
        }
    }
}

/// What a message must be for a binding to take it; an absent field takes anything. Ids are compared as the channel made them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct BindingMatch {
    /// Channel. Required where `account`, `conversation`, `thread` or `sender` is set: an id means nothing without its channel.
    pub channel: Option<ChannelId>,
    /// Account of the channel.
    pub account: Option<AccountId>,
    /// Kind of conversation.
    pub chat_type: Option<ChatType>,
    /// Conversation, with all its threads unless one has a binding of its own.
    pub conversation: Option<ConversationId>,
    /// Thread in `conversation`.
    pub thread: Option<ThreadId>,
    /// Sender, in whatever conversation.
    pub sender: Option<SenderId>,
    /// Known person, over all channels; excludes `sender`.
    pub person: Option<String>,
}

/// One rule. The most particular one that takes a message decides; see `kata_core::router` for the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Binding {
    /// Name, unique in the table, `[a-z0-9-]{1,64}`.
    pub id: String,
    /// What it takes.
    #[serde(rename = "match", default)]
    pub matches: BindingMatch,
    /// Workspace of new sessions; the default one when absent.
    #[serde(default)]
    pub workspace: Option<WorkspaceId>,
    /// Agent profile; the default one when absent.
    #[serde(default)]
    pub profile: Option<String>,
    /// What shares a session.
    #[serde(default)]
    pub scope: SessionScope,
    /// Messages that come while the agent works.
    #[serde(default)]
    pub overlap: Overlap,
}

/// How the agent is in the sessions of a binding. An absent field is the workspace's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AgentProfile {
    /// Name, unique in the table, `[a-z0-9-]{1,64}`.
    pub id: String,
    /// Name to show.
    pub name: Option<String>,
    /// Provider id.
    pub model: Option<String>,
    /// Permission mode of new sessions; `safe` when absent.
    pub mode: Option<PermissionMode>,
    /// Tools it has, by name or with one `*` at the end (`send_*`); all when absent.
    pub tools: Option<Vec<String>>,
    /// Tools it does not have; wins over `tools`.
    pub without_tools: Vec<String>,
    /// Added to the system prompt, at most 16 KiB.
    pub system_prompt: Option<String>,
}

/// One of a person's addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonAddress {
    /// Channel.
    pub channel: ChannelId,
    /// Account; any when absent.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// Sender.
    pub sender: SenderId,
}

/// A person known under several addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// Name, unique in the table, `[a-z0-9-]{1,64}`.
    pub id: String,
    /// Name to show.
    #[serde(default)]
    pub name: Option<String>,
    /// Addresses; one stands with one person only.
    pub addresses: Vec<PersonAddress>,
}

/// Everything that decides where a message goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RoutingTable {
    /// Workspace where no binding names one; the active workspace when absent.
    pub workspace: Option<WorkspaceId>,
    /// Profile where no binding names one.
    pub profile: Option<String>,
    /// Rules. Two that take the same messages are refused.
    pub bindings: Vec<Binding>,
    /// Agent profiles.
    pub profiles: Vec<AgentProfile>,
    /// Known people.
    pub people: Vec<Person>,
}

/// One thing that was looked at on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteStep {
    /// What was asked (`policy`, `person`, `binding support`, `scope`, `key`, `session`).
    pub question: String,
    /// What came out, in a sentence.
    pub answer: String,
    /// Whether it decided: the binding that was taken, the rule that refused.
    pub decided: bool,
}

/// Why a message goes where it goes. Nothing is written, counted or sent to find out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteExplanation {
    /// In the order of the path.
    pub steps: Vec<RouteStep>,
    /// Set where the message would be refused at the door.
    pub refusal: Option<RefusalCode>,
    /// Binding that decides; absent for the default.
    pub binding: Option<String>,
    /// Person the sender is known as.
    pub person: Option<String>,
    /// Key of the session.
    pub key: Option<SessionKey>,
    /// Its session, where there is one already.
    pub session: Option<SessionId>,
    /// Workspace.
    pub workspace: Option<WorkspaceId>,
    /// Profile.
    pub profile: Option<String>,
    /// Permission mode a new session would get.
    pub mode: PermissionMode,
    /// Overlap rule.
    pub overlap: Overlap,
}

/// `route.explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteExplain {
    /// Channel it would come from.
    pub channel: ChannelId,
    /// The message, as a channel hands it in.
    pub message: InboundDraft,
    /// A table that is not in force yet; the present one when absent.
    #[serde(default)]
    pub table: Option<RoutingTable>,
}

/// A conversation and its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RouteKey {
    /// Key.
    pub key: SessionKey,
    /// Session.
    pub session: SessionId,
    /// Title of the session.
    pub name: Option<String>,
    /// When a message last came in under it.
    pub last_at: Option<Ms>,
}

/// `route.join`: the conversation goes on in another session from its next message on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RouteJoin {
    /// Key of the conversation.
    pub key: SessionKey,
    /// Session it joins; a new one of its own when absent.
    pub session: Option<SessionId>,
}

/// Hours in which a channel starts no turn; what comes in waits until they end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuietHours {
    /// Begin, `HH:MM` on this machine's clock.
    pub from: String,
    /// End, `HH:MM`; before `from` means the next morning.
    pub until: String,
}

/// How often a channel refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusalCount {
    /// Channel.
    pub channel: ChannelId,
    /// Reason.
    pub code: RefusalCode,
    /// How often, within the time refused messages are kept.
    pub count: u32,
    /// The last time.
    pub last_at: Ms,
    /// Who it was then.
    pub last_sender: SenderId,
}
