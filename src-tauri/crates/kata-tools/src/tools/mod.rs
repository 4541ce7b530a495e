//! The built-in tools. Each gets arguments that were made plain and judged; it looks once more where somebody could have changed
//! the disk meanwhile.

use crate::why::{Why, why};
pub(crate) mod arguments;
mod fetch;
mod files;
#[cfg(unix)]
mod run;
mod search;

use crate::scope::{Places, Scope};
use crate::{Sandbox, door};
use arguments::{Args, SendFile, parsed};
use async_trait::async_trait;
use kata_core::ports::{MAX_FILE, SUBMIT_PLAN, ToolFile, ToolOutcome, ToolRequest, Tools, Unfit};
use kata_protocol::{Json, ToolInfo};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// Longest text a tool gives back, bytes.
pub(crate) const TEXT: usize = 256 * 1024;

/// Names of the built-in tools. No other tool may have one of them.
pub const NAMES: &[&str] = &[
    "read",
    "glob",
    "grep",
    "write",
    "edit",
    "bash",
    "web_fetch",
    "send_file",
    SUBMIT_PLAN,
];

/// The built-in tools.
pub struct Builtin {
    places: Places,
    #[cfg_attr(not(unix), allow(dead_code, reason = "commands are run on Unix only"))]
    sandbox: Arc<Sandbox>,
    list: Arc<[ToolInfo]>,
}

impl Builtin {
    /// The tools over the homes in `places`.
    pub fn new(places: Places, sandbox: Arc<Sandbox>) -> Self {
        Self {
            places,
            sandbox,
            list: list().into(),
        }
    }
}

#[async_trait]
impl Tools for Builtin {
    fn list(&self) -> Arc<[ToolInfo]> {
        Arc::clone(&self.list)
    }

    async fn call(&self, request: ToolRequest) -> ToolOutcome {
        let args = match parsed(&request.name, &request.params) {
            Ok(args) => args,
            Err(unfit) => return failed(unfit.0),
        };
        let places = self.places.clone();
        let (workspace, session, working) = (
            request.workspace.clone(),
            request.session.clone(),
            request.working_directory.clone(),
        );
        let scope = blocking(move || Scope::of(&places, &workspace, &session, working.as_deref()).map_err(|e| why(e.0))).await;
        let scope = match scope {
            Ok(scope) => scope,
            Err(why) => return failed(why),
        };
        let cancel = request.cancel.clone();
        let stopped = || failed("Stopped by the person.");
        let done = match args {
            Args::Bash(bash) => {
                #[cfg(unix)]
                return run::bash(&self.sandbox, scope, request.mode, bash, cancel).await;
                #[cfg(not(unix))]
                {
                    let _ = (bash, scope);
                    return failed("Commands are run on Linux and macOS only.");
                }
            }
            Args::SendFile(_) => return failed("The session sends files; there is none here."),
            Args::SubmitPlan(_) => return failed("The session takes plans; there is none here."),
            Args::Fetch(args) => tokio::select! {
                done = fetch::fetch(&args.url, request.mode) => done,
                () = cancel.cancelled() => return stopped(),
            },
            args => {
                let work = move || match args {
                    Args::Read(args) => files::read(&args),
                    Args::Write(args) => files::write(&args),
                    Args::Edit(args) => files::edit(&args),
                    Args::Glob(args) => search::glob(&args, &scope, &request.cancel),
                    Args::Grep(args) => search::grep(&args, &scope, &request.cancel),
                    Args::Bash(_) | Args::Fetch(_) | Args::SendFile(_) | Args::SubmitPlan(_) => Err("handled before".into()),
                };
                tokio::select! {
                    done = blocking(work) => done,
                    () = cancel.cancelled() => return stopped(),
                }
            }
        };
        match done {
            Ok(text) => ToolOutcome {
                text: cut(text),
                is_error: false,
            },
            Err(why) => failed(why),
        }
    }

    async fn file(&self, request: &ToolRequest) -> Result<ToolFile, Unfit> {
        let Args::SendFile(args) = parsed(&request.name, &request.params)? else {
            return Err(Unfit(format!("“{}” sends no file.", request.name)));
        };
        blocking(move || sent(&args)).await.map_err(|why| Unfit(why.to_string()))
    }
}

