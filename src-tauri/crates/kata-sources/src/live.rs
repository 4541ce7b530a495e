//! What runs of a source: a connection to a server, the door to an API, or a folder. One face for the supervisor.

use crate::api::Door;
use crate::local::Shelf;
use crate::mcp::{Named, Server};
use crate::trouble::Trouble;
use kata_core::ports::ToolOutcome;
use kata_protocol::SourceId;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A source that works.
pub(crate) enum Live {
    /// A connection to a server.
    Mcp(Box<Server>),
    /// An API.
    Api(Box<Door>),
    /// A folder.
    Local(Shelf),
}

impl Live {
    /// Its tools.
    pub(crate) async fn tools(&self, slug: &str, name: &str, source: &SourceId) -> Result<Vec<Named>, Trouble> {
        Ok(match self {
            Self::Mcp(server) => server.tools().await?,
            Self::Api(door) => vec![Named {
                server: String::new(),
                info: door.tool(slug),
            }],
            Self::Local(shelf) => {
                let tools = shelf.tools(slug, name, source).into_iter();
                let named = tools.zip(["list", "search", "read"]).map(|(info, tool)| Named {
                    server: tool.to_owned(),
                    info,
                });
                named.collect()
            }
        })
    }

    /// Changes when its tools are others.
    pub(crate) fn changes(&self) -> Option<watch::Receiver<u64>> {
        match self {
            Self::Mcp(server) => Some(server.changes()),
            Self::Api(_) | Self::Local(_) => None,
        }
    }

    /// Resolves with the reason when it is gone.
    pub(crate) async fn gone(&self) -> Trouble {
        match self {
            Self::Mcp(server) => server.gone().await,
            Self::Api(_) | Self::Local(_) => std::future::pending().await,
        }
    }

    /// Runs a tool by its name on the other side. With the trouble of the source, where the call showed one.
    pub(crate) async fn call(self: &Arc<Self>, tool: &str, params: &Value, cancel: &CancellationToken) -> (ToolOutcome, Option<Trouble>) {
        match &**self {
            Self::Mcp(server) => server.call(tool, params, cancel).await,
            Self::Api(door) => door.call(params, cancel).await,
            Self::Local(shelf) => {
                if !shelf.stands() {
                    let trouble = Trouble::stay("no_folder", "The folder is not there any more (local.path).");
                    let text = trouble.message.clone();
                    return (ToolOutcome { text, is_error: true }, Some(trouble));
                }
                let (shelf, tool, params) = (shelf.clone(), tool.to_owned(), params.clone());
                let done = tokio::task::spawn_blocking(move || shelf.call(&tool, &params)).await;
                let lost = |_| ToolOutcome {
                    text: "The folder could not be looked at.".into(),
                    is_error: true,
                };
                (done.unwrap_or_else(lost), None)
            }
        }
    }

    /// Ends it; what is in flight fails.
    pub(crate) fn close(&self) {
        if let Self::Mcp(server) = self {
            server.close();
        }
    }
}
