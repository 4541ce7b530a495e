//! A plugin's files, and the one hash that stands for all of them. A grant pins the hash; the loader is given the files' own.
//!
//! The hash is the SHA-256 of a text with one line per file, in order of the path's bytes: the SHA-256 of its contents in
//! lower-case hexadecimal, two spaces, its length in bytes, two spaces, its path with `/`, a line feed. A link's line begins
//! with `link ` and has hash and length of the path it holds. Left out are `node_modules`, `.git`, `.kata` (what `kata plugins
//! new` writes for the editor) and the signature file, which is made over the hash. What is left out is neither packed nor laid
//! out, and no module is loaded from it: whoever trusts a hash trusts everything that may run.

use kata_protocol::{Count, PluginFile};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most files of one plugin.
pub const MAX_FILES: usize = 5_000;
/// Most bytes of one plugin's files together.
pub const MAX_BYTES: u64 = 64 << 20;
/// Folders that are no part of a plugin: neither listed nor hashed, packed, laid out, watched or loaded from.
const LEFT_OUT: [&str; 3] = ["node_modules", ".git", EDITOR_FOLDER];
/// The editor's files: the SDK's types and the manifest's schema.
pub const EDITOR_FOLDER: &str = ".kata";

/// Whether a file or folder of this name is no part of a plugin, with everything in it.
pub fn left_out(name: &std::ffi::OsStr) -> bool {
    LEFT_OUT.iter().any(|out| name == *out)
}

/// Why a plugin's files cannot be listed.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// The file system refused.
    #[error("{shown}: {error}")]
    Unreadable {
        /// Which file.
        shown: String,
        /// Why.
        error: std::io::Error,
    },
    /// More than [`MAX_FILES`].
    #[error("has more than {MAX_FILES} files")]
    TooMany,
    /// More than [`MAX_BYTES`].
    #[error("has more than {} MiB of files", MAX_BYTES >> 20)]
    TooLarge,
    /// Not UTF-8, or with control characters, which would make two lists look alike.
    #[error("{0:?} is a file name with characters that cannot be shown")]
    Name(PathBuf),
    /// A device, a socket or a pipe.
    #[error("{0} is neither file, folder nor link")]
    Special(String),
}

/// SHA-256 of each file by path, as the loader checks them.
pub type Pins = BTreeMap<String, String>;

/// A plugin's files at one moment.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    files: Vec<PluginFile>,
    hash: String,
    stamps: BTreeMap<String, Stamp>,
}

/// What a file looks like without being read. A changed file has another one; `changed` cannot be set by a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: u128,
    changed: i128,
    inode: u64,
    link: bool,
}

impl Contents {
    /// Reads every file.
    ///
    /// # Errors
    /// [`ContentsError`].
    pub fn read(folder: &Path) -> Result<Self, ContentsError> {
        Self::default().again(folder)
    }

    /// Reads the files that look different from last time, and takes the rest over. For showing and noticing; what is about
    /// to run is read whole.
    ///
    /// # Errors
    /// [`ContentsError`].
    pub fn again(&self, folder: &Path) -> Result<Self, ContentsError> {
        let mut stamps = BTreeMap::new();
        list(folder, &mut |path, full, meta| {
            stamps.insert(path, (full, stamp(&meta)));
        })?;
        let known: BTreeMap<&str, &PluginFile> = self.files.iter().map(|f| (f.path.as_str(), f)).collect();
        let mut out = Self::default();
        let mut text = String::new();
        let mut budget = MAX_BYTES;
        for (path, (full, stamp)) in stamps {
            let same = self.stamps.get(&path) == Some(&stamp) && stamp.changed != 0;
            let file = match known.get(path.as_str()).filter(|_| same) {
                Some(file) => (*file).clone(),
                None => digest(&path, &full, stamp.link, budget)?,
            };
            budget = budget.checked_sub(file.bytes.0).ok_or(ContentsError::TooLarge)?;
            let mark = if stamp.link { "link " } else { "" };
            let _ = writeln!(text, "{mark}{}  {}  {}", file.sha256, file.bytes.0, file.path);
            out.files.push(file);
            out.stamps.insert(path, stamp);
        }
        out.hash = hex(&Sha256::digest(text.as_bytes()));
        Ok(out)
    }

    /// The files, in order of path.
    pub fn files(&self) -> &[PluginFile] {
        &self.files
    }

    /// The hash of them all, lower-case hexadecimal.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What the loader may load: nothing but these files, as they are now.
    pub fn pins(&self) -> Pins {
        self.files.iter().map(|f| (f.path.clone(), f.sha256.clone())).collect()
    }
}

