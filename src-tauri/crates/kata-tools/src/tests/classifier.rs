//! The classifier: what it allows, and that what it allows changes nothing.

use super::Home;
use crate::{Line, parse};
use kata_core::ports::Judgement;
use kata_protocol::PermissionMode::Safe;
use proptest::prelude::*;

#[tokio::test]
async fn plain_commands_that_read_run_in_mode_safe() {
    let home = Home::new();
    let lines = [
        "ls",
        "ls -la src",
        "cat a.txt",
        "cat 'a.txt' \"src/lib.rs\"",
        "head -20 a.txt && tail -n 5 a.txt",
        "cat a.txt | sort | uniq -c | wc -l",
        "grep -n one a.txt",
        "cat a.txt | grep -i one || echo none; pwd",
        "find . -name '*.rs' -type f",
        "sed -n 1,20p a.txt",
        "rg one a.txt",
        "git log --oneline -n 5",
        "git branch --show-current",
        "wc -l a.txt\nls src",
        "echo \"hello there\"",
    ];
    for line in lines {
        let judged = home.line(Safe, line).await;
        match home.sandbox.lacks() {
            None => assert_eq!(judged, Judgement::Allow, "{line}"),
            Some(_) => assert!(super::is_deny(&judged), "{line}"),
        }
    }
}

#[test]
fn the_words_of_a_command_are_what_the_program_gets() {
    let Line::Understood(commands) = parse("grep -n 'a b'\"c d\"e x.txt | wc") else {
        panic!("not understood")
    };
    assert_eq!(commands[0].words, ["grep", "-n", "a bc de", "x.txt"]);
    assert!(!commands[0].piped && commands[1].piped);
}

/// Characters with which bash does something when no quotes are around them.
const SPECIAL: &str = "\\{}*?[]~!$`<>()#^";

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z.-]{1,6}",
        Just("-delete".to_owned()),
        Just("a.txt".to_owned()),
        Just("'q \\ $ *'".to_owned()),
        Just("\"q * ~\"".to_owned()),
    ]
}

fn command() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "ls", "cat", "echo", "find", "sort", "head", "grep", "rg", "git", "sed", "uniq", "wc", "tree", "date", "file", "diff", "printf",
        "rm", "tee", "touch",
    ]);
    let options = prop::sample::select(vec![
        "-o",
        "-n",
        "-i",
        "-r",
        "-la",
        "--",
        "-delete",
        "-D",
        "-w",
        "-c",
        "--output=b",
        "-name",
        "1p",
        "1wb",
        ".",
        "src",
        "a.txt",
        "b.txt",
        "src/lib.rs",
        "log",
        "branch",
        "-f",
    ]);
    (names, prop::collection::vec(options, 0..4)).prop_map(|(name, options)| {
        let mut line = name.to_owned();
        for option in options {
            line.push(' ');
            line.push_str(option);
        }
        line
    })
}

fn line() -> impl Strategy<Value = String> {
    let joint = prop::sample::select(vec![" && ", " || ", "; ", " | ", "\n", " & ", " > ", " "]);
    (command(), prop::collection::vec((joint, command()), 0..3)).prop_map(|(first, more)| {
        more.into_iter()
            .fold(first, |line, (joint, command)| format!("{line}{joint}{command}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Wherever a special character stands unquoted, the line is not understood.
    #[test]
    fn a_line_with_an_unquoted_special_character_is_never_understood(
        before in prop::collection::vec(word(), 1..4),
        special in prop::sample::select(SPECIAL.chars().collect::<Vec<_>>()),
        (left, right) in ("[a-z-]{0,3}", "[a-z-]{0,3}"),
        behind in prop::collection::vec(word(), 0..3),
    ) {
        let line = format!("{} {left}{special}{right} {}", before.join(" "), behind.join(" "));
        prop_assert!(matches!(parse(&line), Line::Unknown(_)), "{line}");
    }

    /// No text makes it fail.
    #[test]
    fn any_text_is_taken_apart_without_failing(text in "\\PC{0,60}") {
        let _ = parse(&text);
    }
}

/// What a folder holds: path, contents or link, and when it changed.
#[cfg(unix)]
fn state(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>, Option<std::time::SystemTime>)> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let meta = std::fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                waiting.push(path.clone());
                found.push((path, Vec::new(), None));
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, bytes, meta.modified().ok()));
            }
        }
    }
    found.sort();
    found
}

/// Without the sandbox: the classifier alone has to hold.
#[cfg(unix)]
#[test]
fn what_counts_as_reading_changes_no_file_when_real_bash_runs_it() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let home = Home::new();
    let scope = scope(&home);
    let before = state(&home.root);
    let mut runner = TestRunner::deterministic();
    let mut ran = 0;
    for _ in 0..4000 {
        let line = line().new_tree(&mut runner).unwrap().current();
        if crate::rules::only_reads(&line, &scope).is_err() {
            continue;
        }
        ran += 1;
        std::process::Command::new("timeout")
            .args(["10", "bash", "--noprofile", "--norc", "-c", &line])
            .current_dir(home.work())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert_eq!(state(&home.root), before, "{line}");
        if ran == 150 {
            break;
        }
    }
    assert!(ran >= 100, "only {ran} lines counted as reading");
}

#[cfg(unix)]
fn scope(home: &Home) -> crate::Scope {
    let session = home.session(Safe);
    let workspace = home.root.join("kata/workspaces/ws");
    let places = crate::Places {
        kata_home: home.root.join("kata"),
        user_home: home.root.join("user"),
        workspace: std::sync::Arc::new(move |_| Some(workspace.clone())),
    };
    crate::Scope::of(&places, &session.workspace, &session.id, session.working_directory.as_deref()).unwrap()
}
