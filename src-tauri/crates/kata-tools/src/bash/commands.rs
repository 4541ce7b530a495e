//! Commands that only read, with the arguments with which they do. What runs other programs, writes, talks to a network, shows
//! the environment or takes a program as text is not here and never will be.
//!
//! Searching whole folders for contents (`grep -r`, `rg` without files) is not here either: it would read secret files on the
//! way. The tools `grep` and `glob` do that and leave them out.

use super::git;
use super::grammar::Simple;
use super::options::{Operands, Spec, operands};
use crate::why::{Why, why};
use std::path::Path;

/// What a simple command does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It only reads, and only this.
    Only,
    /// It may do more, and why.
    More(String),
}

/// What is asked about a path that a command names: a plain path, or why it may not be read.
pub(crate) trait Look {
    /// Whether the contents may be read without asking.
    fn contents(&self, word: &str) -> Result<std::path::PathBuf, Why>;
    /// Whether name and dates may be shown without asking.
    fn names(&self, word: &str) -> Result<std::path::PathBuf, Why>;
}

const MANY: usize = usize::MAX;

macro_rules! spec {
    ($names:expr, $flags:literal, $valued:literal, $long:expr, $operands:expr) => {
        Spec {
            names: &$names,
            flags: $flags,
            valued: $valued,
            long: &$long,
            operands: $operands,
        }
    };
}

