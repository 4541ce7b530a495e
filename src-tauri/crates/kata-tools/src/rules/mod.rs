//! How a call is judged: by the session's mode, by where its paths lead, by what its command does, by `permissions.json` and by
//! what a person answered with “always”. [`Rules`] is the core's port `Permissions`; docs/permissions.md says the same to
//! people.
//!
//! One order for every call: what is blocked is refused, then the tool's own question (path, command, address) is put. A rule
//! widens only what it names; nothing that cannot be read or understood widens anything.

mod command;
mod files;
mod kept;

use crate::scope::{Places, Scope, Standing};
use crate::tools::arguments::{Args, parsed};
use crate::{Sandbox, always, paths};
use async_trait::async_trait;
use files::{Means, Rule};
use kata_core::ports::{Judgement, Permissions, Unfit};
use kata_protocol::{AlwaysRule, PermissionMode, PermissionRule, SessionSummary, ToolInfo, WireError, WorkspaceId};
use kept::Kept;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

#[cfg(unix)]
pub(crate) use command::only_reads;

/// How a call is judged, and why, also where it is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The judgement.
    pub judgement: Judgement,
    /// Why, in a sentence.
    pub why: String,
}

/// Judges calls by rules.
#[derive(Clone)]
pub struct Rules {
    places: Places,
    sandbox: Arc<Sandbox>,
    kept: Arc<Kept>,
    /// One writer of rules at a time.
    writing: Arc<Mutex<()>>,
}

/// Everything a judgement looks at.
struct Case<'a> {
    mode: PermissionMode,
    scope: &'a Scope,
    files: &'a [Rule],
    always: &'a [AlwaysRule],
    lacks: Option<String>,
}

impl Rules {
    /// Rules of the homes in `places`.
    pub fn new(places: Places, sandbox: Arc<Sandbox>) -> Self {
        Self {
            places,
            sandbox,
            kept: Arc::default(),
            writing: Arc::default(),
        }
    }

    /// Every rule of a workspace, in the order they are looked at.
    pub async fn list(&self, workspace: &WorkspaceId) -> Result<Vec<PermissionRule>, WireError> {
        let (places, workspace) = (self.places.clone(), workspace.clone());
        blocking(move || {
            let folder = folder(&places, &workspace)?;
            let mut listed: Vec<PermissionRule> = Vec::new();
            let from = always::file(&folder).display().to_string();
            match always::read(&folder) {
                Ok(rules) => listed.extend(rules.into_iter().map(|rule| PermissionRule {
                    text: told(&rule),
                    from: "always".into(),
                    about: if rule.tool == "bash" { "bash" } else { "tool" }.into(),
                    always: Some(rule),
                    problem: None,
                })),
                Err(problem) => listed.push(PermissionRule {
                    text: "the file".into(),
                    from,
                    about: "tool".into(),
                    always: None,
                    problem: Some(problem.0),
                }),
            }
            listed.extend(files::load(&places.kata_home, &folder, &places.user_home).iter().map(Rule::shown));
            Ok(listed)
        })
        .await
    }

    /// Takes a rule back that a person made with “always”. Durable when it returns.
    pub async fn forget(&self, workspace: &WorkspaceId, rule: &AlwaysRule) -> Result<(), WireError> {
        let _writing = self.writing.lock().await;
        let (places, workspace, rule) = (self.places.clone(), workspace.clone(), rule.clone());
        blocking(move || {
            let mut found = false;
            let folder = folder(&places, &workspace)?;
            always::change(&folder, |rules| {
                let before = rules.len();
                rules.retain(|known| *known != rule);
                found = rules.len() < before;
            })
            .map_err(|why| unwritable(&folder, &why.0))?;
            if found {
                Ok(())
            } else {
                Err(WireError::not_found("rule", told(&rule)).hint("`kata permissions list` shows the rules that can be taken back"))
            }
        })
        .await
    }

