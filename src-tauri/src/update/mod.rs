//! Updates of the app: what the engine's rules decide is done here, with Tauri's updater and the system's package manager.
//!
//! [`server`] asks and fetches, [`package`] installs and keeps the version before, [`boot`] is what happens around the change of
//! versions. The order of a swap: a way back is kept, the engine drains and ends, the home is copied, the note is written, the
//! package is verified once more and put in, the process becomes the new version. Whatever fails after the drain ends in a start
//! of the version that is installed, which says what happened.

pub(crate) mod boot;
mod package;
mod server;

use crate::host::Host;
use crate::tray;
use async_trait::async_trait;
use kata_engine::updates::{Pending, Progress, Release, Shelf, UpdateFault, Updater};
use kata_protocol::UpdateChannel;
use package::Kind;
use server::Found;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tauri::{AppHandle, Manager as _};

/// The process begins again when the app has ended.
static AGAIN: AtomicBool = AtomicBool::new(false);
/// It begins without a window, as it ended.
static HIDDEN: AtomicBool = AtomicBool::new(false);

/// Joins updates to an engine that has just started, and says to whoever watches a new version that it stands.
pub(crate) async fn join(app: AppHandle, host: Arc<Host>, home: PathBuf) {
    let shelf = Shelf::of(&home);
    let desk = Desk {
        app,
        host: Arc::clone(&host),
        shelf: shelf.clone(),
        home,
        kind: Kind::of_this_program(),
        found: Mutex::default(),
    };
    host.update_with(Arc::new(desk));
    if is_told_to_fail() || !host.gateway_answers().await {
        return;
    }
    if let Some(pending) = boot::ready() {
        let words = format!("Version {} runs.", pending.to);
        let settled = pending.ended(boot::now(), true, words);
        match tauri::async_runtime::spawn_blocking(move || shelf.settle(&settled)).await {
            Ok(Ok(())) => tracing::info!(version = pending.to, "the new version has shown that it works"),
            other => tracing::error!(?other, "the new version works, and that could not be kept"),
        }
        host.update_settled();
    }
}

/// In debug builds a test may have a new version never become ready.
fn is_told_to_fail() -> bool {
    cfg!(debug_assertions) && std::env::var("KATA_UPDATE_READY").as_deref() == Ok("never")
}

/// Becomes the installed version, where an update asked for that; called when everything has ended. Comes back where nothing did,
/// or with what stood in the way.
pub(crate) fn become_the_installed_one() -> Option<std::io::Error> {
    if !AGAIN.load(Ordering::Acquire) {
        return None;
    }
    boot::begin_again(Some(HIDDEN.load(Ordering::Acquire)))
}

struct Desk {
    app: AppHandle,
    host: Arc<Host>,
    shelf: Shelf,
    home: PathBuf,
    kind: Option<Kind>,
    found: Mutex<Option<Found>>,
}

impl Desk {
    fn found(&self, version: &str) -> Result<Found, UpdateFault> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).clone();
        found
            .filter(|found| found.version() == version)
            .ok_or_else(|| UpdateFault::Other(format!("version {version} is not the one that was found last")))
    }

    fn kind(&self) -> Result<Kind, UpdateFault> {
        self.kind
            .clone()
            .ok_or_else(|| UpdateFault::Other("it is not known how this program was installed".into()))
    }
}

#[async_trait]
impl Updater for Desk {
    fn version(&self) -> String {
        self.app.package_info().version.to_string()
    }

    fn unavailable(&self) -> Option<String> {
        if server::key(&self.app).is_empty() {
            return Some("This program was built from source and has no key to know real updates by. Update it the way you got it.".into());
        }
        if self.kind.is_none() {
            return Some("This program was not installed from a package, so it is not updated by itself.".into());
        }
        None
    }

    async fn look(&self, channel: UpdateChannel, server: Option<&str>) -> Result<Option<Release>, UpdateFault> {
        let found = server::look(&self.app, channel, server).await?;
        let release = found.as_ref().map(Found::release);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(release)
    }

