//! Writing files so that a crash leaves the old one or the new one, never half of either; and setting damaged ones aside.

use kata_protocol::Ms;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Mode of files with anything private in them: all of ours.
pub(crate) const FILE_MODE: u32 = 0o600;
/// Mode of folders.
pub(crate) const DIR_MODE: u32 = 0o700;

/// Replaces `path` by `bytes`: temporary file beside it, fsync, rename, fsync of the folder. `mode` counts on Unix only.
/// The temporary file is `<name>.tmp`; one left by a crash is overwritten. Two writers of one path must take turns.
pub fn atomic_write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    atomic_write_parts(path, &[bytes], mode)
}

/// As [`atomic_write`], for content in several pieces.
pub(crate) fn atomic_write_parts(path: &Path, parts: &[&[u8]], mode: u32) -> io::Result<()> {
    let temporary = temporary(path);
    let outcome = (|| {
        let mut file = create_with_mode(OpenOptions::new().write(true).create(true).truncate(true), mode).open(&temporary)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if outcome.is_err() {
        let _ = std::fs::remove_file(&temporary);
        return outcome;
    }
    sync_parent(path)
}

/// The temporary file of `path`.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// Makes names in the folder of `path` durable. Where folders cannot be synced (Windows), does nothing.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

/// Makes an empty private file where there is none.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    create_with_mode(OpenOptions::new().append(true).create(true), FILE_MODE)
        .open(path)
        .map(drop)
}

/// Adds the mode a new file gets (Unix).
pub(crate) fn create_with_mode(options: &mut OpenOptions, mode: u32) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(mode);
    }
    #[cfg(not(unix))]
    let _ = mode;
    options
}

/// Makes a folder and those above it, private (Unix). One that is there stays as it is.
pub fn private_dir(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

/// Makes one folder, private (Unix); an error when there is one.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    builder().create(path)
}

fn builder() -> std::fs::DirBuilder {
    #[allow(unused_mut, reason = "changed on Unix only")]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(DIR_MODE);
    }
    builder
}

/// A free name `<name>.damaged-<ms>` beside `path`.
fn aside_name(path: &Path, now: Ms) -> PathBuf {
    let mut ms = now.0;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{ms}"));
        let name = PathBuf::from(name);
        if !name.exists() {
            return name;
        }
        ms += 1;
    }
}

/// Moves a damaged file aside, bytes unchanged. Returns its new name.
pub fn set_aside(path: &Path, now: Ms) -> io::Result<PathBuf> {
    let aside = aside_name(path, now);
    std::fs::rename(path, &aside)?;
    sync_parent(path)?;
    Ok(aside)
}

/// Copies a damaged file aside and leaves the original, once per content: a copy with the same bytes is not made again.
pub fn copy_aside(path: &Path, now: Ms) -> io::Result<PathBuf> {
    let bytes = std::fs::read(path)?;
    if let Some(copy) = existing_copy(path, &bytes) {
        return Ok(copy);
    }
    let aside = aside_name(path, now);
    atomic_write(&aside, &bytes, FILE_MODE)?;
    Ok(aside)
}

fn existing_copy(path: &Path, bytes: &[u8]) -> Option<PathBuf> {
    let prefix = format!("{}.damaged-", path.file_name()?.to_str()?);
    std::fs::read_dir(path.parent()?)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .find(|other| {
            other
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with(&prefix))
                && std::fs::read(other).is_ok_and(|content| content == bytes)
        })
}
