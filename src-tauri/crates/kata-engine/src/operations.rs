//! Answers the operations. Each is a few lines: what it needs to know stands in the module that keeps it.

use crate::engine::{Inner, locked};
use crate::tools::default_mode;
use async_trait::async_trait;
use kata_core::operations::{Caller, Operations};
use kata_core::ports::{MessageStore, NewSession, PairingStore, StoreError, Tools, TraceStore, Transcripts};
use kata_core::session::wire;
use kata_protocol::*;

fn store(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("look at the log; is the disk full?")
}

impl Inner {
    fn source(&self, id: &SourceId) -> Result<SourceSummary, WireError> {
        Ok(self.board.get(id)?.0)
    }

    fn detail(&self, id: &SourceId) -> Result<SourceDetail, WireError> {
        let (summary, timeline) = self.board.get(id)?;
        let mut detail = SourceDetail {
            timeline,
            tools: Vec::new(),
            hooks: Vec::new(),
            commands: Vec::new(),
            capabilities: Vec::new(),
            settings_schema: None,
            settings: Json::default(),
            secrets: Vec::new(),
            log: Vec::new(),
            budget: None,
            jobs: Vec::new(),
            workspaces: Vec::new(),
            account: None,
            signs_in_at: None,
            summary,
        };
        if detail.summary.plugin.is_some() {
            let (candidate, settings, secrets) = self.plugins.detail(&detail.summary)?;
            let manifest = candidate.manifest;
            detail.tools = manifest.contributes.tools;
            detail.hooks = manifest.contributes.hooks.iter().map(|h| h.as_str().to_owned()).collect();
            detail.commands = manifest.contributes.commands;
            detail.capabilities = manifest.capabilities;
            detail.settings_schema = manifest.settings;
            detail.settings = Json(settings);
            detail.secrets = secrets;
            detail.log = self.log.tail(&LogTail {
                limit: Some(100),
                level: None,
                plugin: detail.summary.plugin.clone(),
            });
        }
        self.plugins.show_work(&mut detail);
        Ok(detail)
    }

    /// A source's page, with what is kept apart.
    async fn whole_detail(&self, id: &SourceId) -> Result<SourceDetail, WireError> {
        let mut detail = self.detail(id)?;
        if self.sources.has(&detail.summary) {
            self.sources.fill_in(&mut detail).await;
        }
        self.with_account(detail).await
    }

    /// A source that files set up.
    fn of_files(&self, id: &SourceId) -> Result<SourceSummary, WireError> {
        let source = self.source(id)?;
        if self.sources.has(&source) {
            return Ok(source);
        }
        Err(WireError::new(
            ErrorCode::Conflict,
            format!("“{}” has no files of its own: a plugin brings it", source.name),
        )
        .hint("use its settings, or the plugin's page"))
    }

    async fn add_source(&self, params: SourceAdd) -> Result<SourceDetail, WireError> {
        let workspace = self.workspace_named(params.workspace.clone())?.id;
        let id = self
            .sources
            .add(params, &workspace, self.clock.monotonic_us() ^ self.clock.now().0)?;
        self.whole_detail(&id).await
    }

    /// Conversations of channels that are gone begin anew, should there be a channel of that name again. Their sessions stay.
    pub(crate) async fn forget_conversations(&self, channels: &[ChannelId]) -> Result<(), WireError> {
        for bound in self.conversations.list(u32::MAX).await? {
            if kata_core::router::channel_of(&bound.key).is_some_and(|channel| channels.contains(&channel)) {
                self.conversations.begin_anew(&bound.key).await?;
            }
        }
        Ok(())
    }

    /// A list row with the state of a session that is loaded.
    pub(crate) fn with_state(&self, mut summary: SessionSummary) -> SessionSummary {
        if let Some(state) = self.sessions.state_of(&summary.id) {
            summary.state = state;
        }
        summary
    }
}

