//! Sources that are set up by files: MCP servers, HTTP APIs, folders. And what every source's page shows of its work.

use crate::{Count, Json, Ms, SourceId, ToolInfo, WorkspaceId};
use serde::{Deserialize, Serialize};

macro_rules! source {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

source! {
    /// `source.add`: writes `sources/SLUG/` of a workspace. It is tried at once; what is missing is said in its state.
    SourceAdd {
        /// Workspace; default the active one.
        workspace: Option<WorkspaceId>,
        /// `config.json` without `id`, `slug` and times: `name`, `type` and the part of that type. An error names the field.
        config: Json,
        /// `guide.md`.
        guide: Option<String>,
    }
    /// `source.write`: changes a source's files; what is absent stays.
    SourceWrite {
        /// Source.
        id: SourceId,
        /// `config.json`, whole.
        config: Option<Json>,
        /// `guide.md`; empty removes it.
        guide: Option<String>,
        /// `permissions.json`, whole; `{}` removes it.
        permissions: Option<Json>,
    }
    /// A source's files.
    SourceDocument {
        /// Folder.
        path: String,
        /// `config.json`; null where it cannot be read.
        config: Json,
        /// `guide.md`.
        guide: Option<String>,
        /// `permissions.json`; null where there is none.
        permissions: Json,
        /// What is wrong with which file; empty when all is well.
        errors: Vec<String>,
    }
    /// `tool.try`: a person runs a tool by hand, from a source's page. The permission rules are those of a session in mode `ask`:
    /// what is denied there is denied here, what would be asked is taken as answered.
    ToolTry {
        /// Tool.
        name: String,
        /// Arguments; checked against its schema.
        params: Json,
        /// Workspace; default the active one.
        workspace: Option<WorkspaceId>,
    }
    /// What a tool gave.
    ToolTried {
        /// Whether it did what it was asked to.
        ok: bool,
        /// What the model would read.
        text: String,
        /// How long it took, in milliseconds.
        took_ms: u32,
    }
    /// `source.tools`
    SourceTool {
        /// Tool.
        info: ToolInfo,
        /// How calls of a new session of the workspace would be judged: `allow`, `ask` or `deny`.
        judged: String,
    }
    /// One workspace of a source that serves all of them.
    WorkspaceSwitch {
        /// Workspace.
        workspace: WorkspaceId,
        /// Whether its sessions see the source.
        enabled: bool,
    }
    /// What a service may use; 0 is without a limit.
    SourceBudget {
        /// Requests per minute.
        requests_per_minute: u32,
        /// Requests per day.
        requests_per_day: u32,
        /// Times its own timers and schedules woke it per minute.
        wakeups_per_minute: u32,
        /// Requests in the last full minute.
        requests_last_minute: u32,
        /// Requests since midnight, UTC.
        requests_today: u32,
        /// Wake-ups in the last full minute.
        wakeups_last_minute: u32,
        /// CPU in the last full minute, milliseconds.
        cpu_ms_last_minute: u32,
        /// CPU limit a minute, milliseconds.
        cpu_ms_per_minute: u32,
        /// JavaScript heap, bytes.
        memory_bytes: Count,
        /// Its limit.
        memory_limit: Count,
    }
    /// One planned piece of work of a service.
    SourceJob {
        /// Its id in the plugin.
        id: String,
        /// When it runs, in words: `every 5 minutes`, `0 9 * * 1-5 (Europe/Berlin)`.
        when: String,
        /// Next time; absent when it is over.
        next: Option<Ms>,
        /// Last time.
        last: Option<Ms>,
        /// Whether its interval is stretched, because nobody needs it or the machine saves power.
        stretched: bool,
        /// What went wrong the last time.
        error: Option<String>,
    }
    /// A question a source puts to the person in the middle of a call (MCP elicitation).
    Elicitation {
        /// Question.
        id: String,
        /// Source that asks.
        source: SourceId,
        /// What it says.
        message: String,
        /// JSON Schema of the form; flat, as MCP has it. Absent where the person is sent to `url`.
        schema: Option<Json>,
        /// Page to open instead of a form.
        url: Option<String>,
        /// When it is given up.
        expires_at: Ms,
    }
    /// `elicitation.answer`
    ElicitationAnswer {
        /// Question.
        id: String,
        /// `accept`, `decline` or `cancel`.
        action: String,
        /// What was filled in, with `accept`.
        content: Option<Json>,
    }
}
