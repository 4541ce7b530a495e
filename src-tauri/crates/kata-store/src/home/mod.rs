//! The home folder: paths, settings, workspaces, sources. Formats are those of the existing program; unknown fields survive.

mod paths;

pub use paths::HomePaths;
