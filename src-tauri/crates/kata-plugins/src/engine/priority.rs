//! What a plugin's thread may take from others, with the system. Every one of them gives its core up soon to whoever wakes up on it.
//! One whose plugin works without end in stints that cannot be
//! interrupted stands back: it gets a tenth of what it would, also on a machine that is busy with other things, so that a channel
//! is slow and never silent. One that cannot be stopped at all is given up and gets what nobody else wants.
//!
//! There is no way back for a thread without privileges, so a plugin's next generation begins as any other, unless it goes on
//! like that (`share`). Elsewhere than on Linux nothing is lowered: a thread can lower only itself there, and this one may hang.

/// How nice a thread is that stands back.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// What a plugin's thread runs before whoever has just woken up may take its core, nanoseconds; the least the system takes. Its own
/// is some milliseconds: a loop between two of the engine's questions would be in a neighbour's p99.
#[cfg(target_os = "linux")]
const SLICE: u64 = 100_000;
/// The same for one that stands back; the most it takes. Whoever has a shorter one, which is everybody, goes before it at once.
#[cfg(target_os = "linux")]
const LAST_SLICE: u64 = 100_000_000;

/// A plugin's thread begins. Linux 6.12 and later heed it (`sched_setattr(2)`, EEVDF); earlier ones, and a refusal, leave it as it was.
#[cfg(target_os = "linux")]
pub(crate) fn begin(thread: u32) {
    let Some(pid) = process(thread) else { return };
    if let Ok(nice) = rustix::process::getpriority_process(Some(pid)) {
        set_slice(pid, nice, SLICE);
    }
}

/// Lets a thread stand back, by its id with the system; a refusal leaves it as it was.
#[cfg(target_os = "linux")]
pub(crate) fn stand_back(thread: u32) {
    if let Some(pid) = process(thread) {
        // On Linux the priority of a "process" is that of one thread.
        let _ = rustix::process::setpriority_process(Some(pid), NICE);
        set_slice(pid, NICE, LAST_SLICE);
    }
}

#[cfg(target_os = "linux")]
fn process(thread: u32) -> Option<rustix::process::Pid> {
    i32::try_from(thread).ok().and_then(rustix::process::Pid::from_raw)
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system call has no wrapper here; it takes a pointer to plain integers")]
fn set_slice(thread: rustix::process::Pid, nice: i32, slice: u64) {
    let size = std::mem::size_of::<libc::sched_attr>();
    let attr = libc::sched_attr {
        size: u32::try_from(size).unwrap_or_default(),
        sched_policy: libc::SCHED_OTHER.unsigned_abs(),
        sched_flags: 0,
        sched_nice: nice,
        sched_priority: 0,
        sched_runtime: slice,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: `attr` lives over the call, which reads its `size` bytes and keeps nothing. A thread that has ended is an error, no harm.
    unsafe { libc::syscall(libc::SYS_sched_setattr, thread.as_raw_nonzero().get(), &raw const attr, 0_u32) };
}

/// Gives a thread up that cannot be stopped, by its id with the system; a refusal leaves it as it was.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system call has no safe wrapper here; it takes plain integers")]
pub(crate) fn give_up(thread: u32) {
    let Ok(thread) = libc::pid_t::try_from(thread) else { return };
    if thread > 0 {
        let none = libc::sched_param { sched_priority: 0 };
        // SAFETY: `none` lives over the call, which reads it and keeps nothing. A thread that has ended is an error, no harm.
        unsafe { libc::sched_setscheduler(thread, libc::SCHED_IDLE, &raw const none) };
    }
}

/// A plugin's thread begins.
#[cfg(not(target_os = "linux"))]
pub(crate) fn begin(_thread: u32) {}

/// Lets a thread stand back.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stand_back(_thread: u32) {}

/// Gives a thread up that cannot be stopped.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_up(_thread: u32) {}