#[async_trait]
impl Operations for Inner {
    async fn system_status(&self, _: &Caller, _: Empty) -> Result<SystemStatus, WireError> {
        let mut notices = locked(&self.notices).clone();
        notices.extend(self.letters_notice().await?);
        Ok(SystemStatus {
            version: self.updates.version(),
            home: self.options.home.display().to_string(),
            gateway_port: self.port.get().copied(),
            started_at: self.started_at,
            ready_after_ms: self.ready_after_ms.get().copied().unwrap_or_default(),
            health: self.board.health(),
            model: self.models.chosen(),
            secret_store: self.secrets.describe().to_owned(),
            notices,
            ledger: self.store.ledger().await.map_err(store)?,
            pause: self.pause.state(),
            safe_mode: self.life.safe_mode(),
        })
    }

    async fn system_shutdown(&self, caller: &Caller, _: Empty) -> Result<Empty, WireError> {
        tracing::info!(client = caller.name, "asked to end");
        self.quit.cancel();
        Ok(Empty {})
    }

    async fn settings_list(&self, _: &Caller, _: Empty) -> Result<Vec<SettingValue>, WireError> {
        Ok(self.setting_values())
    }

    async fn log_tail(&self, _: &Caller, params: LogTail) -> Result<Vec<LogRecord>, WireError> {
        Ok(self.log.tail(&params))
    }

    async fn notice_dismiss(&self, _: &Caller, params: NoticeDismiss) -> Result<Empty, WireError> {
        locked(&self.notices).retain(|n| n.id != params.id);
        self.attention.changed();
        Ok(Empty {})
    }

    async fn workspace_list(&self, _: &Caller, _: Empty) -> Result<Vec<WorkspaceSummary>, WireError> {
        let mut workspaces = kata_store::workspaces(&self.home);
        for workspace in &mut workspaces {
            let query = SessionList {
                workspace: Some(workspace.id.clone()),
                limit: Some(1),
                ..SessionList::default()
            };
            workspace.session_count = self.transcripts.list(query).await.map_err(wire)?.1;
        }
        Ok(workspaces)
    }

    async fn session_list(&self, _: &Caller, params: SessionList) -> Result<SessionPage, WireError> {
        let (rows, total) = self.transcripts.list(params).await.map_err(wire)?;
        Ok(SessionPage {
            sessions: rows.into_iter().map(|s| self.with_state(s)).collect(),
            total,
        })
    }

    async fn session_get(&self, _: &Caller, params: SessionGet) -> Result<SessionDetail, WireError> {
        self.sessions.detail(&params.id, params.limit, params.before.as_ref()).await
    }

    async fn session_create(&self, _: &Caller, params: SessionCreate) -> Result<SessionSummary, WireError> {
        let workspaces = kata_store::workspaces(&self.home);
        let wanted = params.workspace.unwrap_or_else(|| self.bindings.load().workspace().clone());
        let Some(workspace) = workspaces.into_iter().find(|w| w.id == wanted) else {
            return Err(WireError::not_found("workspace", wanted));
        };
        let profile = params
            .profile
            .as_deref()
            .map(|id| self.profile(id))
            .transpose()?
            .unwrap_or_default();
        let model = match params.model.or(profile.model) {
            None => self.default_model(&workspace.id).await,
            model => model,
        };
        if let Some(model) = &model {
            kata_core::ports::Models::find(&*self.models.catalog, Some(model))?;
        }
        let mode = params.mode.or(profile.mode).unwrap_or_else(|| default_mode(&workspace));
        let working_directory = match params.working_directory {
            Some(folder) => Some(self.working_folder(&workspace.id, folder).await?),
            None => self.default_folder(&workspace).await,
        };
        let new = NewSession {
            workspace: workspace.id,
            name: params.name.filter(|n| !n.trim().is_empty()),
            model,
            mode,
            channel: None,
            channel_id: None,
            external_conversation: None,
            working_directory,
            profile: params.profile,
            class: SessionClass::Desktop,
        };
        self.sessions.create(new).await
    }

    async fn session_submit(&self, caller: &Caller, params: SessionSubmit) -> Result<SessionSubmitted, WireError> {
        let SessionSubmit {
            id,
            text,
            delivery,
            idempotency_key,
            attachments,
        } = params;
        let files = self.take_in(attachments.unwrap_or_default()).await?;
        self.sessions
            .submit_with(&id, text, files, delivery.unwrap_or_default(), idempotency_key, &caller.name)
            .await
    }

    async fn session_interrupt(&self, _: &Caller, params: SessionRef) -> Result<Empty, WireError> {
        self.sessions.interrupt(&params.id).await?;
        Ok(Empty {})
    }

