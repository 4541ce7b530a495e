//! Puts a plugin's folder into the global extensions folder, and takes one out. Nothing of a plugin runs for it, and nothing
//! is trusted by it.
//!
//! A plugin is laid out beside its place and put there by one rename, so a crash leaves the old folder or the new one.
//! What is taken out goes to `.trash/` of the same extensions folder, and is deleted when the next one comes after thirty days.

use super::{Plugins, lock, store_failed};
use kata_core::ports::GrantStore;
use kata_plugins::{Dropped, inspect, lay_out};
use kata_protocol::{ErrorCode, GrantAction, Json, Ms, PluginId, PluginInstall, PluginOrigin, WireError};
use kata_store::private_dir;
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How long a plugin lies in the trash, days.
const TRASH_DAYS: u64 = 30;

/// A folder that goes with this value, unless it was put in its place.
pub(super) struct Staging(PathBuf);

impl Staging {
    /// A new name beside the plugins, hidden from discovery. The folder itself is not made.
    pub(super) fn beside(extensions: &Path) -> std::io::Result<Self> {
        private_dir(extensions)?;
        Ok(Self(extensions.join(format!(".staging-{}", uuid::Uuid::new_v4().simple()))))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A plugin that is laid out and may be put in its place.
struct Staged {
    id: PluginId,
    version: String,
    laid_out: PathBuf,
    target: PathBuf,
    /// Folders of the same id that go to the trash.
    old: Vec<PathBuf>,
    /// Falls after the move, with what is left in it.
    _staging: Staging,
}

impl Plugins {
    /// Copies a folder or a `.tgz` into the global extensions folder; it waits there until it is trusted.
    pub(crate) async fn install(self: &Arc<Self>, params: PluginInstall) -> Result<PluginId, WireError> {
        let id = self.put_in(params).await?;
        self.settle(&id).await;
        self.catch_up(&id).await;
        Ok(id)
    }

    async fn put_in(self: &Arc<Self>, params: PluginInstall) -> Result<PluginId, WireError> {
        let _turn = self.deciding.lock().await;
        let source = PathBuf::from(&params.path);
        if !source.is_absolute() {
            return Err(
                WireError::invalid(format!("“path”: {} is not an absolute path", params.path)).hint("the engine may run in another folder")
            );
        }
        let (this, replace) = (Arc::clone(self), params.replace == Some(true));
        let failed = |_| WireError::internal("the plugin could not be put in its place");
        let staged = tokio::task::spawn_blocking(move || this.stage(&source, replace))
            .await
            .map_err(failed)??;
        let (id, version, replaced) = (staged.id.clone(), staged.version.clone(), !staged.old.is_empty());
        if replaced {
            // Before the files are there: not for a moment may they count as an author's edits.
            self.end_development(&id, "another version was installed over it").await?;
        }
        {
            // Nobody looks while the old folder is gone and the new one is not there: the plugin would be brought down.
            let _turn = self.scanning.lock().await;
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || this.put(staged)).await.map_err(failed)??;
        }
        self.look_through().await;
        let hash = lock(&self.found).seen.get(&id).and_then(|s| s.hash().map(str::to_owned));
        let how = if replaced { "in place of the one before" } else { "new" };
        let detail = format!("Version {version}, from {}, {how}", params.path);
        self.note(&id, GrantAction::Installed, hash.as_deref(), &detail).await;
        self.changed(&id);
        Ok(id)
    }

    /// Lays a plugin out and checks it. Blocks.
    fn stage(&self, source: &Path, replace: bool) -> Result<Staged, WireError> {
        let extensions = self.extensions();
        let staging = Staging::beside(&extensions).map_err(|e| no_room(&extensions, &e))?;
        let laid_out = lay_out(source, staging.path()).map_err(|error| {
            WireError::invalid(format!("“path”: {}: {error}", source.display()))
                .hint("a folder with a plugin, or a .tgz as `kata plugins pack` writes it")
        })?;
        let candidate = inspect(&laid_out).map_err(|dropped| not_a_plugin(source, &dropped))?;
        let id = candidate.manifest.id.clone();
        let target = extensions.join(id.as_str());
        let holders: Vec<(PathBuf, PluginOrigin)> = lock(&self.found)
            .discovery
            .found
            .iter()
            .filter(|c| c.manifest.id == id)
            .map(|c| (c.folder.clone(), c.origin))
            .collect();
        if holders.iter().any(|(_, origin)| *origin == PluginOrigin::Bundled) {
            let message = format!("plugin “{id}” is shipped with the app");
            return Err(WireError::new(ErrorCode::Conflict, message).hint("give yours another id"));
        }
        // The same id may sit in the global folder under another name.
        let mut old: Vec<PathBuf> = holders
            .into_iter()
            .filter(|(_, o)| *o == PluginOrigin::Global)
            .map(|(f, _)| f)
            .collect();
        if std::fs::symlink_metadata(&target).is_ok() && !old.iter().any(|f| target.canonicalize().is_ok_and(|t| t == *f)) {
            old.push(target.clone());
        }
        if !old.is_empty() && !replace {
            let message = format!("plugin “{id}” is installed already");
            let mut error =
                WireError::new(ErrorCode::Conflict, message).hint("install it with “replace” (`--replace`) to put this one in its place");
            // A client may ask whether to replace it; no other conflict can be answered so.
            error.details = Some(Json(json!({ "installed": id })));
            return Err(error);
        }
        sync_dirs(&laid_out).map_err(|e| no_room(&laid_out, &e))?;
        Ok(Staged {
            version: candidate.manifest.version,
            _staging: staging,
            laid_out,
            target,
            old,
            id,
        })
    }

    /// Puts it in its place. Blocks.
    fn put(&self, staged: Staged) -> Result<(), WireError> {
        let extensions = self.extensions();
        for folder in &staged.old {
            self.to_trash(&extensions, folder, &staged.id)?;
        }
        std::fs::rename(&staged.laid_out, &staged.target).map_err(|e| no_room(&staged.target, &e))?;
        sync(&extensions);
        Ok(())
    }

    /// Takes a plugin's folder out and its trust back. State, settings and secrets stay.
    pub(crate) async fn uninstall(self: &Arc<Self>, id: &PluginId) -> Result<(), WireError> {
        let _turn = self.deciding.lock().await;
        let candidate = self.candidate(id)?;
        if candidate.origin == PluginOrigin::Gateway {
            return self.forget_program(id);
        }
        if candidate.origin == PluginOrigin::Bundled {
            return Err(
                WireError::new(ErrorCode::Conflict, format!("plugin “{id}” is shipped with the app"))
                    .hint(format!("`kata plugins disable {id}` keeps it from running")),
            );
        }
        if candidate.account.is_some() {
            let message = format!("“{id}” is a further account of plugin “{}”", candidate.original());
            return Err(WireError::new(ErrorCode::Conflict, message).hint("`kata channels accounts remove` takes it away"));
        }
        self.bring_down_all(id).await;
        let (this, folder, plugin) = (Arc::clone(self), candidate.folder.clone(), id.clone());
        let moved = tokio::task::spawn_blocking(move || {
            let extensions = folder.parent().map(Path::to_owned).unwrap_or_else(|| this.extensions());
            this.to_trash(&extensions, &folder, &plugin)
        });
        let trash = moved.await.map_err(|_| WireError::internal("the folder could not be moved"))??;
        let event = self.event(
            GrantAction::Uninstalled,
            None,
            format!("Its folder was moved to {}", trash.display()),
        );
        self.store.revoke(id, &event).await.map_err(store_failed)?;
        self.load_grants().await?;
        self.settings.change(|s| {
            if let Some(plugin) = s.plugins.get_mut(id.as_str()) {
                plugin.enabled = None;
                plugin.granted.clear();
            }
        })?;
        self.look_through().await;
        self.tidy_kept().await;
        Ok(())
    }

    fn to_trash(&self, extensions: &Path, folder: &Path, id: &PluginId) -> Result<PathBuf, WireError> {
        let trash = extensions.join(".trash");
        private_dir(&trash).map_err(|e| no_room(&trash, &e))?;
        let day = jiff::Timestamp::from_millisecond(i64::try_from(self.clock.now().0).unwrap_or(0)).unwrap_or_default();
        let day = day.strftime("%Y-%m-%d-%H%M%S").to_string();
        let names = (1..).map(|n: u32| if n == 1 { format!("{id}-{day}") } else { format!("{id}-{day}-{n}") });
        let Some(free) = names
            .map(|name| trash.join(name))
            .find(|place| std::fs::symlink_metadata(place).is_err())
        else {
            return Err(WireError::internal("no free name in the trash"));
        };
        std::fs::rename(folder, &free).map_err(|e| no_room(&free, &e))?;
        sync(extensions);
        empty_trash(&trash, self.clock.now());
        Ok(free)
    }
}

/// Deletes what has lain in the trash for [`TRASH_DAYS`]. What has another name than ours stays.
fn empty_trash(trash: &Path, now: Ms) {
    let oldest = now.0.saturating_sub(TRASH_DAYS * 86_400_000);
    for entry in std::fs::read_dir(trash).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if thrown_away_at(&name.to_string_lossy()).is_some_and(|at| at < oldest)
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(folder = %entry.path().display(), %error, "an old plugin was not deleted from the trash");
        }
    }
}

