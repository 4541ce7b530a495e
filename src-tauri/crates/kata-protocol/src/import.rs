//! Taking over what other programs left on this machine, and copies of our own folder.

use crate::{Count, Ms};
use serde::{Deserialize, Serialize};

macro_rules! import {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

import! {
    /// `import.find`
    ImportFind {
        /// Folder to look into; the usual places when absent.
        path: Option<String>,
    }
    /// Something another program left. Nothing of it is ever changed.
    ImportCandidate {
        /// `openclaw` or `kata-electron`.
        from: String,
        /// Folder or file.
        path: String,
        /// Name to show.
        title: String,
        /// What can be taken over, and what cannot.
        items: Vec<ImportItem>,
    }
    /// One thing.
    ImportItem {
        /// Stable (`channel:telegram`).
        id: String,
        /// Name to show.
        label: String,
        /// What would be done, in one line; never a secret.
        detail: String,
        /// It can be taken over.
        importable: bool,
        /// It is proposed: ticked unless the person unticks it. A key for a model never is.
        proposed: bool,
        /// Why not, or what the person has to do afterwards.
        reason: Option<String>,
    }
    /// `import.run`
    ImportRun {
        /// Candidate's `from`.
        from: String,
        /// Candidate's `path`.
        path: String,
        /// Items to take over.
        items: Vec<String>,
    }
    /// What was done.
    ImportReport {
        /// Taken over.
        done: Vec<ImportItem>,
        /// Not taken over, each with its reason.
        left: Vec<ImportItem>,
        /// Copy of our own settings from before, where there were any.
        backup: Option<String>,
    }
    /// A copy of the home folder.
    Backup {
        /// File.
        path: String,
        /// Size, bytes.
        bytes: Count,
        /// When.
        at: Ms,
        /// Why it was made: `asked`, `first-open`, `import`, `update`.
        why: String,
    }
}
