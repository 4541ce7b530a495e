//! What the engine's thread tells the rest of the host, and what host calls need. The seam that lets `engine` and `fetch`
//! know nothing of generations, registries and supervision.

use crate::body::Bodies;
use crate::budget::Budget;
use crate::jobs::Unplanned;
use crate::meter::Minute;
use crate::network::Clients;
use crate::options::HostOptions;
use crate::pace::Pace;
use crate::share::Share;
use crate::socket::Sockets;
use crate::standing::Standing;
use crate::tcp::Connections;
use kata_core::ports::{Clock, PluginBackend, PluginPart};
use kata_core::tasks::Tasks;
use kata_protocol::{PluginId, SourcePosition, UserAction, WorkspaceId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

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
    fn fault(&self, kind: &str, message: String) {
        self.fault_at(kind, message, None);
    }
    /// The same, with the place in the author's source.
    fn fault_at(&self, kind: &str, message: String, position: Option<SourcePosition>);
    /// A channel or service says how it stands.
    fn part(&self, generation: u32, part: PluginPart, report: Report, code: &str, message: &str);
    /// A service plans work; why it cannot.
    fn schedule(&self, generation: u32, service: &str, json: &str) -> Result<(), Unplanned>;
    /// A service takes planned work away.
    fn unschedule(&self, generation: u32, service: &str, id: &str);
    /// Somebody needs one of its services, or any of them.
    fn busy(&self, service: Option<&str>);
    /// A budget is used up for that long.
    fn over_budget(&self, message: &str, wait: Duration);
}

/// What a call to the host may use.
pub(crate) struct Reach {
    pub(crate) plugin: PluginId,
    pub(crate) generation: u32,
    pub(crate) backend: Arc<dyn PluginBackend>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) clients: Clients,
    pub(crate) options: HostOptions,
    pub(crate) tasks: Tasks,
    /// The workspace it was found in.
    pub(crate) workspace: Option<WorkspaceId>,
    /// Events for clients.
    pub(crate) emitted: Minute,
    /// Requests and sockets.
    pub(crate) pace: Arc<Pace>,
    /// What the plugin may do on its own account.
    pub(crate) share: Arc<Share>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bodies: Bodies,
    pub(crate) sockets: Sockets,
    pub(crate) connections: Connections,
    /// Cancelled when the generation ends.
    pub(crate) stop: CancellationToken,
}

impl Reach {
    /// A message was taken in.
    pub(crate) fn earn(&self) {
        let per_minute = Duration::from_millis(u64::from(self.options.cpu_ms_per_minute));
        self.share.earn(per_minute, Instant::now());
    }
}
