//! Requests from outside for a plugin's own paths: the gateway has the door, the plugin host the plugins, and neither
//! knows the other.

use async_trait::async_trait;

/// One request, whole.
#[derive(Clone, Debug)]
pub struct RouteRequest {
    /// Plugin the path names; not checked yet.
    pub plugin: String,
    /// Path below the plugin's own.
    pub path: String,
    /// Method.
    pub method: String,
    /// What stands behind the `?`, undecoded.
    pub query: String,
    /// Lower-case names with their values, in order.
    pub headers: Vec<(String, String)>,
    /// Exactly the bytes that came; a signature is over these.
    pub body: Vec<u8>,
}

/// What the caller is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteAnswer {
    /// 200 to 599.
    pub status: u16,
    /// Without those the door sets itself.
    pub headers: Vec<(String, String)>,
    /// Text.
    pub body: String,
}

/// Why there is no answer of the plugin's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteRefusal {
    /// No plugin has the path, or it may not have it.
    #[error("nothing is here")]
    NotFound,
    /// The path takes other methods.
    #[error("this path takes {0}")]
    Method(String),
    /// The plugin is down, or too busy.
    #[error("the plugin is not available")]
    Down,
    /// The plugin did not answer in time.
    #[error("the plugin did not answer in time")]
    Late,
    /// The plugin failed; the fault is in its list.
    #[error("the plugin failed")]
    Failed,
}

/// The paths of all plugins.
#[async_trait]
pub trait Routes: Send + Sync + 'static {
    /// Lets the plugin verify and handle one request. Returns within its own limit.
    async fn serve(&self, request: RouteRequest) -> Result<RouteAnswer, RouteRefusal>;
}
