//! Looks at a plugin's folder as the app would, and tries it: manifest, source, what it registers, and its contracts.
//!
//! A finding says where and what to do. Nothing of the plugin reaches the network, a secret or a disk while it is checked.
//! Deliberately absent: types; only TypeScript's own compiler knows those, and the CLI asks it where it is installed.

use super::bench::{Bench, CallFailed};
use super::scratch::{SDK, Scratch, TOOL, files_of};
use kata_plugins::{Candidate, free_names};
use kata_protocol::{PluginManifest, Registered, SourcePosition};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where a plugin's contracts stand: a module whose default export is a list of cases.
const CONTRACT: &str = "tests/contract.ts";

/// A step of the check, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Manifest and the folder's safety.
    Manifest,
    /// Syntax, and names that a plugin does not have.
    Source,
    /// TypeScript's types.
    Types,
    /// What it registers in the sandbox, beside what it declares.
    Registration,
    /// Its own contracts in the sandbox.
    Contract,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Was not looked at; the message says why.
    Skipped,
    /// Works, and is probably not what is meant.
    Warning,
    /// Must be mended.
    Error,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Step.
    pub step: Step,
    /// How it stands.
    pub verdict: Verdict,
    /// Where in the source.
    pub at: Option<SourcePosition>,
    /// In words.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding without place and hint.
    pub fn new(step: Step, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            step,
            verdict,
            at: None,
            message: message.into(),
            hint: None,
        }
    }
    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    fn at(mut self, at: Option<SourcePosition>) -> Self {
        self.at = at;
        self
    }
}

/// What a check gave.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Everything that was found, in order of the steps.
    pub findings: Vec<Finding>,
    /// What it registers.
    pub registered: Option<Registered>,
}

impl Report {
    /// Whether anything must be mended.
    pub fn failed(&self) -> bool {
        self.findings.iter().any(|f| f.verdict == Verdict::Error)
    }
    fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

/// Checks a folder. Call it within a tokio runtime.
pub async fn check(folder: &Path) -> Report {
    let mut report = Report::default();
    let candidate = match inspect(folder) {
        Ok(candidate) => candidate,
        Err(dropped) => {
            report.add(Finding::new(Step::Manifest, Verdict::Error, dropped.reason).hint(dropped.hint));
            return report;
        }
    };
    let manifest = &candidate.manifest;
    let words = format!("{} {}, API {}", manifest.id, manifest.version, manifest.api);
    report.add(Finding::new(Step::Manifest, Verdict::Ok, words));
    let scratch = match Scratch::copy(&candidate) {
        Ok(scratch) => scratch,
        Err(error) => {
            report.add(Finding::new(
                Step::Source,
                Verdict::Error,
                format!("the folder cannot be read: {error}"),
            ));
            return report;
        }
    };
    let known = names_of_the_sandbox(&scratch).await;
    source(&mut report, &candidate, known.as_ref());
    if report.failed() {
        return report;
    }
    registration(&mut report, &candidate).await;
    if report.failed() {
        // Each of its cases would only say the same again.
        let words = "not run: it registers nothing yet";
        report.add(Finding::new(Step::Contract, Verdict::Skipped, words));
        return report;
    }
    contracts(&mut report, &scratch).await;
    report
}

fn source(report: &mut Report, candidate: &Candidate, known: Option<&BTreeSet<String>>) {
    let mut modules = 0;
    for path in files_of(&candidate.folder, &["ts", "js", "mts", "mjs"]) {
        let shown = path
            .strip_prefix(&candidate.folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        // What runs elsewhere (vitest, a script) may use what it finds there.
        if shown.ends_with(".test.ts") || shown.ends_with(".config.ts") || shown.ends_with(".d.ts") {
            continue;
        }
        modules += 1;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                report.add(Finding::new(Step::Source, Verdict::Error, format!("{shown}: {error}")));
                continue;
            }
        };
        match free_names(&shown, &text) {
            Err(error) => report.add(Finding::new(Step::Source, Verdict::Error, error.message).at(error.at)),
            Ok(names) => {
                for free in names {
                    let problem = if free.import {
                        foreign(&free.name)
                    } else {
                        missing(&free.name, known)
                    };
                    if let Some((message, hint)) = problem {
                        report.add(Finding::new(Step::Source, Verdict::Error, message).hint(hint).at(Some(free.at)));
                    }
                }
            }
        }
    }
    if !report.failed() {
        let words = format!(
            "{modules} module{} with names that a plugin has",
            if modules == 1 { "" } else { "s" }
        );
        report.add(Finding::new(Step::Source, Verdict::Ok, words));
    }
}

