//! What a command line does, as far as it can be known without running it.

mod commands;
pub(crate) mod git;
mod grammar;
mod options;

pub(crate) use commands::{Look, Reading, reading};
pub use grammar::{Line, Simple, parse};

/// A command as text that means the same words again: what rules are matched against, and what a person is shown.
pub(crate) fn quoted(words: &[String]) -> String {
    let quote = |word: &String| {
        if !word.is_empty() && word.chars().all(grammar::is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}
