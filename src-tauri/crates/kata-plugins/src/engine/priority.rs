//! What a plugin's thread may take from others, with the system. Every one of them gives its core up soon to whoever wakes up on it;
//! one that works for long at a time does so at once. One whose plugin works without end in stints that cannot be
//! interrupted stands back: it gets a tenth of what it would, also on a machine that is busy with other things, so that a channel
//! is slow and never silent. One that cannot be stopped at all is given up and gets what nobody else wants.
//!
//! From standing back there is no way back for a thread without privileges, so a plugin's next generation begins as any other, unless
//! it goes on like that (`share`). Elsewhere than on Linux nothing is asked for: a thread can lower only itself there, and the worst may
//! hang.

use crate::share::Stand;

/// How nice a thread is that stands back.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;
/// What a plugin's thread runs before whoever has just woken up may take its core, nanoseconds; the least the system takes. Its own
/// is some milliseconds: a loop between two of the engine's questions would be in a neighbour's p99.
#[cfg(target_os = "linux")]
const SLICE: u64 = 100_000;
/// The same for one that works for long at a time; the most it takes. Whoever has a shorter one, which is everybody, goes before it at
/// once; over time it gets as much as it would.
#[cfg(target_os = "linux")]
const LONG_SLICE: u64 = 100_000_000;

/// How the calling thread stands from here on. Linux 6.12 and later heed slices (`sched_setattr(2)`, EEVDF); earlier ones, and a refusal,
/// leave the thread as it was.
#[cfg(target_os = "linux")]
pub(crate) fn stand(stand: Stand) {
    // On Linux the priority of a "process" is that of one thread; none named is the calling one.
    let Ok(nice) = rustix::process::getpriority_process(None) else {
        return;
    };
    match stand {
        Stand::Quick => set(nice, SLICE),
        Stand::Coarse => set(nice, LONG_SLICE),
        Stand::Back => set(nice.max(NICE), LONG_SLICE),
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the system call has no wrapper here; it takes a pointer to plain integers")]
fn set(nice: i32, slice: u64) {
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
    // SAFETY: `attr` lives over the call, which reads its `size` bytes and keeps nothing. Thread 0 is the calling one.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0_u32) };
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

/// How the calling thread stands from here on.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stand(_stand: Stand) {}

/// Gives a thread up that cannot be stopped.
#[cfg(not(target_os = "linux"))]
pub(crate) fn give_up(_thread: u32) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What the system says of the calling thread: its slice, nanoseconds, and how nice it is. Before Linux 6.12 the slice is 0.
    #[expect(unsafe_code, reason = "as above, the other way round")]
    fn told() -> (u64, i32) {
        let size = u32::try_from(std::mem::size_of::<libc::sched_attr>()).unwrap_or_default();
        // SAFETY: plain integers, for which zeroes are good; the call writes at most `size` bytes.
        let attr = unsafe {
            let mut attr: libc::sched_attr = std::mem::zeroed();
            assert_eq!(libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0), 0);
            attr
        };
        (attr.sched_runtime, attr.sched_nice)
    }

    #[test]
    fn the_system_is_told_how_a_thread_stands_and_what_is_coarse_becomes_quick_again() {
        let heeds = std::thread::spawn(told).join().unwrap().0 > 0;
        let slice = move |of: u64| if heeds { of } else { 0 };
        std::thread::spawn(move || {
            let nice = told().1;
            for (how, expected) in [(Stand::Quick, SLICE), (Stand::Coarse, LONG_SLICE), (Stand::Quick, SLICE)] {
                stand(how);
                assert_eq!(told(), (slice(expected), nice), "{how:?}");
            }
            stand(Stand::Back);
            assert_eq!(told(), (slice(LONG_SLICE), nice.max(NICE)));
        })
        .join()
        .unwrap();
    }
}
