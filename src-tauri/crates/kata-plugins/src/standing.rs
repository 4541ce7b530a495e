//! What one generation may do right now. Every door asks here at every use, so a capability that is taken back is gone at
//! once, and what rests on it (a request, a socket) is ended.
//!
//! Neighbours: `capability` has the two keys, `network` the allow-list. Deliberately absent: giving a capability to a
//! generation that runs; a person's new grant comes with the next activation.

use crate::capability::{Denied, Grants};
use crate::network::{AllowList, Blocked, NetworkPolicy, Reach};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio_util::sync::CancellationToken;
use url::Url;

struct Doors {
    grants: Grants,
    allow: AllowList,
}

/// The swappable grants of one generation.
pub(crate) struct Standing {
    doors: ArcSwap<Doors>,
    policy: NetworkPolicy,
    leases: Mutex<Vec<Weak<Lease>>>,
}

impl Standing {
    pub(crate) fn new(grants: Grants, policy: NetworkPolicy) -> Self {
        let allow = AllowList::new(&grants, &policy);
        Self {
            doors: ArcSwap::from_pointee(Doors { grants, allow }),
            policy,
            leases: Mutex::default(),
        }
    }

    /// Whether both keys of a capability are there now.
    pub(crate) fn check(&self, capability: &str) -> Result<(), Denied> {
        self.doors.load().grants.check(capability)
    }

    /// Scopes that may be used at a provider now.
    pub(crate) fn scopes_at(&self, provider: &str) -> Result<Vec<String>, Denied> {
        self.doors.load().grants.scopes_at(provider)
    }

    /// Whether a request to `url` may leave now, and how far it may reach.
    pub(crate) fn reach(&self, url: &Url) -> Result<Reach, Blocked> {
        self.doors.load().allow.check(url)
    }

    /// Something that lasts and goes to `url`. Ended by `parent`, and when `url` is no longer allowed.
    pub(crate) fn lease(&self, url: &Url, parent: &CancellationToken) -> Result<Arc<Lease>, Blocked> {
        let lease = Arc::new(Lease {
            url: url.clone(),
            ended: parent.child_token(),
        });
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.retain(|l| l.strong_count() > 0);
        leases.push(Arc::downgrade(&lease));
        // Asked under the lock: a revocation either sees this lease or is seen here.
        self.reach(url)?;
        Ok(lease)
    }

    /// Takes a capability back.
    pub(crate) fn revoke(&self, capability: &str) {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let grants = self.doors.load().grants.without(capability);
        let allow = AllowList::new(&grants, &self.policy);
        self.doors.store(Arc::new(Doors { grants, allow }));
        for lease in leases.iter().filter_map(Weak::upgrade) {
            if self.reach(&lease.url).is_err() {
                lease.ended.cancel();
            }
        }
    }
}

/// What keeps a request or a socket alive.
pub(crate) struct Lease {
    url: Url,
    ended: CancellationToken,
}

impl Lease {
    /// Returns when it has to end.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }
}
