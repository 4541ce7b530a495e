//! Arguments of the built-in tools, checked as a whole before anything looks at them. Fields that are not known are let be.

use kata_core::ports::{SUBMIT_PLAN, Unfit};
use serde::Deserialize;
use serde_json::Value;

/// Longest time a command gets, seconds, and the one it gets unasked.
pub(crate) const TIMEOUT_S: (u64, u64) = (600, 120);

/// Longest text that goes with a file, bytes.
const CAPTION: usize = 4000;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Read {
    pub path: String,
    pub offset: Option<usize>,
    pub limit: Option<usize>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Glob {
    pub pattern: String,
    pub path: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Grep {
    pub pattern: String,
    pub path: Option<String>,
    pub glob: Option<String>,
    #[serde(default)]
    pub ignore_case: bool,
    #[serde(default)]
    pub files_only: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Write {
    pub path: String,
    pub content: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Edit {
    pub path: String,
    pub old: String,
    pub new: String,
    #[serde(default)]
    pub all: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Bash {
    pub command: String,
    pub timeout: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Fetch {
    pub url: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SendFile {
    pub path: String,
    #[serde(default)]
    pub caption: String,
}

#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "the session reads them; here they only have to be there")]
pub(crate) struct SubmitPlan {
    pub title: String,
    pub plan: String,
}

/// Arguments of one call.
#[derive(Clone, Debug)]
pub(crate) enum Args {
    Read(Read),
    Glob(Glob),
    Grep(Grep),
    Write(Write),
    Edit(Edit),
    Bash(Bash),
    Fetch(Fetch),
    SendFile(SendFile),
    SubmitPlan(#[allow(dead_code, reason = "as above")] SubmitPlan),
}

impl Args {
    /// The path it is about.
    pub(crate) fn path(&self) -> Option<&str> {
        match self {
            Self::Read(Read { path, .. }) | Self::Write(Write { path, .. }) | Self::Edit(Edit { path, .. }) => Some(path),
            Self::SendFile(SendFile { path, .. }) => Some(path),
            Self::Glob(Glob { path, .. }) | Self::Grep(Grep { path, .. }) => path.as_deref(),
            Self::Bash(_) | Self::Fetch(_) | Self::SubmitPlan(_) => None,
        }
    }
}

/// The arguments of a built-in tool.
pub(crate) fn parsed(tool: &str, params: &Value) -> Result<Args, Unfit> {
    fn of<'a, T: Deserialize<'a>>(tool: &str, params: &'a Value) -> Result<T, Unfit> {
        T::deserialize(params).map_err(|e| Unfit(format!("The arguments of “{tool}” do not fit: {e}.")))
    }
    Ok(match tool {
        "read" => Args::Read(of(tool, params)?),
        "glob" => Args::Glob(of(tool, params)?),
        "grep" => Args::Grep(of(tool, params)?),
        "write" => Args::Write(of(tool, params)?),
        "edit" => Args::Edit(of(tool, params)?),
        "web_fetch" => Args::Fetch(of(tool, params)?),
        SUBMIT_PLAN => Args::SubmitPlan(of(tool, params)?),
        "send_file" => {
            let send: SendFile = of(tool, params)?;
            if send.caption.len() > CAPTION {
                return Err(Unfit(format!("“caption” has at most {CAPTION} bytes; say the rest in the answer.")));
            }
            Args::SendFile(send)
        }
        "bash" => {
            let bash: Bash = of(tool, params)?;
            if bash.command.contains('\0') {
                return Err(Unfit("The command contains a zero byte.".into()));
            }
            if bash.timeout.is_some_and(|s| s == 0 || s > TIMEOUT_S.0) {
                return Err(Unfit(format!("“timeout” is in seconds, from 1 to {}.", TIMEOUT_S.0)));
            }
            Args::Bash(bash)
        }
        other => return Err(Unfit(format!("There is no built-in tool “{other}”."))),
    })
}