    async fn session_resend(&self, caller: &Caller, params: SessionRef) -> Result<SessionSubmitted, WireError> {
        self.sessions.resend(&params.id, &caller.name).await
    }

    async fn session_update(&self, _: &Caller, mut params: SessionUpdate) -> Result<SessionSummary, WireError> {
        if let Some(folder) = params.working_directory.take() {
            let workspace = self.sessions.detail(&params.id, Some(1), None).await?.summary.workspace;
            params.working_directory = Some(self.working_folder(&workspace, folder).await?);
        }
        self.sessions.update(params).await
    }

    async fn session_approve(&self, _: &Caller, params: SessionApprove) -> Result<ApprovalOutcome, WireError> {
        self.sessions.approve(&params.id, &params.call_id, params.decision).await
    }

    async fn model_list(&self, _: &Caller, _: Empty) -> Result<Vec<ProviderSummary>, WireError> {
        Ok(self.models.list())
    }

    async fn model_detect(&self, _: &Caller, _: Empty) -> Result<Vec<DetectedModel>, WireError> {
        Ok(self.models.detect().await)
    }

    async fn model_set(&self, _: &Caller, params: ModelSet) -> Result<ProviderSummary, WireError> {
        self.models.set(params).await
    }

    async fn model_remove(&self, _: &Caller, params: ModelRef) -> Result<Empty, WireError> {
        self.models.remove(&params.id).await?;
        Ok(Empty {})
    }

    async fn model_test(&self, _: &Caller, params: ModelRef) -> Result<ProviderSummary, WireError> {
        self.models.test(&params.id).await
    }

    async fn source_list(&self, _: &Caller, _: Empty) -> Result<Vec<SourceSummary>, WireError> {
        Ok(self.board.list())
    }

    async fn source_get(&self, _: &Caller, params: SourceRef) -> Result<SourceDetail, WireError> {
        self.whole_detail(&params.id).await
    }

    async fn source_enable(&self, _: &Caller, params: SourceEnable) -> Result<SourceSummary, WireError> {
        let source = self.source(&params.id)?;
        if self.sources.has(&source) {
            self.sources.switch(&source, params.enabled)?;
            return self.source(&params.id);
        }
        self.plugins.looked().await;
        self.plugins.switch_source(&source, params.enabled, params.workspace).await?;
        self.apply_rules();
        self.source(&params.id)
    }

    async fn source_restart(&self, _: &Caller, params: SourceRef) -> Result<SourceSummary, WireError> {
        if self.sources.has(&self.source(&params.id)?) {
            self.sources.running.restart(&params.id);
            return self.source(&params.id);
        }
        self.plugins.restart_source(&self.source(&params.id)?).await?;
        self.source(&params.id)
    }

    async fn source_configure(&self, _: &Caller, params: SourceConfigure) -> Result<SourceDetail, WireError> {
        self.plugins.configure(&self.source(&params.id)?, params.settings.0).await?;
        self.whole_detail(&params.id).await
    }

    async fn source_secret(&self, _: &Caller, params: SourceSecret) -> Result<SourceDetail, WireError> {
        let source = self.source(&params.id)?;
        if self.sources.has(&source) {
            self.sources.set_secret(&source, &params.name, params.value).await?;
            return self.whole_detail(&params.id).await;
        }
        self.plugins
            .set_secret(&self.source(&params.id)?, &params.name, params.value)
            .await?;
        self.whole_detail(&params.id).await
    }

    async fn source_add(&self, _: &Caller, params: SourceAdd) -> Result<SourceDetail, WireError> {
        self.add_source(params).await
    }

    async fn source_remove(&self, _: &Caller, params: SourceRef) -> Result<Empty, WireError> {
        let source = self.of_files(&params.id)?;
        self.forget_accounts(&source).await?;
        self.sources.remove(&source).await?;
        Ok(Empty {})
    }

    async fn source_test(&self, _: &Caller, params: SourceRef) -> Result<Probe, WireError> {
        self.sources.running.test(&self.of_files(&params.id)?.id).await
    }

    async fn source_document(&self, _: &Caller, params: SourceRef) -> Result<SourceDocument, WireError> {
        self.sources.document(&self.of_files(&params.id)?)
    }

