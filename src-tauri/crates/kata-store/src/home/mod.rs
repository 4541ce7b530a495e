//! The home folder: paths, settings, workspaces, sources. Formats are those of the existing program.
//!
//! Reading never fails a whole home for one file: a file that cannot be read counts as absent, [`open_home`] copies it aside
//! and says so. Writing changes single fields of the document that is there, so fields this program does not know survive.
//!
//! Deliberately absent: this program's own settings and secrets (the engine's), and watching for changes.

mod document;
mod edit;
mod open;
mod paths;
mod preferences;
mod sources;
mod workspaces;

pub use document::{DocumentError, update_document};
pub use edit::{Unfit, WorkspaceEdit, create_workspace, edit_workspace, workspace_settings};
pub use open::open_home;
pub use paths::HomePaths;
pub use preferences::{preferences, set_preferences};
pub use sources::{ChannelConfig, channel_configs, file_channels, set_source_enabled, source_folders};
pub use workspaces::{set_active_workspace, workspace_folders, workspaces};
