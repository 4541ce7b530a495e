//! The least priority the system has, for a thread that would be felt: one that cannot be stopped, or one whose plugin works
//! without end in stints that cannot be interrupted. On Linux whoever else wakes up takes such a thread's core at once, where
//! a merely nice one (`nice 19`) keeps it for its slice of some milliseconds; measured in docs/benchmarks.md, stage hostile.
//!
//! There is no way back for a thread without privileges, so a plugin's next generation begins as any other, unless it goes on
//! like that (`share`). Elsewhere than on Linux nothing is lowered: a thread can lower only itself there, and this one may hang.

/// Lowers a thread by its id with the system; a refusal leaves it as it was.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system call has no safe wrapper here; it takes plain integers")]
pub(crate) fn lower(thread: u32) {
    let Ok(thread) = libc::pid_t::try_from(thread) else { return };
    if thread > 0 {
        let none = libc::sched_param { sched_priority: 0 };
        // SAFETY: `none` lives over the call, which reads it and keeps nothing. A thread that has ended is an error, no harm.
        unsafe { libc::sched_setscheduler(thread, libc::SCHED_IDLE, &raw const none) };
    }
}

/// Lowers a thread by its id with the system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn lower(_thread: u32) {}
