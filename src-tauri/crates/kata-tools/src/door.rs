//! Opening, reading and replacing a file whose path was made plain and judged. Between the judgement and the opening somebody
//! may have put a link into the path: on Linux the kernel is told to follow none, elsewhere the path is made plain once more.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Opens a regular file for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = open_unlinked(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// Reads a regular file of at most `most` bytes.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {most} bytes"),
        ));
    }
    Ok(bytes)
}

/// Replaces a file by `bytes`: temporary file beside it, fsync, rename, fsync of the folder. Keeps the mode of the one that is
/// there unless `mode` says another; a new one gets what the system gives. Makes folders that are missing.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
    let (folder, name) = (path.parent().ok_or_else(no_name)?, path.file_name().ok_or_else(no_name)?);
    std::fs::create_dir_all(folder)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.kata-tmp", unique()));
    imp::replace(folder, name, &temporary, bytes, mode)
}

/// Different for every call of this program, and of others.
fn unique() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn write_all(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(target_os = "linux")]
use linux as imp;
#[cfg(not(target_os = "linux"))]
use other as imp;

fn open_unlinked(path: &Path) -> io::Result<File> {
    imp::open(path)
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{File, Path, io, write_all};
    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fchmod, openat2, renameat, statat, unlinkat};
    use std::ffi::OsStr;

    fn said(error: rustix::io::Errno, path: &Path) -> io::Error {
        match error {
            rustix::io::Errno::LOOP => io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("a link was put into the path {} after it was judged", path.display()),
            ),
            other => other.into(),
        }
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match openat2(
            CWD,
            path,
            flags,
            Mode::empty(),
            ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
        ) {
            Ok(file) => Ok(file.into()),
            Err(error) => Err(said(error, path)),
        }
    }

    pub(super) fn replace(folder: &Path, name: &OsStr, temporary: &OsStr, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat2(CWD, folder, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).map_err(|e| said(e, folder))?;
        let old = match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "what is there is not a regular file"));
            }
            Ok(stat) => Some(stat.st_mode & 0o7777),
            Err(rustix::io::Errno::NOENT) => None,
            Err(error) => return Err(error.into()),
        };
        let create = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let first = mode.or(old).unwrap_or(0o666);
        let file: File = openat2(&directory, temporary, create, Mode::from_raw_mode(first), ResolveFlags::NO_SYMLINKS)?.into();
        let done = (|| {
            if let Some(mode) = mode.or(old) {
                fchmod(&file, Mode::from_raw_mode(mode))?;
            }
            write_all(&file, bytes)?;
            Ok(renameat(&directory, temporary, &directory, name)?)
        })();
        if done.is_err() {
            let _ = unlinkat(&directory, temporary, AtFlags::empty());
            return done;
        }
        File::from(directory).sync_all()
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use super::{File, Path, io, write_all};
    use std::ffi::OsStr;
    use std::fs::OpenOptions;

    fn unchanged(path: &Path) -> io::Result<()> {
        match crate::paths::plain(&path.to_string_lossy(), path, path) {
            Ok(plain) if plain == path => Ok(()),
            _ => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("a link was put into the path {} after it was judged", path.display()),
            )),
        }
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        unchanged(path)?;
        File::open(path)
    }

    pub(super) fn replace(folder: &Path, name: &OsStr, temporary: &OsStr, bytes: &[u8], mode: Option<u32>) -> io::Result<()> {
        unchanged(folder)?;
        let (path, temporary) = (folder.join(name), folder.join(temporary));
        let old = match std::fs::symlink_metadata(&path) {
            Ok(meta) if !meta.is_file() => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "what is there is not a regular file"));
            }
            Ok(meta) => Some(meta.permissions()),
            Err(_) => None,
        };
        let done = (|| {
            let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            #[cfg(unix)]
            if let Some(mode) = mode {
                use std::os::unix::fs::PermissionsExt;
                file.set_permissions(std::fs::Permissions::from_mode(mode))?;
            }
            if let (None, Some(old)) = (mode, old) {
                file.set_permissions(old)?;
            }
            write_all(&file, bytes)?;
            std::fs::rename(&temporary, &path)
        })();
        if done.is_err() {
            let _ = std::fs::remove_file(&temporary);
            return done;
        }
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    }
}
