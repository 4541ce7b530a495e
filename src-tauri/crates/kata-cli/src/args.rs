//! What a person types. `kata plugins` and `kata trace` have files of their own.

mod approvals;
mod attention;
mod channels;
mod devices;
mod house;
mod life;
mod oauth;
mod permissions;
mod plans;
mod plugins;
mod route;
mod sources;
mod trace;
mod update;
mod upkeep;
mod workspaces;

pub use approvals::{Approvals, Decision};
pub use attention::{Attention, Pause};
pub use channels::{Accounts, Channels, SetUp};
pub use devices::{DeviceScope, Devices, PairDevice};
pub use house::{Backups, ChangeSession, Import, Notices, RunImport, Security, Settings, SettingsCommand};
pub use life::{Background, CrashCommand, Crashes, Restart};
pub use oauth::{Configure, Oauth};
pub use permissions::{Mode, Permissions, Tools};
pub use plans::Plans;
pub use plugins::{Plugins, Signers, Template};
pub use route::{AddBinding, Route, SetPolicy};
pub use sources::{Elicitations, SourceFiles};
pub use trace::{Hooks, Outcome, Trace, TraceCommand, TraceRuleChange};
pub use update::{Channel, Configure as ConfigureUpdates, Update};
pub use upkeep::{Hygiene, Index, Letters, Search};
pub use workspaces::{Export, Files, Format, Notes, Preferences, SetWorkspace, Skills, Usage, Workspaces};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use kata_protocol::{MessageId, PluginId, ProviderKind, SessionId, SourceId, WorkspaceId};
use std::path::PathBuf;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "kata",
    version,
    about = "Kata Agents: the agent gateway on your own machine",
    propagate_version = true,
    after_help = "Exit codes: 0 done · 1 failed · 2 wrong arguments · 3 no engine runs · 4 refused, or a person has to act first\n\
                  Results go to standard output, everything else to standard error. With --json results and errors are JSON."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Results as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Home folder [default: ~/.kata-agents].
    #[arg(long, global = true, env = "KATA_CONFIG_DIR", value_name = "PATH", hide_env_values = true)]
    pub home: Option<PathBuf>,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the engine without a window, until SIGINT or SIGTERM.
    Serve(Serve),
    /// How the engine stands.
    Status,
    /// End the running engine after it has finished what it does.
    Stop,
    /// Let the engine finish what it does and begin again.
    Restart(Restart),
    /// Start at login, and again after a crash.
    #[command(subcommand)]
    Background(Background),
    /// How the program ended when it did not end in order.
    Crashes(Crashes),
    /// Look at everything that could be wrong, with what mends it. Exit code 1 if something does not work.
    Doctor,
    /// Everything that waits for you.
    #[command(subcommand)]
    Attention(Attention),
    /// Pause all channels: nothing is taken in, nothing is sent, nothing is lost.
    Pause(Pause),
    /// Let paused channels go on.
    Resume,
    /// Talk to the agent: one message with -m, or line by line.
    Chat(Chat),
    /// Sessions and their transcripts.
    #[command(subcommand)]
    Sessions(Sessions),
    /// Workspaces: their settings, statuses and labels.
    #[command(subcommand)]
    Workspaces(Workspaces),
    /// Skills: instructions that agents take up when they are called for.
    #[command(subcommand)]
    Skills(Skills),
    /// What agents know of you.
    #[command(subcommand)]
    Preferences(Preferences),
    /// Your notes beside a session.
    Notes(Notes),
    /// A session as a text to keep.
    Export(Export),
    /// Tokens by day and model.
    Usage(Usage),
    /// Files of the folder a session works in.
    Files(Files),
    /// Git state of the folder a session works in.
    Git {
        /// Session.
        id: SessionId,
    },
    /// Find messages by their words, in every session.
    Search(Search),
    /// Messages that did not get through.
    #[command(subcommand)]
    Letters(Letters),
    /// Rules by which sessions are tidied up.
    #[command(subcommand)]
    Hygiene(Hygiene),
    /// The index of sessions.
    #[command(subcommand)]
    Index(Index),
    /// What agents may do without asking, and why.
    #[command(subcommand)]
    Permissions(Permissions),
    /// Tools agents have.
    #[command(subcommand)]
    Tools(Tools),
    /// Plugins.
    #[command(subcommand)]
    Plugins(Plugins),
    /// Slash commands of the plugins.
    Commands,
    /// Run a slash command.
    Run {
        /// Command, with or without its slash.
        command: String,
        /// Everything after it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Channels, services and other sources.
    #[command(subcommand)]
    Sources(Sources),
    /// Questions that sources put to you in the middle of a call.
    #[command(subcommand)]
    Elicitations(Elicitations),
    /// Providers you sign in at, and accounts.
    #[command(subcommand)]
    Oauth(Oauth),
    /// People who wrote to a channel and wait to be let in.
    #[command(subcommand)]
    Pair(Pair),
    /// Devices that come in through the gateway: a phone, a browser, a program.
    #[command(subcommand)]
    Devices(Devices),
    /// The gateway: its addresses, and who is connected.
    Gateway,
    /// Where channel conversations go, and why.
    #[command(subcommand)]
    Route(Route),
    /// Channels: set up, looked at, their further accounts, and who may write.
    #[command(subcommand)]
    Channels(Channels),
    /// Refused messages, counted by channel and reason.
    Refusals,
    /// Tool calls that wait for a person.
    #[command(subcommand)]
    Approvals(Approvals),
    /// Plans that agents have handed in and that wait for your answer.
    #[command(subcommand)]
    Plans(Plans),
    /// What happened to a message at each gate, and how long it took.
    Trace(Trace),
    /// Hooks: who is asked at each event, in which order, and why.
    #[command(subcommand)]
    Hooks(Hooks),
    /// The engine's newest log lines.
    Logs(Logs),
    /// Models the agent may use.
    #[command(subcommand)]
    Models(Models),
    /// Settings in force, where each comes from, and changes to them.
    Settings(Settings),
    /// What other programs left on this machine, and taking it over.
    #[command(subcommand)]
    Import(Import),
    /// Copies of the home folder.
    #[command(subcommand)]
    Backup(Backups),
    /// What is open to others.
    #[command(subcommand)]
    Security(Security),
    /// What the engine has to say to you.
    #[command(subcommand)]
    Notices(Notices),
    /// Updates of the program: how they stand, look, put in, rules.
    Update {
        /// What to do; `status` when absent.
        #[command(subcommand)]
        command: Option<Update>,
    },
    /// Print the token that opens this machine's gateway. Keep it to yourself.
    Token,
    /// Print the manual page, or write the pages of all commands into a folder.
    Man {
        /// Folder.
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
    },
    /// Print completions for a shell.
    Completions {
        /// Shell.
        shell: Shell,
    },
}

