//! Packing a plugin into a `.tgz` as `npm pack` does, and laying out a folder or a `.tgz` in a new folder before anything of
//! it is believed. Nothing of a plugin runs here.
//!
//! An archive is somebody else's: what would leave the folder, point out of it or be no plain file ends the whole of it. What is
//! no part of a plugin ([`contents`]: `node_modules`, `.git`, `.kata`) is neither packed nor laid out, so that nothing is in the
//! folder that its hash does not cover.

use crate::contents::{self, ContentsError, MAX_BYTES, MAX_FILES};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use tar::{Archive, Builder, EntryType, Header};

/// Bytes an archive may unpack to, headers and padding included.
const MAX_STREAM: u64 = MAX_BYTES + (MAX_FILES as u64) * 2048;
/// Longest path in an archive, bytes, and its deepest folder.
const MAX_PATH: usize = 1024;
const MAX_DEPTH: usize = 32;

/// Why a plugin was not packed or laid out.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file system refused, or the archive is torn.
    #[error("{shown}: {error}")]
    Io {
        /// Which file.
        shown: String,
        /// Why.
        error: io::Error,
    },
    /// Its files cannot be listed.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The path is absolute or has `..` in it.
    #[error("“{0}” leads out of the plugin's folder")]
    LeadsOut(String),
    /// A link, a device, a pipe.
    #[error("“{path}” is a {kind}; a plugin has files and folders only")]
    Kind {
        /// Path in the archive.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// A path is no plain text, or too long.
    #[error("“{0}” is a file name that is not taken (too long, or with odd characters)")]
    Name(String),
    /// Two entries with one path.
    #[error("“{0}” stands twice in the archive")]
    Twice(String),
    /// More than the bound.
    #[error("has more than {MAX_FILES} files")]
    TooMany,
    /// More than the bound.
    #[error("unpacks to more than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// Neither of the two.
    #[error("is neither a folder nor a .tgz")]
    NoSource,
}

fn io_at(shown: impl Into<String>) -> impl FnOnce(io::Error) -> ArchiveError {
    let shown = shown.into();
    move |error| ArchiveError::Io { shown, error }
}

/// Lays a folder or a `.tgz` out in `into`, which is made, and answers the plugin's own folder in it: `into` itself, or the
/// one folder the archive has at its top (`package/`, as npm packs). Files are private to the person and on the disk when
/// this returns.
///
/// # Errors
/// [`ArchiveError`]; what was laid out until then is left for the caller to remove.
pub fn lay_out(source: &Path, into: &Path) -> Result<PathBuf, ArchiveError> {
    let shown = source.display().to_string();
    let meta = std::fs::metadata(source).map_err(io_at(shown.clone()))?;
    let mut target = Target::new(into)?;
    if meta.is_dir() {
        let mut found = Vec::new();
        contents::list(source, &mut |path, full, meta| found.push((path, full, meta.is_symlink())))?;
        // A signature belongs to the plugin although it does not count for the hash.
        let signature = source.join(crate::signature::SIGNATURE_FILE);
        if std::fs::symlink_metadata(&signature).is_ok_and(|m| m.is_file()) {
            found.push((crate::signature::SIGNATURE_FILE.into(), signature, false));
        }
        found.sort();
        for (path, full, link) in found {
            if link {
                return Err(ArchiveError::Kind { path, kind: "link" });
            }
            let mut file = File::open(&full).map_err(io_at(path.clone()))?;
            target.file(Path::new(&path), &mut file)?;
        }
    } else if meta.is_file() {
        let file = File::open(source).map_err(io_at(shown.clone()))?;
        unpack(file, &mut target).map_err(|error| match error {
            ArchiveError::Io { error, .. } if error.get_ref().is_some_and(|e| e.is::<TooLong>()) => ArchiveError::TooLarge,
            other => other,
        })?;
    } else {
        return Err(ArchiveError::NoSource);
    }
    target.done()
}

fn unpack(file: File, target: &mut Target) -> Result<(), ArchiveError> {
    let stream = Bounded {
        inner: GzDecoder::new(io::BufReader::new(file)),
        left: MAX_STREAM,
    };
    let mut archive = Archive::new(stream);
    for entry in archive.entries().map_err(io_at("the archive"))? {
        let mut entry = entry.map_err(io_at("the archive"))?;
        let bytes = entry.path_bytes().into_owned();
        let path = String::from_utf8(bytes).map_err(|e| ArchiveError::Name(String::from_utf8_lossy(e.as_bytes()).into_owned()))?;
        let kind = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                target.file(Path::new(&path), &mut entry)?;
                continue;
            }
            EntryType::Directory => {
                target.count()?;
                target.place(Path::new(&path))?;
                continue;
            }
            // Comments of git and npm.
            EntryType::XGlobalHeader => continue,
            EntryType::Symlink | EntryType::Link => "link",
            EntryType::Char | EntryType::Block => "device",
            EntryType::Fifo => "pipe",
            _ => "special file",
        };
        return Err(ArchiveError::Kind { path, kind });
    }
    Ok(())
}