    async fn source_write(&self, _: &Caller, params: SourceWrite) -> Result<SourceDocument, WireError> {
        self.sources.write(&self.of_files(&params.id)?, params)
    }

    async fn source_tools(&self, _: &Caller, params: SourceRef) -> Result<Vec<SourceTool>, WireError> {
        self.source_tools_judged(params).await
    }

    async fn tool_try(&self, _: &Caller, params: ToolTry) -> Result<ToolTried, WireError> {
        self.try_tool(params).await
    }

    async fn elicitation_list(&self, _: &Caller, _: Empty) -> Result<Vec<Elicitation>, WireError> {
        Ok(self.sources.questions.list())
    }

    async fn elicitation_answer(&self, _: &Caller, params: ElicitationAnswer) -> Result<Empty, WireError> {
        self.sources.questions.answer(params)?;
        Ok(Empty {})
    }

    async fn oauth_providers(&self, _: &Caller, _: Empty) -> Result<Vec<OauthProvider>, WireError> {
        self.accounts.providers().await
    }

    async fn oauth_configure(&self, _: &Caller, params: OauthConfigure) -> Result<OauthProvider, WireError> {
        self.accounts.configure(params).await
    }

    async fn oauth_remove(&self, _: &Caller, params: OauthProviderRef) -> Result<Empty, WireError> {
        self.accounts.remove_provider(&params.id).await
    }

    async fn oauth_begin(&self, _: &Caller, params: OauthBegin) -> Result<OauthSignIn, WireError> {
        self.begin_sign_in(params).await
    }

    async fn oauth_get(&self, _: &Caller, params: OauthSignInRef) -> Result<OauthSignIn, WireError> {
        self.sign_in(&params)
    }

    async fn oauth_cancel(&self, _: &Caller, params: OauthSignInRef) -> Result<Empty, WireError> {
        self.cancel_sign_in(&params)
    }

    async fn oauth_accounts(&self, _: &Caller, _: Empty) -> Result<Vec<OauthAccount>, WireError> {
        self.list_accounts().await
    }

    async fn oauth_revoke(&self, _: &Caller, params: SourceRef) -> Result<SourceSummary, WireError> {
        self.sign_out(params).await
    }

    async fn channel_policy(&self, _: &Caller, params: ChannelPolicy) -> Result<ChannelPolicyState, WireError> {
        let source = self.source(&params.id)?;
        self.change_policy(&source, params).await
    }

    async fn channel_setup(&self, _: &Caller, params: ChannelSetup) -> Result<SetupStep, WireError> {
        self.plugins.looked().await;
        self.plugins.setup_channel(&self.source(&params.id)?, params.answer).await
    }

    async fn channel_probe(&self, _: &Caller, params: SourceRef) -> Result<Probe, WireError> {
        self.plugins.looked().await;
        self.plugins.probe_channel(&self.source(&params.id)?).await
    }

    async fn channel_audit(&self, _: &Caller, params: SourceRef) -> Result<Vec<SecurityWarning>, WireError> {
        self.plugins.looked().await;
        self.plugins.audit_channel(&self.source(&params.id)?).await
    }

    async fn channel_directory(&self, _: &Caller, params: SourceRef) -> Result<ChannelDirectory, WireError> {
        self.plugins.looked().await;
        self.plugins.channel_directory(&self.source(&params.id)?).await
    }

    async fn channel_logout(&self, _: &Caller, params: SourceRef) -> Result<SourceSummary, WireError> {
        self.plugins.looked().await;
        let source = self.source(&params.id)?;
        self.plugins.log_channel_out(&source).await?;
        self.forget_accounts(&source).await?;
        self.apply_rules();
        self.source(&params.id)
    }

    async fn account_add(&self, _: &Caller, params: AccountAdd) -> Result<SourceSummary, WireError> {
        self.plugins.looked().await;
        let (id, channels) = self.plugins.add_account(params).await?;
        self.forget_conversations(&channels).await?;
        self.apply_rules();
        self.source(&id)
    }

    async fn account_remove(&self, _: &Caller, params: SourceRef) -> Result<Empty, WireError> {
        self.plugins.looked().await;
        let source = self.source(&params.id)?;
        self.forget_accounts(&source).await?;
        let channels = self.plugins.remove_account(&source).await?;
        self.forget_conversations(&channels).await?;
        self.apply_rules();
        Ok(Empty {})
    }

