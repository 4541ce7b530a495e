//! Ends that tests ask for, in debug builds: `KATA_CRASH_AT=point` when the data path reaches the point, `point:7` when it reaches it
//! the seventh time; `KATA_CRASH_HOW` says how (`kill`, the usual; `panic`, `abort`, `segv`).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Asked {
    point: String,
    left: AtomicU32,
    how: Option<String>,
}

static ASKED: OnceLock<Asked> = OnceLock::new();

/// Reads what is asked for; nothing in a release.
pub(crate) fn set_points(env: fn(&str) -> Option<String>) {
    let (true, Some(at)) = (cfg!(debug_assertions), env("KATA_CRASH_AT")) else {
        return;
    };
    let (point, times) = at.split_once(':').unwrap_or((&at, "1"));
    let _ = ASKED.set(Asked {
        point: point.to_owned(),
        left: AtomicU32::new(times.parse().unwrap_or(1)),
        how: env("KATA_CRASH_HOW"),
    });
    kata_core::fault::on_point(|reached| {
        if let Some(asked) = ASKED.get()
            && asked.point == reached
            && asked.left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            end(asked.how.as_deref());
        }
    });
}

#[allow(clippy::panic, reason = "it is what the test asks for")]
fn end(how: Option<&str>) {
    match how {
        Some("panic") => panic!("a secret that a panic quoted"),
        Some("abort") => std::process::abort(),
        #[cfg(unix)]
        Some("segv") => fault(),
        _ => {
            #[cfg(unix)]
            {
                // No destructor, no flush.
                let pid = rustix::process::getpid();
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
            std::process::abort();
        }
    }
}

/// Writes where no memory is.
#[cfg(unix)]
#[allow(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "a fault that the kernel raises is what the test asks for"
)]
fn fault() {
    // SAFETY: none; page zero is never mapped, so the process ends here.
    unsafe { std::ptr::without_provenance_mut::<u8>(16).write_volatile(1) }
}
