//! What outlives the process around an update, in `updates/` of the home: fetched packages, the note of a version that has yet to
//! show that it works, how the last one ended, and copies of settings and messages from before.
//!
//! The note is written before the swap and read as the very first thing of a start, before there is an engine; it counts the
//! starts. Neighbours: the shell swaps and goes back ([`Shelf::at_start`] says when). Deliberately absent: packages of any system.

use kata_protocol::{Ms, UpdateOutcome};
use kata_store::{atomic_write, private_dir};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Starts that a new version gets before the one before it is put back.
pub const STARTS: u32 = 2;
/// What of the home is copied before a swap, where it is there.
const COPIED: &[&str] = &["settings.json", "config.json", "kata.db", "kata.db-wal", "sessions.wal"];
/// Copies of the home that are kept.
const COPIES: usize = 2;

/// A version that was put in and has yet to show that it works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Version before.
    pub from: String,
    /// New version.
    pub to: String,
    /// When.
    pub began: Ms,
    /// Starts of the new version so far.
    #[serde(default)]
    pub starts: u32,
    /// Package, program or folder that brings the version before back.
    pub way_back: PathBuf,
    /// What it is: `deb`, `rpm`, `file`, `folder`.
    pub kind: String,
}

/// What a start has to do about an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtStart {
    /// Nothing.
    Plain,
    /// This is the new version: it has to become ready in time.
    Prove(Pending),
    /// The new version had its starts: put the one before back.
    GoBack(Pending),
}

/// The folder `updates/` of a home.
#[derive(Clone, Debug)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// Of a home; nothing is made yet.
    pub fn of(home: &Path) -> Self {
        Self(home.join("updates"))
    }

    /// Makes it, readable by this account alone.
    ///
    /// # Errors
    /// As the file system says.
    pub fn make(&self) -> io::Result<()> {
        private_dir(&self.0)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Where the package of a version lies; `ending` is `deb`, `rpm` or `bin`.
    pub fn package(&self, version: &str, ending: &str) -> PathBuf {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let version: String = version.chars().filter(|c| plain(*c)).collect();
        self.0.join(format!("kata-agents-{version}.{ending}"))
    }

    /// Where two that would go back meet; whoever holds its lock may.
    pub fn lock(&self) -> PathBuf {
        self.0.join("back.lock")
    }

    /// The note of a version that has yet to show that it works. One that cannot be read is none, and is set aside.
    pub fn pending(&self) -> Option<Pending> {
        let text = std::fs::read(self.note()).ok()?;
        let note = serde_json::from_slice(&text).ok();
        if note.is_none() {
            let _ = std::fs::rename(self.note(), self.0.join("pending.json.damaged"));
        }
        note
    }

    /// Writes it, before the swap.
    ///
    /// # Errors
    /// As the file system says; the swap must not happen then.
    pub fn promise(&self, pending: &Pending) -> io::Result<()> {
        self.make()?;
        atomic_write(&self.note(), &serde_json::to_vec_pretty(pending)?, 0o600)
    }

    /// The update ended: keeps how, and takes the note away.
    ///
    /// # Errors
    /// As the file system says.
    pub fn settle(&self, outcome: &UpdateOutcome) -> io::Result<()> {
        self.make()?;
        let kept = atomic_write(&self.0.join("last.json"), &serde_json::to_vec_pretty(outcome)?, 0o600);
        // Without the note no later start goes back; that counts more than the words.
        match std::fs::remove_file(self.note()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => kept,
        }
    }

    /// How the last one ended.
    pub fn last(&self) -> Option<UpdateOutcome> {
        serde_json::from_slice(&std::fs::read(self.0.join("last.json")).ok()?).ok()
    }

    /// Looks at the note, counts this start, and says what to do. `version` is the one that starts.
    pub fn at_start(&self, version: &str, now: Ms) -> AtStart {
        let Some(mut pending) = self.pending() else {
            return AtStart::Plain;
        };
        if version != pending.to {
            let message = if version == pending.from {
                format!(
                    "Version {} was not put in: something interrupted it. Version {version} runs.",
                    pending.to
                )
            } else {
                format!("Version {version} runs; {} was to be put in.", pending.to)
            };
            let _ = self.settle(&pending.ended(now, false, message));
            return AtStart::Plain;
        }
        if pending.starts >= STARTS {
            return AtStart::GoBack(pending);
        }
        pending.starts += 1;
        // A disk that takes no note takes no count either; the guard and the clock of this start still hold.
        let _ = self.promise(&pending);
        AtStart::Prove(pending)
    }

    /// Copies settings and the store of messages away. Nothing may be writing them.
    ///
    /// # Errors
    /// As the file system says; half a copy is taken away.
    pub fn back_up(&self, home: &Path, version: &str) -> io::Result<PathBuf> {
        self.make()?;
        let place = self.package(version, "home");
        let _ = std::fs::remove_dir_all(&place);
        private_dir(&place)?;
        let copied = COPIED.iter().filter(|name| home.join(name).is_file()).try_for_each(|name| {
            std::fs::copy(home.join(name), place.join(name))?;
            std::fs::File::open(place.join(name))?.sync_all()
        });
        if let Err(error) = copied {
            let _ = std::fs::remove_dir_all(&place);
            return Err(error);
        }
        Ok(place)
    }

    /// After a way back: where the new version has changed the store's layout, which the one before cannot read, the copy from before
    /// takes its place again; what the new version had stays beside it as `…of-VERSION`. Whether it was so.
    ///
    /// # Errors
    /// As the file system says.
    pub fn put_store_back(&self, pending: &Pending) -> io::Result<bool> {
        let (Some(home), copies) = (self.0.parent(), self.package(&pending.from, "home")) else {
            return Ok(false);
        };
        let (now, before) = (home.join("kata.db"), copies.join("kata.db"));
        if !before.is_file() || layout(&now)? == layout(&before)? {
            return Ok(false);
        }
        for name in ["kata.db", "kata.db-wal", "kata.db-shm", "sessions.wal"] {
            match std::fs::rename(home.join(name), home.join(format!("{name}.of-{}", pending.to))) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        for name in ["kata.db-wal", "sessions.wal", "kata.db"] {
            if copies.join(name).is_file() {
                std::fs::copy(copies.join(name), home.join(name))?;
                std::fs::File::open(home.join(name))?.sync_all()?;
            }
        }
        Ok(true)
    }

    /// Takes away packages and copies that no way back needs: all but `keep` and the newest copies of the home.
    pub fn tidy(&self, keep: &[&Path]) {
        let Ok(entries) = std::fs::read_dir(&self.0) else { return };
        let mut copies = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            match path.extension().and_then(|e| e.to_str()) {
                Some("home") => copies.push((path.metadata().and_then(|m| m.modified()).ok(), path)),
                Some("deb" | "rpm" | "bin" | "sig" | "part")
                    if !keep.iter().any(|kept| path.with_extension("") == kept.with_extension("")) =>
                {
                    let _ = std::fs::remove_file(path);
                }
                _ => {}
            }
        }
        copies.sort();
        for (_, path) in copies.iter().rev().skip(COPIES) {
            let _ = std::fs::remove_dir_all(path);
        }
    }

    fn note(&self) -> PathBuf {
        self.0.join("pending.json")
    }
}