/// When a folder was thrown away, by the time in its name (`dice-2026-11-26-091500`, `…-2` where there are several).
fn thrown_away_at(name: &str) -> Option<u64> {
    const TIME: usize = "2026-11-26-091500".len();
    let cut = |end: usize| name.get(end.checked_sub(TIME)?..end);
    let without_count = name.rfind('-').filter(|at| name.len() - at <= 3);
    let times = [Some(name.len()), without_count];
    let mut read = times.into_iter().flatten().filter_map(|end| {
        let civil = jiff::civil::DateTime::strptime("%Y-%m-%d-%H%M%S", cut(end)?).ok()?;
        let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        u64::try_from(at).ok()
    });
    read.next()
}

fn not_a_plugin(source: &Path, dropped: &Dropped) -> WireError {
    WireError::invalid(format!("“path”: {} is no plugin: {}", source.display(), dropped.reason)).hint(dropped.hint.clone())
}

pub(super) fn no_room(path: &Path, error: &std::io::Error) -> WireError {
    tracing::error!(path = %path.display(), %error, "a plugin's folder could not be written");
    WireError::internal(format!("{}: {error}", path.display())).hint("is the disk full or the folder read-only?")
}

/// Makes the names in a folder durable; where folders cannot be synced, does nothing.
fn sync(folder: &Path) {
    if cfg!(unix)
        && let Err(error) = File::open(folder).and_then(|f| f.sync_all())
    {
        tracing::warn!(folder = %folder.display(), %error, "a folder could not be synced");
    }
}

fn sync_dirs(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_dirs(&entry.path())?;
        }
    }
    sync(folder);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn what_lay_in_the_trash_for_thirty_days_is_deleted_and_nothing_else() {
        let trash = tempfile::tempdir().unwrap();
        for name in [
            "dice-2026-10-01-120000",
            "dice-2026-10-01-120000-2",
            "dice-2026-11-20-120000",
            "notes",
            "my-2026",
        ] {
            std::fs::create_dir_all(trash.path().join(name).join("inner")).unwrap();
        }
        // 26 November 2026.
        empty_trash(trash.path(), Ms(1_795_651_200_000));
        let mut left: Vec<_> = std::fs::read_dir(trash.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["dice-2026-11-20-120000", "my-2026", "notes"]);
    }
}
