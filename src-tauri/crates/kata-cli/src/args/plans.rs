//! What a person types about plans that wait.

use clap::Subcommand;
use kata_protocol::SessionId;

/// `kata plans`.
#[derive(Debug, Subcommand)]
pub enum Plans {
    /// List plans that wait, oldest first.
    List {
        /// Only of this session.
        #[arg(long, value_name = "ID")]
        session: Option<SessionId>,
    },
    /// Show a plan that waits, whole.
    Show {
        /// Plan, or the session it waits in.
        plan: String,
    },
    /// Have a plan carried out: a session in mode safe goes to mode ask.
    Accept {
        /// Plan, or the session it waits in.
        plan: String,
        /// Carry it out in mode allow-all; not for a plan of a channel.
        #[arg(long)]
        allow_all: bool,
    },
    /// Say what should be different; nothing is carried out.
    Refine {
        /// Plan, or the session it waits in.
        plan: String,
        /// What should be different; `-` reads standard input.
        #[arg(required = true, trailing_var_arg = true)]
        text: Vec<String>,
    },
}
