//! What the system says of sleep and wake, and a program that must not be put to rest while it serves nobody's window.
//!
//! The engine notices a wake by itself within seconds; this is only sooner. Linux: logind's `PrepareForSleep` on the system bus
//! (org.freedesktop.login1(5)). macOS: the workspace's notification, and an activity that keeps App Nap away. Windows: the engine alone.

use crate::host::Host;
use std::sync::Arc;

/// Listens until the program ends.
pub(crate) fn follow(host: Arc<Host>) {
    #[cfg(target_os = "linux")]
    tauri::async_runtime::spawn(async move {
        if let Err(error) = linux::follow(&host).await {
            tracing::debug!(%error, "logind is not heard");
        }
    });
    #[cfg(target_os = "macos")]
    macos::follow(host);
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    drop(host);
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::host::Host;
    use futures::StreamExt as _;

    const LOGIND: &str = "org.freedesktop.login1";
    /// Signals that may wait to be read.
    const WAITING: usize = 8;

    pub(super) async fn follow(host: &Host) -> zbus::Result<()> {
        let connection = zbus::Connection::system().await?;
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(LOGIND)?
            .path("/org/freedesktop/login1")?
            .interface("org.freedesktop.login1.Manager")?
            .member("PrepareForSleep")?
            .build();
        let mut signals = zbus::MessageStream::for_match_rule(rule, &connection, Some(WAITING)).await?;
        while let Some(signal) = signals.next().await {
            // True before it sleeps, false when it is awake again.
            if let Ok(false) = signal?.body().deserialize::<bool>() {
                host.woke_up();
            }
        }
        Ok(())
    }
}

#[cfg(target_os = "macos")]
mod macos {
    use crate::host::Host;
    use block2::RcBlock;
    use objc2_app_kit::{NSWorkspace, NSWorkspaceDidWakeNotification};
    use objc2_foundation::{NSActivityOptions, NSNotification, NSProcessInfo, ns_string};
    use std::ptr::NonNull;
    use std::sync::Arc;

    /// Both last as long as the process, so what holds them is never let go.
    pub(super) fn follow(host: Arc<Host>) {
        let options = NSActivityOptions::UserInitiatedAllowingIdleSystemSleep;
        let activity = NSProcessInfo::processInfo()
            .beginActivityWithOptions_reason(options, ns_string!("messages of channels are answered while no window is open"));
        std::mem::forget(activity);
        let woke = RcBlock::new(move |_: NonNull<NSNotification>| host.woke_up());
        let center = NSWorkspace::sharedWorkspace().notificationCenter();
        // SAFETY: the block takes what the center hands it and lives as long as the process; the name is AppKit's own constant.
        #[allow(unsafe_code, reason = "the notification center of AppKit has no safe interface")]
        let observer =
            unsafe { center.addObserverForName_object_queue_usingBlock(Some(NSWorkspaceDidWakeNotification), None, None, &woke) };
        std::mem::forget(observer);
    }
}
