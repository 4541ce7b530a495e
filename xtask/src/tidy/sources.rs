//! Rules that read Rust and TypeScript line by line, comments left out.

use super::{Finding, Source, Tree};

const RUST: &[&str] = &[".rs"];
const TYPESCRIPT: &[&str] = &[".ts", ".tsx"];

/// Rule `core-is-pure`: the domain does no IO and reads no clock.
pub(super) fn core_is_pure(tree: &Tree) -> Vec<Finding> {
    let forbidden = [
        ("std::fs", "files come in through a port"),
        ("tokio::fs", "files come in through a port"),
        ("std::net", "sockets come in through a port"),
        ("tokio::net", "sockets come in through a port"),
        ("std::process", "programs come in through a port"),
        ("std::env", "settings come in as values"),
        ("SystemTime", "time comes in through the clock port"),
        ("Instant::now", "time comes in through the clock port"),
        ("getrandom", "randomness comes in through a port"),
        ("println!", "core has no terminal"),
    ];
    let files = tree.below("src-tauri/crates/kata-core/src/", RUST);
    files
        .flat_map(|f| lines_with("core-is-pure", f, production(f), &forbidden))
        .collect()
}

/// Rule `ids-are-opaque`: core never looks inside an identifier; only the plugin that made it may.
pub(super) fn ids_are_opaque(tree: &Tree) -> Vec<Finding> {
    let ids = ["account", "conversation", "sender", "thread", "channel"];
    let ways = [
        ".split",
        ".strip_",
        ".starts_with(",
        ".ends_with(",
        ".find(",
        ".parse",
        ".contains(",
        ".chars(",
    ];
    let mut findings = Vec::new();
    for file in tree.below("src-tauri/crates/kata-core/src/", RUST) {
        for (line, text) in production(file) {
            let looks = ids
                .iter()
                .any(|id| ways.iter().any(|way| text.contains(&format!("{id}.as_str(){way}"))));
            if looks {
                findings.push(Finding::new(
                    "ids-are-opaque",
                    &file.path,
                    line,
                    "core compares identifiers and never looks inside",
                ));
            }
        }
    }
    findings
}

/// Rule `one-door-to-tauri`: the window reaches its host through `ui/src/platform` only.
pub(super) fn one_door_to_tauri(tree: &Tree) -> Vec<Finding> {
    let forbidden = [("@tauri-apps/", "only ui/src/platform may name the host")];
    // The generated bindings of the shell are that door's own.
    let files = tree
        .below("", TYPESCRIPT)
        .filter(|f| !f.path.starts_with("ui/src/platform/") && f.path != "ui/src/generated/tauri.ts");
    files
        .flat_map(|f| lines_with("one-door-to-tauri", f, code(f), &forbidden))
        .collect()
}

/// Rule `bounded-queues`: every queue has a bound.
pub(super) fn bounded_queues(tree: &Tree) -> Vec<Finding> {
    let why = "every queue has a bound and says what happens when it is full";
    let forbidden = [
        ("unbounded_channel", why),
        ("UnboundedSender", why),
        ("mpsc::channel()", why),
        ("mpsc::unbounded", why),
        ("::unbounded()", why),
    ];
    rust(tree)
        .flat_map(|f| lines_with("bounded-queues", f, code(f), &forbidden))
        .collect()
}

/// Rule `no-waiting-for-a-guess`: nothing sleeps a thread; a test waits for the event.
pub(super) fn no_waiting_for_a_guess(tree: &Tree) -> Vec<Finding> {
    let forbidden = [("thread::sleep(", "wait for the event, or take time from the clock port")];
    rust(tree)
        .flat_map(|f| lines_with("no-waiting-for-a-guess", f, code(f), &forbidden))
        .collect()
}

/// Rule `no-string-errors`: an error has a type.
pub(super) fn no_string_errors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in rust(tree) {
        for (line, text) in code(file) {
            if error_types(text).any(|error| matches!(error, "String" | "std::string::String")) {
                findings.push(Finding::new(
                    "no-string-errors",
                    &file.path,
                    line,
                    "an error has a type of its own, named by what failed",
                ));
            }
        }
    }
    findings
}

/// Rule `names`: a name says what a thing is for.
pub(super) fn names(tree: &Tree) -> Vec<Finding> {
    let vague = ["Manager", "Helper", "Helpers", "Util", "Utils"];
    let keywords = ["struct", "enum", "trait", "type", "class", "interface", "mod", "function"];
    let mut findings = Vec::new();
    for file in rust(tree).chain(tree.below("", TYPESCRIPT)) {
        for (line, text) in code(file) {
            let words: Vec<&str> = text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|w| !w.is_empty())
                .collect();
            let named = words.windows(2).find(|pair| {
                let lower = pair[1].to_lowercase();
                keywords.contains(&pair[0]) && vague.iter().any(|v| pair[1].ends_with(v) || lower == v.to_lowercase())
            });
            if let Some(pair) = named {
                findings.push(Finding::new(
                    "names",
                    &file.path,
                    line,
                    format!("“{}” does not say what it is for", pair[1]),
                ));
            }
        }
    }
    findings
}