/// An import the loader would refuse.
fn foreign(specifier: &str) -> Option<(String, String)> {
    if specifier.starts_with("./") || specifier.starts_with("../") || kata_plugins::is_of_the_sdk(specifier) {
        return None;
    }
    let hint = if specifier.starts_with("node:") {
        "nothing of Node exists in a plugin; the web-standard APIs do (fetch, crypto.subtle, URL, timers), and `ctx.state` keeps data"
    } else {
        "copy what you need into the plugin's folder and import it with “./…”"
    };
    Some((
        format!("“{specifier}” cannot be imported: a plugin imports its own files and “{SDK}”"),
        hint.into(),
    ))
}

/// A name that is not there when the plugin runs.
fn missing(name: &str, known: Option<&BTreeSet<String>>) -> Option<(String, String)> {
    // Without an answer of the sandbox only what certainly is not there counts.
    let hint = hint(name);
    if known.map_or(hint.is_none(), |known| known.contains(name)) {
        return None;
    }
    let hint = hint.unwrap_or("import it from a file of the plugin, or look with `typeof` whether it is there");
    Some((format!("`{name}` does not exist in a plugin"), hint.into()))
}

fn hint(name: &str) -> Option<&'static str> {
    Some(match name {
        "process" => "settings come from `ctx.config`, secrets from `ctx.secrets`",
        "require" | "module" | "exports" => "use `import` and `export`",
        "Buffer" => "use Uint8Array with TextEncoder and TextDecoder; atob and btoa for Base64",
        "__dirname" | "__filename" => "a plugin does not read its own folder; import a .json file, or keep data with `ctx.state`",
        "global" | "window" | "self" => "write `globalThis`",
        "setImmediate" => "use `queueMicrotask` or `setTimeout(…, 0)`",
        "localStorage" | "sessionStorage" | "indexedDB" => "use `ctx.state`",
        "XMLHttpRequest" => "use `fetch`",
        "Worker" => "each plugin has a thread of its own already",
        "Intl" => "the sandbox has no locale data; write the format yourself",
        "document" | "navigator" | "location" => "a plugin has no page",
        _ => return None,
    })
}

async fn registration(report: &mut Report, candidate: &Candidate) {
    let bench = match Bench::load(candidate).await {
        Ok(bench) => bench,
        Err(error) => {
            let words = error.to_string();
            let hint = hint_of_registration(&words);
            report.add(Finding::new(Step::Registration, Verdict::Error, words).hint(hint));
            return;
        }
    };
    let registered = bench.host().registered(&candidate.manifest.id);
    if let Some(registered) = &registered {
        let absent = declared_only(&candidate.manifest, registered);
        for (list, name) in &absent {
            let finding = Finding::new(
                Step::Registration,
                Verdict::Warning,
                format!("contributes.{list} declares “{name}”, which is not registered"),
            );
            report.add(finding.hint("register it, or take it out of the manifest"));
        }
        report.add(Finding::new(Step::Registration, Verdict::Ok, summary(registered)));
    }
    report.registered = registered;
    bench.end().await;
}

/// What to do about a registration that was refused, by the words of the refusal.
fn hint_of_registration(words: &str) -> &'static str {
    if words.contains("is not in the manifest's contributes.") {
        "declare it in kata-plugin.json under `contributes`, or do not register it"
    } else if words.contains("the default export must be") {
        "write `export default definePlugin((api) => { … })` in that file"
    } else if words.contains(": settings/") {
        "a default in kata-plugin.json does not fit its own rule: mend it under `settings.properties`"
    } else if words.contains("manifest") {
        "add the capability to `capabilities` in kata-plugin.json; a person is then asked for it"
    } else {
        "`register` only registers: it starts nothing, asks nobody, and waits for nothing"
    }
}

fn declared_only(manifest: &PluginManifest, registered: &Registered) -> Vec<(&'static str, String)> {
    let declared = &manifest.contributes;
    let hooks: Vec<String> = declared.hooks.iter().map(|h| h.as_str().to_owned()).collect();
    let below = format!("/hooks/{}/", manifest.id);
    let routes = registered.routes.iter();
    let routes = routes.map(|r| r.path.strip_prefix(&below).unwrap_or(&r.path)).collect();
    let lists: [(&str, &[String], Vec<&str>); 6] = [
        ("tools", &declared.tools, registered.tools.iter().map(|t| t.name.as_str()).collect()),
        ("hooks", &hooks, registered.hooks.iter().map(|h| h.event.as_str()).collect()),
        (
            "channels",
            &declared.channels,
            registered.channels.iter().map(|c| c.id.as_str()).collect(),
        ),
        (
            "services",
            &declared.services,
            registered.services.iter().map(String::as_str).collect(),
        ),
        ("routes", &declared.routes, routes),
        (
            "commands",
            &declared.commands,
            registered.commands.iter().map(|c| c.name.as_str()).collect(),
        ),
    ];
    let absent = lists.into_iter().flat_map(|(list, declared, there)| {
        let missing: Vec<_> = declared.iter().filter(|d| !there.contains(&d.as_str())).cloned().collect();
        missing.into_iter().map(move |name| (list, name))
    });
    absent.collect()
}