    async fn plugin_list(&self, _: &Caller, _: Empty) -> Result<Vec<PluginSummary>, WireError> {
        self.plugins.looked().await;
        Ok(self.plugins.list())
    }

    async fn plugin_reload(&self, _: &Caller, params: PluginRef) -> Result<PluginSummary, WireError> {
        self.plugins.looked().await;
        self.plugins.reload(&params.id).await?;
        self.plugins.get(&params.id)
    }

    async fn plugin_enable(&self, _: &Caller, params: PluginEnable) -> Result<PluginSummary, WireError> {
        self.plugins.looked().await;
        self.plugins.enable(&params.id, params.enabled).await?;
        self.plugins.get(&params.id)
    }

    async fn plugin_get(&self, _: &Caller, params: PluginRef) -> Result<PluginDetail, WireError> {
        self.plugins.looked().await;
        self.plugins.plugin_detail(&params.id).await
    }

    async fn plugin_discovery(&self, _: &Caller, _: Empty) -> Result<PluginDiscovery, WireError> {
        self.plugins.looked().await;
        Ok(self.plugins.discovery())
    }

    async fn plugin_trust(&self, _: &Caller, params: PluginTrust) -> Result<PluginSummary, WireError> {
        self.plugins.looked().await;
        let id = params.id.clone();
        self.plugins.trust(params).await?;
        self.plugins.get(&id)
    }

    async fn plugin_revoke(&self, _: &Caller, params: PluginRevoke) -> Result<PluginSummary, WireError> {
        self.plugins.looked().await;
        let id = params.id.clone();
        self.plugins.revoke(params).await?;
        self.plugins.get(&id)
    }

    async fn plugin_signers(&self, _: &Caller, _: Empty) -> Result<Vec<PluginSigner>, WireError> {
        self.plugins.looked().await;
        self.plugins.signers().await
    }

    async fn plugin_forget_signer(&self, caller: &Caller, params: PluginSignerRef) -> Result<Vec<PluginSigner>, WireError> {
        self.plugins.looked().await;
        self.plugins.forget_signer(&caller.name, &params.key_id).await
    }

    async fn plugin_install(&self, _: &Caller, params: PluginInstall) -> Result<PluginDetail, WireError> {
        self.plugins.looked().await;
        let id = self.plugins.install(params).await?;
        self.plugins.plugin_detail(&id).await
    }

    async fn plugin_uninstall(&self, _: &Caller, params: PluginRef) -> Result<Empty, WireError> {
        self.plugins.looked().await;
        self.plugins.uninstall(&params.id).await?;
        Ok(Empty {})
    }

    async fn plugin_create(&self, _: &Caller, params: PluginCreate) -> Result<PluginDetail, WireError> {
        self.plugins.looked().await;
        let id = params.id.clone();
        self.plugins.create(params).await?;
        self.plugins.plugin_detail(&id).await
    }

    async fn plugin_configure(&self, _: &Caller, params: PluginConfigure) -> Result<PluginDetail, WireError> {
        self.plugins.looked().await;
        self.plugins.configure_plugin(&params.id, params.settings.0).await?;
        self.plugins.plugin_detail(&params.id).await
    }

    async fn plugin_secret(&self, _: &Caller, params: PluginSecret) -> Result<PluginDetail, WireError> {
        self.plugins.looked().await;
        self.plugins.set_plugin_secret(&params.id, &params.name, params.value).await?;
        self.plugins.plugin_detail(&params.id).await
    }

    async fn plugin_inject(&self, _: &Caller, params: PluginInject) -> Result<PluginInjected, WireError> {
        self.plugins.inject(params).await
    }

    async fn command_list(&self, _: &Caller, _: Empty) -> Result<Vec<CommandInfo>, WireError> {
        Ok(self.plugins.host.commands())
    }

    async fn command_run(&self, _: &Caller, params: CommandRun) -> Result<CommandOutput, WireError> {
        let text = self.plugins.host.run_command(&params.name, &params.args).await?;
        Ok(CommandOutput { text })
    }

