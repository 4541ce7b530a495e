//! What this crate needs of others: secrets a person typed in, and where states and tools are told.

use async_trait::async_trait;
use kata_protocol::{SourceId, Status};
use secrecy::SecretString;

/// Secrets of sources by name. They are a person's: nothing here ever writes one.
#[async_trait]
pub trait SourceSecrets: Send + Sync + 'static {
    /// A secret, if it is set.
    async fn secret(&self, source: &SourceId, name: &str) -> Option<SecretString>;
}

/// Where it is told how sources stand. Called often: it must not wait.
pub trait Listener: Send + Sync + 'static {
    /// A source moved.
    fn status(&self, source: &SourceId, status: Status);
    /// A source's tools on offer are others.
    fn tools_changed(&self, source: &SourceId);
    /// A call came back.
    fn activity(&self, source: &SourceId);
    /// The tools a source was seen to have, for the time when it sleeps.
    fn seen(&self, source: &SourceId, seen: crate::Seen);
}
