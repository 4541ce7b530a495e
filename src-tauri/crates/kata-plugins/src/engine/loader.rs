//! ES modules from the plugin's own folder, and those that the host serves itself (see [`super::sdk`]).

use super::inbox::Thrown;
use super::sdk::{self, SDK};
use crate::contents::{Pins, left_out, sha256_hex};
use crate::script::{self, PositionMap};
use kata_protocol::SourcePosition;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Exception, Module, Result};
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Name of the host's own script, from which the entry module is imported.
pub(crate) const PRELUDE: &str = "kata:plugin";
/// Modules one plugin may load.
const MAX_MODULES: usize = 500;

/// Why a specifier leads to no module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("“{0}”: a plugin imports its own files (“./…”) and “{SDK}”, nothing else")]
    Bare(String),
    #[error("“{0}” leads out of the plugin's folder")]
    Outside(String),
    #[error("“{0}” lies in “{1}”, which is no part of a plugin: put a copy among the plugin's own files")]
    LeftOut(String, String),
    #[error("“{0}” does not exist")]
    Missing(String),
    #[error("“{0}” is no module: .ts, .js, .mts, .mjs or .json")]
    Kind(String),
}

/// The module to begin with, as a path relative to the folder.
pub(crate) fn entry(folder: &Path, main: Option<&str>) -> std::result::Result<String, ResolveError> {
    match main {
        Some(main) => resolve(
            folder,
            "",
            &if main.starts_with("./") {
                main.to_owned()
            } else {
                format!("./{main}")
            },
        ),
        None => resolve(folder, "", "./index.ts")
            .or_else(|_| resolve(folder, "", "./index.js"))
            .map_err(|_| ResolveError::Missing("index.ts or index.js".into())),
    }
}

/// The file `name` means in module `base`, relative to the canonical folder, with `/` between parts.
pub(crate) fn resolve(root: &Path, base: &str, name: &str) -> std::result::Result<String, ResolveError> {
    if !(name.starts_with("./") || name.starts_with("../")) {
        return Err(ResolveError::Bare(name.to_owned()));
    }
    let shown = || name.to_owned();
    if name.contains(['\\', '\0', '?', '#', '%']) {
        return Err(ResolveError::Missing(shown()));
    }
    // Lexically first: a path that climbs over the root is refused before the disk is asked.
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().ok_or_else(|| ResolveError::Outside(shown()))?;
            }
            part => parts.push(part),
        }
    }
    let plain = parts.join("/");
    let mut tries = vec![plain.clone()];
    if let Some(stem) = plain.strip_suffix(".js") {
        tries.push(format!("{stem}.ts"));
    }
    tries.extend([".ts", ".js", "/index.ts", "/index.js"].map(|end| format!("{plain}{end}")));
    for candidate in tries {
        let Ok(real) = root.join(&candidate).canonicalize() else { continue };
        let Ok(inside) = real.strip_prefix(root) else {
            return Err(ResolveError::Outside(shown()));
        };
        if !real.is_file() {
            continue;
        }
        // The real path: a link to it from elsewhere leads to the same. The hash a person trusts does not cover it.
        if let Some(out) = inside
            .parent()
            .into_iter()
            .flat_map(Path::components)
            .find(|c| left_out(c.as_os_str()))
        {
            return Err(ResolveError::LeftOut(shown(), out.as_os_str().to_string_lossy().into_owned()));
        }
        if !inside
            .extension()
            .is_some_and(|e| ["ts", "js", "mts", "mjs", "json"].iter().any(|known| e == *known))
        {
            return Err(ResolveError::Kind(shown()));
        }
        let names: Option<Vec<&str>> = inside
            .components()
            .map(|c| if let Component::Normal(n) = c { n.to_str() } else { None })
            .collect();
        return names.map(|n| n.join("/")).ok_or_else(|| ResolveError::Kind(shown()));
    }
    Err(ResolveError::Missing(shown()))
}

/// Position maps of the modules that were loaded, for the words of a fault.
#[derive(Clone, Default)]
pub(crate) struct Positions {
    maps: Rc<RefCell<HashMap<String, PositionMap>>>,
    /// Where the last module that is no JavaScript is wrong.
    broken: Rc<RefCell<Option<SourcePosition>>>,
}

impl Positions {
    /// Where something was thrown, as the author wrote it: the innermost frame in a module of theirs.
    pub(crate) fn place(&self, thrown: &Thrown) -> Option<SourcePosition> {
        if thrown.name == "SyntaxError" {
            let broken = self.broken.borrow();
            let here = broken
                .as_ref()
                .filter(|p| thrown.message.starts_with(&format!("{}:{}:{}", p.file, p.line, p.column)));
            if here.is_some() {
                return here.cloned();
            }
        }
        let maps = self.maps.borrow();
        thrown.stack.lines().find_map(|line| {
            let (name, at, column) = frame(line)?;
            let (line, column) = maps.get(name)?.original(at, column)?;
            Some(SourcePosition {
                file: name.to_owned(),
                line,
                column,
            })
        })
    }

