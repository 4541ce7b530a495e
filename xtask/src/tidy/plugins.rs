//! Rule `plugin-folders`: every bundled plugin can be read, is described, and is tested.

use super::{Finding, Tree};
use std::collections::BTreeSet;

const RULE: &str = "plugin-folders";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let below: Vec<&str> = tree.files.iter().filter_map(|f| f.path.strip_prefix("plugins/")).collect();
    let folders: BTreeSet<&str> = below.iter().filter_map(|p| p.split_once('/')).map(|(folder, _)| folder).collect();
    let mut findings = Vec::new();
    for folder in folders.into_iter().filter(|f| *f != "sdk" && *f != "templates") {
        let at = format!("plugins/{folder}");
        let has = |test: &dyn Fn(&str) -> bool| below.iter().filter_map(|p| p.strip_prefix(folder)?.strip_prefix('/')).any(test);
        let mut need = |there: bool, words: &str| {
            if !there {
                findings.push(Finding::new(RULE, &at, 0, words));
            }
        };
        need(has(&|p| p == "kata-plugin.json"), "needs a manifest, kata-plugin.json");
        need(
            has(&|p| p == "README.md"),
            "needs a README.md that says what it does and what it may do",
        );
        need(has(&|p| p.starts_with("tests/") && p.contains(".test.")), "needs tests/*.test.ts");
        if let Some(manifest) = tree.get(&format!("{at}/kata-plugin.json")) {
            need(
                manifest.contains(&format!("\"{folder}\"")),
                "the manifest's id is the folder's name",
            );
        }
    }
    findings.extend(templates(&below));
    findings
}

/// A template is a plugin in which the id is not filled in; it must have whatever a new plugin needs.
fn templates(below: &[&str]) -> Vec<Finding> {
    let files: Vec<&str> = below.iter().filter_map(|p| p.strip_prefix("templates/")).collect();
    let names: BTreeSet<&str> = files.iter().filter_map(|p| p.split_once('/')).map(|(name, _)| name).collect();
    let mut findings = Vec::new();
    for name in names {
        for needed in ["kata-plugin.json", "index.ts", "README.md", "tests/contract.ts"] {
            if !files.contains(&format!("{name}/{needed}").as_str()) {
                let at = format!("plugins/templates/{name}");
                findings.push(Finding::new(RULE, &at, 0, format!("needs {needed}")));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_without_manifest_readme_or_tests_is_found() {
        let bare = Tree::of(&[("plugins/bare/index.ts", "")]);
        assert_eq!(check(&bare).len(), 3);
        let whole = Tree::of(&[
            ("plugins/echo/index.ts", ""),
            ("plugins/echo/kata-plugin.json", "{ \"id\": \"echo\" }"),
            ("plugins/echo/README.md", ""),
            ("plugins/echo/tests/echo.test.ts", ""),
            ("plugins/sdk/src/index.ts", ""),
        ]);
        assert_eq!(check(&whole), []);
    }

    #[test]
    fn a_template_that_lacks_a_file_is_found() {
        let tree = Tree::of(&[
            ("plugins/templates/tool/kata-plugin.json", "{ \"id\": \"{{id}}\" }"),
            ("plugins/templates/tool/index.ts", ""),
            ("plugins/templates/tool/README.md", ""),
        ]);
        let found: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["plugins/templates/tool:0 [plugin-folders] needs tests/contract.ts"]);
    }

    #[test]
    fn a_manifest_with_another_plugin_s_id_is_found() {
        let tree = Tree::of(&[
            ("plugins/echo/kata-plugin.json", "{ \"id\": \"other\" }"),
            ("plugins/echo/README.md", ""),
            ("plugins/echo/tests/echo.test.ts", ""),
        ]);
        assert_eq!(check(&tree).len(), 1);
    }
}
