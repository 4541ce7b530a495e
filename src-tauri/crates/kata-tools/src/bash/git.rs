//! The few subcommands of git that only read. Git runs programs that a repository's configuration names: a file watcher and
//! filters (`status`), converters and external programs (`diff`, `show`, `log -p`), a signature checker (formats with `%G`). So
//! those are asked about, and what is left is run with the rest switched off (see [`ENVIRONMENT`]) and shut in like everything.

use crate::why::{Why, why};
/// What git is told when a command counts as reading: no watcher, no checker, no fetching of what is missing, no lock files.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_PAGER", "cat"),
    ("GIT_CONFIG_COUNT", "4"),
    ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
    ("GIT_CONFIG_VALUE_0", "false"),
    ("GIT_CONFIG_KEY_1", "log.showSignature"),
    ("GIT_CONFIG_VALUE_1", "false"),
    ("GIT_CONFIG_KEY_2", "gpg.program"),
    ("GIT_CONFIG_VALUE_2", "false"),
    ("GIT_CONFIG_KEY_3", "protocol.allow"),
    ("GIT_CONFIG_VALUE_3", "never"),
];

/// Subcommand, options, whether words that are no options (revisions, paths) may follow.
const SUBCOMMANDS: &[(&str, &[&str], bool)] = &[
    (
        "rev-parse",
        &[
            "--show-toplevel",
            "--show-prefix",
            "--is-inside-work-tree",
            "--abbrev-ref",
            "--short",
            "--verify",
            "--git-dir",
            "-q",
        ],
        true,
    ),
    ("branch", &["--list", "--show-current", "-a", "-r", "--all", "--remotes"], false),
    ("tag", &["--list", "-l"], false),
    ("ls-files", &["-c", "--cached", "-z", "--full-name"], false),
    (
        "log",
        &[
            "--oneline",
            "--graph",
            "--decorate",
            "--no-decorate",
            "--all",
            "--reverse",
            "--no-merges",
            "--merges",
            "--first-parent",
            "--name-only",
            "--name-status",
            "--abbrev-commit",
        ],
        true,
    ),
];

pub(super) fn only_reads(arguments: &[String]) -> Result<(), Why> {
    let Some((name, rest)) = arguments.split_first() else {
        return Ok(());
    };
    if name == "--version" && rest.is_empty() {
        return Ok(());
    }
    let Some((_, options, words)) = SUBCOMMANDS.iter().find(|(known, _, _)| known == name) else {
        return Err(why(format!(
            "git {name} may change things, or run programs that the repository's configuration names"
        )));
    };
    let count = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let mut all = rest.iter().map(String::as_str);
    while let Some(word) = all.next() {
        let fine = match word.strip_prefix('-') {
            None => *words,
            Some(_) if options.contains(&word) => true,
            Some("n") if name == "log" => all.next().is_some_and(count),
            Some(letters) if name == "log" => {
                count(letters) || letters.strip_prefix('n').is_some_and(count) || letters.strip_prefix("-max-count=").is_some_and(count)
            }
            Some(_) => false,
        };
        if !fine {
            return Err(why(format!("git {name} with “{word}” may do more than read")));
        }
    }
    Ok(())
}