    async fn tool_list(&self, _: &Caller, _: Empty) -> Result<Vec<ToolInfo>, WireError> {
        Ok(self.tools.list().to_vec())
    }

    async fn pairing_list(&self, _: &Caller, _: Empty) -> Result<Vec<PairingRequest>, WireError> {
        self.store.requests(self.clock.now()).await.map_err(store)
    }

    async fn pairing_approve(&self, _: &Caller, params: PairingRef) -> Result<PairingRequest, WireError> {
        let code = params.code.trim().to_uppercase();
        let request = self.store.resolve(&code, true, self.clock.now()).await.map_err(store)?;
        let request = request.ok_or_else(|| {
            WireError::not_found("open pairing code", &code).hint("codes end after an hour; ask the person to write again")
        })?;
        self.events.publish(Fact::PairingChanged {});
        Ok(request)
    }

    async fn pairing_deny(&self, _: &Caller, params: PairingRef) -> Result<Empty, WireError> {
        let code = params.code.trim().to_uppercase();
        let request = self.store.resolve(&code, false, self.clock.now()).await.map_err(store)?;
        request.ok_or_else(|| WireError::not_found("open pairing code", &code))?;
        self.events.publish(Fact::PairingChanged {});
        Ok(Empty {})
    }

    async fn trace_list(&self, _: &Caller, params: TraceList) -> Result<Vec<Trace>, WireError> {
        self.store.traces(&params).await.map_err(store)
    }

    async fn trace_get(&self, _: &Caller, params: TraceRef) -> Result<Trace, WireError> {
        self.store
            .trace(&params.id)
            .await
            .map_err(store)?
            .ok_or_else(|| WireError::not_found("trace", params.id))
    }

    async fn session_attachment(&self, _: &Caller, params: SessionAttachmentRef) -> Result<AttachmentData, WireError> {
        self.attachment(params).await
    }

    async fn session_search(&self, _: &Caller, params: SessionSearch) -> Result<SearchPage, WireError> {
        self.search(params).await
    }

    async fn session_archive(&self, _: &Caller, params: SessionArchive) -> Result<SessionSummary, WireError> {
        self.sessions.archive(&params.id, params.archived).await
    }

    async fn session_delete(&self, _: &Caller, params: SessionRef) -> Result<Empty, WireError> {
        self.delete_session(&params.id).await?;
        Ok(Empty {})
    }

    async fn session_reset(&self, _: &Caller, params: SessionRef) -> Result<Empty, WireError> {
        self.reset_session(&params.id).await?;
        Ok(Empty {})
    }

    async fn approval_list(&self, _: &Caller, params: ApprovalList) -> Result<Vec<Approval>, WireError> {
        self.sessions.approvals(params.session.as_ref()).await
    }

    async fn approval_answer(&self, _: &Caller, params: ApprovalAnswer) -> Result<ApprovalOutcome, WireError> {
        self.sessions.answer(&params.code, params.decision).await
    }

    async fn plan_list(&self, _: &Caller, params: PlanList) -> Result<Vec<Plan>, WireError> {
        self.list_plans(&params).await
    }

    async fn plan_answer(&self, _: &Caller, params: PlanAnswer) -> Result<PlanOutcome, WireError> {
        self.answer_plan(params).await
    }

    async fn permission_list(&self, _: &Caller, params: PermissionList) -> Result<PermissionState, WireError> {
        self.permissions(params).await
    }

    async fn permission_forget(&self, _: &Caller, params: PermissionForget) -> Result<PermissionState, WireError> {
        self.forget_rule(params).await
    }

    async fn permission_explain(&self, _: &Caller, params: PermissionExplain) -> Result<PermissionExplanation, WireError> {
        self.explain_call(params).await
    }

    async fn route_get(&self, _: &Caller, _: Empty) -> Result<RoutingTable, WireError> {
        Ok(self.bindings.load().table().clone())
    }

    async fn route_set(&self, _: &Caller, table: RoutingTable) -> Result<RoutingTable, WireError> {
        self.set_routes(table)
    }

    async fn route_explain(&self, _: &Caller, params: RouteExplain) -> Result<RouteExplanation, WireError> {
        self.explain_route(params).await
    }

    async fn route_keys(&self, _: &Caller, _: Empty) -> Result<Vec<RouteKey>, WireError> {
        self.route_rows().await
    }

