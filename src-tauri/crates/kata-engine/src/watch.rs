//! Watches plugin folders and workspaces. What the system reports are hints: what may have changed is looked at again, nothing
//! else is, and only what is really different is acted on.
//!
//! On some systems files inside a folder that has just come are not reported, so each look is followed by another one a
//! moment later; where nothing changed it reads no file. `plugin.reload` works without any of this.

use crate::engine::Inner;
use kata_protocol::PluginId;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Quiet time after the last hint before anything is looked at.
const QUIET: Duration = Duration::from_millis(75);
/// A place that is written without pause is looked at all the same.
const LONGEST: Duration = Duration::from_millis(300);
/// Time until the second look.
const AGAIN: Duration = Duration::from_millis(250);
/// Hints that may wait; one more makes everything suspect.
const HINTS: usize = 1024;

/// What may have changed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Dirty {
    plugins: BTreeSet<PluginId>,
    /// Folders of plugins came or went.
    folders: bool,
    /// Sources of workspaces.
    files: bool,
    /// What a person arranges in workspaces: names, statuses, labels, skills.
    spaces: bool,
}

impl Dirty {
    fn any(&self) -> bool {
        self.folders || self.files || self.spaces || !self.plugins.is_empty()
    }
}

/// Where things are, for telling what a path is about.
#[derive(Default)]
struct Map {
    plugins: Vec<(PluginId, PathBuf)>,
    extensions: Vec<PathBuf>,
    workspaces: Vec<PathBuf>,
    /// The folder that new workspaces go to.
    above: PathBuf,
}

impl Map {
    fn of(inner: &Inner) -> Self {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Self {
            plugins: inner.plugins.folders(),
            extensions: inner.plugins.roots().iter().map(|r| canonical(&r.path)).collect(),
            workspaces: kata_store::home::workspace_folders(&inner.home)
                .iter()
                .map(|w| canonical(&w.path))
                .collect(),
            above: canonical(&inner.home.workspaces()),
        }
    }

    /// Marks what a path is about.
    fn mark(&self, path: &Path, dirty: &mut Dirty) {
        for (id, folder) in &self.plugins {
            let Ok(inside) = path.strip_prefix(folder) else { continue };
            let left_out = |part: Component<'_>| kata_plugins::left_out(part.as_os_str());
            if inside.as_os_str().is_empty() {
                // The folder itself: it may be gone.
                dirty.folders = true;
            } else if !inside.components().any(left_out) {
                dirty.plugins.insert(id.clone());
            }
            return;
        }
        for root in &self.extensions {
            let Ok(inside) = path.strip_prefix(root) else { continue };
            // What is laid out or thrown away is in hidden folders.
            let hidden = inside
                .components()
                .next()
                .is_some_and(|c| c.as_os_str().as_encoded_bytes().first() == Some(&b'.'));
            dirty.folders |= !hidden;
            return;
        }
        for workspace in &self.workspaces {
            let Ok(inside) = path.strip_prefix(workspace) else { continue };
            match inside.components().next().and_then(|c| c.as_os_str().to_str()) {
                Some("extensions") => dirty.folders = true,
                None | Some("config.json") => (dirty.files, dirty.spaces) = (true, true),
                Some("sources") => dirty.files = true,
                Some("statuses" | "labels" | "skills") => dirty.spaces = true,
                Some(_) => {}
            }
            // A folder at the top came or went: it may be one to watch.
            dirty.folders |= ["", "sources", "statuses", "labels", "skills"]
                .iter()
                .any(|name| inside.as_os_str() == *name);
            return;
        }
        if path.starts_with(&self.above) {
            (dirty.folders, dirty.files, dirty.spaces) = (true, true, true);
        }
    }

    /// Folders to watch, and whether with everything below.
    fn places(&self) -> BTreeMap<PathBuf, bool> {
        let extensions = self.extensions.iter().map(|p| (p.clone(), true));
        let deep = ["sources", "statuses", "labels", "skills"];
        let workspaces = self
            .workspaces
            .iter()
            .flat_map(|p| std::iter::once((p.clone(), false)).chain(deep.iter().map(|name| (p.join(name), true))));
        let all = extensions.chain(workspaces).chain([(self.above.clone(), false)]);
        all.filter(|(path, _)| path.is_dir()).collect()
    }
}