/// `kata serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Port that is tried first [default: 18790, or what the settings say].
    #[arg(long)]
    pub port: Option<u16>,
    /// Do not open a browser.
    #[arg(long)]
    pub no_open: bool,
    /// With plugins off.
    #[arg(long)]
    pub safe: bool,
}

/// `kata chat`.
#[derive(Debug, Args)]
pub struct Chat {
    /// Session; the newest one of the desktop when absent.
    pub session: Option<SessionId>,
    /// Send this and print the answer; `-` reads it from standard input.
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Begin a new session.
    #[arg(long, conflicts_with = "session")]
    pub new: bool,
    /// Model (its id in `kata models list`).
    #[arg(long, value_name = "ID")]
    pub model: Option<String>,
    /// Folder its tools work in.
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
    /// Send a file with the message; again for more, at most ten of 16 MiB. Without -m the files are the message.
    #[arg(long, value_name = "FILE")]
    pub attach: Vec<PathBuf>,
}

/// `kata sessions`.
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// List sessions, newest first.
    List {
        /// Only this workspace.
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
        /// Words in name or preview.
        #[arg(long, value_name = "WORDS")]
        search: Option<String>,
        /// Only sessions of channels.
        #[arg(long)]
        channels: bool,
        /// Those in the archive instead.
        #[arg(long)]
        archived: bool,
        /// At most this many.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show a session with its transcript.
    Show {
        /// Session.
        id: SessionId,
        /// At most this many newest messages.
        #[arg(short = 'n', long, value_name = "N")]
        limit: Option<u32>,
        /// Only messages before this one.
        #[arg(long, value_name = "MESSAGE")]
        before: Option<MessageId>,
    },
    /// Change a session: name, flag, status, labels, mode, model, folder.
    Set(Box<ChangeSession>),
    /// Stop what a session does now.
    Stop {
        /// Session.
        id: SessionId,
    },
    /// Run an interrupted or failed input again.
    Resend {
        /// Session.
        id: SessionId,
    },
    /// Put sessions into the archive: out of the list, kept, and found by a search.
    Archive {
        /// Sessions.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<SessionId>,
    },
    /// Take sessions out of the archive.
    Unarchive {
        /// Sessions.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<SessionId>,
    },
    /// Delete archived sessions for good, with everything in their folders.
    Delete {
        /// Sessions.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<SessionId>,
        /// Do not ask.
        #[arg(short, long)]
        yes: bool,
    },
    /// List the files of a session's messages, or save one.
    Attachment {
        /// Session.
        id: SessionId,
        /// File, as the list names it.
        attachment: Option<String>,
        /// Where to save it; under its own name in this folder when absent. `-` writes it to standard output.
        #[arg(short, long, value_name = "FILE", requires = "attachment")]
        out: Option<PathBuf>,
    },
    /// Let the conversation of a channel's session begin a new one with its next message.
    Reset {
        /// Session.
        id: SessionId,
    },
}