    async fn route_join(&self, _: &Caller, params: RouteJoin) -> Result<RouteKey, WireError> {
        self.join_route(params).await
    }

    async fn refusal_list(&self, _: &Caller, _: Empty) -> Result<Vec<RefusalCount>, WireError> {
        self.refusals().await
    }

    async fn letter_list(&self, _: &Caller, _: Empty) -> Result<Vec<Letter>, WireError> {
        self.letters.list().await
    }

    async fn letter_retry(&self, _: &Caller, params: LetterRef) -> Result<Empty, WireError> {
        self.letters.retry(&params.id).await?;
        Ok(Empty {})
    }

    async fn letter_discard(&self, _: &Caller, params: LetterRef) -> Result<Empty, WireError> {
        self.letters.discard(&params.id).await?;
        Ok(Empty {})
    }

    async fn hygiene_get(&self, _: &Caller, _: Empty) -> Result<HygieneRules, WireError> {
        Ok(HygieneRules::clone(&self.hygiene.load()))
    }

    async fn hygiene_set(&self, _: &Caller, params: HygieneRules) -> Result<HygieneRules, WireError> {
        self.set_hygiene(params).await
    }

    async fn hygiene_preview(&self, _: &Caller, params: HygienePreview) -> Result<HygienePlan, WireError> {
        let rules = params.rules.unwrap_or_else(|| HygieneRules::clone(&self.hygiene.load()));
        self.hygiene_plan(&rules).await
    }

    async fn hygiene_run(&self, _: &Caller, _: Empty) -> Result<HygienePlan, WireError> {
        self.tidy_up().await
    }

    async fn index_rebuild(&self, _: &Caller, _: Empty) -> Result<IndexRebuilt, WireError> {
        self.rebuild_index().await
    }

    async fn hook_list(&self, _: &Caller, _: Empty) -> Result<Vec<HookEvent>, WireError> {
        Ok(self.hooks.order())
    }

    async fn trace_report(&self, caller: &Caller, params: TraceRef) -> Result<TraceReport, WireError> {
        Ok(self.trace_as_report(&self.trace_get(caller, params).await?))
    }

    async fn trace_rules(&self, _: &Caller, _: Empty) -> Result<TraceState, WireError> {
        self.trace_state().await
    }

    async fn trace_configure(&self, _: &Caller, params: TraceRules) -> Result<TraceState, WireError> {
        self.configure_traces(params).await
    }

    async fn system_background(&self, _: &Caller, _: Empty) -> Result<Background, WireError> {
        self.background().await
    }

    async fn system_background_set(&self, _: &Caller, params: BackgroundSet) -> Result<Background, WireError> {
        self.set_background(params).await
    }

    async fn system_pause(&self, _: &Caller, params: SystemPause) -> Result<PauseState, WireError> {
        self.set_pause(params).await
    }

    async fn system_restart(&self, caller: &Caller, params: SystemRestart) -> Result<Empty, WireError> {
        Ok(self.restart(&caller.name, &params))
    }

    async fn attention_list(&self, _: &Caller, _: Empty) -> Result<Vec<Attention>, WireError> {
        self.list_attention().await
    }

    async fn attention_answer(&self, _: &Caller, params: AttentionAnswer) -> Result<Empty, WireError> {
        self.answer_attention(&params).await?;
        Ok(Empty {})
    }

    async fn crash_list(&self, _: &Caller, _: Empty) -> Result<Vec<CrashReport>, WireError> {
        Ok(self.crashes())
    }

    async fn crash_dismiss(&self, _: &Caller, params: CrashRef) -> Result<Empty, WireError> {
        self.dismiss_crash(&params)
    }

    async fn doctor_run(&self, _: &Caller, _: Empty) -> Result<Vec<Check>, WireError> {
        self.doctor().await
    }

    async fn security_audit(&self, _: &Caller, _: Empty) -> Result<Vec<Finding>, WireError> {
        Ok(self.audit().await)
    }

    async fn gateway_state(&self, _: &Caller, _: Empty) -> Result<GatewayState, WireError> {
        Ok(self.devices.state())
    }

    async fn device_list(&self, _: &Caller, _: Empty) -> Result<Vec<Device>, WireError> {
        Ok(self.devices.list())
    }

