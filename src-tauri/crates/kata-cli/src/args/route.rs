//! `kata route`, `kata channels policy`.

use clap::{Args, Subcommand, ValueEnum};
use kata_protocol::{
    AccountId, ChannelId, ChatType, ConversationId, DmPolicy, OverlapPolicy, QuietHours, SenderId, SessionId, SessionKey, SessionScope,
    ThreadId, WorkspaceId,
};
use std::path::PathBuf;

/// `kata route`.
#[derive(Debug, Subcommand)]
pub enum Route {
    /// Show bindings, profiles and people.
    Show,
    /// Put another table in force; it is refused whole where an entry cannot stand.
    Set {
        /// JSON file; `-` is standard input. `kata route show --json` writes one.
        file: PathBuf,
    },
    /// Add a binding, or replace the one of that name.
    Add(Box<AddBinding>),
    /// Take a binding away.
    Remove {
        /// Its name.
        id: String,
    },
    /// Say why a message would go where it would go. Nothing is written or sent.
    Explain {
        /// JSON file with `channel` and `message`; `-` is standard input.
        file: PathBuf,
        /// With this table instead of the present one.
        #[arg(long, value_name = "FILE")]
        table: Option<PathBuf>,
    },
    /// List conversations with their sessions, newest first.
    Keys,
    /// A conversation goes on in another session from its next message on.
    Join {
        /// Key of the conversation, from `kata route keys`.
        key: SessionKey,
        /// Session; a new one of its own when absent.
        session: Option<SessionId>,
    },
}

/// `kata route add`.
#[derive(Debug, Args)]
pub struct AddBinding {
    /// Name of your choice, small letters, digits and dashes.
    pub id: String,
    /// Only this channel.
    #[arg(long, value_name = "ID")]
    pub channel: Option<ChannelId>,
    /// Only this account of the channel.
    #[arg(long, value_name = "ID", requires = "channel")]
    pub account: Option<AccountId>,
    /// Only this kind of conversation.
    #[arg(long, value_enum)]
    pub chat_type: Option<Chat>,
    /// Only this conversation.
    #[arg(long, value_name = "ID", requires = "channel")]
    pub conversation: Option<ConversationId>,
    /// Only this thread of the conversation.
    #[arg(long, value_name = "ID", requires = "conversation")]
    pub thread: Option<ThreadId>,
    /// Only this sender.
    #[arg(long, value_name = "ID", requires = "channel")]
    pub sender: Option<SenderId>,
    /// Only this person of the table.
    #[arg(long, value_name = "ID", conflicts_with = "sender")]
    pub person: Option<String>,
    /// Workspace of new sessions.
    #[arg(long, value_name = "ID")]
    pub workspace: Option<WorkspaceId>,
    /// Agent profile of the table.
    #[arg(long, value_name = "ID")]
    pub profile: Option<String>,
    /// What shares a session.
    #[arg(long, value_enum, default_value_t = Scope::Thread)]
    pub scope: Scope,
    /// What happens to a message that comes while the agent works.
    #[arg(long, value_enum, default_value_t = WhileBusy::Queue)]
    pub overlap: WhileBusy,
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident => $of:ident { $($(#[$vdoc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl From<$name> for $of {
            fn from(choice: $name) -> Self {
                match choice { $($name::$variant => Self::$variant),* }
            }
        }
    };
}

choice! {
    /// Kind of conversation.
    Chat => ChatType {
        /// One person and the bot.
        Direct,
        /// Several people.
        Group,
        /// A named channel.
        Channel,
    }
}
choice! {
    /// What shares a session.
    Scope => SessionScope {
        /// The conversation, its threads apart.
        Thread,
        /// The conversation with its threads.
        Conversation,
        /// Each sender in it.
        Sender,
        /// A known person's direct conversations over all channels.
        Person,
    }
}
choice! {
    /// A message that comes while the agent works.
    WhileBusy => OverlapPolicy {
        /// After the present turn.
        Queue,
        /// Into the present turn.
        Steer,
        /// Together with what comes within a pause.
        Collect,
        /// Instead of the present turn.
        Interrupt,
        /// Not at all.
        Drop,
    }
}
choice! {
    /// Who may write.
    Policy => DmPolicy {
        /// Strangers get a code.
        Pairing,
        /// Listed senders.
        AllowList,
        /// Everybody.
        Open,
        /// Nobody.
        Off,
    }
}

/// `kata channels policy`.
#[derive(Debug, Args)]
pub struct SetPolicy {
    /// Channel (`telegram`).
    pub channel: ChannelId,
    /// Who may write.
    #[arg(long, value_enum)]
    pub policy: Option<Policy>,
    /// Sender on the allow-list; repeat it for more. The list is replaced.
    #[arg(long, value_name = "ID")]
    pub allow: Vec<String>,
    /// Empty the allow-list.
    #[arg(long, conflicts_with = "allow")]
    pub no_allow: bool,
    /// Sender who may answer tool calls from the channel; repeat it for more. The list is replaced.
    #[arg(long, value_name = "ID")]
    pub approver: Vec<String>,
    /// Nobody may answer tool calls from the channel.
    #[arg(long, conflicts_with = "approver")]
    pub no_approver: bool,
    /// Whether a group message must address the bot.
    #[arg(long, value_name = "true|false")]
    pub mention: Option<bool>,
    /// Messages a minute from one sender.
    #[arg(long, value_name = "N")]
    pub per_minute_sender: Option<u32>,
    /// Messages a minute in one conversation.
    #[arg(long, value_name = "N")]
    pub per_minute_conversation: Option<u32>,
    /// Longest text of a message in bytes.
    #[arg(long, value_name = "BYTES")]
    pub max_text: Option<u32>,
    /// Hours in which no turn starts, `22:00-07:00`.
    #[arg(long, value_name = "FROM-UNTIL", value_parser = hours)]
    pub quiet: Option<QuietHours>,
    /// No quiet hours.
    #[arg(long, conflicts_with = "quiet")]
    pub no_quiet: bool,
    /// Whether an answer is shown while it is written, where the channel can.
    #[arg(long, value_name = "true|false")]
    pub previews: Option<bool>,
    /// Whether a message that waits behind another one gets a reaction, where the channel can.
    #[arg(long, value_name = "true|false")]
    pub waiting_mark: Option<bool>,
    /// Conversation the agent may write to although nobody has written from there; repeat it for more. The list is replaced.
    #[arg(long, value_name = "ID")]
    pub send_to: Vec<String>,
    /// The agent may write to conversations only from which somebody has written.
    #[arg(long, conflicts_with = "send_to")]
    pub no_send_to: bool,
}

pub(super) fn hours(text: &str) -> Result<QuietHours, &'static str> {
    let (from, until) = text.split_once('-').ok_or("write it as 22:00-07:00")?;
    Ok(QuietHours {
        from: from.trim().into(),
        until: until.trim().into(),
    })
}
