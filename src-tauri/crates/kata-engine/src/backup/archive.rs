//! What goes into a backup, and the file itself.

use flate2::Compression;
use flate2::write::GzEncoder;
use kata_store::HomePaths;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Largest file that is no session's.
const MOST_FILE: u64 = 4 << 20;
/// Session files together.
const MOST_SESSIONS: u64 = 64 << 20;
/// Files together that are no session's.
const MOST_OTHERS: u64 = 64 << 20;
/// Deepest folder of a workspace.
const DEEPEST: usize = 6;
/// Folders that are only added to, made again, or are others'.
const PASSED_OVER: &[&str] = &[
    "attachments",
    "downloads",
    "responses",
    "long_responses",
    "node_modules",
    ".git",
    ".trash",
    "logs",
];
/// Files of the home folder that are made anew at each start.
const MADE_ANEW: &[&str] = &["gateway.json", "engine.lock"];

/// A file to be copied.
struct Entry {
    from: PathBuf,
    name: String,
    size: u64,
    changed: SystemTime,
}

#[derive(Default)]
struct Chosen {
    others: Vec<Entry>,
    sessions: Vec<Entry>,
    left_out: Vec<String>,
}

/// Writes the archive beside its place, syncs it, and moves it there. Answers its size.
pub(super) fn write(home: &HomePaths, path: &Path, database: Option<&Path>) -> io::Result<u64> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let done = (|| {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(&partial)?;
        let file = fill(home, file, database)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        Ok(std::fs::metadata(path)?.len())
    })();
    if done.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    done
}

fn fill(home: &HomePaths, file: File, database: Option<&Path>) -> io::Result<File> {
    let mut chosen = choose(home);
    chosen.sessions.sort_by_key(|entry| std::cmp::Reverse(entry.changed));
    let mut tar = tar::Builder::new(GzEncoder::new(file, Compression::fast()));
    tar.follow_symlinks(false);
    let mut left_out = chosen.left_out;
    for (entries, most) in [(&chosen.others, MOST_OTHERS), (&chosen.sessions, MOST_SESSIONS)] {
        let mut used = 0;
        for entry in entries {
            used += entry.size;
            if used > most {
                used -= entry.size;
                left_out.push(format!("{}: {} bytes, beyond the bound of {most} bytes", entry.name, entry.size));
                continue;
            }
            append(&mut tar, entry, &mut left_out)?;
        }
    }
    match database {
        Some(copy) => tar.append_path_with_name(copy, "kata.db")?,
        None if home.database().exists() => left_out.push("kata.db: no copy of it could be made, or it is too large".into()),
        None => {}
    }
    let mut text = left_out.join("\n");
    if text.is_empty() {
        text.push_str("nothing but attachments, downloads and results");
    }
    text.push('\n');
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, "LEFT-OUT.txt", text.as_bytes())?;
    let mut file = tar.into_inner()?.finish()?;
    file.flush()?;
    Ok(file)
}

/// A file that is being written while it is read is cut at the size it had; one that is gone is named.
fn append(tar: &mut tar::Builder<GzEncoder<File>>, entry: &Entry, left_out: &mut Vec<String>) -> io::Result<()> {
    let bytes = match std::fs::read(&entry.from) {
        Ok(bytes) => bytes,
        Err(error) => {
            left_out.push(format!("{}: {error}", entry.name));
            return Ok(());
        }
    };
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    let since = entry.changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    header.set_mtime(since.as_secs());
    tar.append_data(&mut header, &entry.name, bytes.as_slice())
}

fn choose(home: &HomePaths) -> Chosen {
    let mut chosen = Chosen::default();
    let mut roots = BTreeSet::new();
    // Workspaces may lie anywhere; those under `workspaces/` are found without a list as well.
    let mut folders: Vec<(PathBuf, String)> = Vec::new();
    for folder in kata_store::home::workspace_folders(home) {
        let name = match folder.path.strip_prefix(home.root()) {
            Ok(inside) => slashes(inside),
            Err(_) => format!("elsewhere/{}", folder.id),
        };
        folders.push((folder.path, name));
    }
    for (path, name) in folders {
        if roots.insert(path.clone()) {
            walk(&path, &name, 0, &mut chosen);
        }
    }
    for entry in std::fs::read_dir(home.root()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let wanted = [".json", ".enc", ".key", ".jsonl"].iter().any(|end| name.ends_with(end)) && !MADE_ANEW.contains(&name.as_str());
        if wanted {
            take(&entry.path(), name, &mut chosen);
        }
    }
    for name in ["themes", "permissions"] {
        walk(&home.root().join(name), name, DEEPEST - 1, &mut chosen);
    }
    chosen
}

fn walk(folder: &Path, name: &str, depth: usize, chosen: &mut Chosen) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let own = entry.file_name().to_string_lossy().into_owned();
        let below = format!("{name}/{own}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && PASSED_OVER.contains(&own.as_str()) => {}
            Ok(kind) if kind.is_dir() && depth < DEEPEST => walk(&entry.path(), &below, depth + 1, chosen),
            Ok(kind) if kind.is_dir() => chosen.left_out.push(format!("{below}: too deep")),
            Ok(kind) if kind.is_file() => take(&entry.path(), below, chosen),
            Ok(_) => chosen.left_out.push(format!("{below}: a link or no plain file")),
            Err(error) => chosen.left_out.push(format!("{below}: {error}")),
        }
    }
}

fn take(path: &Path, name: String, chosen: &mut Chosen) {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return };
    if !meta.is_file() {
        return chosen.left_out.push(format!("{name}: a link or no plain file"));
    }
    let session = name.contains("/sessions/");
    if !session && meta.len() > MOST_FILE {
        return chosen
            .left_out
            .push(format!("{name}: {} bytes, larger than {MOST_FILE}", meta.len()));
    }
    let entry = Entry {
        from: path.to_owned(),
        size: meta.len(),
        changed: meta.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        name,
    };
    if session {
        chosen.sessions.push(entry)
    } else {
        chosen.others.push(entry)
    }
}

fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