/// The system's watch and what it is on.
struct Watch {
    watcher: RecommendedWatcher,
    on: BTreeMap<PathBuf, bool>,
}

impl Watch {
    /// Watches these folders and no others. Answers whether there is one that was not watched before.
    fn only(&mut self, places: BTreeMap<PathBuf, bool>) -> bool {
        for gone in self.on.keys().filter(|p| !places.contains_key(*p)) {
            let _ = self.watcher.unwatch(gone);
        }
        self.on.retain(|p, _| places.contains_key(p));
        let mut new = false;
        for (place, deep) in places {
            if self.on.contains_key(&place) {
                continue;
            }
            let mode = if deep {
                RecursiveMode::Recursive
            } else {
                RecursiveMode::NonRecursive
            };
            match self.watcher.watch(&place, mode) {
                Ok(()) => {
                    new = true;
                    self.on.insert(place, deep);
                }
                Err(error) => tracing::warn!(%error, place = %place.display(), "a folder cannot be watched; reload by hand"),
            }
        }
        new
    }
}

/// Watches until the engine stops. A machine that cannot watch is told so in the log; reload by hand works as always.
pub(crate) async fn run(inner: Arc<Inner>) {
    let stopping = inner.tasks.stopping();
    // So that there is a place to drop a plugin into, and one to watch.
    if let Err(error) = kata_store::private_dir(&inner.plugins.extensions()) {
        tracing::warn!(%error, "the extensions folder could not be made");
    }
    let (hint, mut hints) = mpsc::channel::<PathBuf>(HINTS);
    let lost = Arc::new(AtomicBool::new(false));
    let missed = Arc::clone(&lost);
    let watcher = notify::recommended_watcher(move |result: notify::Result<notify::Event>| {
        let paths = match result {
            Ok(event) if event.kind.is_access() => return,
            Ok(event) if !event.need_rescan() && !event.paths.is_empty() => event.paths,
            // The system lost count: an empty path makes everything suspect.
            _ => vec![PathBuf::new()],
        };
        for path in paths {
            if hint.try_send(path).is_err() {
                missed.store(true, Ordering::Release);
            }
        }
    });
    let watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => {
            tracing::warn!(%error, "folders cannot be watched; reload plugins by hand");
            return;
        }
    };
    inner.plugins.looked().await;
    let mut watch = Watch {
        watcher,
        on: BTreeMap::new(),
    };
    let mut map = Map::of(&inner);
    watch.only(map.places());
    // What came before the watch stood.
    let mut dirty = Dirty {
        folders: true,
        files: true,
        ..Dirty::default()
    };
    let (mut first, mut last): (Option<Instant>, Option<Instant>) = (None, None);
    let mut second: Option<(Instant, Dirty)> = None;
    let (done, mut ended) = mpsc::channel::<Option<PluginId>>(HINTS);
    let mut busy: BTreeSet<Option<PluginId>> = BTreeSet::new();
    loop {
        let now = Instant::now();
        let quiet = last.map_or(now, |l| l + QUIET).min(first.map_or(now, |f| f + LONGEST));
        let free = dirty.files
            || dirty.spaces
            || dirty.folders && !busy.contains(&None)
            || dirty.plugins.iter().any(|id| !busy.contains(&Some(id.clone())));
        let again = second.as_ref().map(|(at, _)| *at);
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            Some(path) = hints.recv() => {
                if lost.swap(false, Ordering::AcqRel) || path.as_os_str().is_empty() {
                    (dirty.folders, dirty.files, dirty.spaces) = (true, true, true);
                    dirty.plugins.extend(map.plugins.iter().map(|(id, _)| id.clone()));
                } else {
                    map.mark(&path, &mut dirty);
                }
                if dirty.any() {
                    let now = Instant::now();
                    (first, last) = (first.or(Some(now)), Some(now));
                }
                continue;
            }
            Some(who) = ended.recv() => {
                if who.is_none() {
                    map = Map::of(&inner);
                    // What came into a folder before it was watched.
                    dirty.folders |= watch.only(map.places());
                }
                busy.remove(&who);
                continue;
            }
            () = tokio::time::sleep_until(quiet), if free => {}
            () = tokio::time::sleep_until(again.unwrap_or(now)), if again.is_some() => {
                let (_, looked) = second.take().unwrap_or((now, Dirty::default()));
                for id in looked.plugins {
                    look(&inner, Some(id), &mut busy, &done);
                }
                if looked.folders {
                    look(&inner, None, &mut busy, &done);
                }
                continue;
            }
        }
        (first, last) = (None, None);
        if std::mem::take(&mut dirty.files) {
            inner.refresh_files();
        }
        if std::mem::take(&mut dirty.spaces) {
            inner.workspaces_changed();
        }
        let mut looked = second.take().map(|(_, d)| d).unwrap_or_default();
        if dirty.folders && look(&inner, None, &mut busy, &done) {
            dirty.folders = false;
            looked.folders = true;
        }
        for id in std::mem::take(&mut dirty.plugins) {
            if look(&inner, Some(id.clone()), &mut busy, &done) {
                looked.plugins.insert(id);
            } else {
                dirty.plugins.insert(id);
            }
        }
        second = Some((Instant::now() + AGAIN, looked));
    }
}

