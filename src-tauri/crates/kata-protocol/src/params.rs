//! Parameters and results of the operations, in the order of the table in [`crate::ops`].

use crate::{
    Approval, ApprovalDecision, CallId, Delivery, DmPolicy, Json, Message, MessageId, PermissionMode, PluginId, PluginTemplate,
    ProviderSettings, QuietHours, SessionId, SessionState, SessionSummary, SourceId, StepOutcome, SubmitAttachment, TraceId, WorkspaceId,
};
use serde::{Deserialize, Serialize};

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

params! {
    /// No parameters, or nothing to say.
    Empty {}
    /// `log.tail`.
    #[derive(Default)]
    LogTail {
        /// At most this many, newest last; 200 when absent, 2000 at most.
        limit: Option<u32>,
        /// Lowest level: `error`, `warn`, `info`, `debug`.
        level: Option<String>,
        /// Only this plugin.
        plugin: Option<PluginId>,
    }
    /// `notice.dismiss`.
    NoticeDismiss {
        /// Notice.
        id: String,
    }
    /// `session.list`.
    #[derive(Default)]
    SessionList {
        /// Only this workspace.
        workspace: Option<WorkspaceId>,
        /// Only sessions with (true) or without (false) a channel.
        channel: Option<bool>,
        /// Words in name or preview.
        search: Option<String>,
        /// Only those in the archive (true) or not in it (false, and when absent).
        archived: Option<bool>,
        /// At most this many, newest first; 200 when absent, 1000 at most.
        limit: Option<u32>,
        /// Skip this many.
        offset: Option<u32>,
    }
    /// A page of sessions.
    SessionPage {
        /// Rows.
        sessions: Vec<SessionSummary>,
        /// Rows that match in all.
        total: u32,
    }
    /// `session.get`.
    SessionGet {
        /// Session.
        id: SessionId,
        /// At most this many newest messages; all when absent.
        limit: Option<u32>,
        /// Only messages before this one, for reading back.
        before: Option<MessageId>,
    }
    /// A session with its transcript.
    SessionDetail {
        /// Row.
        summary: SessionSummary,
        /// Messages, oldest first.
        messages: Vec<Message>,
        /// Messages before the first one here.
        earlier: u32,
        /// Tool calls that wait for a person.
        approvals: Vec<Approval>,
        /// What it is doing.
        state: SessionState,
    }
    /// `session.create`.
    #[derive(Default)]
    SessionCreate {
        /// Workspace; the active one when absent.
        workspace: Option<WorkspaceId>,
        /// Title.
        name: Option<String>,
        /// Provider id; the default one when absent.
        model: Option<String>,
        /// Permission mode; the workspace's when absent.
        mode: Option<PermissionMode>,
        /// Folder its tools work in, absolute; the workspace's when absent.
        working_directory: Option<String>,
        /// Agent profile of the routing table.
        profile: Option<String>,
    }
    /// `session.submit`.
    SessionSubmit {
        /// Session.
        id: SessionId,
        /// Text.
        text: String,
        /// What happens when it is busy.
        delivery: Option<Delivery>,
        /// A second submit with the same key in the same session is the same submit.
        idempotency_key: Option<String>,
        /// Files, at most 10.
        attachments: Option<Vec<SubmitAttachment>>,
    }
    /// The input is durable.
    SessionSubmitted {
        /// Row of the input.
        message: MessageId,
        /// Trace of its life.
        trace: TraceId,
    }
    /// Names a session.
    SessionRef {
        /// Session.
        id: SessionId,
    }
    /// `session.update`; absent fields stay.
    SessionUpdate {
        /// Session.
        id: SessionId,
        /// Title.
        name: Option<String>,
        /// Flag.
        flagged: Option<bool>,
        /// Status id.
        status: Option<String>,
        /// Labels.
        labels: Option<Vec<String>>,
        /// Read or unread.
        unread: Option<bool>,
        /// Permission mode.
        mode: Option<PermissionMode>,
        /// Provider id.
        model: Option<String>,
        /// Folder its tools work in, absolute.
        working_directory: Option<String>,
    }
    /// `session.approve`.
    SessionApprove {
        /// Session.
        id: SessionId,
        /// Call.
        call_id: CallId,
        /// Answer.
        decision: ApprovalDecision,
    }
    /// `model.set`.
    ModelSet {
        /// Settings; replaces a provider of the same id.
        settings: ProviderSettings,
        /// Key; kept in the secret store. Absent keeps the present one.
        api_key: Option<String>,
        /// Takes the key from this environment variable at each start instead.
        key_env: Option<String>,
        /// Whether new sessions use it.
        default: bool,
    }
    /// Names a provider.
    ModelRef {
        /// Provider.
        id: String,
    }
    /// Names a source.
    SourceRef {
        /// Source.
        id: SourceId,
    }
    /// `source.enable`.
    SourceEnable {
        /// Source.
        id: SourceId,
        /// On or off.
        enabled: bool,
        /// For one workspace only; absent for all of them.
        workspace: Option<WorkspaceId>,
    }
    /// `source.configure`.
    SourceConfigure {
        /// Source.
        id: SourceId,
        /// Settings; checked against the plugin's schema, an error names the field.
        settings: Json,
    }
    /// `source.secret`.
    SourceSecret {
        /// Source.
        id: SourceId,
        /// Name.
        name: String,
        /// Value; absent removes it.
        value: Option<String>,
    }
    /// Names a plugin.
    PluginRef {
        /// Plugin.
        id: PluginId,
    }
    /// `plugin.enable`.
    PluginEnable {
        /// Plugin.
        id: PluginId,
        /// On or off.
        enabled: bool,
    }
    /// `plugin.trust`.
    PluginTrust {
        /// Plugin.
        id: PluginId,
        /// Hash of the files that were looked at; refused when they are others by now.
        hash: String,
        /// Capabilities granted, out of those the manifest declares.
        capabilities: Vec<String>,
        /// Takes edits of this folder without asking; never new capabilities.
        development: Option<bool>,
        /// Remembers the key that signed it, so that the same author's updates carry over.
        remember_signer: Option<bool>,
    }
    /// `plugin.forget_signer`.
    PluginSignerRef {
        /// Key id, 16 hexadecimal digits, as `plugin.signers` shows it.
        key_id: String,
    }
    /// `plugin.revoke`.
    PluginRevoke {
        /// Plugin.
        id: PluginId,
        /// Capability to take back; the whole trust when absent.
        capability: Option<String>,
    }
    /// `plugin.install`.
    PluginInstall {
        /// Folder or `.tgz` on this machine, absolute.
        path: String,
        /// Replaces a plugin of the same id.
        replace: Option<bool>,
    }
    /// `plugin.create`.
    PluginCreate {
        /// Plugin, `[a-z0-9-]+`.
        id: PluginId,
        /// What it starts as.
        template: PluginTemplate,
        /// Name to show; made from the id when absent.
        name: Option<String>,
    }
    /// `plugin.configure`.
    PluginConfigure {
        /// Plugin.
        id: PluginId,
        /// Settings; checked against the plugin's schema, an error names the field.
        settings: Json,
    }
    /// `plugin.secret`.
    PluginSecret {
        /// Plugin.
        id: PluginId,
        /// Name.
        name: String,
        /// Value; absent removes it.
        value: Option<String>,
    }
    /// `plugin.inject`.
    PluginInject {
        /// Plugin.
        id: PluginId,
        /// Channel; may be left out when the plugin has one only.
        channel: Option<String>,
        /// Text.
        text: String,
        /// Sender's id; `author` when absent.
        sender: Option<String>,
        /// Conversation; `direct` when absent.
        conversation: Option<String>,
    }
    /// `command.run`.
    CommandRun {
        /// Without the slash.
        name: String,
        /// Everything after the name.
        args: String,
    }
    /// Names a pairing request.
    PairingRef {
        /// Code as shown.
        code: String,
    }
    /// `channel.policy`.
    ChannelPolicy {
        /// Source of kind `channel`.
        id: SourceId,
        /// Who may write; absent keeps the present policy.
        policy: Option<DmPolicy>,
        /// Senders on the allow-list; absent keeps them.
        allow: Option<Vec<String>>,
        /// Whether a group message must address the bot; absent keeps the present rule.
        require_mention: Option<bool>,
        /// Senders who may answer tool calls from the channel; absent keeps them.
        approvers: Option<Vec<String>>,
        /// Messages a minute from one sender, 1 to 10,000; absent keeps the present rule.
        per_minute_sender: Option<u32>,
        /// Messages a minute in one conversation, 1 to 10,000; absent keeps the present rule.
        per_minute_conversation: Option<u32>,
        /// Longest text of a message in bytes, 1 to 262,144; absent keeps the present rule.
        max_text: Option<u32>,
        /// Hours in which no turn starts, at most one span; absent keeps them, an empty list takes them away.
        quiet_hours: Option<Vec<QuietHours>>,
        /// Whether an answer is shown while it is written; absent keeps the present rule.
        previews: Option<bool>,
        /// Whether a message that waits behind another one gets a reaction; absent keeps the present rule.
        waiting_mark: Option<bool>,
        /// Conversations the agent may write to although nobody has written from there; absent keeps them.
        send_to: Option<Vec<String>>,
    }
    /// Policy in force.
    ChannelPolicyState {
        /// Who may write.
        policy: DmPolicy,
        /// Allow-list and paired senders.
        allow: Vec<String>,
        /// Whether a group message must address the bot.
        require_mention: bool,
        /// Senders who may answer tool calls from the channel.
        approvers: Vec<String>,
        /// Messages a minute from one sender.
        per_minute_sender: u32,
        /// Messages a minute in one conversation.
        per_minute_conversation: u32,
        /// Longest text of a message in bytes.
        max_text: u32,
        /// Hours in which no turn starts.
        quiet_hours: Option<QuietHours>,
        /// Whether an answer is shown while it is written, where the channel can.
        previews: bool,
        /// Whether a message that waits behind another one gets a reaction, where the channel can.
        waiting_mark: bool,
        /// Conversations the agent may write to although nobody has written from there.
        send_to: Vec<String>,
    }
    /// `trace.list`.
    #[derive(Default)]
    TraceList {
        /// Only this session.
        session: Option<SessionId>,
        /// Only those a plugin acted in.
        plugin: Option<PluginId>,
        /// Only those with a step that ended so.
        outcome: Option<StepOutcome>,
        /// Only those from here: a channel id, `desktop`, `cli`.
        origin: Option<String>,
        /// At most this many, newest first; 50 when absent, 500 at most.
        limit: Option<u32>,
    }
    /// Names a trace.
    TraceRef {
        /// Trace.
        id: TraceId,
    }
}
