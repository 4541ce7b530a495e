//! What an author needs before a plugin runs anywhere: a new plugin from a template, and a check of one on the disk.
//!
//! [`template`] holds the files of `plugins/templates`, for the operation `plugin.create` and for the CLI without an engine.
//! [`check`] reads a folder and tries it in the very sandbox the app has, with [`bench`] in the place of the app and
//! [`scratch`] in the place of the folder. [`mirror`]
//! carries an author's edits over to the copy that runs; [`pack`] makes one file of a folder.
//!
//! Deliberately absent: anything that decides about trust, and any way into a running engine.

mod bench;
mod check;
mod mirror;
mod pack;
mod scratch;
mod template;

pub use check::{Finding, Report, Step, Unfit, Verdict, check, manifest};
pub use mirror::Mirror;
pub use pack::{Packed, pack};
pub use template::{NewFile, editor_files, new_plugin};