/// Rule `finished`: no mark of unfinished work, no test that is left out.
pub(super) fn finished(tree: &Tree) -> Vec<Finding> {
    let forbidden = [
        ("todo!(", "finish it"),
        ("unimplemented!(", "finish it"),
        ("#[ignore", "a test that does not run is not a test"),
        ("it.skip(", "a test that does not run is not a test"),
        ("test.skip(", "a test that does not run is not a test"),
        ("describe.skip(", "a test that does not run is not a test"),
        ("it.only(", "the other tests would not run"),
        ("test.only(", "the other tests would not run"),
        ("describe.only(", "the other tests would not run"),
        ("it.todo(", "finish it"),
        ("@ts-ignore", "mend the type"),
        ("@ts-nocheck", "mend the types"),
        (" as any", "give it a type"),
        (": any", "give it a type"),
    ];
    let comments = ["TODO", "FIXME", "XXX"];
    let mut findings = Vec::new();
    let written = tree.below("", TYPESCRIPT).filter(|f| !f.path.contains("/generated"));
    for file in rust(tree).chain(written) {
        let is_rust = file.path.ends_with(".rs");
        let forbidden = if is_rust { &forbidden[..3] } else { &forbidden[..] };
        findings.extend(lines_with("finished", file, code(file), forbidden));
        for (index, text) in file.text.lines().enumerate() {
            let words = || text.split(|c: char| !c.is_alphanumeric());
            if comments.iter().any(|mark| words().any(|w| w == *mark)) {
                findings.push(Finding::new("finished", &file.path, index + 1, "finish it, or write an issue"));
            }
        }
    }
    findings
}

/// Rule `stands-alone`: nothing in the repository points outside it.
pub(super) fn stands_alone(tree: &Tree) -> Vec<Finding> {
    let outside = ["../shared", "/work/"];
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|f| !f.path.starts_with("xtask/src/tidy/")) {
        for (index, text) in file.text.lines().enumerate() {
            // A relative import of a folder named `shared` inside ui/ or plugins/ is ours.
            let import = text.trim_start().starts_with("import ") || text.contains(" from \"");
            if outside.iter().any(|o| text.contains(o)) && !import {
                findings.push(Finding::new("stands-alone", &file.path, index + 1, "points outside the repository"));
            }
        }
    }
    findings
}

/// Rule `modules-open-with-words`: a module says what it is for.
pub(super) fn modules_open_with_words(tree: &Tree) -> Vec<Finding> {
    let silent = rust(tree).filter(|f| !f.text.trim_start().starts_with("//!") && !f.text.trim_start().starts_with("// Generated"));
    silent
        .map(|f| {
            Finding::new(
                "modules-open-with-words",
                &f.path,
                1,
                "open with `//!`: purpose, neighbours, what is deliberately absent",
            )
        })
        .collect()
}

fn rust(tree: &Tree) -> impl Iterator<Item = &Source> {
    // The rules themselves spell what they forbid.
    tree.below("", RUST).filter(|f| !f.path.starts_with("xtask/src/tidy/"))
}

fn lines_with<'a>(
    rule: &'static str,
    file: &Source,
    lines: impl Iterator<Item = (usize, &'a str)>,
    forbidden: &[(&str, &str)],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, text) in lines {
        if let Some((what, why)) = forbidden.iter().find(|(what, _)| text.contains(what)) {
            findings.push(Finding::new(rule, &file.path, line, format!("{}: {why}", what.trim())));
        }
    }
    findings
}

/// Numbered lines without comments.
fn code(file: &Source) -> impl Iterator<Item = (usize, &str)> {
    file.text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.split("// ").next().unwrap_or_default();
        let start = line.trim_start();
        let comment = start.starts_with("//") || start.starts_with("* ") || start.starts_with("/*");
        (!comment).then_some((index + 1, line))
    })
}

/// Numbered lines of what ships: without comments, and without the test module at the end of a file.
fn production(file: &Source) -> impl Iterator<Item = (usize, &str)> {
    let is_test = file.path.ends_with("/tests.rs") || file.path.contains("/tests/");
    code(file).take_while(move |(_, line)| !is_test && !line.trim_start().starts_with("#[cfg(test)]"))
}