    /// As `judge`, and why also where the call is allowed.
    pub async fn explain(&self, session: &SessionSummary, tool: &ToolInfo, params: &Value) -> Explained {
        let (this, session, tool, params) = (self.clone(), session.clone(), tool.clone(), params.clone());
        let judged = tokio::task::spawn_blocking(move || this.judge_now(&session, &tool, &params)).await;
        judged.unwrap_or_else(|_| deny("The call could not be judged."))
    }

    fn judge_now(&self, session: &SessionSummary, tool: &ToolInfo, params: &Value) -> Explained {
        let scope = match Scope::of(&self.places, &session.workspace, &session.id, session.working_directory.as_deref()) {
            Ok(scope) => scope,
            // A tool of a plugin needs no folder.
            Err(unfit) if tool.plugin.is_none() => return deny(unfit.0),
            Err(_) => match Scope::of(&self.places, &session.workspace, &session.id, None) {
                Ok(scope) => scope,
                Err(unfit) => return deny(unfit.0),
            },
        };
        let rules = self.kept.rules(&scope.kata_home, &scope.workspace, &scope.user_home);
        let case = Case {
            mode: session.mode,
            scope: &scope,
            files: &rules.files,
            always: &rules.always,
            lacks: if tool.name == "bash" && tool.plugin.is_none() {
                self.sandbox.lacks()
            } else {
                None
            },
        };
        case.judge(tool, params)
    }

    fn plain_now(&self, session: &SessionSummary, tool: &ToolInfo, mut params: Value) -> Result<Value, Unfit> {
        let scope = Scope::of(&self.places, &session.workspace, &session.id, session.working_directory.as_deref())?;
        let args = parsed(&tool.name, &params)?;
        if let Some(text) = args.path() {
            let path = paths::plain(text, &scope.working, &scope.user_home)?;
            let path = path
                .to_str()
                .ok_or_else(|| Unfit(format!("The path “{text}” leads to a name that is not text.")))?;
            params["path"] = Value::String(path.to_owned());
        } else if matches!(args, Args::Glob(_) | Args::Grep(_)) {
            params["path"] = Value::String(scope.working.display().to_string());
        }
        Ok(params)
    }
}

#[async_trait]
impl Permissions for Rules {
    async fn plain(&self, session: &SessionSummary, tool: &ToolInfo, params: Value) -> Result<Value, Unfit> {
        if tool.plugin.is_some() || !crate::NAMES.contains(&tool.name.as_str()) {
            return Ok(params);
        }
        let (this, session, tool) = (self.clone(), session.clone(), tool.clone());
        let plain = tokio::task::spawn_blocking(move || this.plain_now(&session, &tool, params)).await;
        plain.unwrap_or_else(|_| Err(Unfit("The arguments could not be looked at.".into())))
    }

    async fn judge(&self, session: &SessionSummary, tool: &ToolInfo, params: &Value) -> Judgement {
        self.explain(session, tool, params).await.judgement
    }

    async fn remember(&self, workspace: &WorkspaceId, rule: &AlwaysRule) -> Result<(), WireError> {
        let _writing = self.writing.lock().await;
        let (places, workspace, rule) = (self.places.clone(), workspace.clone(), rule.clone());
        blocking(move || {
            let folder = folder(&places, &workspace)?;
            let keep = |rules: &mut Vec<AlwaysRule>| {
                if !rules.contains(&rule) {
                    rules.push(rule.clone());
                }
            };
            always::change(&folder, keep).map_err(|why| unwritable(&folder, &why.0))
        })
        .await
    }
}