const SPECS: &[Spec] = &[
    spec!(["echo"], "", "", [], Operands::Anything),
    spec!(["printf"], "", "", [], Operands::Text),
    spec!(["true", "false", ":"], "", "", [], Operands::Anything),
    spec!(["pwd"], "LP", "", [], Operands::None),
    spec!(["whoami", "nproc", "arch", "tty"], "", "", [], Operands::None),
    spec!(["uname"], "asnrvmpio", "", [], Operands::None),
    spec!(["id"], "ugGnr", "", [], Operands::Text),
    spec!(["which"], "a", "", [], Operands::Text),
    spec!(["basename"], "az", "s", [], Operands::Text),
    spec!(["dirname"], "z", "", [], Operands::Text),
    spec!(["seq"], "w", "s", [], Operands::Text),
    spec!(
        ["cat"],
        "AbeEnstTuv",
        "",
        ["number", "show-all", "number-nonblank", "squeeze-blank"],
        Operands::Files(MANY)
    ),
    spec!(["tac"], "b", "s", [], Operands::Files(MANY)),
    spec!(["rev"], "", "", [], Operands::Files(MANY)),
    spec!(
        ["head"],
        "qv",
        "nc",
        ["lines=", "bytes=", "quiet", "verbose"],
        Operands::Files(MANY)
    ),
    spec!(
        ["tail"],
        "qv",
        "nc",
        ["lines=", "bytes=", "quiet", "verbose"],
        Operands::Files(MANY)
    ),
    spec!(["wc"], "cmlLw", "", ["lines", "words", "bytes", "chars"], Operands::Files(MANY)),
    spec!(["nl"], "p", "bdfhilnsvw", [], Operands::Files(MANY)),
    spec!(
        ["sort"],
        "bdfghiMnrRVuzs",
        "kt",
        ["reverse", "unique", "numeric-sort", "key="],
        Operands::Files(MANY)
    ),
    // A second file would be written.
    spec!(["uniq"], "cdDiu", "fsw", ["count", "repeated", "unique"], Operands::Files(1)),
    spec!(
        ["cut"],
        "s",
        "bcdf",
        ["delimiter=", "fields=", "characters=", "bytes="],
        Operands::Files(MANY)
    ),
    spec!(["tr"], "cCdst", "", [], Operands::Text),
    spec!(["fold"], "bs", "w", [], Operands::Files(MANY)),
    spec!(["paste"], "s", "d", [], Operands::Files(MANY)),
    spec!(["comm"], "123", "", [], Operands::Files(2)),
    spec!(["cmp"], "bls", "n", [], Operands::Files(2)),
    spec!(
        ["diff"],
        "abBdeEiqstuwyZ",
        "U",
        ["unified=", "brief", "color=", "side-by-side"],
        Operands::Files(2)
    ),
    spec!(["file"], "biLhkNr", "", ["brief", "mime", "mime-type"], Operands::Files(MANY)),
    spec!(["od"], "bcdoxv", "AjNtw", [], Operands::Files(MANY)),
    spec!(["base64"], "di", "w", ["decode"], Operands::Files(1)),
    spec!(
        [
            "md5sum",
            "sha1sum",
            "sha224sum",
            "sha256sum",
            "sha384sum",
            "sha512sum",
            "b2sum",
            "cksum",
            "sum"
        ],
        "bt",
        "",
        [],
        Operands::Files(MANY)
    ),
    spec!(
        ["ls", "dir"],
        "aAbBcCdDfFgGhHiklmnNopqQrRsStuUvxXZ1",
        "IwT",
        [
            "all",
            "almost-all",
            "human-readable",
            "color",
            "color=",
            "recursive",
            "directory",
            "reverse",
            "sort=",
            "time=",
            "time-style=",
            "full-time",
            "group-directories-first"
        ],
        Operands::Names
    ),
    spec!(
        ["tree"],
        "adfhilnNpsugDFrtvxJ",
        "LIP",
        ["dirsfirst", "noreport", "du", "gitignore"],
        Operands::Names
    ),
    spec!(["stat"], "Lft", "c", ["format=", "terse", "dereference"], Operands::Names),
    spec!(
        ["du"],
        "abchHkmsSx0",
        "dBt",
        ["max-depth=", "human-readable", "summarize", "total", "all"],
        Operands::Names
    ),
    spec!(["realpath"], "eLmPqsz", "", [], Operands::Names),
    spec!(["readlink"], "efmnqsvz", "", [], Operands::Names),
    spec!(
        ["grep", "egrep", "fgrep"],
        "EFGPbcHhiLlnoqsTUvwxyz",
        "ABCm",
        [
            "ignore-case",
            "count",
            "line-number",
            "only-matching",
            "invert-match",
            "word-regexp",
            "line-regexp",
            "fixed-strings",
            "extended-regexp",
            "perl-regexp",
            "files-with-matches",
            "files-without-match",
            "no-filename",
            "with-filename",
            "color",
            "color=",
            "max-count=",
            "after-context=",
            "before-context=",
            "context="
        ],
        Operands::PatternFiles
    ),
    spec!(
        ["rg"],
        "FHINPSUWchilnopqsvwx",
        "ABCMgmtT",
        [
            "ignore-case",
            "smart-case",
            "case-sensitive",
            "count",
            "line-number",
            "no-line-number",
            "only-matching",
            "invert-match",
            "word-regexp",
            "fixed-strings",
            "files-with-matches",
            "heading",
            "no-heading",
            "json",
            "color=",
            "max-count=",
            "after-context=",
            "before-context=",
            "context=",
            "no-filename",
            "with-filename",
            "no-config",
            "multiline"
        ],
        Operands::PatternFiles
    ),
];

/// What a simple command does, paths looked at with `look`.
pub(crate) fn reading(command: &Simple, look: &dyn Look) -> Reading {
    match only_reads(command, look) {
        Ok(()) => Reading::Only,
        Err(why) => Reading::More(why.0),
    }
}

