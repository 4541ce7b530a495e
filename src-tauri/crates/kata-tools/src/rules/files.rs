//! `permissions.json` as the earlier app wrote it: of the app (`permissions/default.json`), of a workspace, and of its sources.
//!
//! Fields: `allowedBashPatterns`, `allowedMcpPatterns` (texts, or `{pattern, comment}`), `allowedApiEndpoints` (`{method, path,
//! comment}`), `allowedWritePaths` (globs), `blockedTools`. What cannot be used is kept with its problem and allows nothing;
//! the rest of the file counts. Fields that are not known are left alone.

use crate::why::{Why, why};
use globset::{GlobBuilder, GlobMatcher};
use kata_protocol::PermissionRule;
use regex::Regex;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Largest file that is read, bytes.
const LARGEST: u64 = 1024 * 1024;

/// What a rule allows or stops.
#[derive(Clone, Debug)]
pub(super) enum Means {
    Bash(Regex),
    Mcp(Regex),
    Api {
        source: Option<String>,
        method: String,
        path: Regex,
    },
    Write {
        glob: GlobMatcher,
        folder: Option<PathBuf>,
    },
    Blocked(String),
}

/// A rule of a file.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// As text, with its comment.
    pub text: String,
    /// File it stands in.
    pub from: String,
    /// What it is about.
    pub about: &'static str,
    /// What it means, or why it cannot be used.
    pub means: Result<Means, Why>,
}

impl Rule {
    pub(super) fn shown(&self) -> PermissionRule {
        PermissionRule {
            text: self.text.clone(),
            from: self.from.clone(),
            about: self.about.to_owned(),
            always: None,
            problem: self.means.as_ref().err().map(ToString::to_string),
        }
    }
}

/// Whose file it is.
#[derive(Clone, Copy)]
enum Owner<'a> {
    App,
    Workspace,
    Source(&'a str),
}

/// Folders of a workspace's sources, in order. Blocks.
fn sources(workspace: &Path) -> Vec<PathBuf> {
    let mut sources: Vec<PathBuf> = match std::fs::read_dir(workspace.join("sources")) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => Vec::new(),
    };
    sources.sort();
    sources
}

/// Every place that [`load`] looks at: the rules are others only if one of them is. Blocks.
pub(super) fn paths(kata_home: &Path, workspace: &Path) -> Vec<PathBuf> {
    let own = [
        workspace.join("permissions.json"),
        workspace.join("sources"),
        kata_home.join("permissions/default.json"),
    ];
    let of_sources = sources(workspace).into_iter().map(|folder| folder.join("permissions.json"));
    own.into_iter().chain(of_sources).collect()
}

/// Every rule for a workspace, in the order they are looked at. Blocks.
pub(super) fn load(kata_home: &Path, workspace: &Path, user_home: &Path) -> Vec<Rule> {
    let mut rules = Vec::new();
    read(&workspace.join("permissions.json"), Owner::Workspace, user_home, &mut rules);
    for folder in sources(workspace) {
        if let Some(slug) = folder.file_name().and_then(|name| name.to_str()) {
            read(&folder.join("permissions.json"), Owner::Source(slug), user_home, &mut rules);
        }
    }
    read(&kata_home.join("permissions/default.json"), Owner::App, user_home, &mut rules);
    rules
}

