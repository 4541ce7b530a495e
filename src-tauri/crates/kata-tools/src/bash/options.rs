//! The options a command may have to count as reading. What is not in the list is not known, whatever it does: options are
//! compared whole, so that no abbreviation slips through.

use crate::why::{Why, why};
/// What the words behind the options are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operands {
    /// There may be none.
    None,
    /// Any text, also what looks like an option.
    Anything,
    /// Text that names no file that is read.
    Text,
    /// Files whose contents are read; at most so many.
    Files(usize),
    /// Files and folders of which only names and dates are shown.
    Names,
    /// A pattern, then files.
    PatternFiles,
}

/// A command that only reads, with these options.
pub(super) struct Spec {
    pub names: &'static [&'static str],
    /// Letters without a value.
    pub flags: &'static str,
    /// Letters with a value.
    pub valued: &'static str,
    /// Long options; with `=` at the end they take a value behind it.
    pub long: &'static [&'static str],
    pub operands: Operands,
}

/// The words behind the options, or why this is not known to only read.
pub(super) fn operands<'a>(spec: &Spec, arguments: &'a [String]) -> Result<Vec<&'a str>, Why> {
    let name = spec.names.first().copied().unwrap_or_default();
    if spec.operands == Operands::Anything {
        return Ok(arguments.iter().map(String::as_str).collect());
    }
    let mut found = Vec::new();
    let mut words = arguments.iter().map(String::as_str);
    let mut ended = false;
    while let Some(word) = words.next() {
        if ended || word == "-" || !word.starts_with('-') {
            found.push(word);
        } else if word == "--" {
            ended = true;
        } else if let Some(long) = word.strip_prefix("--") {
            let known = match long.split_once('=') {
                Some((key, _)) => spec.long.iter().any(|l| l.strip_suffix('=') == Some(key)),
                None => spec.long.contains(&long),
            };
            if !known {
                return Err(why(format!("the option {word} of {name} is not one that only reads")));
            }
        } else {
            short(spec, word, &mut words)?;
        }
    }
    Ok(found)
}

fn short<'a>(spec: &Spec, word: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<(), Why> {
    let name = spec.names.first().copied().unwrap_or_default();
    let letters = &word[1..];
    // `head -20`, `grep -3`.
    if matches!(name, "head" | "tail" | "grep") && letters.chars().all(|c| c.is_ascii_digit()) {
        return Ok(());
    }
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        if spec.valued.contains(letter) {
            if rest.as_str().is_empty() && words.next().is_none() {
                return Err(why(format!("the option -{letter} of {name} has no value")));
            }
            return Ok(());
        }
        if !spec.flags.contains(letter) {
            return Err(why(format!("the option -{letter} of {name} is not one that only reads")));
        }
    }
    Ok(())
}
