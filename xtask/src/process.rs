//! Running other programs: said on the terminal before, streamed while, and named when they fail.
//!
//! Deliberately absent: a shell. Arguments go to the program as they stand.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Why a command of ours stopped, in words for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// A program with arguments, split at spaces: for fixed command lines only.
pub(crate) fn command(folder: &Path, line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(folder);
    command
}

/// Runs it with our terminal; an exit code other than 0 is a failure that names it.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<(), Failure> {
    let started = announce(what, command);
    let status = command.status().map_err(|e| missing(command, &e))?;
    finished(what, started, status.success(), command)
}

/// Runs it, shows everything it says on our standard output, and gives its lines back, also when it fails.
pub(crate) fn run_and_read(what: &str, command: &mut Command) -> (Vec<String>, Result<(), Failure>) {
    let started = announce(what, command);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return (Vec::new(), Err(missing(command, &e))),
    };
    let errors = child.stderr.take();
    let mut lines = Vec::new();
    std::thread::scope(|scope| {
        let errors = scope.spawn(move || errors.map(show).unwrap_or_default());
        lines = child.stdout.take().map(show).unwrap_or_default();
        lines.extend(errors.join().unwrap_or_default());
    });
    let outcome = match child.wait() {
        Ok(status) => finished(what, started, status.success(), command),
        Err(e) => Err(e.into()),
    };
    (lines, outcome)
}

/// What it prints, where it succeeds; `None` where it fails or is not there.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is on the path.
pub(crate) fn exists(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file() || folder.join(format!("{program}.exe")).is_file())
}

fn show(stream: impl Read) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        println!("{text}");
        lines.push(text);
        line.clear();
    }
    lines
}

fn announce(what: &str, command: &Command) -> Instant {
    println!("\n==> {what}\n    {}", describe(command));
    Instant::now()
}

fn finished(what: &str, started: Instant, success: bool, command: &Command) -> Result<(), Failure> {
    let seconds = started.elapsed().as_secs_f32();
    if success {
        println!("    done in {seconds:.1} s");
        Ok(())
    } else {
        println!("    FAILED after {seconds:.1} s");
        Err(Failure::new(format!("{what} failed: {}", describe(command))))
    }
}

fn describe(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words.join(" ")
}

fn missing(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot run “{}”: {error}", command.get_program().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_program_is_named_and_what_it_said_is_kept() {
        let folder = std::env::temp_dir();
        let (lines, outcome) = run_and_read("listing", &mut command(&folder, "ls /there-is-no-such-folder"));
        assert!(outcome.is_err_and(|f| f.to_string().contains("ls /there-is-no-such-folder")));
        assert!(lines.iter().any(|l| l.contains("there-is-no-such-folder")));
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure_and_not_a_panic() {
        let folder = std::env::temp_dir();
        assert!(run("nothing", &mut command(&folder, "there-is-no-such-program")).is_err());
        assert!(!exists("there-is-no-such-program"));
    }
}
