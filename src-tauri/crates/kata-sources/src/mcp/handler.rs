//! This side of the protocol: what a server may ask of us and tell us. It may ask the person something (elicitation) and say that
//! its tools are others, how far a call is, and what it logs. Sampling, roots and other requests are declined by the SDK.

use crate::log::Lines;
use crate::questions::{Answer, Ask, Questions};
use kata_protocol::SourceId;
use rmcp::ClientHandler;
#[expect(deprecated, reason = "servers of earlier versions log by it")]
use rmcp::model::LoggingMessageNotificationParam;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability, ErrorData,
    FormElicitationCapability, Implementation, ProgressNotificationParam, ProtocolVersion, UrlElicitationCapability,
};
use rmcp::service::{NotificationContext, RequestContext, RoleClient};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;

/// What a connection's parts share.
pub(crate) struct Shared {
    pub(crate) source: SourceId,
    pub(crate) questions: Arc<Questions>,
    pub(crate) lines: Arc<Lines>,
    /// Questions of this connection that wait for the person: no call runs out of time meanwhile.
    pub(crate) asking: AtomicU32,
    /// Counts what was told of calls on their way.
    pub(crate) progress: watch::Sender<u64>,
    /// Counts changes of the tools.
    pub(crate) tools: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(source: SourceId, questions: Arc<Questions>, lines: Arc<Lines>) -> Self {
        Self {
            source,
            questions,
            lines,
            asking: AtomicU32::new(0),
            progress: watch::Sender::new(0),
            tools: watch::Sender::new(0),
        }
    }

    /// Puts a question to the person.
    pub(crate) async fn ask(&self, message: &str, what: Ask) -> Answer {
        struct Asking<'a>(&'a AtomicU32);
        impl Drop for Asking<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.asking.fetch_add(1, Ordering::Relaxed);
        let _asking = Asking(&self.asking);
        self.questions.ask(&self.source, message, what).await
    }
}

/// Answers the server.
#[derive(Clone)]
pub(crate) struct Handler(pub(crate) Arc<Shared>);

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        let elicitation = ElicitationCapability::new()
            .with_form(FormElicitationCapability::default())
            .with_url(UrlElicitationCapability::default());
        capabilities.elicitation = Some(elicitation);
        ClientConfig::new(capabilities, Implementation::new("kata-agents", env!("CARGO_PKG_VERSION")))
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }

    async fn create_elicitation(&self, request: ElicitRequestParams, _: RequestContext<RoleClient>) -> Result<ElicitResult, ErrorData> {
        let (message, what) = match request {
            ElicitRequestParams::FormElicitationParams {
                message, requested_schema, ..
            } => (message, Ask::Form(serde_json::to_value(&requested_schema).unwrap_or_default())),
            ElicitRequestParams::UrlElicitationParams { message, url, .. } => (message, Ask::Page(url)),
            _ => return Ok(ElicitResult::new(ElicitationAction::Decline)),
        };
        Ok(match self.0.ask(&message, what).await {
            Answer::Accept(None) => ElicitResult::new(ElicitationAction::Accept),
            Answer::Accept(Some(content)) => ElicitResult::new(ElicitationAction::Accept).with_content(content),
            Answer::Decline => ElicitResult::new(ElicitationAction::Decline),
            Answer::Cancel => ElicitResult::new(ElicitationAction::Cancel),
        })
    }

    async fn on_progress(&self, told: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let of = told.total.map(|t| format!(" of {t}")).unwrap_or_default();
        let words = told.message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
        self.0.lines.add("INFO", "progress", &format!("{}{of}{words}", told.progress));
        self.0.progress.send_modify(|n| *n += 1);
    }

    #[expect(deprecated, reason = "servers of earlier versions log by it")]
    async fn on_logging_message(&self, told: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        let level = format!("{:?}", told.level).to_uppercase();
        let text = told.data.as_str().map_or_else(|| told.data.to_string(), str::to_owned);
        self.0.lines.add(&level, "server", &text);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.0.tools.send_modify(|n| *n += 1);
    }
}