    async fn device_pair(&self, caller: &Caller, params: DevicePair) -> Result<DeviceOffer, WireError> {
        self.devices.offer(caller, params).await
    }

    async fn device_revoke(&self, caller: &Caller, params: DeviceRef) -> Result<Empty, WireError> {
        self.devices.revoke(caller, &params.id).await
    }

    async fn update_get(&self, _: &Caller, _: Empty) -> Result<UpdateState, WireError> {
        Ok(self.updates.state())
    }

    async fn update_check(&self, _: &Caller, _: Empty) -> Result<UpdateState, WireError> {
        self.updates.check().await
    }

    async fn update_install(&self, _: &Caller, params: UpdateInstall) -> Result<UpdateState, WireError> {
        self.updates.install(&params)
    }

    async fn update_dismiss(&self, _: &Caller, params: UpdateInstall) -> Result<UpdateState, WireError> {
        self.updates.dismiss(&params)
    }

    async fn update_configure(&self, _: &Caller, params: UpdateRules) -> Result<UpdateState, WireError> {
        self.updates.configure(&params)
    }

    async fn import_find(&self, _: &Caller, params: ImportFind) -> Result<Vec<ImportCandidate>, WireError> {
        self.find_imports(params).await
    }

    async fn import_run(&self, _: &Caller, params: ImportRun) -> Result<ImportReport, WireError> {
        self.run_import(params).await
    }

    async fn backup_list(&self, _: &Caller, _: Empty) -> Result<Vec<Backup>, WireError> {
        Ok(self.backups().await)
    }

    async fn backup_create(&self, _: &Caller, _: Empty) -> Result<Backup, WireError> {
        self.back_up(crate::backup::Why::Asked).await
    }

    async fn settings_set(&self, _: &Caller, params: SettingSet) -> Result<SettingValue, WireError> {
        self.set_setting(params)
    }

    async fn preference_get(&self, _: &Caller, _: Empty) -> Result<Preferences, WireError> {
        self.get_preferences().await
    }

    async fn preference_set(&self, _: &Caller, params: Preferences) -> Result<Preferences, WireError> {
        self.set_preferences(params).await
    }

    async fn usage_get(&self, _: &Caller, params: UsageGet) -> Result<Vec<UsageRow>, WireError> {
        self.usage(params).await
    }

    async fn workspace_get(&self, _: &Caller, params: WorkspaceRef) -> Result<WorkspaceSettings, WireError> {
        self.get_workspace(params.id).await
    }

    async fn workspace_create(&self, _: &Caller, params: WorkspaceCreate) -> Result<WorkspaceSummary, WireError> {
        self.create_workspace(params).await
    }

    async fn workspace_update(&self, _: &Caller, params: WorkspaceUpdate) -> Result<WorkspaceSettings, WireError> {
        self.update_workspace(params).await
    }

    async fn workspace_activate(&self, _: &Caller, params: WorkspaceRef) -> Result<WorkspaceSummary, WireError> {
        self.activate_workspace(params.id).await
    }

    async fn skill_list(&self, _: &Caller, params: WorkspaceRef) -> Result<Vec<Skill>, WireError> {
        self.list_skills(params.id).await
    }

    async fn skill_get(&self, _: &Caller, params: SkillRef) -> Result<SkillDocument, WireError> {
        self.get_skill(params).await
    }

    async fn skill_write(&self, _: &Caller, params: SkillWrite) -> Result<SkillDocument, WireError> {
        self.write_skill(params).await
    }

    async fn skill_remove(&self, _: &Caller, params: SkillRef) -> Result<Empty, WireError> {
        self.remove_skill(params).await
    }

    async fn session_notes(&self, _: &Caller, params: SessionNotes) -> Result<SessionNotes, WireError> {
        self.notes(params).await
    }

    async fn session_export(&self, _: &Caller, params: SessionExport) -> Result<Document, WireError> {
        self.export(params).await
    }

    async fn file_find(&self, _: &Caller, params: FileFind) -> Result<Vec<FileHit>, WireError> {
        self.find_files(params).await
    }

    async fn session_git(&self, _: &Caller, params: SessionRef) -> Result<GitState, WireError> {
        self.git_state(&params.id).await
    }
}
