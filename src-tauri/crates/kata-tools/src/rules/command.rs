//! How a command line is judged: each of its commands alone, and only where the whole line is understood. Patterns and “always”
//! rules are put to a command's words, never to the line, so that nothing rides behind a `;`, a line end or a pipe.

use super::files::{Means, Rule};
use super::{Case, Explained, allow, ask, deny};
use crate::bash::{self, Line, Reading, Simple};
use crate::paths;
use crate::scope::{Scope, Standing};
use crate::why::{Why, why};
use kata_protocol::{AlwaysRule, PermissionMode};
use std::path::PathBuf;

/// Commands for which “always” is not offered: they run what their further words say, or are nobody in particular.
const RUNNERS: &[&str] = &[
    "sudo",
    "doas",
    "su",
    "env",
    "xargs",
    "parallel",
    "nohup",
    "time",
    "timeout",
    "nice",
    "ionice",
    "setsid",
    "stdbuf",
    "watch",
    "eval",
    "exec",
    "source",
    ".",
    "command",
    "builtin",
    "trap",
    "alias",
    "bash",
    "sh",
    "dash",
    "zsh",
    "fish",
    "ksh",
    "busybox",
    "ssh",
    "find",
    "awk",
    "gawk",
    "mawk",
    "sed",
    "python",
    "python2",
    "python3",
    "node",
    "deno",
    "bun",
    "perl",
    "ruby",
    "php",
    "lua",
    "tclsh",
    "osascript",
    "gdb",
    "strace",
    "script",
    "systemd-run",
    "docker",
    "podman",
    "kubectl",
    "nsenter",
    "chroot",
    "unshare",
    "bwrap",
    "rm",
    "dd",
    "mkfs",
    "crontab",
    "at",
    "batch",
];

/// Looks at the paths of a command that might only read.
pub(crate) struct Gaze<'a>(pub &'a Scope);

impl bash::Look for Gaze<'_> {
    fn contents(&self, word: &str) -> Result<PathBuf, Why> {
        let path = self.path(word)?;
        match self.0.standing(&path) {
            Standing::Inside | Standing::Guarded => Ok(path),
            Standing::Secret => Err(why(format!("{} may hold secrets", path.display()))),
            Standing::Outside => Err(why(format!("{} is outside the session's folders", path.display()))),
        }
    }
    fn names(&self, word: &str) -> Result<PathBuf, Why> {
        let path = self.path(word)?;
        match self.0.standing(&path) {
            Standing::Secret => Err(why(format!("{} may hold secrets", path.display()))),
            Standing::Outside => Err(why(format!("{} is outside the session's folders", path.display()))),
            Standing::Inside | Standing::Guarded => Ok(path),
        }
    }
}

impl Gaze<'_> {
    fn path(&self, word: &str) -> Result<PathBuf, Why> {
        // Bash does not expand a quoted “~”; there it is a name like any other.
        let word = if word.starts_with('~') {
            format!("./{word}")
        } else {
            word.to_owned()
        };
        paths::plain(&word, &self.0.working, &self.0.user_home).map_err(|unfit| Why(unfit.0))
    }

    /// A word that leads to a secret, if it is a path or ends with one (`--file=…`).
    fn secret(&self, command: &Simple) -> Option<PathBuf> {
        let named = |word: &String| {
            let value = word.split_once('=').map(|(_, value)| value.to_owned());
            [Some(word.clone()), value].into_iter().flatten().find_map(|text| {
                let path = self.path(&text).ok()?;
                (self.0.standing(&path) == Standing::Secret).then_some(path)
            })
        };
        command.words.iter().skip(1).find_map(named)
    }
}

/// Whether a command line is known to only read what may be read without asking. Blocks.
pub(crate) fn only_reads(line: &str, scope: &Scope) -> Result<(), Why> {
    match bash::parse(line) {
        Line::Unknown(why) => Err(why.into()),
        Line::Understood(commands) => commands.iter().try_for_each(|command| match bash::reading(command, &Gaze(scope)) {
            Reading::Only => Ok(()),
            Reading::More(why) => Err(why.into()),
        }),
    }
}