/// `kata sources`.
#[derive(Debug, Subcommand)]
pub enum Sources {
    /// List sources.
    List,
    /// Show a source with its states, settings, work and log.
    Show {
        /// Source.
        id: SourceId,
    },
    /// Switch a source on.
    Enable {
        /// Source.
        id: SourceId,
        /// In this workspace only; a service runs while it is on in one of them.
        #[arg(long)]
        workspace: Option<WorkspaceId>,
    },
    /// Switch a source off.
    Disable {
        /// Source.
        id: SourceId,
        /// In this workspace only.
        #[arg(long)]
        workspace: Option<WorkspaceId>,
    },
    /// Stop a source and start it again.
    Restart {
        /// Source.
        id: SourceId,
    },
    /// Change settings: KEY=VALUE, dots for nested keys, `null` takes a key away.
    Set {
        /// Source.
        id: SourceId,
        /// Settings.
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = assignment)]
        settings: Vec<(String, String)>,
    },
    /// Set a secret; its value is read from standard input.
    Secret {
        /// Source.
        id: SourceId,
        /// Secret.
        name: String,
        /// Take it away instead.
        #[arg(long)]
        remove: bool,
    },
    /// Sources that files set up.
    #[command(flatten)]
    Files(SourceFiles),
    /// Sign in with the account it works with.
    Login {
        /// Source (`service:gmail:gmail`).
        id: SourceId,
        /// With a code that you type on another device, such as a phone.
        #[arg(long)]
        device: bool,
        /// Only say where to go; do not open the browser of the engine's machine.
        #[arg(long)]
        no_open: bool,
    },
    /// Sign out: the tokens are given back to the provider and forgotten here.
    Logout {
        /// Source.
        id: SourceId,
    },
}

/// `kata pair`.
#[derive(Debug, Subcommand)]
pub enum Pair {
    /// List people who wait.
    List,
    /// Let a person in.
    Approve {
        /// Code the person was told.
        code: String,
    },
    /// Turn a person away.
    Deny {
        /// Code the person was told.
        code: String,
    },
    /// Offer a place to a device; the same as `kata devices pair`.
    Device(PairDevice),
}

/// `kata logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// At most this many lines.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=2000))]
    pub limit: u32,
    /// Lowest level.
    #[arg(long, value_enum)]
    pub level: Option<Level>,
    /// Only this plugin.
    #[arg(long, value_name = "ID")]
    pub plugin: Option<PluginId>,
    /// Go on with new lines.
    #[arg(short, long)]
    pub follow: bool,
}

/// Level of a log line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Level {
    /// Failures.
    Error,
    /// Warnings and worse.
    Warn,
    /// The usual.
    Info,
    /// Everything.
    Debug,
}

/// `kata models`.
#[derive(Debug, Subcommand)]
pub enum Models {
    /// List models that are set up.
    List,
    /// Look for models on this machine; spends nothing.
    Detect,
    /// Set a model up, or change it.
    Set(SetModel),
    /// Ask a model for one word.
    Test {
        /// Id.
        id: String,
    },
    /// Take a model away, with its key.
    Remove {
        /// Id.
        id: String,
    },
}

/// `kata models set`.
#[derive(Debug, Args)]
pub struct SetModel {
    /// Id of your choice.
    pub id: String,
    /// Wire format.
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// Name of the model at the provider [default: the demo needs none].
    #[arg(long, value_name = "NAME", required_if_eq_any = [("kind", "anthropic"), ("kind", "openai-chat")])]
    pub model: Option<String>,
    /// Base URL; the vendor's own when absent.
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Longest answer in tokens.
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u32>,
    /// Environment variable that holds the key at each start of the engine.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "key_stdin")]
    pub key_env: Option<String>,
    /// Read the key from standard input; the engine keeps it in its secret store.
    #[arg(long)]
    pub key_stdin: bool,
    /// New sessions use it.
    #[arg(long)]
    pub default: bool,
}

