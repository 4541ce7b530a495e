//! What an author needs before a plugin runs anywhere: a new plugin from a template.
//!
//! [`template`] holds the files of `plugins/templates`, for the operation `plugin.create` and for the CLI without an engine.
//!
//! Deliberately absent: anything that decides about trust, and any way into a running engine.

mod template;

pub use template::{NewFile, editor_files, new_plugin};
