//! What a plugin's thread may take from others, with the system. One whose plugin works without end in stints that cannot be
//! interrupted stands back: it gets a tenth of what it would, also on a machine that is busy with other things, so that a channel
//! is slow and never silent. One that cannot be stopped at all is given up and gets what nobody else wants.
//!
//! There is no way back for a thread without privileges, so a plugin's next generation begins as any other, unless it goes on
//! like that (`share`). Elsewhere than on Linux nothing is lowered: a thread can lower only itself there, and this one may hang.

/// How nice a thread is that stands back.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets a thread stand back, by its id with the system; a refusal leaves it as it was.
#[cfg(target_os = "linux")]
pub(crate) fn stand_back(thread: u32) {
    if let Some(pid) = i32::try_from(thread).ok().and_then(rustix::process::Pid::from_raw) {
        // On Linux the priority of a "process" is that of one thread.
        let _ = rustix::process::setpriority_process(Some(pid), NICE);
    }
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

/// Lets a thread stand back.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stand_back(_thread: u32) {}

/// Gives a thread up that cannot be stopped.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_up(_thread: u32) {}
