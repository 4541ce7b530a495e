//! Watches plugin folders and workspaces. What the system reports are hints: everything is looked at again, and only what is
//! really different is acted on.

use crate::engine::Inner;
use notify_debouncer_full::notify::RecursiveMode;
use notify_debouncer_full::{DebounceEventResult, new_debouncer};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Quiet time before anything is looked at.
const QUIET: Duration = Duration::from_millis(100);

/// Watches until the engine stops. A machine that cannot watch is told so in the log; reload by hand works as always.
pub(crate) async fn run(inner: Arc<Inner>) {
    let stopping = inner.tasks.stopping();
    // One hint is as good as many: a full queue loses nothing.
    let (hint, mut hints) = mpsc::channel::<()>(1);
    let watcher = new_debouncer(QUIET, None, move |result: DebounceEventResult| {
        if result.is_ok_and(|events| events.iter().any(|e| !e.kind.is_access())) {
            let _ = hint.try_send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "folders cannot be watched; reload plugins by hand");
            return;
        }
    };
    let mut places: Vec<PathBuf> = inner.plugins.roots.iter().map(|(_, root)| root.clone()).collect();
    places.push(inner.home.workspaces());
    for place in places.iter().filter(|p| p.is_dir()) {
        // Links are followed once, here: a watch on a link reports nothing.
        let place = place.canonicalize().unwrap_or_else(|_| place.clone());
        if let Err(error) = watcher.watch(&place, RecursiveMode::Recursive) {
            tracing::warn!(%error, place = %place.display(), "a folder cannot be watched; reload by hand");
        }
    }
    let mut seen = fingerprints(&inner);
    loop {
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            hint = hints.recv() => if hint.is_none() { return },
        }
        inner.plugins.rescan();
        inner.refresh_files();
        let now = fingerprints(&inner);
        for plugin in inner.plugins.list().into_iter().filter(|p| p.enabled) {
            let changed = now.get(&plugin.id) != seen.get(&plugin.id);
            if changed && let Err(error) = inner.plugins.start(&plugin.id).await {
                tracing::warn!(plugin = %plugin.id, %error, "a changed plugin did not load");
            }
        }
        seen = now;
    }
}

/// What is in each plugin's folder, as a hash of its source files.
fn fingerprints(inner: &Inner) -> HashMap<kata_protocol::PluginId, [u8; 32]> {
    let plugins = inner.plugins.list();
    plugins
        .into_iter()
        .filter_map(|p| inner.plugins.folder_of(&p.id).map(|folder| (p.id, fingerprint(&folder))))
        .collect()
}

fn fingerprint(folder: &Path) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
            .collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if path.is_dir() && !path.is_symlink() {
                if !["node_modules", "tests", ".git"].contains(&name) {
                    waiting.push(path);
                }
            } else if [".ts", ".js", ".mjs", ".json"].iter().any(|end| name.ends_with(end)) {
                hash.update(path.as_os_str().as_encoded_bytes());
                hash.update(std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    hash.finalize().into()
}
