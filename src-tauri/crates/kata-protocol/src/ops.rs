//! The one table of operations.
//!
//! [`with_operations!`](crate::with_operations) hands the table to a macro; the engine's trait and dispatch, the desktop's
//! commands and the generated TypeScript are all expansions of it. To add an operation, add a row and run `cargo xtask gen`.
//!
//! A row: `method_name "wire.name" (Params) -> Result, scope, [topics it makes stale];`

use crate::{Scope, Topic};

/// Calls `$callback! { rows }` with the table.
#[macro_export]
macro_rules! with_operations {
    ($($callback:ident)::+) => {
        $($callback)::+! {
            /// Version, health, model, notices, ledger.
            system_status "system.status" (Empty) -> SystemStatus, Read, [];
            /// Ends the program after draining.
            system_shutdown "system.shutdown" (Empty) -> Empty, Admin, [];
            /// Settings in force and where each comes from.
            settings_list "settings.list" (Empty) -> Vec<SettingValue>, Read, [];
            /// Newest log lines.
            log_tail "log.tail" (LogTail) -> Vec<LogRecord>, Read, [];
            /// Takes a notice away.
            notice_dismiss "notice.dismiss" (NoticeDismiss) -> Empty, Admin, [Health];
            /// Workspaces with their statuses and labels.
            workspace_list "workspace.list" (Empty) -> Vec<WorkspaceSummary>, Read, [];
            /// Sessions, newest first.
            session_list "session.list" (SessionList) -> SessionPage, Read, [];
            /// One session with its transcript.
            session_get "session.get" (SessionGet) -> SessionDetail, Read, [];
            /// A new session.
            session_create "session.create" (SessionCreate) -> SessionSummary, Chat, [Sessions];
            /// Input for a session; answers when it is durable.
            session_submit "session.submit" (SessionSubmit) -> SessionSubmitted, Chat, [Sessions];
            /// Stops the present turn.
            session_interrupt "session.interrupt" (SessionRef) -> Empty, Chat, [];
            /// Runs an interrupted or failed input again.
            session_resend "session.resend" (SessionRef) -> SessionSubmitted, Chat, [Sessions];
            /// Title, flag, status, labels, mode, model.
            session_update "session.update" (SessionUpdate) -> SessionSummary, Chat, [Sessions];
            /// Answers a tool call that waits.
            session_approve "session.approve" (SessionApprove) -> ApprovalOutcome, Approve, [Approvals];
            /// A file of a message.
            session_attachment "session.attachment" (SessionAttachmentRef) -> AttachmentData, Read, [];
            /// Messages of all sessions that have these words.
            session_search "session.search" (SessionSearch) -> SearchPage, Read, [];
            /// Into the archive or out of it.
            session_archive "session.archive" (SessionArchive) -> SessionSummary, Chat, [Sessions];
            /// Deletes a session's folder; it must be in the archive.
            session_delete "session.delete" (SessionRef) -> Empty, Admin, [Sessions, Routes];
            /// The conversation of this session begins a new one with its next message.
            session_reset "session.reset" (SessionRef) -> Empty, Chat, [Sessions, Routes];
            /// Tool calls that wait for a person, oldest first.
            approval_list "approval.list" (ApprovalList) -> Vec<Approval>, Read, [];
            /// Answers one by its code; the first answer counts.
            approval_answer "approval.answer" (ApprovalAnswer) -> ApprovalOutcome, Approve, [Approvals];
            /// Plans that agents have handed in and that wait, oldest first.
            plan_list "plan.list" (PlanList) -> Vec<Plan>, Read, [];
            /// Answers a plan: it is carried out, or the agent is told what should be different. The first answer counts.
            plan_answer "plan.answer" (PlanAnswer) -> PlanOutcome, Approve, [Approvals, Sessions];
            /// Rules in force in a workspace.
            permission_list "permission.list" (PermissionList) -> PermissionState, Read, [];
            /// Takes back what a person answered with “always”.
            permission_forget "permission.forget" (PermissionForget) -> PermissionState, Admin, [Approvals];
            /// How a call would be judged.
            permission_explain "permission.explain" (PermissionExplain) -> PermissionExplanation, Read, [];
            /// Bindings, profiles and people.
            route_get "route.get" (Empty) -> RoutingTable, Read, [];
            /// Puts another table in force; refused whole where a rule cannot stand.
            route_set "route.set" (RoutingTable) -> RoutingTable, Admin, [Routes];
            /// Why a message would go where it would go.
            route_explain "route.explain" (RouteExplain) -> RouteExplanation, Read, [];
            /// Conversations with their sessions, newest first, at most 1,000.
            route_keys "route.keys" (Empty) -> Vec<RouteKey>, Read, [];
            /// A conversation goes on in another session.
            route_join "route.join" (RouteJoin) -> RouteKey, Admin, [Routes, Sessions];
            /// Refused messages, counted by channel and reason.
            refusal_list "refusal.list" (Empty) -> Vec<RefusalCount>, Read, [];
            /// Messages that did not get through, newest first, at most 500.
            letter_list "letter.list" (Empty) -> Vec<Letter>, Read, [];
            /// Tries one again: a reply is sent, an inbound message handled.
            letter_retry "letter.retry" (LetterRef) -> Empty, Admin, [Letters];
            /// Gives one up for good; it stays in the ledger.
            letter_discard "letter.discard" (LetterRef) -> Empty, Admin, [Letters];
            /// Rules for tidying up sessions.
            hygiene_get "hygiene.get" (Empty) -> HygieneRules, Read, [];
            /// Sets them.
            hygiene_set "hygiene.set" (HygieneRules) -> HygieneRules, Admin, [];
            /// What tidying up would do now.
            hygiene_preview "hygiene.preview" (HygienePreview) -> HygienePlan, Read, [];
            /// Does it.
            hygiene_run "hygiene.run" (Empty) -> HygienePlan, Admin, [Sessions, Routes];
            /// Reads the list of sessions, the keys and the search index anew from the files.
            index_rebuild "index.rebuild" (Empty) -> IndexRebuilt, Admin, [Sessions, Routes];
            /// Every hook event with its handlers in order.
            hook_list "hook.list" (Empty) -> Vec<HookEvent>, Read, [];
            /// Providers that are set up.
            model_list "model.list" (Empty) -> Vec<ProviderSummary>, Read, [];
            /// Models found on this machine; asks loopback addresses only, spends nothing.
            model_detect "model.detect" (Empty) -> Vec<DetectedModel>, Admin, [];
            /// Sets a provider up.
            model_set "model.set" (ModelSet) -> ProviderSummary, Admin, [Models];
            /// Takes a provider away, with its key.
            model_remove "model.remove" (ModelRef) -> Empty, Admin, [Models];
            /// Asks a provider for one word.
            model_test "model.test" (ModelRef) -> ProviderSummary, Admin, [Models];
            /// Every source of every kind.
            source_list "source.list" (Empty) -> Vec<SourceSummary>, Read, [];
            /// One source.
            source_get "source.get" (SourceRef) -> SourceDetail, Read, [];
            /// Switches a source on or off.
            source_enable "source.enable" (SourceEnable) -> SourceSummary, Admin, [Sources];
            /// Stops and starts a source.
            source_restart "source.restart" (SourceRef) -> SourceSummary, Admin, [Sources];
            /// Changes a source's settings.
            source_configure "source.configure" (SourceConfigure) -> SourceDetail, Admin, [Sources];
            /// Sets or removes a source's secret.
            source_secret "source.secret" (SourceSecret) -> SourceDetail, Admin, [Sources];
            /// A new source of type `mcp`, `api` or `local`.
            source_add "source.add" (SourceAdd) -> SourceDetail, Admin, [Sources];
            /// Takes such a source away: its folder goes to `sources/.trash` of its workspace, its secrets go for good.
            source_remove "source.remove" (SourceRef) -> Empty, Admin, [Sources];
            /// Asks the other side whether the source could work, apart from what runs.
            source_test "source.test" (SourceRef) -> Probe, Admin, [Sources];
            /// The files of a source that is set up by files.
            source_document "source.document" (SourceRef) -> SourceDocument, Read, [];
            /// Changes them.
            source_write "source.write" (SourceWrite) -> SourceDocument, Admin, [Sources];
            /// A source's tools, and how a call of each would be judged.
            source_tools "source.tools" (SourceRef) -> Vec<SourceTool>, Read, [];
            /// Runs a tool by hand.
            tool_try "tool.try" (ToolTry) -> ToolTried, Admin, [];
            /// Questions of sources that wait for the person.
            elicitation_list "elicitation.list" (Empty) -> Vec<Elicitation>, Read, [];
            /// Answers one; the first answer counts.
            elicitation_answer "elicitation.answer" (ElicitationAnswer) -> Empty, Approve, [Approvals];
            /// Providers people sign in at.
            oauth_providers "oauth.providers" (Empty) -> Vec<OauthProvider>, Read, [];
            /// Adds or changes a provider.
            oauth_configure "oauth.configure" (OauthConfigure) -> OauthProvider, Admin, [Sources];
            /// Forgets a provider, or brings a preset back.
            oauth_remove "oauth.remove" (OauthProviderRef) -> Empty, Admin, [Sources];
            /// Begins a sign-in for a source.
            oauth_begin "oauth.begin" (OauthBegin) -> OauthSignIn, Admin, [Sources];
            /// How a sign-in stands.
            oauth_get "oauth.get" (OauthSignInRef) -> OauthSignIn, Admin, [];
            /// Gives a sign-in up.
            oauth_cancel "oauth.cancel" (OauthSignInRef) -> Empty, Admin, [];
            /// Accounts that are signed in.
            oauth_accounts "oauth.accounts" (Empty) -> Vec<OauthAccount>, Read, [];
            /// Gives a source's account back at the provider, and forgets it here.
            oauth_revoke "oauth.revoke" (SourceRef) -> SourceSummary, Admin, [Sources];
            /// Who may write to a channel; without changes it only answers.
            channel_policy "channel.policy" (ChannelPolicy) -> ChannelPolicyState, Admin, [Sources, Pairing];
            /// The step of a channel's set-up to show now; with an answer, the step after it.
            channel_setup "channel.setup" (ChannelSetup) -> SetupStep, Admin, [Sources];
            /// Asks the platform whether the channel could work, apart from the running connection.
            channel_probe "channel.probe" (SourceRef) -> Probe, Read, [];
            /// What a person should know before they open the channel to others.
            channel_audit "channel.audit" (SourceRef) -> Vec<SecurityWarning>, Read, [];
            /// People and groups the channel knows of.
            channel_directory "channel.directory" (SourceRef) -> ChannelDirectory, Read, [];
            /// Signs a channel's account out at the platform.
            channel_logout "channel.logout" (SourceRef) -> SourceSummary, Admin, [Sources];
            /// A further account of a channel, with settings, secrets and state of its own; switched off until it is set up.
            account_add "account.add" (AccountAdd) -> SourceSummary, Admin, [Sources, Plugins];
            /// Takes a further account away, with its settings and secrets.
            account_remove "account.remove" (SourceRef) -> Empty, Admin, [Sources, Plugins];
            /// Plugins.
            plugin_list "plugin.list" (Empty) -> Vec<PluginSummary>, Read, [];
            /// Loads a plugin again; the old generation serves until the new one stands.
            plugin_reload "plugin.reload" (PluginRef) -> PluginSummary, Admin, [Plugins, Sources];
            /// Switches a plugin on or off.
            plugin_enable "plugin.enable" (PluginEnable) -> PluginSummary, Admin, [Plugins, Sources];
            /// One plugin: files, capabilities, grant, what changed, what it registered.
            plugin_get "plugin.get" (PluginRef) -> PluginDetail, Read, [];
            /// Folders that are looked through, and the candidates that were not taken, with the reason.
            plugin_discovery "plugin.discovery" (Empty) -> PluginDiscovery, Read, [];
            /// Trusts the files with this hash and grants capabilities; then it can be switched on.
            plugin_trust "plugin.trust" (PluginTrust) -> PluginSummary, Admin, [Plugins, Sources];
            /// Takes one capability or the whole trust back, at once.
            plugin_revoke "plugin.revoke" (PluginRevoke) -> PluginSummary, Admin, [Plugins, Sources];
            /// Signing keys a person chose to remember.
            plugin_signers "plugin.signers" (Empty) -> Vec<PluginSigner>, Read, [];
            /// Forgets a remembered signing key: what it signs next is by an unknown signer. Trusted files stay trusted.
            plugin_forget_signer "plugin.forget_signer" (PluginSignerRef) -> Vec<PluginSigner>, Admin, [Plugins];
            /// Copies a folder or a .tgz into the extensions folder. It waits there until it is trusted.
            plugin_install "plugin.install" (PluginInstall) -> PluginDetail, Admin, [Plugins, Sources];
            /// Moves a plugin's folder out of the extensions folder and takes its trust back; its state stays.
            plugin_uninstall "plugin.uninstall" (PluginRef) -> Empty, Admin, [Plugins, Sources];
            /// Writes a new plugin into the extensions folder, in development mode.
            plugin_create "plugin.create" (PluginCreate) -> PluginDetail, Admin, [Plugins, Sources];
            /// Changes a plugin's settings.
            plugin_configure "plugin.configure" (PluginConfigure) -> PluginDetail, Admin, [Plugins, Sources];
            /// Sets or removes a plugin's secret.
            plugin_secret "plugin.secret" (PluginSecret) -> PluginDetail, Admin, [Plugins, Sources];
            /// Hands a message in as if a plugin's channel had brought it; for authors.
            plugin_inject "plugin.inject" (PluginInject) -> PluginInjected, Admin, [];
            /// Slash commands on offer.
            command_list "command.list" (Empty) -> Vec<CommandInfo>, Read, [];
            /// Runs a slash command.
            command_run "command.run" (CommandRun) -> CommandOutput, Chat, [];
            /// Tools on offer.
            tool_list "tool.list" (Empty) -> Vec<ToolInfo>, Read, [];
            /// People who wait for approval.
            pairing_list "pairing.list" (Empty) -> Vec<PairingRequest>, Read, [];
            /// Lets a person in.
            pairing_approve "pairing.approve" (PairingRef) -> PairingRequest, Approve, [Pairing];
            /// Turns a person away.
            pairing_deny "pairing.deny" (PairingRef) -> Empty, Approve, [Pairing];
            /// Newest traces.
            trace_list "trace.list" (TraceList) -> Vec<Trace>, Read, [];
            /// One trace.
            trace_get "trace.get" (TraceRef) -> Trace, Read, [];
            /// One trace as text for a report, without what was written.
            trace_report "trace.report" (TraceRef) -> TraceReport, Read, [];
            /// What is traced, and how the export stands.
            trace_rules "trace.rules" (Empty) -> TraceState, Read, [];
            /// Changes what is traced.
            trace_configure "trace.configure" (TraceRules) -> TraceState, Admin, [Traces];
            /// How the program starts and who brings it back.
            system_background "system.background" (Empty) -> Background, Read, [];
            /// Starts it at login and after a crash, or no longer.
            system_background_set "system.background_set" (BackgroundSet) -> Background, Admin, [Health];
            /// Pauses all channels, or goes on; what waits is kept.
            system_pause "system.pause" (SystemPause) -> PauseState, Admin, [Health];
            /// Drains and starts again.
            system_restart "system.restart" (SystemRestart) -> Empty, Admin, [];
            /// Everything that waits for the person, oldest first, at most 200.
            attention_list "attention.list" (Empty) -> Vec<Attention>, Read, [];
            /// Gives one of its answers.
            attention_answer "attention.answer" (AttentionAnswer) -> Empty, Approve, [Attention];
            /// How the program ended when it did not end in order, newest first, at most 20.
            crash_list "crash.list" (Empty) -> Vec<CrashReport>, Read, [];
            /// Marks one as seen.
            crash_dismiss "crash.dismiss" (CrashRef) -> Empty, Admin, [Attention];
            /// Looks at everything that could be wrong, each with what mends it.
            doctor_run "doctor.run" (Empty) -> Vec<Check>, Admin, [];
            /// What a person should know before they leave it running.
            security_audit "security.audit" (Empty) -> Vec<Finding>, Admin, [];
            /// The gateway and who is connected.
            gateway_state "gateway.state" (Empty) -> GatewayState, Read, [];
            /// Devices that may come in.
            device_list "device.list" (Empty) -> Vec<Device>, Read, [];
            /// Offers a place to a device.
            device_pair "device.pair" (DevicePair) -> DeviceOffer, Admin, [Devices];
            /// Shuts a device out, at once.
            device_revoke "device.revoke" (DeviceRef) -> Empty, Admin, [Devices];
            /// How updates stand.
            update_get "update.get" (Empty) -> UpdateState, Read, [];
            /// Looks for a newer version now.
            update_check "update.check" (Empty) -> UpdateState, Admin, [Updates];
            /// Fetches it and puts it in; answers when that has begun.
            update_install "update.install" (UpdateInstall) -> UpdateState, Admin, [Updates];
            /// Puts an offer off until there is a newer one.
            update_dismiss "update.dismiss" (UpdateInstall) -> UpdateState, Admin, [Updates];
            /// Changes the rules.
            update_configure "update.configure" (UpdateRules) -> UpdateState, Admin, [Updates];
            /// What other programs left on this machine.
            import_find "import.find" (ImportFind) -> Vec<ImportCandidate>, Admin, [];
            /// Takes things over; the other program's files stay as they are.
            import_run "import.run" (ImportRun) -> ImportReport, Admin, [Sources, Workspaces, Routes];
            /// Copies of the home folder.
            backup_list "backup.list" (Empty) -> Vec<Backup>, Admin, [];
            /// Makes one.
            backup_create "backup.create" (Empty) -> Backup, Admin, [];
            /// Sets one setting.
            settings_set "settings.set" (SettingSet) -> SettingValue, Admin, [Workspaces];
            /// What the agent knows of the person.
            preference_get "preference.get" (Empty) -> Preferences, Read, [];
            /// Changes it; absent fields stay, an empty text takes one away.
            preference_set "preference.set" (Preferences) -> Preferences, Admin, [Workspaces];
            /// Tokens by day and model.
            usage_get "usage.get" (UsageGet) -> Vec<UsageRow>, Read, [];
            /// A workspace's own settings.
            workspace_get "workspace.get" (WorkspaceRef) -> WorkspaceSettings, Read, [];
            /// A new workspace.
            workspace_create "workspace.create" (WorkspaceCreate) -> WorkspaceSummary, Admin, [Workspaces];
            /// Changes a workspace.
            workspace_update "workspace.update" (WorkspaceUpdate) -> WorkspaceSettings, Admin, [Workspaces, Sessions];
            /// Makes it the active one.
            workspace_activate "workspace.activate" (WorkspaceRef) -> WorkspaceSummary, Admin, [Workspaces, Sessions, Sources];
            /// Skills of a workspace.
            skill_list "skill.list" (WorkspaceRef) -> Vec<Skill>, Read, [];
            /// One skill with its text.
            skill_get "skill.get" (SkillRef) -> SkillDocument, Read, [];
            /// Makes or changes one.
            skill_write "skill.write" (SkillWrite) -> SkillDocument, Admin, [Workspaces];
            /// Moves one to `skills/.trash`.
            skill_remove "skill.remove" (SkillRef) -> Empty, Admin, [Workspaces];
            /// Notes beside a session.
            session_notes "session.notes" (SessionNotes) -> SessionNotes, Chat, [];
            /// A session as one text.
            session_export "session.export" (SessionExport) -> Document, Read, [];
            /// Files of the folder a session works in.
            file_find "file.find" (FileFind) -> Vec<FileHit>, Read, [];
            /// Git state of that folder.
            session_git "session.git" (SessionRef) -> GitState, Read, [];
        }
    };
}

/// One row, as data.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Name on the wire.
    pub name: &'static str,
    /// Name of the desktop command.
    pub command: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Type of the parameters.
    pub params: &'static str,
    /// Type of the result.
    pub result: &'static str,
    /// Scope a caller needs.
    pub scope: Scope,
    /// What a client should ask for again afterwards.
    pub invalidates: &'static [Topic],
}

macro_rules! table {
    ($(#[doc = $doc:literal] $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        /// The table as data.
        pub const OPERATIONS: &[Operation] = &[$(Operation {
            name: $name,
            command: stringify!($method),
            doc: $doc,
            params: stringify!($params),
            result: stringify!($result),
            scope: Scope::$scope,
            invalidates: &[$(Topic::$topic),*],
        }),*];
    };
}
with_operations!(table);

/// The row of an operation.
pub fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|o| o.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_one_name_and_one_command() {
        for (i, a) in OPERATIONS.iter().enumerate() {
            assert_eq!(a.name.replace('.', "_"), a.command, "the command is the name with _ for .");
            assert!(OPERATIONS.iter().skip(i + 1).all(|b| b.name != a.name), "{} stands twice", a.name);
        }
    }
}