/// Number of a store's layout: SQLite's `user_version`, from the file's header (<https://www.sqlite.org/fileformat2.html>, offset 60)
/// and, where it has changed since, from the newest copy of the first page in the log beside it (ibid., 4.1).
fn layout(store: &Path) -> io::Result<u32> {
    let number = |bytes: &[u8], at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map(u32::from_be_bytes)
    };
    let mut log = store.as_os_str().to_owned();
    log.push("-wal");
    let log = std::fs::read(log).unwrap_or_default();
    let mut header = [0; 64];
    io::Read::read_exact(&mut std::fs::File::open(store)?, &mut header)?;
    let mut layout = number(&header, 60).unwrap_or_default();
    let page = number(&log, 8).and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
    for frame in log.get(32..).unwrap_or_default().chunks_exact(24 + page.max(64)) {
        // A frame of an earlier log has another salt.
        if frame[8..16] == log[16..24] && number(frame, 0) == Some(1) {
            layout = number(frame, 24 + 60).unwrap_or(layout);
        }
    }
    Ok(layout)
}

impl Pending {
    /// How it ended.
    pub fn ended(&self, at: Ms, ok: bool, message: String) -> UpdateOutcome {
        UpdateOutcome {
            version: self.to.clone(),
            from: self.from.clone(),
            at,
            ok,
            message,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    fn pending() -> Pending {
        Pending {
            from: "1.0.0".into(),
            to: "2.0.0".into(),
            began: Ms(1),
            starts: 0,
            way_back: "/updates/kata-agents-1.0.0.deb".into(),
            kind: "deb".into(),
        }
    }

    #[test]
    fn a_new_version_gets_two_starts_and_the_third_goes_back() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(home.path());
        assert_eq!(shelf.at_start("1.0.0", Ms(2)), AtStart::Plain);
        shelf.promise(&pending()).unwrap();
        for start in 1..=STARTS {
            match shelf.at_start("2.0.0", Ms(2)) {
                AtStart::Prove(pending) => assert_eq!(pending.starts, start),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(shelf.at_start("2.0.0", Ms(2)), AtStart::GoBack(_)));
        shelf.settle(&pending().ended(Ms(3), false, "back".into())).unwrap();
        assert_eq!(shelf.at_start("2.0.0", Ms(4)), AtStart::Plain, "a note counts once");
        assert_eq!(shelf.last().unwrap().message, "back");
    }

    #[test]
    fn a_start_of_another_version_than_the_new_one_ends_the_update_and_says_so() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(home.path());
        shelf.promise(&pending()).unwrap();
        assert_eq!(shelf.at_start("1.0.0", Ms(7)), AtStart::Plain);
        let last = shelf.last().unwrap();
        assert!(!last.ok && last.message.contains("interrupted"), "{last:?}");
        assert!(shelf.pending().is_none());
    }

    #[test]
    fn a_damaged_note_is_set_aside_and_stops_no_start() {
        let home = tempfile::tempdir().unwrap();
        let shelf = Shelf::of(home.path());
        shelf.make().unwrap();
        std::fs::write(home.path().join("updates/pending.json"), "{").unwrap();
        assert_eq!(shelf.at_start("1.0.0", Ms(1)), AtStart::Plain);
        assert!(home.path().join("updates/pending.json.damaged").is_file());
    }

    #[test]
    fn settings_and_messages_are_copied_before_the_change_and_only_the_newest_copies_stay() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("settings.json"), "{}").unwrap();
        std::fs::write(home.path().join("kata.db"), "rows").unwrap();
        let shelf = Shelf::of(home.path());
        let kept = shelf.package("2.0.0", "deb");
        let mut places = Vec::new();
        for version in ["1.0.0", "1.1.0", "2.0.0"] {
            let place = shelf.back_up(home.path(), version).unwrap();
            assert_eq!(std::fs::read_to_string(place.join("kata.db")).unwrap(), "rows");
            std::fs::write(shelf.package(version, "deb"), version).unwrap();
            std::fs::write(shelf.package(version, "sig"), version).unwrap();
            places.push(place);
        }
        shelf.tidy(&[&kept]);
        assert!(kept.is_file() && shelf.package("2.0.0", "sig").is_file());
        assert!(!shelf.package("1.0.0", "deb").exists() && !shelf.package("1.0.0", "sig").exists());
        assert_eq!(places.iter().filter(|place| place.is_dir()).count(), COPIES);
    }

    #[test]
    fn a_store_that_the_new_version_changed_is_put_back_and_one_it_only_wrote_to_is_not() {
        let home = tempfile::tempdir().unwrap();
        let (store, log) = (home.path().join("kata.db"), home.path().join("kata.db-wal"));
        let shelf = Shelf::of(home.path());
        let page = |layout: u32| {
            let mut page = vec![0; 512];
            page[60..64].copy_from_slice(&layout.to_be_bytes());
            page
        };
        let frame = |number: u32, layout: u32| {
            let mut frame = number.to_be_bytes().to_vec();
            frame.extend([[0; 4].as_slice(), b"saltsalt", &[0; 8]].concat());
            frame.extend(page(layout));
            frame
        };
        let mut head = vec![0; 32];
        head[8..12].copy_from_slice(&512u32.to_be_bytes());
        head[16..24].copy_from_slice(b"saltsalt");
        std::fs::write(&store, page(7)).unwrap();
        shelf.back_up(home.path(), "1.0.0").unwrap();
        std::fs::write(&log, [head.clone(), frame(2, 9), frame(1, 7)].concat()).unwrap();
        assert!(
            !shelf.put_store_back(&pending()).unwrap(),
            "rows were written, the layout is the same"
        );
        assert!(log.is_file());
        std::fs::write(&log, [head, frame(2, 9), frame(1, 8)].concat()).unwrap();
        assert!(shelf.put_store_back(&pending()).unwrap());
        assert_eq!(std::fs::read(&store).unwrap(), page(7));
        assert!(!log.exists() && home.path().join("kata.db-wal.of-2.0.0").is_file());
    }

    #[test]
    fn a_version_never_leads_out_of_the_folder() {
        let shelf = Shelf::of(Path::new("/home"));
        assert_eq!(
            shelf.package("../../etc/1", "deb"),
            Path::new("/home/updates/kata-agents-....etc1.deb")
        );
    }
}