/// Reads what is to be sent, whatever it is.
fn sent(args: &SendFile) -> Result<ToolFile, Why> {
    let path = Path::new(&args.path);
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| why(format!("{} names no file", path.display())))?;
    Ok(ToolFile {
        name: name.to_owned(),
        bytes: door::read(path, MAX_FILE).map_err(|e| why(format!("{}: {e}", path.display())))?,
        caption: args.caption.clone(),
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Why> + Send + 'static) -> Result<T, Why> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err("the tool failed".into()))
}

fn failed(text: impl Into<String>) -> ToolOutcome {
    ToolOutcome {
        text: cut(text.into()),
        is_error: true,
    }
}

/// At most [`TEXT`] bytes, at a character's edge, saying so.
fn cut(mut text: String) -> String {
    if text.len() > TEXT {
        let note = "\n[cut: the result is longer than what is passed on]";
        let mut at = TEXT - note.len();
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.truncate(at);
        text.push_str(note);
    }
    text
}

fn list() -> Vec<ToolInfo> {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let path = || text("Path; relative to the working folder.");
    let tool = |name: &str, about: &str, read_only: bool, properties: Value, required: &[&str]| ToolInfo {
        name: name.into(),
        description: about.into(),
        parameters: Json(json!({ "type": "object", "properties": properties, "required": required })),
        read_only,
        plugin: None,
        source: None,
    };
    let mut tools = vec![
        tool(
            "read",
            "Shows a text file with line numbers, up to 2000 lines. Use offset and limit for longer files.",
            true,
            json!({
                "path": path(),
                "offset": { "type": "integer", "minimum": 1, "description": "First line, from 1." },
                "limit": { "type": "integer", "minimum": 1, "description": "Number of lines." },
            }),
            &["path"],
        ),
        tool(
            "glob",
            "Lists files whose path fits a pattern such as **/*.rs, the newest first. Leaves out what .gitignore names and files of secrets.",
            true,
            json!({ "pattern": text("Glob, relative to the folder."), "path": text("Folder; the working folder when absent.") }),
            &["pattern"],
        ),
        tool(
            "grep",
            "Searches the contents of files with a regular expression. Leaves out what .gitignore names, binary files and files of secrets.",
            true,
            json!({
                "pattern": text("Regular expression, Rust syntax."),
                "path": text("File or folder; the working folder when absent."),
                "glob": text("Only files whose path fits."),
                "ignoreCase": { "type": "boolean" },
                "filesOnly": { "type": "boolean", "description": "Only the names of files that fit." },
            }),
            &["pattern"],
        ),
        tool(
            "write",
            "Writes a file, whole. Makes folders that are missing.",
            false,
            json!({ "path": path(), "content": text("The new contents.") }),
            &["path", "content"],
        ),
        tool(
            "edit",
            "Replaces a piece of text in a file. The old text has to stand there exactly once, unless all is true.",
            false,
            json!({
                "path": path(),
                "old": text("The text as it stands there, with enough around it to be the only one."),
                "new": text("The text to put in its place."),
                "all": { "type": "boolean", "description": "Replace it everywhere." },
            }),
            &["path", "old", "new"],
        ),
        tool(
            "send_file",
            "Sends a file of at most 16 MiB to the person you answer, now, before your answer. Where the conversation takes no files, it is shown in Kata Agents.",
            false,
            json!({ "path": path(), "caption": text("A line to go with it.") }),
            &["path"],
        ),
        tool(
            SUBMIT_PLAN,
            "Hands in a plan for what you would do, and ends your turn: the person reads it and accepts it or says what should be different. \
             Use it when the task needs changes that the mode of this session does not allow (mode safe), after you have looked at what is there. \
             Do not use it for answers that change nothing.",
            true,
            json!({
                "title": text("One line of at most 120 characters: what the plan is about."),
                "plan": text("The plan, in Markdown: the steps, what each changes, and how it is checked."),
            }),
            &["title", "plan"],
        ),
        tool(
            "web_fetch",
            "Fetches a page over http or https and gives its text.",
            false,
            json!({ "url": text("Address.") }),
            &["url"],
        ),
    ];
    if cfg!(unix) {
        let bash = tool(
            "bash",
            "Runs a command line with bash in the working folder and gives its output. It runs shut in: outside the working folder nothing can be written, and a command that only reads has no network.",
            false,
            json!({
                "command": text("The command line."),
                "timeout": { "type": "integer", "minimum": 1, "maximum": 600, "description": "Seconds; 120 when absent." },
            }),
            &["command"],
        );
        tools.insert(5, bash);
    }
    tools
}

/// Reads a text file of at most `most` bytes, or says why it is not one.
fn text_of(path: &std::path::Path, most: u64) -> Result<String, Why> {
    let bytes = door::read(path, most).map_err(|e| why(format!("{}: {e}", path.display())))?;
    if bytes.contains(&0) {
        return Err(why(format!("{} is a binary file of {} bytes", path.display(), bytes.len())));
    }
    String::from_utf8(bytes).map_err(|e| why(format!("{} is not UTF-8 text: {e}", path.display())))
}
