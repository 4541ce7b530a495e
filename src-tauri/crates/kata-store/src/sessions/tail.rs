//! Appending to a line file, and mending what a crash left at its end.
//!
//! Before the first append a torn last line is moved to `<name>.damaged` and cut off, so that a new line never grows onto half
//! of an old one. Before each append the file behind the name is compared with the open one: a program that replaced it in the
//! meantime (the existing app does on every save) would otherwise keep ours from ever being seen.

use super::format::cut_tail;
use crate::atomic::{self, FILE_MODE, create_with_mode};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// An open file that only grows.
pub(crate) struct Appender {
    path: PathBuf,
    file: File,
    /// Length after our last write.
    length: u64,
    /// What was added last is to be cut off, and could not be yet.
    cut: bool,
}

impl Appender {
    /// Opens a file and mends its end. `create` makes one that is not there; `first_line_stays` refuses to cut off a file's
    /// only line.
    pub(crate) fn open(path: &Path, create: bool, first_line_stays: bool) -> io::Result<Self> {
        let mut file = create_with_mode(OpenOptions::new().read(true).append(true).create(create), FILE_MODE).open(path)?;
        let length = mend(path, &mut file, first_line_stays)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            cut: false,
        })
    }

    /// Whether the name still means this file with nothing else in it.
    pub(crate) fn current(&self) -> bool {
        let (Ok(named), Ok(open)) = (std::fs::metadata(&self.path), self.file.metadata()) else {
            return false;
        };
        same_file(&named, &open) && (named.len() == self.length || self.cut && named.len() > self.length)
    }

    /// Adds bytes in one write. A write that fails is taken back, so that the file never holds part of it.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.cut {
            self.file.set_len(self.length)?;
            self.cut = false;
        }
        if let Err(error) = self.file.write_all(bytes) {
            self.cut_to(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Length after our last write.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Takes back what was added behind `length`. Where the disk refuses even that, it is done before the next write.
    pub(crate) fn cut_to(&mut self, length: u64) {
        self.length = length;
        self.cut = self.file.set_len(length).is_err();
    }
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    a.ino() == b.ino() && a.dev() == b.dev()
}

/// Elsewhere an open file cannot be replaced, and the length tells the rest.
#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Mends the end of a file; returns its length.
fn mend(path: &Path, file: &mut File, first_line_stays: bool) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let tail = last_line(file, length)?;
    if tail.is_empty() {
        return Ok(length);
    }
    let (_, torn) = cut_tail(&tail);
    if torn.is_empty() {
        // Whole, only its end is missing.
        file.write_all(b"\n")?;
        return Ok(length + 1);
    }
    let start = length - torn.len() as u64;
    if start == 0 && first_line_stays {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its only line is damaged"));
    }
    keep(path, torn)?;
    file.set_len(start)?;
    file.sync_all()?;
    Ok(start)
}

/// Bytes after the last line end, read from behind.
fn last_line(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    const STEP: u64 = 64 * 1024;
    let mut tail: Vec<u8> = Vec::new();
    let mut start = length;
    while start > 0 {
        let step = STEP.min(start);
        start -= step;
        file.seek(SeekFrom::Start(start))?;
        let mut chunk = vec![0; usize::try_from(step).unwrap_or(usize::MAX)];
        file.read_exact(&mut chunk)?;
        if let Some(end) = chunk.iter().rposition(|byte| *byte == b'\n') {
            chunk.drain(..=end);
            start = 0;
        }
        chunk.append(&mut tail);
        tail = chunk;
    }
    Ok(tail)
}

/// Adds torn bytes to `<name>.damaged`, on the disk before anything is cut.
pub(crate) fn keep(path: &Path, torn: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    let damaged = PathBuf::from(name);
    let mut file = create_with_mode(OpenOptions::new().append(true).create(true), FILE_MODE).open(&damaged)?;
    file.write_all(torn)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    atomic::sync_parent(&damaged)
}
