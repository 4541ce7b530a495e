//! Which network the machine is in.

/// A source of that knowledge.
pub trait Networks: Send + Sync + 'static {
    /// The addresses and ways out that there are now, in whatever words: only whether they are the same as before counts. May block
    /// for as long as a file takes to read.
    fn read(&self) -> String;
}
