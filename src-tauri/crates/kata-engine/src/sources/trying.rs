//! A source's tools on its page: how calls would be judged, and trying one by hand. The rules are those of every call.

use crate::engine::Inner;
use kata_core::ports::{Judgement, Permissions, ToolRequest, Tools};
use kata_protocol::{
    CallId, ErrorCode, Json, PermissionExplain, PermissionMode, SourceRef, SourceTool, ToolTried, ToolTry, TurnId, WireError,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

impl Inner {
    /// Tools of a source, and how calls of each would be judged in a new session of its workspace.
    pub(crate) async fn source_tools_judged(&self, params: SourceRef) -> Result<Vec<SourceTool>, WireError> {
        let (source, _) = self.board.get(&params.id)?;
        let explain = |workspace| PermissionExplain {
            session: None,
            workspace,
            mode: None,
            tool: String::new(),
            params: Json::default(),
        };
        let session = self.session_for(&explain(source.workspace.clone())).await?;
        let tools = match &source.workspace {
            Some(workspace) => self.tools.list_for(workspace),
            None => self.tools.list(),
        };
        let named = tools.iter().any(|t| t.source.as_ref() == Some(&source.id));
        let of_source = tools.iter().filter(|tool| match named {
            true => tool.source.as_ref() == Some(&source.id),
            // A plugin's tools belong to each of its parts, unless one of them brings them.
            false => tool.source.is_none() && tool.plugin.is_some() && tool.plugin == source.plugin,
        });
        let mut all = Vec::new();
        for tool in of_source {
            let judged = match self.permit.rules.judge(&session, tool, &json!({})).await {
                Judgement::Allow => "allow",
                Judgement::Ask { .. } => "ask",
                Judgement::Deny { .. } => "deny",
            };
            all.push(SourceTool {
                info: tool.clone(),
                judged: judged.to_owned(),
            });
        }
        Ok(all)
    }

    /// Runs a tool for a person: what is denied in mode `ask` is denied, what would be asked counts as answered.
    pub(crate) async fn try_tool(&self, params: ToolTry) -> Result<ToolTried, WireError> {
        let mut session = self
            .session_for(&PermissionExplain {
                session: None,
                workspace: params.workspace,
                mode: Some(PermissionMode::Ask),
                tool: params.name.clone(),
                params: Json::default(),
            })
            .await?;
        session.mode = PermissionMode::Ask;
        let tools = self.tools.list_for(&session.workspace);
        let Some(tool) = tools.iter().find(|t| t.name == params.name) else {
            return Err(WireError::not_found("tool", &params.name)
                .hint("its source may be switched off or broken, or belong to another workspace; `kata tools` shows those on offer"));
        };
        let given = if params.params.0.is_null() { json!({}) } else { params.params.0 };
        if let Ok(schema) = jsonschema::validator_for(&tool.parameters.0)
            && let Err(error) = schema.validate(&given)
        {
            let at = error.instance_path().to_string();
            let field = if at.is_empty() {
                "params".to_owned()
            } else {
                format!("params{}", at.replace('/', "."))
            };
            return Err(WireError::invalid(format!("{field}: {error}")));
        }
        let rules = &self.permit.rules;
        let plain = rules
            .plain(&session, tool, given)
            .await
            .map_err(|unfit| WireError::invalid(unfit.0))?;
        if let Judgement::Deny { reason } = rules.judge(&session, tool, &plain).await {
            return Err(WireError::new(ErrorCode::Forbidden, reason).hint("permissions.json of the source or the workspace says so"));
        }
        let id = |e: kata_protocol::IdError| WireError::internal(e.to_string());
        let began = self.clock.monotonic_us();
        let outcome = self
            .tools
            .call(ToolRequest {
                session: session.id,
                workspace: session.workspace,
                working_directory: session.working_directory,
                mode: PermissionMode::Ask,
                turn: TurnId::new("by-hand").map_err(id)?,
                call_id: CallId::new("by-hand").map_err(id)?,
                name: params.name,
                params: plain,
                cancel: CancellationToken::new(),
            })
            .await;
        let took = self.clock.monotonic_us().saturating_sub(began) / 1000;
        Ok(ToolTried {
            ok: !outcome.is_error,
            text: outcome.text,
            took_ms: u32::try_from(took).unwrap_or(u32::MAX),
        })
    }
}
