//! `test` and `lint`: every check, each run even when an earlier one failed, and one summary at the end.

use crate::process::{Failure, command, exists, run, run_and_read};
use crate::{build, desktop, disk, generate, setup, tidy};
use std::path::Path;
use std::time::Instant;

/// What a step said about its tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Everything that needs no network once it is installed.
pub(crate) fn test(root: &Path) -> Result<(), Failure> {
    let started = Instant::now();
    println!(
        "==> {} of disk are free",
        disk::free(root).map_or_else(|| "an unknown part".into(), disk::words)
    );
    setup::for_tests(root)?;
    let mut report = Report::default();
    let compiled = build::everything(root);
    let stands = compiled.is_ok();
    report.step("compile", Count::default(), compiled);
    if stands {
        report.step("generated files", Count::default(), generate::check(root));
    }
    lint_steps(root, &mut report);
    typescript_tests(root, &mut report);
    if stands {
        let (count, outcome) = rust_tests(root);
        report.step("Rust tests", count, outcome);
        match desktop::end_to_end(root) {
            Ok(count) => report.step("desktop under WebDriver", count, Ok(())),
            Err(failure) => report.step("desktop under WebDriver", Count { passed: 0, failed: 1 }, Err(failure)),
        }
    }
    if let Some(free) = disk::free(root).filter(|free| *free < disk::TIGHT && report.broken() > 0) {
        // A full disk makes a dozen tests fail in a dozen odd ways, none of which names it.
        let words = format!(
            "{} are left: what failed may have failed for that; make room and try again",
            disk::words(free)
        );
        report.step("room on the disk", Count::default(), Err(Failure::new(words)));
    }
    report.finish(started)
}

/// Formatting, clippy, tidy rules, TypeScript.
pub(crate) fn lint(root: &Path) -> Result<(), Failure> {
    let started = Instant::now();
    setup::for_run(root)?;
    let mut report = Report::default();
    lint_steps(root, &mut report);
    report.finish(started)
}

fn lint_steps(root: &Path, report: &mut Report) {
    report.step(
        "formatting",
        Count::default(),
        run("formatting", &mut command(root, "cargo fmt --all --check")),
    );
    report.step("tidy rules", Count::default(), tidy::check(root));
    let clippy = "cargo clippy --workspace --all-targets --quiet -- -D warnings";
    report.step("clippy", Count::default(), run("clippy", &mut command(root, clippy)));
    for script in ["typecheck", "lint"] {
        if has_script(root, "ui", script) {
            let what = format!("window: {script}");
            let outcome = run(&what, &mut setup::npm(&root.join("ui"), &format!("run --silent {script}")));
            report.step(&what, Count::default(), outcome);
        }
    }
}

fn typescript_tests(root: &Path, report: &mut Report) {
    let mut folders = vec![Path::new("ui").to_path_buf()];
    folders.extend(setup::plugin_packages(root));
    for folder in folders {
        let what = format!("TypeScript tests of {}", folder.display());
        let mut npm = setup::npm(&root.join(&folder), "test --silent");
        npm.env("CI", "1").env("NO_COLOR", "1");
        let (lines, outcome) = run_and_read(&what, &mut npm);
        report.step(&what, count(&lines), outcome);
    }
}

fn rust_tests(root: &Path) -> (Count, Result<(), Failure>) {
    let line = if exists("cargo-nextest") {
        "cargo nextest run --workspace --no-fail-fast"
    } else {
        "cargo test --workspace --no-fail-fast"
    };
    let mut cargo = command(root, line);
    cargo.env("CARGO_TERM_COLOR", "never");
    let (lines, outcome) = run_and_read("Rust tests", &mut cargo);
    (count(&lines), outcome)
}

fn has_script(root: &Path, folder: &str, script: &str) -> bool {
    let key = format!("\"{script}\":");
    std::fs::read_to_string(root.join(folder).join("package.json")).is_ok_and(|text| text.contains(&key))
}

/// Adds up the summary lines of cargo test, cargo nextest and vitest.
pub(crate) fn count(lines: &[String]) -> Count {
    let mut total = Count::default();
    for line in lines {
        // Indented, it is the output of one failed test, which nextest shows again.
        let of_cargo = line.starts_with("test result:");
        let line = line.trim();
        let is_summary = of_cargo || line.starts_with("Tests ") || line.starts_with("Summary [");
        if is_summary {
            total.add(Count {
                passed: number_before(line, "passed"),
                failed: number_before(line, "failed"),
            });
        }
    }
    total
}

fn number_before(line: &str, word: &str) -> u32 {
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    words
        .windows(2)
        .find_map(|pair| if pair[1] == word { pair[0].parse().ok() } else { None })
        .unwrap_or(0)
}

#[derive(Default)]
struct Report {
    steps: Vec<(String, Count, Option<String>)>,
}

impl Report {
    fn step(&mut self, name: &str, count: Count, outcome: Result<(), Failure>) {
        self.steps.push((name.to_owned(), count, outcome.err().map(|f| f.to_string())));
    }

    /// Steps that failed.
    fn broken(&self) -> usize {
        self.steps.iter().filter(|(_, _, failure)| failure.is_some()).count()
    }

    fn finish(self, started: Instant) -> Result<(), Failure> {
        let mut total = Count::default();
        println!("\n==> summary");
        for (name, count, failure) in &self.steps {
            total.add(*count);
            let verdict = if failure.is_none() { "ok    " } else { "FAILED" };
            let tests = if *count == Count::default() {
                String::new()
            } else {
                format!("  {} passed, {} failed", count.passed, count.failed)
            };
            println!("    {verdict} {name}{tests}");
            for line in failure.iter().flat_map(|f| f.lines()) {
                println!("             {line}");
            }
        }
        let broken = self.broken();
        let verdict = if broken == 0 { "ok" } else { "FAILED" };
        let seconds = started.elapsed().as_secs();
        println!(
            "\ntest result: {verdict}. {} passed; {} failed; {} of {} steps ok; finished in {} min {} s",
            total.passed,
            total.failed,
            self.steps.len() - broken,
            self.steps.len(),
            seconds / 60,
            seconds % 60
        );
        if broken == 0 {
            Ok(())
        } else {
            Err(Failure::new(format!("{broken} step(s) failed")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> Count {
        count(&text.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_summaries_of_all_three_runners_are_read() {
        let cargo = "running 2 tests\ntest result: ok. 2 passed; 1 failed; 0 ignored\ntest result: ok. 3 passed; 0 failed";
        assert_eq!(counted(cargo), Count { passed: 5, failed: 1 });
        assert_eq!(
            counted("     Summary [  12.3s] 532 tests run: 530 passed (1 slow), 2 failed, 0 skipped"),
            Count { passed: 530, failed: 2 }
        );
        assert_eq!(
            counted(
                "    test result: FAILED. 0 passed; 1 failed; 0 ignored\n     Summary [  1s] 2 tests run: 1 passed, 1 failed, 0 skipped"
            ),
            Count { passed: 1, failed: 1 },
            "a failed test's own words do not count again"
        );
        assert_eq!(
            counted(" Test Files  3 passed (3)\n      Tests  2 failed | 118 passed (120)"),
            Count { passed: 118, failed: 2 }
        );
    }

    #[test]
    fn one_failed_step_fails_the_whole_and_is_named() {
        let mut report = Report::default();
        report.step("good", Count { passed: 1, failed: 0 }, Ok(()));
        report.step("bad", Count::default(), Err(Failure::new("broken")));
        assert!(report.finish(Instant::now()).is_err());
    }
}
