//! Ctrl-C as something that is listened to. From the moment this exists, Ctrl-C no longer ends the process by itself.

use crate::failure::Failure;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
#[cfg(windows)]
use tokio::signal::windows::{CtrlC, ctrl_c};

#[cfg(unix)]
pub(crate) struct Interrupts(Signal);
#[cfg(windows)]
pub(crate) struct Interrupts(CtrlC);

impl Interrupts {
    pub(crate) fn listen() -> Result<Self, Failure> {
        #[cfg(unix)]
        return Ok(Self(signal(SignalKind::interrupt())?));
        #[cfg(windows)]
        return Ok(Self(ctrl_c()?));
    }

    /// Returns at the next Ctrl-C since the last call. Safe to drop while it waits.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
