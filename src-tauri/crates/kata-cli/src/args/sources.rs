//! What a person types about sources that files set up, their tools, and their questions.

use clap::Subcommand;
use kata_protocol::{SourceId, WorkspaceId};
use std::path::PathBuf;

/// `kata sources add`, `remove`, `test`, `edit`, `tools`, `try`.
#[derive(Debug, Subcommand)]
pub enum SourceFiles {
    /// Add an MCP server, an API or a folder. Its config.json comes from a file, or from standard input with `-`.
    Add {
        /// File with the config: `{"name": …, "type": "mcp", "mcp": {…}}`.
        config: PathBuf,
        /// File with a guide for the model.
        #[arg(long, value_name = "FILE")]
        guide: Option<PathBuf>,
        /// Workspace; default the active one.
        #[arg(long)]
        workspace: Option<WorkspaceId>,
    },
    /// Take a source away. Its folder goes to the trash, its secrets and its account go for good.
    Remove {
        /// Source.
        id: SourceId,
    },
    /// Ask the other side whether the source could work.
    Test {
        /// Source.
        id: SourceId,
    },
    /// Show a source's files, or change them from files.
    Edit {
        /// Source.
        id: SourceId,
        /// File with the whole config.json; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// File with the guide; an empty one takes it away.
        #[arg(long, value_name = "FILE")]
        guide: Option<PathBuf>,
        /// File with the whole permissions.json; `{}` takes it away.
        #[arg(long, value_name = "FILE")]
        permissions: Option<PathBuf>,
    },
    /// List a source's tools, and how calls of each would be judged.
    Tools {
        /// Source.
        id: SourceId,
    },
    /// Run a tool by hand. What mode ask would deny is denied.
    Try {
        /// Tool, such as mcp__notes__search.
        tool: String,
        /// Arguments as JSON.
        #[arg(default_value = "{}")]
        params: String,
        /// Workspace; default the active one.
        #[arg(long)]
        workspace: Option<WorkspaceId>,
    },
}

/// `kata elicitations`.
#[derive(Debug, Subcommand)]
pub enum Elicitations {
    /// List questions of sources that wait for you.
    List,
    /// Answer one. The first answer counts.
    Answer {
        /// Question.
        id: String,
        /// `accept`, `decline` or `cancel`.
        action: String,
        /// What you fill in, as JSON, with `accept`.
        content: Option<String>,
    },
}