fn summary(registered: &Registered) -> String {
    let parts = [
        ("tool", registered.tools.len()),
        ("hook", registered.hooks.len()),
        ("channel", registered.channels.len()),
        ("service", registered.services.len()),
        ("command", registered.commands.len()),
        ("route", registered.routes.len()),
    ];
    let words: Vec<String> = parts
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(what, n)| format!("{n} {what}{}", if n == 1 { "" } else { "s" }))
        .collect();
    if words.is_empty() {
        "registers nothing".into()
    } else {
        format!("registers {}", words.join(", "))
    }
}

#[derive(Deserialize)]
struct CaseResult {
    name: String,
    error: Option<String>,
}

async fn contracts(report: &mut Report, scratch: &Scratch) {
    if !scratch.candidate.folder.join(CONTRACT).is_file() {
        let skipped = Finding::new(Step::Contract, Verdict::Skipped, format!("there is no {CONTRACT}"));
        report.add(skipped.hint("docs/plugins/testing.md says how to write one; `kata plugins new` does it for you"));
        return;
    }
    let failed = |message: String| Finding::new(Step::Contract, Verdict::Error, message);
    let runner = match scratch.runner(&format!("import cases from \"./{CONTRACT}\";\n")) {
        Ok(candidate) => candidate,
        Err(error) => return report.add(failed(error.to_string())),
    };
    let bench = match Bench::load(&runner).await {
        Ok(bench) => bench,
        Err(error) => return report.add(failed(error.to_string())),
    };
    let names = match bench.call(TOOL, json!({})).await {
        Ok(text) => serde_json::from_str::<Vec<String>>(&text).map_err(|e| CallFailed(e.to_string())),
        Err(error) => Err(error),
    };
    match names {
        Err(error) => report.add(failed(format!("{CONTRACT}: the default export is no list of cases: {error}"))),
        Ok(names) => {
            for (index, name) in names.iter().enumerate() {
                let result = match bench.call(TOOL, json!({ "index": index })).await {
                    Ok(text) => serde_json::from_str::<CaseResult>(&text).map_err(|e| CallFailed(e.to_string())),
                    Err(error) => Err(error),
                };
                report.add(match result {
                    Ok(CaseResult { name, error: None }) => Finding::new(Step::Contract, Verdict::Ok, name),
                    Ok(CaseResult { name, error: Some(error) }) => failed(format!("{name}: {error}")),
                    Err(error) => {
                        let at = bench.fault().and_then(|f| f.position);
                        failed(format!("{name}: {error}")).at(at)
                    }
                });
            }
        }
    }
    for line in bench.log().into_iter().filter(|l| l.starts_with("error")) {
        report.add(Finding::new(
            Step::Contract,
            Verdict::Warning,
            format!("written to the log: {line}"),
        ));
    }
    bench.end().await;
}

/// The names that every plugin has; `None` when the sandbox does not start.
async fn names_of_the_sandbox(scratch: &Scratch) -> Option<BTreeSet<String>> {
    let runner = scratch
        .runner("const cases = Object.getOwnPropertyNames(globalThis).map((name) => ({ name }));\n")
        .ok()?;
    let bench = Bench::load(&runner).await.ok()?;
    let text = bench.call(TOOL, json!({})).await.ok();
    bench.end().await;
    serde_json::from_str(&text?).ok()
}

/// Why a folder is no plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// In words; names file and field where there is one.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

/// The manifest of a folder.
///
/// # Errors
/// Why the app would not take it.
pub fn manifest(folder: &Path) -> Result<PluginManifest, Unfit> {
    inspect(folder).map(|candidate| candidate.manifest)
}

pub(super) fn inspect(folder: &Path) -> Result<Candidate, Unfit> {
    kata_plugins::inspect(folder).map_err(|dropped| Unfit {
        reason: dropped.reason,
        hint: dropped.hint,
    })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test prepares files as an author would"
)]
mod tests {
    use super::*;
    use crate::author::new_plugin;
    use kata_protocol::{PluginId, PluginTemplate};
    use std::path::PathBuf;