/// Looks at one plugin, or at all folders, unless that is being done. Several plugins load at once.
fn look(inner: &Arc<Inner>, who: Option<PluginId>, busy: &mut BTreeSet<Option<PluginId>>, done: &mpsc::Sender<Option<PluginId>>) -> bool {
    if !busy.insert(who.clone()) {
        return false;
    }
    let (plugins, done) = (Arc::clone(&inner.plugins), done.clone());
    inner.tasks.spawn("look at changed plugins", async move {
        match &who {
            Some(id) => plugins.files_changed(id).await,
            None => plugins.folders_changed().await,
        }
        let _ = done.send(who).await;
    });
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn id(text: &str) -> PluginId {
        PluginId::new(text).unwrap()
    }

    fn map() -> Map {
        Map {
            plugins: vec![(id("a"), "/home/ext/a".into()), (id("b"), "/ws/one/extensions/b".into())],
            extensions: vec!["/home/ext".into(), "/ws/one/extensions".into()],
            workspaces: vec!["/ws/one".into()],
            above: "/ws".into(),
        }
    }

    fn marked(path: &str) -> Dirty {
        let mut dirty = Dirty::default();
        map().mark(Path::new(path), &mut dirty);
        dirty
    }

    #[test]
    fn a_plugins_file_makes_that_plugin_suspect_and_nothing_else() {
        for (path, plugin) in [("/home/ext/a/index.ts", "a"), ("/ws/one/extensions/b/src/deep/x.json", "b")] {
            let only = Dirty {
                plugins: BTreeSet::from([id(plugin)]),
                ..Dirty::default()
            };
            assert_eq!(marked(path), only, "{path}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_plugin_or_a_source_is_not_looked_at() {
        for path in [
            "/home/ext/a/node_modules/x/index.js",
            "/home/ext/a/.git/HEAD",
            "/home/ext/a/.kata/kata-plugin-sdk.d.ts",
            "/home/ext/.staging-1/index.ts",
            "/home/ext/.trash/a",
            "/ws/one/sessions/s1/session.jsonl",
            "/elsewhere",
        ] {
            assert_eq!(marked(path), Dirty::default(), "{path}");
        }
    }

    #[test]
    fn folders_that_come_or_go_and_sources_are_looked_at_as_what_they_are() {
        let folders = |path: &str| (marked(path).folders, marked(path).files);
        assert_eq!(folders("/home/ext/new"), (true, false));
        assert_eq!(folders("/home/ext/a"), (true, false));
        assert_eq!(folders("/ws/one/extensions"), (true, false));
        assert_eq!(folders("/ws/one/sources/x/config.json"), (false, true));
        assert_eq!(folders("/ws/one/sources"), (true, true));
        assert_eq!(folders("/ws/two"), (true, true));
    }

    #[test]
    fn statuses_labels_skills_and_the_name_are_a_workspaces_affair_and_its_sources_are_not() {
        for path in [
            "/ws/one/statuses/config.json",
            "/ws/one/labels/config.json",
            "/ws/one/skills/x/SKILL.md",
            "/ws/one/config.json",
        ] {
            assert!(marked(path).spaces, "{path}");
        }
        assert!(!marked("/ws/one/sources/x/config.json").spaces && !marked("/ws/one/sessions/s1/notes.md").spaces);
        assert!(marked("/ws/one/skills").folders, "a folder that is new is one to watch");
    }
}