/// Wire format of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Scripted, built in, no key.
    Demo,
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions; also Ollama and LM Studio.
    OpenaiChat,
}

impl From<Kind> for ProviderKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Demo => Self::Demo,
            Kind::Anthropic => Self::Anthropic,
            Kind::OpenaiChat => Self::OpenaiChat,
        }
    }
}

pub(crate) fn assignment(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && key.split('.').all(|part| !part.is_empty()) => Ok((key.into(), value.into())),
        _ => Err("write it as KEY=VALUE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_commands_of_the_documentation_are_understood() {
        for line in [
            "kata serve --port 18800 --home /tmp/h --no-open",
            "kata status --json",
            "kata --json --home /tmp/h status",
            "kata stop",
            "kata restart --safe",
            "kata serve --safe",
            "kata background status --json",
            "kata background on --serve",
            "kata background off",
            "kata crashes",
            "kata crashes show 20260101T000000-panic",
            "kata crashes dismiss 20260101T000000-panic",
            "kata doctor --json",
            "kata chat",
            "kata chat 260201-swift-river -m hello",
            "kata chat --new --model demo -m -",
            "kata sessions list --workspace w --search words -n 5",
            "kata sessions show 260201-swift-river -n 3 --json",
            "kata sessions show 260201-swift-river -n 3 --before msg-1",
            "kata sessions list --archived",
            "kata sessions archive a b",
            "kata sessions unarchive a",
            "kata sessions delete a -y",
            "kata sessions reset a",
            "kata sessions attachment a",
            "kata sessions attachment a 1b2c -o here.pdf",
            "kata chat --new -m look --attach a.png --attach b.pdf",
            "kata search red car*",
            "kata search \"red\" --workspace w -n 5 --json",
            "kata letters list",
            "kata letters retry out-7",
            "kata letters discard in-3",
            "kata hygiene show",
            "kata hygiene set direct.resetDailyAt=04:30 desktop.most=null",
            "kata hygiene preview group.most=5",
            "kata hygiene run --json",
            "kata index rebuild",
            "kata chat --new --dir . -m hello",
            "kata permissions list",
            "kata permissions explain bash ls --mode allow-all",
            "kata permissions explain --session s read a.txt",
            "kata permissions forget bash npm run -s",
            "kata permissions forget write --folder /tmp/x",
            "kata tools list",
            "kata plugins list",
            "kata plugins reload echo",
            "kata plugins new word-count --template tool",
            "kata plugins new word-count -t channel --dir /tmp/w --name Words",
            "kata plugins new word-count --install",
            "kata plugins check",
            "kata plugins check ./word-count --json",
            "kata plugins dev ./word-count -y",
            "kata plugins pack ./word-count --out w.tgz",
            "kata plugins install ./word-count.tgz --yes",
            "kata plugins inspect echo",
            "kata plugins trust echo -y --development",
            "kata plugins trust echo --capability net:a.example --capability secret:token",
            "kata plugins revoke echo --capability net:a.example",
            "kata plugins revoke echo",
            "kata plugins logs echo -n 5 --follow",
            "kata plugins uninstall echo -y",
            "kata plugins discovery",
            "kata plugins set echo a=1",
            "kata plugins secret echo token",
            "kata commands",
            "kata run echo one --two",
            "kata run /echo",
            "kata sources enable service:feeds:feeds --workspace work",
            "kata sources set channel:telegram apiRoot=http://127.0.0.1:1 polling.timeout=5",
            "kata sources secret channel:telegram botToken",
            "kata pair approve ABCD2345",
            "kata route show --json",
            "kata route set table.json",
            "kata route set -",
            "kata route add support --channel slack --conversation C1 --thread T --scope sender --overlap collect --profile helpful",
            "kata route add family --person ada --scope person",
            "kata route remove support",
            "kata route explain message.json --table other.json",
            "kata route keys",
            "kata route join slack:T1:C1 260201-swift-river",
            "kata route join =person:ada",
            "kata channels policy telegram",
            "kata channels policy telegram --policy open --approver 42 --approver 43 --quiet 22:00-07:00 --mention false --max-text 4000",
            "kata channels policy telegram --no-quiet --no-allow --per-minute-sender 5",
            "kata channels list --json",
            "kata channels setup telegram",
            "kata channels setup channel:telegram --answer botToken=- --answer pollSeconds=20 --enable",
            "kata channels probe telegram@work --json",
            "kata channels audit telegram",
            "kata channels directory telegram",
            "kata channels logout telegram -y",
            "kata channels accounts add telegram work --workspace my-workspace",
            "kata channels accounts remove telegram@work -y",
            "kata refusals --json",
            "kata approvals list --session s --json",
            "kata approvals answer k7q2xy always",
            "kata plans list --session s --json",
            "kata plans show 260201-swift-river",
            "kata plans accept msg-1-abc --allow-all",
            "kata plans refine msg-1-abc without the second step",
            "kata plugins signers",
            "kata plugins signers list --json",
            "kata plugins signers forget 0C55D0E7A4B8112F -y",
            "kata trace",
            "kata trace --last --session s",
            "kata trace 0198-abc",
            "kata trace 0198-abc --report",
            "kata trace --plugin echo --outcome timeout --origin telegram",
            "kata trace rules --redact sk-.+ --off private --no-otlp",
            "kata hooks list",
            "kata hooks list message_sending",
            "kata logs -n 20 --level warn --follow",
            "kata models set ollama --kind openai-chat --model llama3 --base-url http://127.0.0.1:11434/v1 --default",
            "kata models set demo --kind demo",
            "kata settings",
            "kata settings list --changeable --json",
            "kata settings get gateway.port",
            "kata settings set gateway.hosts a.example b.example",
            "kata settings set gateway.port -1",
            "kata settings unset gateway.port",
            "kata import find --path /tmp/x",
            "kata import run --from openclaw --items channel:telegram people:telegram --dry-run",
            "kata import run --all -y",
            "kata backup list",
            "kata backup create --json",
            "kata security audit",
            "kata notices list",
            "kata notices dismiss settings-damaged",
            "kata sessions set 260201-swift-river --name Trip --flag true --label a --label b --mode ask",
            "kata sessions set a --no-labels --unread false --status done --model demo --dir .",
            "kata sessions stop a",
            "kata sessions resend a",
            "kata man --out /tmp/man",
            "kata update",
            "kata update check --json",
            "kata update install 2.0.0",
            "kata update dismiss",
            "kata update configure --channel beta --automatic false --quiet 02:00-05:00",
            "kata token",
            "kata completions bash",
        ] {
            parse(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }

    #[test]
    fn what_makes_no_sense_is_a_usage_error() {
        for line in [
            "kata",
            "kata dance",
            "kata chat s --new",
            "kata trace t --last",
            "kata trace --outcome nonsense",
            "kata hooks list nonsense",
            "kata trace rules --otlp http://h --no-otlp",
            "kata sources set channel:telegram",
            "kata sources set channel:telegram novalue",
            "kata sources set channel:telegram a..b=1",
            "kata sessions list -n 0",
            "kata sessions delete",
            "kata search",
            "kata search a -n 201",
            "kata hygiene set direct",
            "kata letters retry",
            "kata models set x --kind anthropic",
            "kata models set x --kind nonsense --model m",
            "kata models set x --kind anthropic --model m --key-env A --key-stdin",
            "kata serve --port 70000",
            "kata plugins new",
            "kata plugins new x --template nonsense",
            "kata plugins new x --install --dir /tmp",
            "kata run",
            "kata route add x --conversation c",
            "kata route add x --channel c --thread t",
            "kata route add x --channel c --sender s --person p",
            "kata route add x --scope planet",
            "kata channels policy telegram --quiet 22:00",
            "kata update configure --channel nightly",
            "kata update configure --quiet 22:00-07:00 --no-quiet",
            "kata channels setup telegram --answer novalue",
            "kata channels accounts add telegram",
            "kata channels policy telegram --quiet 22:00-07:00 --no-quiet",
            "kata approvals answer K7Q2XY",
            "kata plans",
            "kata plans refine msg-1-abc",
            "kata plugins signers forget",
            "kata approvals answer K7Q2XY perhaps",
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_setting_may_contain_equal_signs() {
        assert_eq!(assignment("a.b=c=d"), Ok(("a.b".into(), "c=d".into())));
        assert_eq!(assignment("a="), Ok(("a".into(), String::new())));
    }
}