impl Case<'_> {
    pub(super) fn bash(&self, line: &str) -> Explained {
        if let (PermissionMode::Safe, Some(why)) = (self.mode, &self.lacks) {
            return deny(format!(
                "Commands cannot be shut in on this machine ({why}), so mode safe runs none. The tools read, glob and grep work."
            ));
        }
        let commands = match bash::parse(line) {
            Line::Understood(commands) => commands,
            Line::Unknown(why) => {
                return match self.mode {
                    PermissionMode::Safe => deny(format!(
                        "What this command does is not certain: {why}. Mode safe runs only plain commands that read; the tools read, glob and grep work too."
                    )),
                    PermissionMode::Ask => ask(format!("What this command does is not certain: {why}"), None),
                    PermissionMode::AllowAll => self.shut_in_or_asked("Mode allow-all runs it, shut in."),
                };
            }
        };
        let gaze = Gaze(self.scope);
        if let Some(path) = commands.iter().find_map(|command| gaze.secret(command)) {
            let what = format!("{} may hold secrets", path.display());
            return match self.mode {
                PermissionMode::Safe => deny(format!("{what}, and this session is in mode safe.")),
                _ => ask(what, None),
            };
        }
        let mut open: Vec<(&Simple, String)> = Vec::new();
        let mut by_rule = None;
        for command in &commands {
            match bash::reading(command, &gaze) {
                Reading::Only => {}
                Reading::More(why) => match self.allowed(command) {
                    Some(rule) => by_rule = Some(rule),
                    None => open.push((command, why)),
                },
            }
        }
        match (open.as_slice(), self.mode) {
            ([], _) => match by_rule {
                Some(rule) => self.shut_in_or_asked(&format!("{rule} allows it.")),
                None => self.shut_in_or_asked("It only reads, in the session's folders."),
            },
            (_, PermissionMode::AllowAll) => self.shut_in_or_asked("Mode allow-all runs it, shut in."),
            ([(_, why), ..], PermissionMode::Safe) => deny(format!(
                "Mode safe runs only commands that read in the session's folders: {why}. The tools read, glob and grep may do; the person can change the mode."
            )),
            ([(command, why)], PermissionMode::Ask) => ask(capital(why), offered(command)),
            ([(_, why), ..], PermissionMode::Ask) => ask(capital(why), None),
        }
    }

    /// Without a sandbox nothing runs unasked.
    fn shut_in_or_asked(&self, why: &str) -> Explained {
        match &self.lacks {
            None => allow(why),
            Some(lack) => ask(format!("It would run without a sandbox: {lack}"), None),
        }
    }

    /// The rule that allows a command, as text.
    fn allowed(&self, command: &Simple) -> Option<String> {
        let text = bash::quoted(&command.words);
        let by_pattern = |rule: &&Rule| matches!(&rule.means, Ok(Means::Bash(pattern)) if pattern.is_match(&text));
        if let Some(rule) = self.files.iter().find(by_pattern) {
            return Some(format!("The rule “{}” of {}", rule.text, rule.from));
        }
        let by_words = |rule: &&AlwaysRule| {
            rule.tool == "bash" && rule.folder.is_none() && !rule.prefix.is_empty() && command.words.starts_with(&rule.prefix)
        };
        // Answered in mode ask; mode safe stays what it says.
        let always = self.always.iter().find(by_words).filter(|_| self.mode != PermissionMode::Safe)?;
        Some(format!("The answer “always” for “{}”", bash::quoted(&always.prefix)))
    }
}

/// What “always” would mean for a command: its words, as they are. Nothing where one word says too little.
fn offered(command: &Simple) -> Option<AlwaysRule> {
    let name = command.words.first()?;
    let short = name.rsplit('/').next().unwrap_or_default();
    let version = short.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if command.words.len() < 2 || RUNNERS.contains(&short) || RUNNERS.contains(&version) {
        return None;
    }
    Some(AlwaysRule {
        tool: "bash".into(),
        prefix: command.words.clone(),
        folder: None,
    })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