/// SHA-256 of some bytes, lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Calls `each` with path, place and metadata of every file and link, in no order.
pub(crate) fn list(folder: &Path, each: &mut impl FnMut(String, PathBuf, std::fs::Metadata)) -> Result<(), ContentsError> {
    let mut open = vec![(String::new(), folder.to_path_buf())];
    let mut count = 0;
    while let Some((prefix, at)) = open.pop() {
        let unreadable = |error| ContentsError::Unreadable {
            shown: if prefix.is_empty() { "the folder".into() } else { prefix.clone() },
            error,
        };
        for entry in std::fs::read_dir(&at).map_err(unreadable)? {
            let full = entry.map_err(unreadable)?.path();
            let name = full
                .file_name()
                .and_then(|n| n.to_str())
                .filter(|n| !n.chars().any(char::is_control));
            let Some(name) = name else { return Err(ContentsError::Name(full)) };
            let path = if prefix.is_empty() {
                name.to_owned()
            } else {
                format!("{prefix}/{name}")
            };
            let meta = std::fs::symlink_metadata(&full).map_err(|error| ContentsError::Unreadable {
                shown: path.clone(),
                error,
            })?;
            if meta.is_dir() {
                if !left_out(name.as_ref()) {
                    open.push((path, full));
                }
                continue;
            }
            if !meta.is_file() && !meta.is_symlink() {
                return Err(ContentsError::Special(path));
            }
            if path == crate::signature::SIGNATURE_FILE {
                continue;
            }
            count += 1;
            if count > MAX_FILES {
                return Err(ContentsError::TooMany);
            }
            each(path, full, meta);
        }
        if open.len() > MAX_FILES {
            return Err(ContentsError::TooMany);
        }
    }
    Ok(())
}

fn digest(path: &str, full: &Path, link: bool, budget: u64) -> Result<PluginFile, ContentsError> {
    let unreadable = |error| ContentsError::Unreadable {
        shown: path.to_owned(),
        error,
    };
    let (bytes, sha256) = if link {
        let target = std::fs::read_link(full).map_err(unreadable)?;
        let target = target.as_os_str().as_encoded_bytes();
        (target.len() as u64, sha256_hex(target))
    } else {
        let mut file = std::fs::File::open(full).map_err(unreadable)?.take(budget + 1);
        let mut sha = Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            sha.update(buffer.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
        if bytes > budget {
            return Err(ContentsError::TooLarge);
        }
        (bytes, hex(&sha.finalize()))
    };
    Ok(PluginFile {
        path: path.to_owned(),
        bytes: Count(bytes),
        sha256,
    })
}

fn stamp(meta: &std::fs::Metadata) -> Stamp {
    let modified = meta
        .modified()
        .ok()
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |d| d.as_nanos());
    #[cfg(unix)]
    let (changed, inode) = {
        use std::os::unix::fs::MetadataExt;
        (i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec()), meta.ino())
    };
    // Without a time that only the system sets, a file is read every time.
    #[cfg(not(unix))]
    let (changed, inode) = (0, 0);
    Stamp {
        bytes: meta.len(),
        modified,
        changed,
        inode,
        link: meta.is_symlink(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn hash(files: &[(&str, &str)]) -> String {
        Contents::read(folder(files).path()).unwrap().hash().to_owned()
    }

    #[test]
    fn the_hash_is_the_one_a_shell_gives_for_the_list_of_files() {
        // printf '%s  %s  %s\n' "$(printf hello | sha256sum | cut -d' ' -f1)" 5 a.ts … | sha256sum
        let files = [
            ("b/c.ts", ""),
            ("a.ts", "hello"),
            ("kata-plugin.minisig", "left out"),
            ("node_modules/x/i.js", "left out"),
            (".kata/kata-plugin-sdk.d.ts", "left out"),
            ("b/.kata/d.ts", "left out"),
        ];
        let list = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824  5  a.ts\n\
                    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  0  b/c.ts\n";
        assert_eq!(hash(&files), sha256_hex(list.as_bytes()));
    }

    #[test]
    fn contents_names_and_lengths_all_count() {
        let base = hash(&[("a", "xy"), ("b", "z")]);
        for other in [
            vec![("a", "x"), ("b", "yz")],
            vec![("a", "xy"), ("c", "z")],
            vec![("a", "xy"), ("b", "z"), ("d", "")],
            vec![("a", "xy")],
            vec![("a", "z"), ("b", "xy")],
        ] {
            assert_ne!(hash(&other), base, "{other:?}");
        }
        assert_eq!(hash(&[("b", "z"), ("a", "xy")]), base);
    }

    #[cfg(unix)]
    #[test]
    fn a_second_look_sees_every_change_also_one_that_keeps_length_and_time() {
        let folder = folder(&[("a", "one"), ("b", "two")]);
        let first = Contents::read(folder.path()).unwrap();
        assert_eq!(first.again(folder.path()).unwrap().hash(), first.hash());
        let path = folder.path().join("a");
        let before = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "eno").unwrap();
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(before)
            .unwrap();
        let second = first.again(folder.path()).unwrap();
        assert_ne!(second.hash(), first.hash());
        assert_eq!(second.hash(), Contents::read(folder.path()).unwrap().hash());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_a_file_with_the_same_text_and_a_name_with_a_line_feed_is_refused() {
        let file = folder(&[("real", ""), ("x", "real")]);
        let link = folder(&[("real", "")]);
        std::os::unix::fs::symlink("real", link.path().join("x")).unwrap();
        assert_ne!(
            Contents::read(file.path()).unwrap().hash(),
            Contents::read(link.path()).unwrap().hash()
        );
        let odd = folder(&[("a\nb", "")]);
        assert!(matches!(Contents::read(odd.path()), Err(ContentsError::Name(_))));
    }
}
