//! What a process can still say when native code has broken it: the number of the signal, by `write(2)` alone, into a file that was
//! opened beforehand (`crashes/signal`). Everything else is told by the next start.
//!
//! The handler of Rust's runtime, which names a thread whose stack overflowed, goes on working: it is called afterwards.

use std::path::{Path, PathBuf};

/// Signals of native code that broke, or gave up (signal(7)).
#[cfg(unix)]
const WATCHED: [i32; 5] = [libc::SIGSEGV, libc::SIGABRT, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// Name of the signal that ended the last run, where it was one of ours.
pub(super) fn left(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path(folder)).ok()?;
    let number: i32 = text.lines().next()?.parse().ok()?;
    Some(name(number))
}

fn path(folder: &Path) -> PathBuf {
    folder.join("signal")
}

#[cfg(unix)]
fn name(number: i32) -> String {
    let names = ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"];
    let known = WATCHED.iter().position(|signal| *signal == number).and_then(|at| names.get(at));
    known.map_or_else(|| format!("signal {number}"), |name| (*name).to_owned())
}

#[cfg(not(unix))]
fn name(number: i32) -> String {
    format!("signal {number}")
}

/// Opens the file, and watches from now on.
#[cfg(unix)]
pub(super) fn watch(folder: &Path) {
    use std::os::fd::IntoRawFd;
    use std::sync::Once;
    use std::sync::atomic::Ordering;
    static INSTALLED: Once = Once::new();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path(folder)) {
        // Stays open: it is written to when nothing can be opened any more.
        Ok(file) => handler::FILE.store(file.into_raw_fd(), Ordering::Relaxed),
        Err(error) => return tracing::warn!(%error, "a crash of native code will have no name"),
    }
    INSTALLED.call_once(handler::install);
}

#[cfg(not(unix))]
pub(super) fn watch(_: &Path) {}

#[cfg(unix)]
#[allow(unsafe_code, reason = "signal handlers are set by the C library only")]
mod handler {
    use super::WATCHED;
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

    pub(super) static FILE: AtomicI32 = AtomicI32::new(-1);
    /// What handled each signal before, as `sa_sigaction`.
    static BEFORE: [AtomicUsize; WATCHED.len()] = [const { AtomicUsize::new(libc::SIG_DFL) }; WATCHED.len()];

    pub(super) fn install() {
        for (signal, before) in WATCHED.iter().zip(&BEFORE) {
            // SAFETY: both structures are the C library's own, zeroed as it expects; the handler keeps to what signal-safety(7) allows.
            unsafe {
                let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
                let mut old: libc::sigaction = MaybeUninit::zeroed().assume_init();
                action.sa_sigaction = handle as *const () as usize;
                // On the alternate stack that Rust's runtime gives each thread: the usual one may be what is used up.
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                if libc::sigaction(*signal, &raw const action, &raw mut old) == 0 {
                    let takes_info = old.sa_flags & libc::SA_SIGINFO != 0;
                    before.store(if takes_info { old.sa_sigaction } else { libc::SIG_DFL }, Ordering::Relaxed);
                }
            }
        }
    }

    extern "C" fn handle(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        let text = [b'0' + (signal / 10 % 10) as u8, b'0' + (signal % 10) as u8, b'\n'];
        // SAFETY: `write`, `sigaction` and `raise` may be called here (signal-safety(7)); the pointers are those the kernel gave.
        unsafe {
            libc::write(FILE.load(Ordering::Relaxed), text.as_ptr().cast(), text.len());
            let place = WATCHED.iter().position(|watched| *watched == signal);
            let before = place
                .and_then(|at| BEFORE.get(at))
                .map_or(libc::SIG_DFL, |before| before.load(Ordering::Relaxed));
            // Above zero: the kernel says that an instruction failed; it fails again when the old handler has returned.
            let fault = !info.is_null() && (*info).si_code > 0;
            if fault && before != libc::SIG_DFL && before != libc::SIG_IGN {
                let before: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = std::mem::transmute(before);
                before(signal, info, context);
                return;
            }
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, ptr::null_mut());
            libc::raise(signal);
        }
    }
}
