//! Which plugins are at work, in a file that is mapped into memory (`crashes/asked`): one store to say so, no system call, and the
//! kernel keeps it when the process is gone. The next start reads who was at work when the last one ended.

use kata_plugins::{Seat, Seats};
use memmap2::MmapMut;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

/// Bytes of a seat: whether it works, then its plugin's id.
const SEAT: usize = 64;
/// Seats; a plugin that finds none is not told about.
const SEATS: usize = 128;

/// The seats.
#[derive(Debug)]
pub(crate) struct Asked {
    memory: Option<Arc<Memory>>,
    taken: Arc<Mutex<[bool; SEATS]>>,
}

/// The file. Written under the lock of `taken`, but for the first byte of a seat, which its owner alone stores to.
struct Memory(MmapMut);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    fn byte(&self, at: usize) -> &AtomicU8 {
        // SAFETY: `at` is below SEAT * SEATS, the length of the map; bytes have no alignment; every access is atomic.
        #[allow(unsafe_code, reason = "memory that is shared with a file is reached by pointer")]
        unsafe {
            AtomicU8::from_ptr(self.0.as_ptr().add(at).cast_mut())
        }
    }
}

impl Asked {
    /// Makes the file anew. Where that cannot be, nothing is told.
    pub(crate) fn open(folder: &Path) -> Self {
        let memory = map(&path(folder));
        if let Err(error) = &memory {
            tracing::warn!(%error, "plugins at work are not noted");
        }
        Self {
            memory: memory.ok().map(|map| Arc::new(Memory(map))),
            taken: Arc::new(Mutex::new([false; SEATS])),
        }
    }
}

fn map(path: &Path) -> std::io::Result<MmapMut> {
    // A file of its own: what is left of an engine that ended before in this process still has the older one mapped, and a store to a
    // file that was made shorter ends the process.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    file.set_len((SEAT * SEATS) as u64)?;
    // SAFETY: the file is ours, under the home's lock; nobody makes it shorter while it is mapped.
    #[allow(unsafe_code, reason = "a mapped file can be changed by others; this one is not")]
    unsafe {
        MmapMut::map_mut(&file)
    }
}

impl Seats for Asked {
    fn take(&self, plugin: &str) -> Option<Box<dyn Seat>> {
        let memory = Arc::clone(self.memory.as_ref()?);
        let mut taken = crate::engine::locked(&self.taken);
        let number = taken.iter().position(|taken| !taken)?;
        *taken.get_mut(number)? = true;
        let id = plugin.bytes().chain(std::iter::repeat(0)).take(SEAT - 1);
        for (at, byte) in id.enumerate() {
            memory.byte(number * SEAT + 1 + at).store(byte, Ordering::Relaxed);
        }
        Some(Box::new(Place {
            memory,
            number,
            taken: Arc::clone(&self.taken),
        }))
    }
}

struct Place {
    memory: Arc<Memory>,
    number: usize,
    taken: Arc<Mutex<[bool; SEATS]>>,
}

impl Seat for Place {
    fn works(&self, now: bool) {
        self.memory.byte(self.number * SEAT).store(u8::from(now), Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.works(false);
        if let Some(taken) = crate::engine::locked(&self.taken).get_mut(self.number) {
            *taken = false;
        }
    }
}

/// Plugins that were at work when the last run ended, each once.
pub(super) fn left(folder: &Path) -> Vec<String> {
    let bytes = std::fs::read(path(folder)).unwrap_or_default();
    let mut plugins: Vec<String> = Vec::new();
    for seat in bytes.chunks_exact(SEAT) {
        let [1, id @ ..] = seat else { continue };
        let end = id.iter().position(|b| *b == 0).unwrap_or(id.len());
        let plugin = String::from_utf8_lossy(id.get(..end).unwrap_or_default()).into_owned();
        if !plugin.is_empty() && !plugins.contains(&plugin) {
            plugins.push(plugin);
        }
    }
    plugins
}

fn path(folder: &Path) -> PathBuf {
    folder.join("asked")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_an_engine_that_ended_writes_into_no_file_of_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let before = Asked::open(folder.path()).take("before").unwrap();
        let next = Asked::open(folder.path());
        let _seat = next.take("next").unwrap();
        before.works(true);
        assert_eq!(left(folder.path()), Vec::<String>::new());
    }
}