fn only_reads(command: &Simple, look: &dyn Look) -> Result<(), Why> {
    let Some((name, arguments)) = command.words.split_first() else {
        return Err("there is no command".into());
    };
    match name.as_str() {
        "date" => return date(arguments),
        "find" => return find(arguments, look),
        "sed" => return sed(arguments, command.piped, look),
        "git" => return git::only_reads(arguments),
        _ => {}
    }
    let Some(spec) = SPECS.iter().find(|spec| spec.names.contains(&name.as_str())) else {
        return Err(why(format!("“{name}” is not a command that is known to only read")));
    };
    let words = operands(spec, arguments)?;
    match spec.operands {
        Operands::Anything | Operands::Text => Ok(()),
        Operands::None if words.is_empty() => Ok(()),
        Operands::None => Err(why(format!("{name} with arguments may do more than read"))),
        Operands::Names => words.iter().try_for_each(|word| look.names(word).map(drop)),
        Operands::Files(most) if words.len() > most => Err(why(format!("{name} with {} files may write one of them", words.len()))),
        Operands::Files(_) => words.iter().try_for_each(|word| contents(name, word, look)),
        Operands::PatternFiles => {
            let files = words.get(1..).unwrap_or_default();
            if name == "rg" && files.is_empty() && !command.piped {
                return Err("rg without files searches the whole folder, secret files too; the tool grep leaves them out".into());
            }
            files.iter().try_for_each(|word| contents(name, word, look))
        }
    }
}

/// A file that is named may be read. A folder is not: what is in it was not looked at.
fn contents(command: &str, word: &str, look: &dyn Look) -> Result<(), Why> {
    if word == "-" {
        return Ok(());
    }
    let path = look.contents(word)?;
    if Path::new(&path).is_dir() {
        return Err(why(format!("{command} would read everything in the folder {}", path.display())));
    }
    Ok(())
}

fn date(arguments: &[String]) -> Result<(), Why> {
    let fine = |word: &String| matches!(word.as_str(), "-u" | "--utc" | "-R" | "-I" | "--iso-8601") || word.starts_with('+');
    match arguments.iter().find(|word| !fine(word)) {
        None => Ok(()),
        Some(word) => Err(why(format!("date with “{word}” may set the clock or read a file"))),
    }
}

/// Tests of `find` without an argument, and with one.
const FIND_ALONE: &[&str] = &[
    "-print",
    "-print0",
    "-empty",
    "-prune",
    "-not",
    "-a",
    "-and",
    "-o",
    "-or",
    "-depth",
    "-xdev",
    "-mount",
    "-readable",
    "-writable",
    "-executable",
    "-true",
    "-false",
];
const FIND_VALUED: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-regex",
    "-iregex",
    "-type",
    "-maxdepth",
    "-mindepth",
    "-size",
    "-mtime",
    "-mmin",
    "-ctime",
    "-cmin",
    "-atime",
    "-amin",
    "-perm",
    "-user",
    "-group",
    "-links",
    "-inum",
];

fn find(arguments: &[String], look: &dyn Look) -> Result<(), Why> {
    let mut words = arguments.iter().map(String::as_str).peekable();
    while let Some(start) = words.next_if(|word| !word.starts_with('-') && *word != "(" && *word != "!") {
        look.names(start)?;
    }
    while let Some(word) = words.next() {
        if FIND_VALUED.contains(&word) {
            words.next().ok_or_else(|| why(format!("{word} of find has no value")))?;
        } else if !(FIND_ALONE.contains(&word) || matches!(word, "(" | ")" | "!")) {
            return Err(why(format!("find with “{word}” may do more than read")));
        }
    }
    Ok(())
}

/// `sed -n 10,20p FILE`, and nothing else: sed writes and runs programs by its script.
fn sed(arguments: &[String], piped: bool, look: &dyn Look) -> Result<(), Why> {
    let [quiet, script, files @ ..] = arguments else {
        return Err("sed may write; only “sed -n 10,20p FILE” is known to only read".into());
    };
    let number = |text: &str| text == "$" || !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let lines = script.strip_suffix('p').map(|range| range.split(',').collect::<Vec<_>>());
    let only_prints = matches!(lines.as_deref(), Some([one]) if number(one))
        || matches!(lines.as_deref(), Some([from, to]) if number(from) && number(to));
    if quiet != "-n" || !only_prints || (files.is_empty() && !piped) || files.iter().any(|f| f.starts_with('-')) {
        return Err("sed may write; only “sed -n 10,20p FILE” is known to only read".into());
    }
    files.iter().try_for_each(|word| contents("sed", word, look))
}