fn read(path: &Path, owner: Owner<'_>, user_home: &Path, rules: &mut Vec<Rule>) {
    let from = path.display().to_string();
    let mut unusable = |problem: String| {
        rules.push(Rule {
            text: "the file".into(),
            from: from.clone(),
            about: "tool",
            means: Err(problem.into()),
        });
    };
    let bytes = match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => return unusable(format!("cannot be read: {e}")),
        Ok(meta) if !meta.is_file() || meta.len() > LARGEST => return unusable(format!("is no file of at most {LARGEST} bytes")),
        Ok(_) => match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) => return unusable(format!("cannot be read: {e}")),
        },
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return;
    }
    let document = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(document)) => document,
        Ok(_) => return unusable("is JSON, but no object".into()),
        Err(e) => return unusable(format!("is not JSON: {e}")),
    };
    for (field, about) in [
        ("blockedTools", "blocked"),
        ("allowedBashPatterns", "bash"),
        ("allowedMcpPatterns", "mcp"),
        ("allowedApiEndpoints", "api"),
        ("allowedWritePaths", "write"),
    ] {
        let entries = match document.get(field) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                rules.push(Rule {
                    text: field.into(),
                    from: from.clone(),
                    about,
                    means: Err(why(format!("“{field}” is no list"))),
                });
                continue;
            }
        };
        for entry in entries {
            rules.push(rule(field, about, entry, owner, user_home, &from));
        }
    }
}

fn rule(field: &str, about: &'static str, entry: &Value, owner: Owner<'_>, user_home: &Path, from: &str) -> Rule {
    let own = |key: &str| entry.get(key).and_then(Value::as_str);
    let main = entry.as_str().or_else(|| own("pattern")).or_else(|| own("path"));
    let comment = own("comment").map(|c| format!(" — {c}")).unwrap_or_default();
    let method = own("method").unwrap_or_default().to_uppercase();
    let shown = match main {
        Some(text) if field == "allowedApiEndpoints" => format!("{method} {text}"),
        Some(text) => text.to_owned(),
        None => entry.to_string(),
    };
    let means = match main {
        None => Err("has neither a text nor a “pattern”".into()),
        Some(text) => means(field, text, method, owner, user_home),
    };
    Rule {
        text: format!("{shown}{comment}"),
        from: from.to_owned(),
        about,
        means,
    }
}

fn means(field: &str, text: &str, method: String, owner: Owner<'_>, user_home: &Path) -> Result<Means, Why> {
    let regex = |text: &str| Regex::new(text).map_err(|e| why(format!("is no pattern that can be used: {e}")));
    match (field, owner) {
        ("blockedTools", _) => Ok(Means::Blocked(text.to_owned())),
        ("allowedMcpPatterns", Owner::Source(slug)) => {
            regex(text)?;
            regex(&format!("^mcp__{}__.*(?:{text})", regex::escape(slug))).map(Means::Mcp)
        }
        ("allowedMcpPatterns", _) => regex(text).map(Means::Mcp),
        ("allowedApiEndpoints", _) if method.is_empty() => Err("has no “method”".into()),
        ("allowedApiEndpoints", _) => Ok(Means::Api {
            source: match owner {
                Owner::Source(slug) => Some(slug.to_owned()),
                _ => None,
            },
            method,
            path: regex(text)?,
        }),
        (_, Owner::Source(_)) => {
            Err("not used: a source's file says what its own tools may do; put this into the workspace's permissions.json".into())
        }
        ("allowedBashPatterns", Owner::App) => Err(
            "not used: commands that only read are known without it, and this list lets through some that do more (find, env, sort)".into(),
        ),
        ("allowedBashPatterns", Owner::Workspace) => regex(text).map(Means::Bash),
        _ => write_glob(text, user_home),
    }
}

fn write_glob(text: &str, user_home: &Path) -> Result<Means, Why> {
    let full = match text.strip_prefix("~/") {
        Some(rest) => format!("{}/{rest}", user_home.display()),
        None => text.to_owned(),
    };
    if !Path::new(&full).is_absolute() {
        return Err("is not absolute".into());
    }
    if Path::new(&full).components().any(|part| part.as_os_str() == "..") {
        return Err("holds “..”".into());
    }
    let glob = GlobBuilder::new(&full)
        .literal_separator(true)
        .build()
        .map_err(|e| why(format!("is no glob that can be used: {e}")))?;
    let folder = full.strip_suffix("/**").filter(|base| !base.contains(['*', '?', '[', '{', '\\']));
    Ok(Means::Write {
        glob: glob.compile_matcher(),
        folder: folder.map(PathBuf::from),
    })
}
