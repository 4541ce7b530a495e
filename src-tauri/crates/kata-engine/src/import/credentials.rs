//! Takes the secrets of the Electron app over into our store, once per file. Deriving its key takes a while, so this runs
//! behind the start. The file itself stays; a damaged one is set aside, and a notice says so.

use crate::engine::{Inner, locked};
use kata_protocol::Fact;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Field of `settings.json` that remembers which file was taken over.
pub(super) const DONE: &str = "importedCredentials";
/// Field that remembers how many there were.
pub(super) const COUNT: &str = "importedCredentialsCount";

impl Inner {
    /// Takes them over, unless this very file has been taken over before.
    pub(crate) async fn import_credentials(self: Arc<Self>) {
        let Ok(bytes) = std::fs::read(self.home.credentials()) else {
            return;
        };
        let mark: String = Sha256::digest(&bytes).iter().take(8).map(|b| format!("{b:02x}")).collect();
        if self.settings.get().other.get(DONE).and_then(Value::as_str) == Some(&mark) {
            return;
        }
        let (home, secrets, now) = (self.home.clone(), Arc::clone(&self.secrets), self.clock.now());
        let imported = tokio::task::spawn_blocking(move || {
            let imported = kata_store::import_credentials(&home, now);
            let count = imported.accounts.len();
            for (account, value) in imported.accounts {
                let account = format!("imported/{account}");
                if secrets.get(&account).is_none()
                    && let Err(error) = secrets.set(&account, Some(value))
                {
                    tracing::warn!(%error, "a secret of the older app was not taken over");
                }
            }
            (count, imported.notice)
        });
        let Ok((count, notice)) = imported.await else { return };
        if let Some(notice) = notice {
            locked(&self.notices).push(notice);
            // The windows ask for the status, and with it the notices, when health is told.
            self.events.publish(Fact::HealthChanged {
                health: self.board.health(),
            });
            return;
        }
        tracing::info!(count, "secrets of the older app were taken over");
        if let Err(error) = self.settings.change(|s| {
            s.other.insert(DONE.into(), json!(mark));
            s.other.insert(COUNT.into(), json!(count));
        }) {
            tracing::warn!(%error, "that the secrets were taken over was not remembered; they are looked at again at the next start");
        }
    }
}
