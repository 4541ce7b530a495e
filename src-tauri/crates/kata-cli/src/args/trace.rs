//! `kata trace` and `kata hooks`.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use kata_protocol::{HookName, PluginId, SessionId, StepOutcome, TraceId, WorkspaceId};

/// `kata trace`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Trace {
    /// What to do; without a word, traces are shown.
    #[command(subcommand)]
    pub command: Option<TraceCommand>,
    /// Trace; without one, and without --last, the newest are listed.
    pub id: Option<TraceId>,
    /// Show the newest one.
    #[arg(long, conflicts_with = "id")]
    pub last: bool,
    /// Only of this session.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub session: Option<SessionId>,
    /// Only those this plugin acted in.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    pub plugin: Option<PluginId>,
    /// Only those with a step that ended so.
    #[arg(long, conflicts_with = "id")]
    pub outcome: Option<Outcome>,
    /// Only those from here: a channel, `desktop`, `cli`.
    #[arg(long, value_name = "FROM", conflicts_with = "id")]
    pub origin: Option<String>,
    /// Print as Markdown for a bug report, without what was written.
    #[arg(long)]
    pub report: bool,
    /// List at most this many.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Outcome {
    /// Passed unchanged.
    Ok,
    /// Passed, changed.
    Changed,
    /// Blocked, cancelled or refused.
    Blocked,
    /// Failed.
    Error,
    /// Took too long.
    Timeout,
}

impl From<Outcome> for StepOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ok => Self::Ok,
            Outcome::Changed => Self::Changed,
            Outcome::Blocked => Self::Blocked,
            Outcome::Error => Self::Error,
            Outcome::Timeout => Self::Timeout,
        }
    }
}

/// What else there is about traces.
#[derive(Debug, Subcommand)]
pub enum TraceCommand {
    /// Show or change what is traced, and how the export stands.
    Rules(TraceRuleChange),
}

/// `kata trace rules`; without options the rules are shown.
#[derive(Debug, Default, Args)]
pub struct TraceRuleChange {
    /// Messages of this workspace leave no trace.
    #[arg(long, value_name = "WORKSPACE")]
    pub off: Vec<WorkspaceId>,
    /// They do again.
    #[arg(long, value_name = "WORKSPACE")]
    pub on: Vec<WorkspaceId>,
    /// What this regular expression finds is never in a trace.
    #[arg(long, value_name = "REGEX")]
    pub redact: Vec<String>,
    /// The value at this JSON pointer is never in a diff.
    #[arg(long, value_name = "POINTER")]
    pub redact_field: Vec<String>,
    /// Forget the expressions and pointers there are.
    #[arg(long)]
    pub no_redact: bool,
    /// Keep this many traces.
    #[arg(long, value_name = "N")]
    pub keep: Option<u32>,
    /// Send every trace to this OpenTelemetry collector (OTLP/HTTP).
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
    /// Send none.
    #[arg(long, conflicts_with = "otlp")]
    pub no_otlp: bool,
}

impl TraceRuleChange {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        let lists = self.off.is_empty() && self.on.is_empty() && self.redact.is_empty() && self.redact_field.is_empty();
        lists && !self.no_redact && !self.no_otlp && self.keep.is_none() && self.otlp.is_none()
    }
}

/// `kata hooks`.
#[derive(Debug, Subcommand)]
pub enum Hooks {
    /// List events with their handlers, in the order they run, and why.
    List {
        /// Only this event; all of them are listed also without a handler.
        #[arg(value_parser = PossibleValuesParser::new(HookName::ALL.map(HookName::as_str)))]
        event: Option<String>,
    },
}
