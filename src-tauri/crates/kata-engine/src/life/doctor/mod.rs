//! Looks at everything that could be wrong, and says what mends it.
//!
//! [`outside`] is what can be seen without an engine, [`inside`] what only a running one knows, [`machine`] what is asked of the
//! machine. Deliberately absent: mending anything by itself.

mod inside;
mod machine;
mod outside;

pub(crate) use inside::of_a_running_engine;
pub use outside::of_a_home;
