//! Rule `invariants`: ARCHITECTURE.md states each invariant and names what holds it, and that exists.

use super::{Finding, RULES, Tree};

const RULE: &str = "invariants";
const FILE: &str = "ARCHITECTURE.md";
/// Invariants the architecture has.
const COUNT: usize = 14;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.get(FILE) else {
        return vec![Finding::new(RULE, FILE, 0, "is missing")];
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = Vec::new();
    for number in 1..=COUNT {
        let opening = format!("**Architecture Invariant {number}.**");
        let Some(start) = lines.iter().position(|l| l.starts_with(&opening)) else {
            findings.push(Finding::new(RULE, FILE, 0, format!("invariant {number} is missing")));
            continue;
        };
        let paragraph: Vec<&str> = lines[start..].iter().take_while(|l| !l.trim().is_empty()).copied().collect();
        let paragraph = paragraph.join(" ");
        let named: Vec<&str> = paragraph
            .split_once("Held by")
            .map(|(_, rest)| quoted(rest).collect())
            .unwrap_or_default();
        if named.is_empty() {
            findings.push(Finding::new(RULE, FILE, start + 1, format!("invariant {number} names no test")));
        }
        for name in named.into_iter().filter(|name| !exists(tree, name)) {
            findings.push(Finding::new(
                RULE,
                FILE,
                start + 1,
                format!("invariant {number} names “{name}”, which does not exist"),
            ));
        }
    }
    findings
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A tidy rule, or a test function or test title in the sources.
fn exists(tree: &Tree, name: &str) -> bool {
    if let Some(rule) = name.strip_prefix("tidy: ") {
        return RULES.iter().any(|(known, _)| *known == rule);
    }
    let function = format!("fn {name}(");
    let title = format!("\"{name}\"");
    tree.below("", &[".rs"]).any(|f| f.text.contains(&function)) || tree.below("", &[".ts", ".tsx"]).any(|f| f.text.contains(&title))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn architecture(change: impl Fn(usize) -> String) -> String {
        (1..=COUNT)
            .map(|n| format!("**Architecture Invariant {n}.** It holds.\nHeld by {}.\n\n", change(n)))
            .collect()
    }

    #[test]
    fn an_invariant_without_a_test_or_with_one_that_does_not_exist_is_found() {
        let good = architecture(|_| "`tidy: floors`, `a_test`".into());
        let with = |text: &str| check(&Tree::of(&[(FILE, text), ("x/src/a.rs", "fn a_test() {}")])).len();
        assert_eq!(with(&good), 0);
        assert_eq!(
            with(&architecture(|n| if n == 3 { "nothing".into() } else { "`a_test`".into() })),
            1
        );
        assert_eq!(
            with(&architecture(|n| if n == 3 { "`no_such_test`".into() } else { "`a_test`".into() })),
            1
        );
        assert_eq!(with(&architecture(|_| "`tidy: no-such-rule`".into())), COUNT);
        assert_eq!(with(""), COUNT);
    }
}
