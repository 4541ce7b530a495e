//! Where a plugin's thread says that it is at work, so that whoever looks after a crash of the whole process knows who was.
//!
//! Deliberately absent: where that is kept (the engine's), and anything that could fail or wait: a batch of jobs is microseconds.

use std::fmt::Debug;

/// Seats for plugins at work.
pub trait Seats: Debug + Send + Sync + 'static {
    /// A seat for one thread of a plugin; nothing where there are no more. It is given back when it is dropped.
    fn take(&self, plugin: &str) -> Option<Box<dyn Seat>>;
}

/// One thread's seat.
pub trait Seat: Send {
    /// It begins to work, or ended. May not block.
    fn works(&self, now: bool);
}