/// The stream is longer than an archive may unpack to.
#[derive(Debug, thiserror::Error)]
#[error("longer than an archive may unpack to")]
struct TooLong;

/// A reader with an end.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(TooLong))?;
        Ok(read)
    }
}

/// Where a plugin is laid out.
struct Target {
    root: PathBuf,
    files: BTreeSet<PathBuf>,
    entries: usize,
    budget: u64,
}

impl Target {
    fn new(root: &Path) -> Result<Self, ArchiveError> {
        make_dir(root).map_err(io_at(root.display().to_string()))?;
        Ok(Self {
            root: root.to_owned(),
            files: BTreeSet::new(),
            entries: 0,
            budget: MAX_BYTES,
        })
    }

    fn count(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > MAX_FILES {
            Err(ArchiveError::TooMany)
        } else {
            Ok(())
        }
    }

    /// A path of the archive, checked.
    fn place(&self, path: &Path) -> Result<PathBuf, ArchiveError> {
        let shown = || path.display().to_string();
        let text = path.to_str().ok_or_else(|| ArchiveError::Name(shown()))?;
        // A backslash is a separator elsewhere, and a colon a drive.
        if text.len() > MAX_PATH || text.chars().any(|c| c.is_control() || matches!(c, '\\' | ':')) {
            return Err(ArchiveError::Name(shown()));
        }
        let mut clean = PathBuf::new();
        for part in path.components() {
            match part {
                Component::Normal(name) => clean.push(name),
                Component::CurDir => {}
                Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(ArchiveError::LeadsOut(shown())),
            }
        }
        if clean.components().count() > MAX_DEPTH {
            return Err(ArchiveError::Name(shown()));
        }
        Ok(clean)
    }

    fn file(&mut self, path: &Path, from: &mut impl Read) -> Result<(), ArchiveError> {
        self.count()?;
        let clean = self.place(path)?;
        let shown = clean.display().to_string();
        if clean.as_os_str().is_empty() {
            return Err(ArchiveError::Name(path.display().to_string()));
        }
        if no_part(&clean) {
            return Ok(());
        }
        if !self.files.insert(clean.clone()) {
            return Err(ArchiveError::Twice(shown));
        }
        let full = self.root.join(&clean);
        if let Some(folder) = full.parent() {
            make_dirs(folder).map_err(io_at(shown.clone()))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        // A name that differs in case only is the same file on some systems: `create_new` refuses it.
        let mut file = options.open(&full).map_err(io_at(shown.clone()))?;
        let written = io::copy(&mut from.take(self.budget + 1), &mut file).map_err(io_at(shown.clone()))?;
        self.budget = self.budget.checked_sub(written).ok_or(ArchiveError::TooLarge)?;
        file.sync_all().map_err(io_at(shown))
    }

    fn done(self) -> Result<PathBuf, ArchiveError> {
        let mut tops = BTreeSet::new();
        let mut loose = false;
        for file in &self.files {
            let mut parts = file.components();
            tops.extend(parts.next().map(|top| PathBuf::from(top.as_os_str())));
            loose |= parts.next().is_none();
        }
        match tops.first() {
            None => Err(ArchiveError::Empty),
            Some(top) if tops.len() == 1 && !loose => Ok(self.root.join(top)),
            Some(_) => Ok(self.root),
        }
    }
}

/// Whether a path of an archive, checked, lies in a folder that is no part of a plugin. The last name is the file's own.
fn no_part(path: &Path) -> bool {
    path.parent()
        .into_iter()
        .flat_map(Path::components)
        .any(|part| contents::left_out(part.as_os_str()))
}

fn make_dir(path: &Path) -> io::Result<()> {
    builder().create(path)
}

fn make_dirs(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

fn builder() -> std::fs::DirBuilder {
    #[allow(unused_mut, reason = "changed on Unix only")]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
}

/// Writes a plugin's folder as a `.tgz` with everything below `package/`. The same files give the same bytes.
///
/// # Errors
/// [`ArchiveError`]; links are refused, since installing refuses them.
pub fn pack(folder: &Path, to: impl Write) -> Result<(), ArchiveError> {
    let mut files = Vec::new();
    contents::list(folder, &mut |path, full, meta| files.push((path, full, meta.is_symlink())))?;
    let signature = folder.join(crate::signature::SIGNATURE_FILE);
    if signature.is_file() {
        files.push((crate::signature::SIGNATURE_FILE.into(), signature, false));
    }
    files.sort();
    let mut builder = Builder::new(GzEncoder::new(to, Compression::best()));
    for (path, full, link) in files {
        if link {
            return Err(ArchiveError::Kind { path, kind: "link" });
        }
        let bytes = std::fs::read(&full).map_err(io_at(path.clone()))?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        builder
            .append_data(&mut header, format!("package/{path}"), bytes.as_slice())
            .map_err(io_at(path))?;
    }
    let compressed = builder.into_inner().map_err(io_at("the archive"))?;
    compressed.finish().and_then(|mut to| to.flush()).map_err(io_at("the archive"))
}
