//! What the engine's thread tells the rest of the host, and what host calls need. The seam that lets `engine` and `fetch`
//! know nothing of generations, registries and supervision.

use crate::capability::Grants;
use crate::network::{AllowList, Clients};
use crate::options::HostOptions;
use kata_core::ports::{PluginBackend, PluginPart};
use kata_core::tasks::Tasks;
use kata_protocol::{PluginId, UserAction};
use std::sync::Arc;

/// How a part says it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Connecting,
    Running,
    Degraded,
    NeedsUser(UserAction),
}

/// Who hears of one generation's faults and states.
pub(crate) trait Reporter: Send + Sync + 'static {
    /// The plugin did something wrong; the message has the author's position and no message text.
    fn fault(&self, kind: &str, message: String);
    /// A channel or service says how it stands.
    fn part(&self, generation: u32, part: PluginPart, report: Report, code: &str, message: &str);
}

/// What a call to the host may use.
pub(crate) struct Reach {
    pub(crate) plugin: PluginId,
    pub(crate) generation: u32,
    pub(crate) backend: Arc<dyn PluginBackend>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) grants: Grants,
    pub(crate) allow: AllowList,
    pub(crate) clients: Clients,
    pub(crate) options: HostOptions,
    pub(crate) tasks: Tasks,
}