    /// Rewrites every `module:line:column` in a stack to the author's own, and drops frames of the host.
    pub(crate) fn rewrite(&self, stack: &str) -> String {
        let maps = self.maps.borrow();
        let mut out = Vec::new();
        for line in stack
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty() && !l.contains(PRELUDE) && !l.contains("(native)"))
        {
            let mapped = frame(line).and_then(|(name, at, column)| {
                let (l, c) = maps.get(name)?.original(at, column)?;
                Some(line.replace(&format!("{name}:{at}:{column}"), &format!("{name}:{l}:{c}")))
            });
            out.push(mapped.unwrap_or_else(|| line.to_owned()));
        }
        out.join(" ")
    }
}

/// Module, line and column of one line of a stack.
fn frame(line: &str) -> Option<(&str, u32, u32)> {
    let inner = line.trim().rsplit_once('(').map_or(line.trim(), |(_, rest)| rest);
    let inner = inner.trim_end_matches(')').trim_start_matches("at ");
    let mut parts = inner.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let at = parts.next()?.parse().ok()?;
    Some((parts.next()?, at, column))
}

pub(crate) struct Folder {
    pub(crate) root: PathBuf,
}

impl Resolver for Folder {
    fn resolve<'js>(&mut self, ctx: &Ctx<'js>, base: &str, name: &str, _with: Option<ImportAttributes<'js>>) -> Result<String> {
        if let Some(own) = sdk::resolve(base, name) {
            return Ok(own);
        }
        let base = if base == PRELUDE { "" } else { base };
        resolve(&self.root, base, name).map_err(|e| Exception::throw_reference(ctx, &format!("import: {e}")))
    }
}

pub(crate) struct Sources {
    pub(crate) root: PathBuf,
    pub(crate) positions: Positions,
    /// What the files must be; `None` takes them as they are.
    pub(crate) pins: Option<Arc<Pins>>,
    /// Told how long a module was with the parser, whose thread is not the plugin's.
    pub(crate) parsed: Box<dyn Fn(Duration)>,
}

impl Loader for Sources {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str, _with: Option<ImportAttributes<'js>>) -> Result<Module<'js, Declared>> {
        let refuse = |why: String| Exception::throw_syntax(ctx, &why);
        if let Some(source) = sdk::source(name) {
            let script = script::strip(name, source.to_owned()).map_err(|e| refuse(e.to_string()))?;
            return Module::declare(ctx.clone(), name, script.code);
        }
        if self.positions.maps.borrow().len() >= MAX_MODULES {
            return Err(refuse(format!("{name}: more than {MAX_MODULES} modules")));
        }
        let path = self.root.join(name);
        // Asked again: between resolving and loading the file may have become a link.
        if path.canonicalize().ok().is_none_or(|real| !real.starts_with(&self.root)) {
            return Err(refuse(ResolveError::Outside(name.to_owned()).to_string()));
        }
        match std::fs::metadata(&path) {
            Ok(meta) if meta.len() > script::MAX_SOURCE as u64 => {
                let bytes = usize::try_from(meta.len()).unwrap_or(usize::MAX);
                return Err(refuse(
                    script::ScriptError::TooLarge {
                        name: name.to_owned(),
                        bytes,
                    }
                    .to_string(),
                ));
            }
            Ok(_) => {}
            Err(e) => return Err(refuse(format!("{name}: {e}"))),
        }
        let source = std::fs::read_to_string(&path).map_err(|e| refuse(format!("{name}: {e}")))?;
        // What is run is what was looked at, also when a file changes after the plugin's hash was taken.
        if let Some(pins) = &self.pins
            && pins.get(name).is_none_or(|pin| *pin != sha256_hex(source.as_bytes()))
        {
            return Err(refuse(format!("{name} is not the file that was trusted")));
        }
        if name.ends_with(".json") {
            let value: serde_json::Value = serde_json::from_str(&source).map_err(|e| refuse(format!("{name}: {e}")))?;
            return Module::declare(ctx.clone(), name, format!("export default {value};"));
        }
        let began = Instant::now();
        let script = script::strip(name, source);
        (self.parsed)(began.elapsed());
        let script = script.map_err(|e| {
            if let script::ScriptError::Syntax { name, line, column, .. } = &e {
                let whole = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                *self.positions.broken.borrow_mut() = Some(SourcePosition {
                    file: name.clone(),
                    line: whole(*line),
                    column: whole(*column),
                });
            }
            refuse(e.to_string())
        })?;
        self.positions.maps.borrow_mut().insert(name.to_owned(), script.map);
        Module::declare(ctx.clone(), name, script.code)
    }
}