    async fn fetch(&self, version: &str, progress: Progress<'_>) -> Result<(), UpdateFault> {
        let (found, place) = (self.found(version)?, self.shelf.package(version, self.kind()?.ending()));
        found.fetch(&self.shelf, &place, progress).await
    }

    async fn asks(&self) -> Option<String> {
        let kind = self.kind.clone()?;
        tauri::async_runtime::spawn_blocking(move || package::asks(&kind))
            .await
            .ok()
            .flatten()
    }

    async fn put_in(&self, version: &str) -> Result<(), UpdateFault> {
        let (found, kind, from) = (self.found(version)?, self.kind()?, self.version());
        let way_back = self.shelf.package(&from, kind.ending());
        let keep = {
            let (kind, way_back) = (kind.clone(), way_back.clone());
            tauri::async_runtime::spawn_blocking(move || package::keep(&kind, &boot::path(), &way_back))
        };
        keep.await.map_err(|e| UpdateFault::NoWayBack(e.to_string()))??;
        let swap = Swap {
            pending: Pending {
                from,
                to: version.to_owned(),
                began: boot::now(),
                starts: 0,
                way_back,
                kind: kind.name().into(),
            },
            package: self.shelf.package(version, kind.ending()),
            shelf: self.shelf.clone(),
            home: self.home.clone(),
            found,
            kind,
        };
        tauri::async_runtime::spawn(swap.run(self.app.clone(), Arc::clone(&self.host)));
        Ok(())
    }
}

/// One change of versions.
struct Swap {
    pending: Pending,
    package: PathBuf,
    shelf: Shelf,
    home: PathBuf,
    found: Found,
    kind: Kind,
}

impl Swap {
    async fn run(self, app: AppHandle, host: Arc<Host>) {
        match host.busy() {
            0 => tray::show(&app, "Updating…"),
            busy => tray::show(&app, &format!("Updating; {busy} session(s) finish their turn")),
        }
        host.shut_down().await;
        tray::show(&app, "Updating…");
        // Nothing of the engine runs now; files may be copied and replaced.
        let done = tauri::async_runtime::spawn_blocking(move || self.change()).await;
        if let Err(error) = done {
            tracing::error!(%error, "the change of versions stopped unexpectedly");
        }
        HIDDEN.store(app.webview_windows().is_empty(), Ordering::Release);
        AGAIN.store(true, Ordering::Release);
        app.exit(0);
    }

    fn change(self) {
        match self.try_to() {
            Ok(()) => {
                self.shelf.tidy(&[&self.package, &self.pending.way_back]);
                boot::set_guard();
            }
            Err(fault) => {
                tracing::error!(%fault, "the new version was not put in");
                let words = format!("Version {} was not put in. {}", self.pending.to, fault.words());
                if let Err(error) = self.shelf.settle(&self.pending.ended(boot::now(), false, words)) {
                    tracing::error!(%error, "how the update ended could not be kept");
                }
            }
        }
    }

    fn try_to(&self) -> Result<(), UpdateFault> {
        let copied = self.shelf.back_up(&self.home, &self.pending.from);
        copied.map_err(|e| UpdateFault::NoBackup(e.to_string()))?;
        let bytes = std::fs::read(&self.package).map_err(|e| UpdateFault::Other(e.to_string()))?;
        self.found.verify(&bytes)?;
        self.shelf
            .promise(&self.pending)
            .map_err(|e| UpdateFault::NoWayBack(e.to_string()))?;
        match &self.kind {
            Kind::Deb | Kind::Rpm => package::install(self.kind.name(), &self.package),
            Kind::File(file) => package::replace_file(file, &self.package).map_err(|e| UpdateFault::Refused(e.to_string())),
            Kind::Bundle(_) | Kind::Installer => self.found.install(&bytes),
        }
    }
}