/// The second parameter of every `Result<…, E>` on a line.
fn error_types(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("Result<").filter_map(|(at, found)| {
        let inside = text.get(at + found.len()..)?;
        let mut depth = 0_i32;
        let mut comma = None;
        for (index, c) in inside.char_indices() {
            match c {
                '<' | '(' | '[' => depth += 1,
                ')' | ']' => depth -= 1,
                '>' if depth == 0 => return comma.and_then(|start: usize| inside.get(start..index)).map(str::trim),
                '>' if !inside.get(..index)?.ends_with('-') => depth -= 1,
                ',' if depth == 0 => comma = Some(index + 1),
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "src-tauri/crates/kata-core/src/router.rs";

    fn hits(rule: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> usize {
        rule(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn core_that_reads_a_clock_or_a_file_is_found() {
        for bad in [
            "let t = Instant::now();",
            "use std::fs;",
            "std::env::var(\"X\")",
            "let s = std::net::TcpStream::connect(a);",
            "SystemTime::now()",
        ] {
            assert_eq!(hits(core_is_pure, CORE, bad), 1, "{bad}");
            assert_eq!(
                hits(core_is_pure, "src-tauri/crates/kata-engine/src/lib.rs", bad),
                0,
                "only core is held to it"
            );
            assert_eq!(
                hits(core_is_pure, CORE, &format!("// {bad}\n#[cfg(test)]\nmod tests {{ {bad} }}")),
                0,
                "comments and tests may"
            );
        }
    }

    #[test]
    fn core_that_looks_inside_an_identifier_is_found() {
        assert_eq!(hits(ids_are_opaque, CORE, "let team = conversation.as_str().split_once(':');"), 1);
        assert_eq!(hits(ids_are_opaque, CORE, "if origin.sender.as_str().starts_with(\"bot\") {"), 1);
        assert_eq!(hits(ids_are_opaque, CORE, "key.push_str(conversation.as_str());"), 0);
    }

    #[test]
    fn a_second_door_to_the_host_is_found() {
        let import = "import { invoke } from \"@tauri-apps/api/core\";";
        assert_eq!(hits(one_door_to_tauri, "ui/src/features/chat/Chat.tsx", import), 1);
        assert_eq!(hits(one_door_to_tauri, "ui/src/platform/tauri.ts", import), 0);
    }

    #[test]
    fn a_queue_without_a_bound_is_found() {
        assert_eq!(
            hits(
                bounded_queues,
                "a/src/x.rs",
                "let (tx, rx) = tokio::sync::mpsc::unbounded_channel();"
            ),
            1
        );
        assert_eq!(hits(bounded_queues, "a/src/x.rs", "let (tx, rx) = std::sync::mpsc::channel();"), 1);
        assert_eq!(
            hits(bounded_queues, "a/src/x.rs", "let (tx, rx) = tokio::sync::mpsc::channel(64);"),
            0
        );
    }

    #[test]
    fn a_sleeping_thread_is_found() {
        assert_eq!(hits(no_waiting_for_a_guess, "tests/it/main.rs", "std::thread::sleep(second);"), 1);
    }

    #[test]
    fn an_error_without_a_type_is_found() {
        for bad in [
            "fn a() -> Result<u8, String> {",
            "fn a() -> Result<Vec<(u8, u8)>, String>;",
            "x: Result<HashMap<A, B>, std::string::String>",
        ] {
            assert_eq!(hits(no_string_errors, "a/src/x.rs", bad), 1, "{bad}");
        }
        for good in [
            "fn a() -> Result<String, Error>",
            "Result<HashMap<u8, String>, E>",
            "Result<String>",
            "Result<fn(u8) -> String, E>",
        ] {
            assert_eq!(hits(no_string_errors, "a/src/x.rs", good), 0, "{good}");
        }
    }

    #[test]
    fn a_name_that_says_nothing_is_found() {
        assert_eq!(hits(names, "a/src/x.rs", "pub struct SessionManager {"), 1);
        assert_eq!(hits(names, "a/src/x.rs", "mod utils;"), 1);
        assert_eq!(hits(names, "ui/src/x.ts", "export class DateHelper {"), 1);
        assert_eq!(hits(names, "a/src/x.rs", "use tauri::Manager;"), 0, "others may name theirs");
    }

    #[test]
    fn unfinished_work_and_a_test_left_out_are_found() {
        assert_eq!(hits(finished, "a/src/x.rs", "todo!()"), 1);
        assert_eq!(hits(finished, "a/src/x.rs", "// TODO later"), 1);
        assert_eq!(hits(finished, "a/src/x.rs", "#[ignore]"), 1);
        assert_eq!(hits(finished, "ui/src/x.test.ts", "it.skip(\"x\", () => {})"), 1);
        assert_eq!(hits(finished, "ui/src/x.ts", "const a = b as any;"), 1);
        assert_eq!(hits(finished, "a/src/x.rs", "iterator.skip(1)"), 0);
    }

    #[test]
    fn a_mention_of_something_outside_is_found() {
        assert_eq!(hits(stands_alone, "README.md", "see ../shared/design"), 1);
        assert_eq!(hits(stands_alone, "ui/src/x.ts", "import { a } from \"../shared/a\";"), 0);
    }

    #[test]
    fn a_module_without_words_is_found() {
        assert_eq!(hits(modules_open_with_words, "a/src/x.rs", "use std::fmt;"), 1);
        assert_eq!(hits(modules_open_with_words, "a/src/x.rs", "//! Words.\nuse std::fmt;"), 0);
    }
}
