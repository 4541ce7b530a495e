//! What the engine tells every client. The desktop gets these as one tauri-specta event, the gateway as frames.

use crate::{Health, Ms, PairingRequest, PluginId, ProviderSummary, SessionEvent, SessionId, SessionSummary, SourceSummary, TraceId};
use serde::{Deserialize, Serialize};

/// A fact. Facts are numbered by the hub; a client that reconnects gets those it missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(tag = "topic", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Fact {
    /// A session's list row changed.
    SessionChanged {
        /// New row.
        session: SessionSummary,
    },
    /// A session is gone.
    SessionRemoved {
        /// Session.
        id: SessionId,
    },
    /// A session said something.
    Session {
        /// Session.
        id: SessionId,
        /// What.
        event: SessionEvent,
    },
    /// A source changed.
    SourceChanged {
        /// New row.
        source: SourceSummary,
    },
    /// A plugin changed; ask for it again.
    PluginChanged {
        /// Plugin.
        id: PluginId,
    },
    /// A plugin says something to clients.
    PluginEvent {
        /// Plugin.
        id: PluginId,
        /// Name of the event, the plugin's own.
        name: String,
        /// Payload, at most 16 KiB.
        payload: crate::Json,
    },
    /// Somebody wants in.
    PairingRequested {
        /// Request.
        request: PairingRequest,
    },
    /// Pairing requests or paired people changed; ask for them again.
    PairingChanged {},
    /// The default model changed.
    ModelChanged {
        /// New default.
        model: Option<ProviderSummary>,
    },
    /// A trace is complete.
    TraceRecorded {
        /// Trace.
        id: TraceId,
        /// Session.
        session: Option<SessionId>,
        /// When it began.
        started_at: Ms,
    },
    /// A tool call waits for a person, or was answered; ask for the list again.
    ApprovalsChanged {},
    /// A source asks the person something, or was answered; ask for the list again.
    ElicitationsChanged {},
    /// A sign-in ended; `oauth.get` says how.
    OauthEnded {
        /// Sign-in.
        id: String,
        /// Source.
        source: crate::SourceId,
    },
    /// The routing table or a conversation's session changed.
    RoutesChanged {},
    /// A message did not get through, or one was tried again.
    LettersChanged {},
    /// What waits for the person changed; ask for the list again.
    AttentionChanged {},
    /// Devices or connections of the gateway changed; ask for them again.
    DevicesChanged {},
    /// An update came a step further; ask for its state.
    UpdateChanged {},
    /// Settings, workspaces, statuses, labels or skills changed; ask for them again.
    WorkspacesChanged {},
    /// The line of health changed.
    HealthChanged {
        /// New line.
        health: Health,
    },
}

impl Fact {
    /// Topic a client subscribes to.
    pub fn topic(&self) -> Topic {
        match self {
            Fact::SessionChanged { .. } | Fact::SessionRemoved { .. } => Topic::Sessions,
            Fact::Session { .. } => Topic::Session,
            Fact::SourceChanged { .. } => Topic::Sources,
            Fact::PluginChanged { .. } | Fact::PluginEvent { .. } => Topic::Plugins,
            Fact::PairingRequested { .. } | Fact::PairingChanged {} => Topic::Pairing,
            Fact::ModelChanged { .. } => Topic::Models,
            Fact::TraceRecorded { .. } => Topic::Traces,
            Fact::ApprovalsChanged {} | Fact::ElicitationsChanged {} => Topic::Approvals,
            Fact::OauthEnded { .. } => Topic::Sources,
            Fact::RoutesChanged {} => Topic::Routes,
            Fact::LettersChanged {} => Topic::Letters,
            Fact::AttentionChanged {} => Topic::Attention,
            Fact::DevicesChanged {} => Topic::Devices,
            Fact::UpdateChanged {} => Topic::Updates,
            Fact::WorkspacesChanged {} => Topic::Workspaces,
            Fact::HealthChanged { .. } => Topic::Health,
        }
    }
}

/// A group of facts; also what an operation makes stale in a client's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The session list.
    Sessions,
    /// What sessions say.
    Session,
    /// Sources.
    Sources,
    /// Plugins.
    Plugins,
    /// Pairing.
    Pairing,
    /// Models.
    Models,
    /// Traces.
    Traces,
    /// Tool calls that wait.
    Approvals,
    /// Bindings and session keys.
    Routes,
    /// Messages that did not get through.
    Letters,
    /// Health.
    Health,
    /// Workspaces, their statuses, labels and skills; settings.
    Workspaces,
    /// What waits for the person.
    Attention,
    /// Devices and connections of the gateway.
    Devices,
    /// Updates.
    Updates,
}

/// A numbered fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
pub struct NumberedFact {
    /// Number, from 1, without gaps within one boot.
    pub seq: crate::Count,
    /// Fact.
    pub fact: Fact,
}