impl Case<'_> {
    fn judge(&self, tool: &ToolInfo, params: &Value) -> Explained {
        let blocked = |rule: &&Rule| matches!(&rule.means, Ok(Means::Blocked(name)) if *name == tool.name);
        if let Some(rule) = self.files.iter().find(blocked) {
            return deny(format!("“{}” is blocked by {}.", tool.name, rule.from));
        }
        if tool.plugin.is_some() {
            return self.foreign(tool);
        }
        if tool.name.starts_with("mcp__") {
            return self.mcp(tool, params);
        }
        let args = match parsed(&tool.name, params) {
            Ok(args) => args,
            Err(unfit) if crate::NAMES.contains(&tool.name.as_str()) => return deny(unfit.0),
            Err(_) => return self.unknown(tool),
        };
        match &args {
            Args::Read(_) | Args::Glob(_) | Args::Grep(_) => self.reads(tool, Path::new(args.path().unwrap_or_default())),
            Args::Write(_) | Args::Edit(_) => self.writes(tool, Path::new(args.path().unwrap_or_default())),
            Args::SendFile(send) => self.sends(tool, Path::new(&send.path)),
            Args::SubmitPlan(_) => allow("A plan changes nothing: it waits for a person."),
            Args::Bash(bash) => self.bash(&bash.command),
            Args::Fetch(fetch) => self.fetches(tool, &fetch.url),
        }
    }

    /// A tool whose insides are not known: by what it says of itself.
    fn foreign(&self, tool: &ToolInfo) -> Explained {
        if tool.read_only {
            return allow(format!("“{}” says that it only reads.", tool.name));
        }
        self.by_mode(tool, &format!("“{}” may change things", tool.name), true)
    }

    /// No tool that anybody here knows.
    fn unknown(&self, tool: &ToolInfo) -> Explained {
        let what = format!("“{}” is not a tool that is known here", tool.name);
        match self.mode {
            PermissionMode::Safe => deny(format!("{what}, and this session is in mode safe.")),
            PermissionMode::Ask | PermissionMode::AllowAll => ask(what, None),
        }
    }

    /// By the mode, with a rule for the whole tool where `always`.
    fn by_mode(&self, tool: &ToolInfo, what: &str, always: bool) -> Explained {
        let rule = AlwaysRule {
            tool: tool.name.clone(),
            prefix: Vec::new(),
            folder: None,
        };
        match self.mode {
            PermissionMode::AllowAll => allow(format!("{what}; this session is in mode allow-all.")),
            PermissionMode::Safe => deny(format!("{what}, and this session is in mode safe. The person can change the mode.")),
            PermissionMode::Ask if self.always.contains(&rule) => allow(format!("{what}; a person allowed “{}” always.", tool.name)),
            PermissionMode::Ask => ask(what.to_owned(), always.then_some(rule)),
        }
    }

    /// A tool of an MCP server or of a source, by its name, and for an API by method and path.
    fn mcp(&self, tool: &ToolInfo, params: &Value) -> Explained {
        if tool.read_only {
            return allow(format!("“{}” says that it only reads.", tool.name));
        }
        let mut parts = tool.name.splitn(3, "__").skip(1);
        let (slug, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let text = |key: &str| params.get(key).and_then(Value::as_str);
        // The one tool of an API source; a server's own tool that begins like it is none.
        let endpoint = (name.strip_prefix("api_") == Some(slug))
            .then(|| (text("method").unwrap_or("GET").to_uppercase(), text("path").unwrap_or_default()));
        for rule in self.files {
            let fits = match (&rule.means, &endpoint) {
                (Ok(Means::Mcp(pattern)), None) => pattern.is_match(&tool.name),
                (Ok(Means::Api { source, method, path }), Some((asked, at))) => {
                    source.as_deref().is_none_or(|s| s == slug)
                        && method == asked
                        && path.is_match(at)
                        && !at.split('/').any(|part| part == "..")
                }
                _ => false,
            };
            if fits {
                return allow(format!("The rule “{}” of {} allows it.", rule.text, rule.from));
            }
        }
        if let Some(("GET", at)) = endpoint.as_ref().map(|(method, at)| (method.as_str(), at)) {
            return allow(format!("It only asks the source for {at}."));
        }
        self.by_mode(tool, &format!("“{}” may change things", tool.name), true)
    }

    fn reads(&self, tool: &ToolInfo, path: &Path) -> Explained {
        match self.scope.standing(path) {
            Standing::Inside | Standing::Guarded => allow("It reads in the session's folders."),
            Standing::Secret => match self.mode {
                PermissionMode::Safe => deny(format!("{} may hold secrets, and this session is in mode safe.", path.display())),
                _ => ask(format!("{} may hold secrets", path.display()), None),
            },
            Standing::Outside => match self.mode {
                PermissionMode::AllowAll => allow("Mode allow-all reads everywhere but in files of secrets."),
                _ if self.always_in(tool, path) => allow("A person allowed reading in this folder always."),
                PermissionMode::Safe => deny(format!(
                    "{} is outside the session's folders ({}), and this session is in mode safe. The person can give the session another working folder or mode.",
                    path.display(),
                    self.scope.working.display()
                )),
                PermissionMode::Ask => ask(
                    format!("{} is outside the session's folders", path.display()),
                    Some(self.folder_rule(tool, path)),
                ),
            },
        }
    }

    /// Sending a file reads it and hands it out: mode safe lets out only what lies in the session's own folder.
    fn sends(&self, tool: &ToolInfo, path: &Path) -> Explained {
        let what = format!("It sends {} out", path.display());
        match (self.scope.standing(path), self.mode) {
            (Standing::Secret, PermissionMode::Safe) => {
                deny(format!("{} may hold secrets, and this session is in mode safe.", path.display()))
            }
            (Standing::Secret, _) => ask(format!("{what}, and it may hold secrets"), None),
            // What says what the agent may do, and the record of what it did, is not for others.
            (Standing::Guarded, PermissionMode::Safe) => deny(format!("{what}, and this session is in mode safe.")),
            (Standing::Guarded, _) => ask(format!("{what}, and it says what programs may do, or is a record"), None),
            (_, PermissionMode::AllowAll) => allow("Mode allow-all sends files that hold no secrets."),
            (Standing::Inside, PermissionMode::Safe) if path.starts_with(&self.scope.session) => {
                allow("It lies in the session's own folder.")
            }
            (_, PermissionMode::Safe) => deny(format!(
                "{what}, and this session is in mode safe: it sends only what lies in the session's own folder ({}). The person can change the mode.",
                self.scope.session.display()
            )),
            _ if self.always_in(tool, path) => allow("A person allowed sending from this folder always."),
            _ => ask(what, Some(self.folder_rule(tool, path))),
        }
    }

    fn writes(&self, tool: &ToolInfo, path: &Path) -> Explained {
        let standing = self.scope.standing(path);
        let by_glob = |rule: &&Rule| matches!(&rule.means, Ok(Means::Write { glob, .. }) if glob.is_match(path));
        match standing {
            Standing::Secret | Standing::Guarded => {
                let what = if standing == Standing::Secret {
                    format!("{} may hold secrets", path.display())
                } else {
                    format!("{} says what programs may do, or is a record", path.display())
                };
                match self.mode {
                    PermissionMode::Safe => deny(format!("{what}, and this session is in mode safe.")),
                    _ => ask(what, None),
                }
            }
            _ if self.scope.is_plan(path) => allow("It is in the session's folder for plans."),
            _ => {
                if let Some(rule) = self.files.iter().find(by_glob) {
                    return allow(format!("The rule “{}” of {} allows it.", rule.text, rule.from));
                }
                let inside = standing == Standing::Inside;
                match self.mode {
                    PermissionMode::Safe => deny(format!(
                        "“{}” changes files, and this session is in mode safe: it writes only in its folder for plans ({}). The person can change the mode.",
                        tool.name,
                        self.scope.session.join("plans").display()
                    )),
                    PermissionMode::AllowAll if inside => allow("Mode allow-all writes in the session's folders."),
                    _ if self.always_in(tool, path) => allow("A person allowed writing in this folder always."),
                    PermissionMode::Ask if inside => ask(format!("It changes {}", path.display()), Some(self.folder_rule(tool, path))),
                    PermissionMode::Ask | PermissionMode::AllowAll => ask(
                        format!("{} is outside the session's folders", path.display()),
                        Some(self.folder_rule(tool, path)),
                    ),
                }
            }
        }
    }

    fn fetches(&self, tool: &ToolInfo, address: &str) -> Explained {
        let host = url::Url::parse(address).ok().and_then(|u| u.host_str().map(str::to_owned));
        let Some(host) = host else {
            return deny(format!("“{address}” is no address of a page."));
        };
        self.by_mode(
            tool,
            &format!("It asks {host} for a page, and the address itself may tell something"),
            true,
        )
    }

    /// The rule “always in this folder” for a file tool: the folder the file lies in, or the folder itself for a search.
    fn folder_rule(&self, tool: &ToolInfo, path: &Path) -> AlwaysRule {
        let folder = match tool.name.as_str() {
            "glob" | "grep" => Some(path),
            _ => path.parent(),
        };
        AlwaysRule {
            tool: tool.name.clone(),
            prefix: Vec::new(),
            folder: folder.map(|f| f.display().to_string()),
        }
    }

    fn always_in(&self, tool: &ToolInfo, path: &Path) -> bool {
        let fits = |rule: &AlwaysRule| {
            rule.tool == tool.name && rule.prefix.is_empty() && rule.folder.as_ref().is_some_and(|folder| below(path, Path::new(folder)))
        };
        self.mode != PermissionMode::Safe && self.always.iter().any(fits)
    }
}

