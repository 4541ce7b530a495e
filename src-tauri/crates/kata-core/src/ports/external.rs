//! Plugins that are programs of their own: the gateway has the socket, the engine joins what comes over it to tools, hooks and
//! channels, and neither knows the other.
//!
//! Deliberately absent: how a frame is written, and what a plugin may do (kata-plugins judges it like any other).

use async_trait::async_trait;
use kata_protocol::{ExternalCall, ExternalClient, IngressAnswer, Json, PluginId, Status, WireError};
use std::sync::Arc;
use std::time::Duration;

/// One call to a program.
#[derive(Clone, Debug)]
pub struct OutletCall {
    /// From [`Outlet::number`].
    pub number: u64,
    /// Plugin that is asked.
    pub plugin: PluginId,
    /// What for.
    pub kind: ExternalCall,
    /// JSON text.
    pub params: String,
    /// Time until it is given up.
    pub deadline: Duration,
}

/// The way to a program. Nothing here waits: a connection that does not take what it is given says so.
pub trait Outlet: Send + Sync + 'static {
    /// A number that no call of this connection has had.
    fn number(&self) -> u64;
    /// Asks. False when the connection is full or gone; the program has not heard of the call then.
    fn call(&self, call: OutletCall) -> bool;
    /// Nobody waits for a call any longer.
    fn cancel(&self, number: u64);
    /// Ends the connection, with the reason the program is told.
    fn close(&self, reason: &str);
}

/// Whose a call number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It was waited for, and is answered now.
    Taken,
    /// It was this plugin's, and nobody waits any longer.
    Late,
    /// Not this plugin's.
    Unknown,
}

/// A plugin that is there for as long as its connection is.
#[async_trait]
pub trait AttachedPlugin: Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> &PluginId;
    /// A message from one of its channels. Resolves when it is durable, or refused.
    async fn inbound(&self, channel: &str, message: Json) -> Result<IngressAnswer, WireError>;
    /// How one of its channels stands, and how far its platform was read.
    async fn report(&self, channel: &str, status: Status, cursor: Option<String>);
    /// An answer to a call.
    fn answer(&self, number: u64, answer: Result<Option<Json>, WireError>) -> Claim;
    /// It sent something that belongs nowhere; `what` has no content of it.
    fn stray(&self, what: &str);
    /// Its connection is gone: everything it brought is, at once, and every call that waits for it ends. May be called again.
    fn detach(&self);
}

/// Takes plugins in.
#[async_trait]
pub trait ExternalPlugins: Send + Sync + 'static {
    /// Joins what `plugin` (an `ExternalPlugin`, untrusted) brings to tools, hooks and channels.
    ///
    /// # Errors
    /// What does not fit, by field; or whoever has one of the names already.
    async fn attach(&self, client: ExternalClient, plugin: Json, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn AttachedPlugin>, WireError>;
}
