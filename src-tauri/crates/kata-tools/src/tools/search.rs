//! `glob` and `grep` over a folder. Files of secrets, the app's own files and other sessions are left out, and it is said how
//! many; no link is followed.

use super::TEXT;
use super::arguments::{Glob, Grep};
use crate::door;
use crate::scope::{Scope, Standing};
use crate::why::{Why, why};
use globset::{GlobBuilder, GlobMatcher};
use grep_regex::RegexMatcherBuilder;
use grep_searcher::sinks::Lossy;
use grep_searcher::{BinaryDetection, SearcherBuilder};
use ignore::WalkBuilder;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// Most files listed, and most lines shown.
const FILES: usize = 1000;
const HITS: usize = 1000;
/// Most files looked at.
const LOOKED: usize = 200_000;
/// Longest part of a line shown, characters.
const LINE: usize = 500;

struct Found {
    files: Vec<PathBuf>,
    left_out: usize,
    more: bool,
}

fn matcher(pattern: &str) -> Result<GlobMatcher, Why> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    Ok(glob.map_err(|e| why(format!("“{pattern}” is no glob: {e}")))?.compile_matcher())
}

fn walk(root: &Path, scope: &Scope, cancel: &CancellationToken, fits: impl Fn(&Path) -> bool) -> Result<Found, Why> {
    if !root.exists() {
        return Err(why(format!("{} does not exist", root.display())));
    }
    let mut found = Found {
        files: Vec::new(),
        left_out: 0,
        more: false,
    };
    let filter_scope = scope.clone();
    let start = root.to_owned();
    let walker = WalkBuilder::new(root)
        .hidden(false)
        .follow_links(false)
        .require_git(false)
        .filter_entry(move |entry| {
            let secret_folder = || entry.path() != start && filter_scope.standing(entry.path()) == Standing::Secret;
            let is_dir = entry.file_type().is_some_and(|kind| kind.is_dir());
            entry.file_name() != ".git" && !(is_dir && secret_folder())
        })
        .build();
    for (n, entry) in walker.enumerate() {
        if cancel.is_cancelled() {
            return Err("stopped".into());
        }
        if n >= LOOKED {
            found.more = true;
            break;
        }
        let Ok(entry) = entry else { continue };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
        if !fits(if relative.as_os_str().is_empty() { entry.path() } else { relative }) {
            continue;
        }
        if entry.path() != root && scope.standing(entry.path()) == Standing::Secret {
            found.left_out += 1;
            continue;
        }
        found.files.push(entry.into_path());
    }
    Ok(found)
}

fn notes(text: &mut String, found: &Found, cut: Option<String>) {
    if let Some(cut) = cut {
        let _ = writeln!(text, "[{cut}]");
    }
    if found.more {
        let _ = writeln!(text, "[only the first {LOOKED} files were looked at; name a smaller folder]");
    }
    if found.left_out > 0 {
        let _ = writeln!(text, "[{} files that may hold secrets were left out]", found.left_out);
    }
}

pub(super) fn glob(args: &Glob, scope: &Scope, cancel: &CancellationToken) -> Result<String, Why> {
    let root = args.path.as_deref().map_or(scope.working.as_path(), Path::new);
    let fits = matcher(&args.pattern)?;
    let mut found = walk(root, scope, cancel, |path| fits.is_match(path))?;
    let newest = |path: &PathBuf| {
        let modified = std::fs::metadata(path).and_then(|meta| meta.modified());
        std::cmp::Reverse(modified.unwrap_or(SystemTime::UNIX_EPOCH))
    };
    found.files.sort_by_cached_key(|path| (newest(path), path.clone()));
    let mut text = String::new();
    for path in found.files.iter().take(FILES) {
        let _ = writeln!(text, "{}", path.display());
    }
    if found.files.is_empty() {
        let _ = writeln!(text, "No file in {} fits “{}”.", root.display(), args.pattern);
    }
    let cut = (found.files.len() > FILES).then(|| format!("{FILES} of {} files", found.files.len()));
    notes(&mut text, &found, cut);
    Ok(text)
}

pub(super) fn grep(args: &Grep, scope: &Scope, cancel: &CancellationToken) -> Result<String, Why> {
    let root = args.path.as_deref().map_or(scope.working.as_path(), Path::new);
    let pattern = RegexMatcherBuilder::new()
        .case_insensitive(args.ignore_case)
        .line_terminator(Some(b'\n'))
        .build(&args.pattern)
        .map_err(|e| why(format!("“{}” is no pattern: {e}", args.pattern)))?;
    let only = args.glob.as_deref().map(matcher).transpose()?;
    // `*.rs` means the name, wherever it lies.
    let fits = |path: &Path| {
        let name = path.file_name().map(Path::new);
        only.as_ref()
            .is_none_or(|only| only.is_match(path) || name.is_some_and(|name| only.is_match(name)))
    };
    let mut found = walk(root, scope, cancel, fits)?;
    found.files.sort();
    let mut searcher = SearcherBuilder::new()
        .binary_detection(BinaryDetection::quit(0))
        .line_number(true)
        .build();
    let (mut text, mut hits) = (String::new(), 0);
    for path in &found.files {
        if cancel.is_cancelled() {
            return Err("stopped".into());
        }
        let full = |hits: usize, text: &String| hits >= HITS || text.len() > TEXT - 4096;
        if full(hits, &text) {
            break;
        }
        let Ok(file) = door::open(path) else { continue };
        let searched = searcher.search_file(
            &pattern,
            &file,
            Lossy(|number, line| {
                hits += 1;
                if args.files_only {
                    let _ = writeln!(text, "{}", path.display());
                    return Ok(false);
                }
                let short: String = line.trim_end_matches(['\n', '\r']).chars().take(LINE).collect();
                let _ = writeln!(text, "{}:{number}:{short}", path.display());
                Ok(!full(hits, &text))
            }),
        );
        if let Err(error) = searched {
            tracing::debug!(%error, "a file could not be searched");
        }
    }
    if hits == 0 {
        let _ = writeln!(text, "Nothing in {} fits “{}”.", root.display(), args.pattern);
    }
    let cut = (hits >= HITS || text.len() > TEXT - 4096).then(|| format!("cut after {hits} lines"));
    notes(&mut text, &found, cut);
    Ok(text)
}