    fn fresh(template: PluginTemplate) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("sample");
        for file in new_plugin(template, &PluginId::new("sample").unwrap(), None) {
            let path = folder.join(file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
        (home, folder)
    }

    fn errors(report: &Report) -> Vec<String> {
        let wrong = report.findings.iter().filter(|f| f.verdict == Verdict::Error);
        wrong
            .map(|f| {
                let at = f.at.as_ref().map(|a| format!("{}:{}:{}: ", a.file, a.line, a.column));
                at.unwrap_or_default() + &f.message
            })
            .collect()
    }

    fn change(path: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_template_passes_with_its_contract_in_the_real_sandbox() {
        for template in [
            PluginTemplate::Tool,
            PluginTemplate::Hook,
            PluginTemplate::Service,
            PluginTemplate::Channel,
        ] {
            let (_home, folder) = fresh(template);
            let report = check(&folder).await;
            assert_eq!(errors(&report), [""; 0], "{template:?}: {:#?}", report.findings);
            let cases = report
                .findings
                .iter()
                .filter(|f| f.step == Step::Contract && f.verdict == Verdict::Ok)
                .count();
            assert!(cases >= 3, "{template:?}: {:#?}", report.findings);
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_name_or_a_module_of_node_is_named_with_its_place_and_what_to_use() {
        let (_home, folder) = fresh(PluginTemplate::Tool);
        change(
            &folder.join("index.ts"),
            "export default",
            "import { readFileSync } from \"node:fs\";\nexport const home = process.env.HOME ?? readFileSync(__dirname);\nexport default",
        );
        let report = check(&folder).await;
        assert_eq!(
            errors(&report),
            [
                "index.ts:8:30: “node:fs” cannot be imported: a plugin imports its own files and “@kata-agents/plugin-sdk”",
                "index.ts:9:21: `process` does not exist in a plugin",
                "index.ts:9:54: `__dirname` does not exist in a plugin",
            ]
        );
        let hints: Vec<_> = report.findings.iter().filter_map(|f| f.hint.as_deref()).collect();
        assert!(hints[1].contains("ctx.config"), "{hints:?}");
        assert!(report.registered.is_none(), "what cannot work is not run");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_declared_and_not_registered_and_the_other_way_round_is_told() {
        let (_home, folder) = fresh(PluginTemplate::Tool);
        change(
            &folder.join("kata-plugin.json"),
            "\"tools\": [\"sample\"]",
            "\"tools\": [\"sample\", \"other\"]",
        );
        let report = check(&folder).await;
        let warning = report.findings.iter().find(|f| f.verdict == Verdict::Warning).unwrap();
        assert_eq!(warning.message, "contributes.tools declares “other”, which is not registered");
        change(&folder.join("kata-plugin.json"), "[\"sample\", \"other\"]", "[\"other\"]");
        let report = check(&folder).await;
        assert!(
            errors(&report)[0].contains("“sample” is not in the manifest's contributes.tools"),
            "{:?}",
            errors(&report)
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_contract_that_is_broken_fails_the_check_by_its_sentence() {
        let (_home, folder) = fresh(PluginTemplate::Channel);
        // The number is kept before the host has the message: the mistake the contract is there for.
        change(
            &folder.join("read.ts"),
            "        await ctx.receive(draft(message));\n        after = message.id;\n",
            "        after = message.id;\n        await ctx.receive(draft(message));\n",
        );
        let report = check(&folder).await;
        let wrong = errors(&report);
        assert_eq!(wrong.len(), 1, "{wrong:#?}");
        assert!(
            wrong[0].starts_with("sample: a message that could not be stored is handed in again"),
            "{wrong:#?}"
        );
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_setting_that_a_person_must_give_does_not_stand_in_the_way() {
        let (_home, folder) = fresh(PluginTemplate::Hook);
        let manifest = folder.join("kata-plugin.json");
        change(&manifest, ",\n        \"default\": \"– sent by Kata\"", "");
        change(
            &manifest,
            "\"additionalProperties\": false",
            "\"required\": [\"signature\"],\n    \"additionalProperties\": false",
        );
        let report = check(&folder).await;
        assert_eq!(errors(&report), [""; 0], "{:#?}", report.findings);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_contract_that_never_ends_ends_the_check_all_the_same() {
        let (_home, folder) = fresh(PluginTemplate::Tool);
        change(
            &folder.join("index.ts"),
            "execute: ({ text }) => {",
            "execute: ({ text }) => { for (;;) {}",
        );
        let report = check(&folder).await;
        assert!(report.failed(), "{:#?}", report.findings);
    }
}