/// Component by component; a rule for the whole disk or with `..` in it is none.
fn below(path: &Path, folder: &Path) -> bool {
    let plain = folder.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    folder.is_absolute() && folder.parent().is_some() && plain && path.starts_with(folder)
}

/// Folders that a workspace's `allowedWritePaths` name as a whole; commands write there too. Blocks.
pub(crate) fn writable(scope: &Scope) -> Vec<PathBuf> {
    files::load(&scope.kata_home, &scope.workspace, &scope.user_home)
        .into_iter()
        .filter_map(|rule| match rule.means {
            Ok(Means::Write { folder, .. }) => folder,
            _ => None,
        })
        .filter_map(|folder| paths::plain(folder.to_str()?, &folder, &scope.user_home).ok())
        .filter(|folder| folder.parent().is_some() && !scope.user_home.starts_with(folder))
        .collect()
}

/// A rule as one line.
fn told(rule: &AlwaysRule) -> String {
    match &rule.folder {
        Some(folder) => format!("{} in {folder}", rule.tool),
        None if rule.prefix.is_empty() => rule.tool.clone(),
        None => format!("{}: {} …", rule.tool, crate::bash::quoted(&rule.prefix)),
    }
}

fn allow(why: impl Into<String>) -> Explained {
    Explained {
        judgement: Judgement::Allow,
        why: why.into(),
    }
}

fn ask(why: impl Into<String>, always: Option<AlwaysRule>) -> Explained {
    let why = why.into();
    Explained {
        judgement: Judgement::Ask {
            reason: why.clone(),
            always,
        },
        why,
    }
}

fn deny(why: impl Into<String>) -> Explained {
    let why = why.into();
    Explained {
        judgement: Judgement::Deny { reason: why.clone() },
        why,
    }
}

fn folder(places: &Places, workspace: &WorkspaceId) -> Result<PathBuf, WireError> {
    let folder = (places.workspace)(workspace).ok_or_else(|| WireError::not_found("workspace", workspace))?;
    paths::plain(&folder.to_string_lossy(), &folder, &places.user_home).map_err(|unfit| WireError::internal(unfit.0))
}

fn unwritable(folder: &Path, why: &str) -> WireError {
    WireError::internal(format!("{}: {why}", always::file(folder).display())).hint("repair the file, or move it away")
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, WireError> + Send + 'static) -> Result<T, WireError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(WireError::internal("the rules could not be looked at")))
}
