//! Opening a page in the browser of this machine: the desktop fills it with Tauri's plugin, `kata serve` with the system's program.

/// Why no page was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoBrowser(pub String);

/// Opens pages.
pub trait Browser: Send + Sync + 'static {
    /// Opens a page and returns at once.
    ///
    /// # Errors
    /// [`NoBrowser`]: there is none, or it does not start.
    fn open(&self, url: &str) -> Result<(), NoBrowser>;
}
