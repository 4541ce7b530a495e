//! Permissions and hooks that do what a test says.

use super::disk::lock;
use crate::ports::*;
use async_trait::async_trait;
use kata_protocol::*;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Judges by the mode, except that arguments with `never` are refused and what was answered with “always” runs.
#[derive(Default)]
pub(crate) struct Rules {
    pub always: Mutex<Vec<AlwaysRule>>,
}

#[async_trait]
impl Permissions for Rules {
    async fn plain(&self, _: &SessionSummary, _: &ToolInfo, mut params: Value) -> Result<Value, Unfit> {
        if params.get("path").is_some_and(|p| p == "/home/../etc") {
            params["path"] = json!("/etc");
        }
        Ok(params)
    }
    async fn judge(&self, session: &SessionSummary, tool: &ToolInfo, params: &Value) -> Judgement {
        if params.get("never").is_some() || params.get("path").is_some_and(|p| p == "/etc") {
            return Judgement::Deny {
                reason: "that is never allowed".into(),
            };
        }
        let rule = AlwaysRule {
            tool: tool.name.clone(),
            prefix: Vec::new(),
            folder: params.get("file").and_then(Value::as_str).map(str::to_owned),
        };
        if lock(&self.always).contains(&rule) {
            return Judgement::Allow;
        }
        match ByMode.judge(session, tool, params).await {
            Judgement::Ask { reason, .. } => Judgement::Ask {
                reason,
                always: Some(rule),
            },
            judged => judged,
        }
    }
    async fn remember(&self, _: &WorkspaceId, rule: &AlwaysRule) -> Result<(), WireError> {
        lock(&self.always).push(rule.clone());
        Ok(())
    }
}

/// What handlers answer, in order; none by itself.
#[derive(Default)]
pub(crate) struct ToolHooks {
    /// Of `before_tool_call`.
    pub answers: Arc<Mutex<Vec<Value>>>,
    /// Of `message_sending`.
    pub sending: Arc<Mutex<Vec<Value>>>,
    /// Of `message_received`.
    pub received: Arc<Mutex<Vec<Value>>>,
}

struct Answers(Arc<Mutex<Vec<Value>>>);

#[async_trait]
impl HookInvoke for Answers {
    async fn invoke(&self, _: Arc<str>, _: Duration) -> Result<Option<String>, HookFault> {
        let mut answers = lock(&self.0);
        Ok((!answers.is_empty()).then(|| answers.remove(0).to_string()))
    }
}

impl Hooks for ToolHooks {
    fn handlers(&self, event: HookName) -> Arc<[HookHandler]> {
        let answers = match event {
            HookName::BeforeToolCall => &self.answers,
            HookName::MessageSending => &self.sending,
            HookName::MessageReceived => &self.received,
            _ => return Arc::from([]),
        };
        if lock(answers).is_empty() {
            return Arc::from([]);
        }
        Arc::from([HookHandler {
            plugin: PluginId::new("hooker").unwrap(),
            origin: PluginOrigin::Bundled,
            priority: 0,
            order: 0,
            timeout: None,
            invoke: Arc::new(Answers(Arc::clone(answers))),
        }])
    }
}
