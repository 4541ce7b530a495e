//! Trust on first use, on the real engine: what is not bundled runs only as a person has looked at it.

use kata_core::operations::Operations;
use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A manifest with one tool, named like the plugin.
pub(crate) fn manifest(id: &str, more: Value) -> Value {
    let mut manifest = json!({
        "id": id, "name": id, "version": "1.0.0", "api": "1", "contributes": { "tools": [id] }, "capabilities": [],
    });
    manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    manifest
}

/// A module with one tool that answers `answer`.
pub(crate) fn module(id: &str, answer: &str) -> String {
    format!(
        "import {{ definePlugin }} from \"@kata-agents/plugin-sdk\";\n\
         export default definePlugin((api) => {{\n  \
           api.registerTool({{ name: \"{id}\", description: \"d\", parameters: {{ type: \"object\" }}, readOnly: true, execute: () => \"{answer}\" }});\n\
         }});\n"
    )
}

/// Writes a plugin into a folder.
pub(crate) fn write_plugin(folder: &Path, manifest: &Value, module: &str) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("kata-plugin.json"), format!("{manifest:#}")).unwrap();
    std::fs::write(folder.join("index.ts"), module).unwrap();
}

pub(crate) fn extensions(home: &TestHome) -> PathBuf {
    home.path().join("extensions")
}

pub(crate) fn id(text: &str) -> PluginId {
    PluginId::new(text).unwrap()
}

pub(crate) async fn get(ops: &Arc<dyn Operations>, plugin: &str) -> PluginDetail {
    ops.plugin_get(&caller(), PluginRef { id: id(plugin) }).await.unwrap()
}

pub(crate) async fn trust(
    ops: &Arc<dyn Operations>,
    plugin: &str,
    hash: &str,
    capabilities: &[&str],
    development: bool,
) -> Result<PluginSummary, WireError> {
    let params = PluginTrust {
        id: id(plugin),
        hash: hash.to_owned(),
        capabilities: capabilities.iter().map(|c| (*c).to_owned()).collect(),
        development: Some(development),
        remember_signer: None,
    };
    ops.plugin_trust(&caller(), params).await
}

pub(crate) async fn enable(ops: &Arc<dyn Operations>, plugin: &str) -> Result<PluginSummary, WireError> {
    ops.plugin_enable(
        &caller(),
        PluginEnable {
            id: id(plugin),
            enabled: true,
        },
    )
    .await
}

/// Looks, trusts everything and switches on.
pub(crate) async fn trusted(ops: &Arc<dyn Operations>, plugin: &str, development: bool) {
    let seen = get(ops, plugin).await;
    let wanted: Vec<&str> = seen.summary.capabilities.iter().map(String::as_str).collect();
    trust(ops, plugin, &seen.hash, &wanted, development).await.unwrap();
    enable(ops, plugin).await.unwrap();
}

/// Waits until a plugin's summary fits.
pub(crate) async fn becomes(engine: &TestEngine, plugin: &str, what: &str, fits: impl Fn(&PluginSummary) -> bool) -> PluginSummary {
    eventually(&format!("plugin {plugin}: {what}"), async || {
        let list = engine.ops.plugin_list(&caller(), Empty {}).await.ok()?;
        list.into_iter().find(|p| p.id.as_str() == plugin).filter(|p| fits(p))
    })
    .await
}

/// What a tool answers in a session.
async fn tool(engine: &TestEngine, name: &str) -> String {
    let session = engine.session().await;
    let detail = engine.ask(&session, &format!("/tool {name} {{}}")).await;
    let calls = detail.messages.iter().filter(|m| m.kind == MessageKind::Tool);
    serde_json::to_string(&calls.collect::<Vec<_>>()).unwrap()
}

async fn tools(engine: &TestEngine) -> Vec<String> {
    let tools = engine.ops.tool_list(&caller(), Empty {}).await.unwrap();
    tools.into_iter().map(|t| t.name).collect()
}

fn waits_for_trust(plugin: &PluginSummary) -> bool {
    plugin.status.state == RunState::NeedsUser { action: UserAction::Trust }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_bundled_runs_only_after_a_person_has_looked_at_these_very_files() {
    let home = TestHome::new();
    let folder = extensions(&home).join("shout");
    write_plugin(
        &folder,
        &manifest("shout", json!({ "capabilities": ["net:a.example"] })),
        &module("shout", "LOUD"),
    );
    let engine = TestEngine::start(home).await;
    let ops = &engine.ops;

    let seen = get(ops, "shout").await;
    assert_eq!((seen.summary.trust, waits_for_trust(&seen.summary)), (TrustState::Untrusted, true));
    assert_eq!(
        seen.files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
        ["index.ts", "kata-plugin.json"]
    );
    assert!(seen.grant.is_none() && seen.change.is_none() && seen.history.is_empty());
    assert!(seen.wanted[0].declared && !seen.wanted[0].granted && seen.wanted[0].means.contains("a.example"));

    let refused = enable(ops, "shout").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert!(refused.hint.unwrap().contains("kata plugins trust shout"));
    let reload = ops.plugin_reload(&caller(), PluginRef { id: id("shout") }).await.unwrap_err();
    assert_eq!(reload.code, ErrorCode::Conflict, "no other way leads past trust");
    assert!(!tools(&engine).await.contains(&"shout".to_owned()));

    let wrong = trust(ops, "shout", &"0".repeat(64), &[], false).await.unwrap_err();
    assert_eq!((wrong.code, wrong.message.contains("“hash”")), (ErrorCode::Conflict, true));
    let more = trust(ops, "shout", &seen.hash, &["net:b.example"], false).await.unwrap_err();
    assert_eq!(
        (more.code, more.message.contains("capabilities[0]")),
        (ErrorCode::Invalid, true),
        "{}",
        more.message
    );

    // Edited between looking and deciding.
    std::fs::write(folder.join("index.ts"), module("shout", "LOUDER")).unwrap();
    let late = trust(ops, "shout", &seen.hash, &[], false).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::Conflict);

    let seen = get(ops, "shout").await;
    let summary = trust(ops, "shout", &seen.hash, &[], false).await.unwrap();
    assert_eq!((summary.trust, summary.status.state), (TrustState::Trusted, RunState::Stopped));
    enable(ops, "shout").await.unwrap();
    assert!(tool(&engine, "shout").await.contains("LOUDER"));
    let seen = get(ops, "shout").await;
    assert!(!seen.wanted[0].granted, "what was not granted is not there");
    assert_eq!(seen.registered.tools[0].name, "shout");
    let told: Vec<_> = seen.history.iter().map(|e| e.action).collect();
    assert_eq!(told, [GrantAction::Enabled, GrantAction::Granted]);

    let engine = engine.restart().await;
    becomes(&engine, "shout", "runs again after a restart", |p| {
        p.status.state == RunState::Running
    })
    .await;
    let seen = get(&engine.ops, "shout").await;
    assert_eq!((seen.summary.trust, seen.history.len()), (TrustState::Trusted, 2));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_of_a_trusted_plugin_asks_again_shows_the_diff_and_the_old_version_goes_on_until_the_end() {
    let home = TestHome::new();
    let folder = extensions(&home).join("shout");
    write_plugin(
        &folder,
        &manifest("shout", json!({ "capabilities": ["net:a.example"] })),
        &module("shout", "one"),
    );
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "shout", false).await;

    let second = manifest("shout", json!({ "version": "2.0.0", "capabilities": ["net:b.example"] }));
    write_plugin(&folder, &second, &module("shout", "two"));
    std::fs::write(folder.join("extra.txt"), "new\n").unwrap();
    let summary = becomes(&engine, "shout", "asks again", |p| {
        p.trust == TrustState::Changed && p.version == "2.0.0"
    })
    .await;
    assert!(waits_for_trust(&summary), "{:?}", summary.status);
    assert!(
        summary.status.message.contains("goes on until the app ends"),
        "{}",
        summary.status.message
    );
    assert_eq!(summary.generation, 1);
    assert!(
        tool(&engine, "shout").await.contains("one"),
        "the version that was looked at still serves"
    );

    let seen = get(&engine.ops, "shout").await;
    let change = seen.change.unwrap();
    assert_eq!((change.from_version.as_str(), change.to_version.as_str()), ("1.0.0", "2.0.0"));
    assert_eq!(
        (change.capabilities_added, change.capabilities_removed),
        (vec!["net:b.example".to_owned()], vec!["net:a.example".to_owned()])
    );
    let of = |path: &str| change.files.iter().find(|f| f.path == path).unwrap();
    assert_eq!(
        (of("extra.txt").kind, of("index.ts").kind),
        (FileChangeKind::Added, FileChangeKind::Modified)
    );
    let diff = of("index.ts").diff.as_ref().unwrap();
    assert!(
        diff.contains("-  api.registerTool") && diff.contains("=> \"one\"") && diff.contains("=> \"two\""),
        "{diff}"
    );
    assert_eq!(seen.history[0].action, GrantAction::Changed);
    assert_eq!(
        seen.history
            .iter()
            .filter(|e| e.action == GrantAction::Changed && e.hash == seen.history[0].hash)
            .count(),
        1
    );

    // After a restart nothing of it runs until a person has looked.
    let engine = engine.restart().await;
    let summary = becomes(&engine, "shout", "waits", |p| p.trust == TrustState::Changed).await;
    assert!(waits_for_trust(&summary) && summary.generation == 0, "{summary:?}");
    assert!(!tools(&engine).await.contains(&"shout".to_owned()));
    let seen = get(&engine.ops, "shout").await;
    assert!(
        seen.change.unwrap().files.iter().all(|f| f.diff.is_some()),
        "the granted texts survive a restart"
    );
    trust(&engine.ops, "shout", &seen.hash, &[], false).await.unwrap();
    becomes(&engine, "shout", "runs the new version", |p| p.status.state == RunState::Running).await;
    assert!(tool(&engine, "shout").await.contains("two"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_development_mode_a_save_is_live_without_asking_and_a_broken_one_leaves_the_old_version_with_its_error_shown() {
    let home = TestHome::new();
    let folder = extensions(&home).join("shout");
    write_plugin(&folder, &manifest("shout", json!({})), &module("shout", "one"));
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "shout", true).await;

    std::fs::write(folder.join("index.ts"), module("shout", "two")).unwrap();
    becomes(&engine, "shout", "is live", |p| {
        p.generation == 2 && p.status.state == RunState::Running
    })
    .await;
    assert!(tool(&engine, "shout").await.contains("two"));

    std::fs::write(folder.join("index.ts"), "export default (").unwrap();
    let broken = becomes(&engine, "shout", "shows the error", |p| p.status.state == RunState::Degraded).await;
    assert!(broken.status.message.contains("index.ts"), "{}", broken.status.message);
    assert!(tool(&engine, "shout").await.contains("two"));
    std::fs::write(folder.join("kata-plugin.json"), "{").unwrap();
    becomes(&engine, "shout", "names the manifest", |p| {
        p.status.message.contains("kata-plugin.json: line 1")
    })
    .await;
    assert!(tool(&engine, "shout").await.contains("two"));

    write_plugin(&folder, &manifest("shout", json!({})), &module("shout", "three"));
    becomes(&engine, "shout", "is mended by the next good save", |p| {
        p.status.state == RunState::Running
    })
    .await;
    assert!(tool(&engine, "shout").await.contains("three"));
    assert_eq!(get(&engine.ops, "shout").await.summary.trust, TrustState::Development);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_capability_in_development_mode_asks_and_is_denied_until_it_is_granted() {
    let home = TestHome::new();
    let folder = extensions(&home).join("notes");
    let module = "import { definePlugin } from \"@kata-agents/plugin-sdk\";\n\
        export default definePlugin((api) => {\n\
          api.registerTool({ name: \"notes\", description: \"d\", parameters: { type: \"object\" }, readOnly: true,\n\
            execute: async (_, ctx) => { const of = async (n) => { try { return `${n}=${await ctx.secrets.get(n)}`; } catch (e) { return `${n} ${e.message}`; } };\n\
              return `${await of(\"a\")}; ${await of(\"b\")}`; } });\n\
        });\n";
    write_plugin(&folder, &manifest("notes", json!({ "capabilities": ["secret:a"] })), module);
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "notes", true).await;
    for (name, value) in [("a", "first")] {
        let secret = PluginSecret {
            id: id("notes"),
            name: name.into(),
            value: Some(value.into()),
        };
        engine.ops.plugin_secret(&caller(), secret).await.unwrap();
    }
    let answer = tool(&engine, "notes").await;
    assert!(answer.contains("a=first"), "{answer}");

    std::fs::write(
        folder.join("kata-plugin.json"),
        manifest("notes", json!({ "capabilities": ["secret:a", "secret:b"] })).to_string(),
    )
    .unwrap();
    let summary = becomes(&engine, "notes", "asks for the new capability", waits_for_trust).await;
    assert_eq!(summary.trust, TrustState::Development);
    assert!(summary.status.message.contains("secret:b"), "{}", summary.status.message);
    becomes(&engine, "notes", "was loaded all the same", |p| p.generation >= 3).await;
    let answer = tool(&engine, "notes").await;
    assert!(
        answer.contains("a=first") && answer.contains("“secret:b” has not been granted"),
        "{answer}"
    );
    let seen = get(&engine.ops, "notes").await;
    assert_eq!(seen.change.unwrap().capabilities_added, ["secret:b"]);

    trust(&engine.ops, "notes", &seen.hash, &["secret:a", "secret:b"], true)
        .await
        .unwrap();
    becomes(&engine, "notes", "runs", |p| p.status.state == RunState::Running).await;
    let answer = tool(&engine, "notes").await;
    assert!(answer.contains("b=null") || answer.contains("b=undefined"), "{answer}");

    // One capability is taken back: at once, without a reload, and for good.
    let generation = get(&engine.ops, "notes").await.summary.generation;
    let revoke = PluginRevoke {
        id: id("notes"),
        capability: Some("secret:a".into()),
    };
    engine.ops.plugin_revoke(&caller(), revoke).await.unwrap();
    let answer = tool(&engine, "notes").await;
    assert!(answer.contains("a the capability “secret:a” has not been granted"), "{answer}");
    assert_eq!(get(&engine.ops, "notes").await.summary.generation, generation);
    let engine = engine.restart().await;
    becomes(&engine, "notes", "runs after the restart", |p| p.status.state == RunState::Running).await;
    assert!(
        tool(&engine, "notes")
            .await
            .contains("a the capability “secret:a” has not been granted")
    );

    // Given again, it is there again.
    let hash = get(&engine.ops, "notes").await.hash;
    trust(&engine.ops, "notes", &hash, &["secret:a"], true).await.unwrap();
    assert!(tool(&engine, "notes").await.contains("a=first"));

    // The whole trust: it is down when the answer is there.
    let revoke = PluginRevoke {
        id: id("notes"),
        capability: None,
    };
    let summary = engine.ops.plugin_revoke(&caller(), revoke).await.unwrap();
    assert_eq!((summary.trust, waits_for_trust(&summary)), (TrustState::Untrusted, true));
    assert!(!tools(&engine).await.contains(&"notes".to_owned()));
    let history: Vec<_> = get(&engine.ops, "notes").await.history.iter().map(|e| e.action).collect();
    assert_eq!(
        history[..3],
        [GrantAction::Revoked, GrantAction::Granted, GrantAction::CapabilityRevoked]
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_for_fewer_capabilities_counts_at_once_also_when_the_plugin_cannot_be_loaded_with_them() {
    let home = TestHome::new();
    let module = "import { definePlugin } from \"@kata-agents/plugin-sdk\";\n\
        export default definePlugin((api) => {\n\
          api.registerHook(\"message_received\", () => undefined);\n\
          api.registerTool({ name: \"needy\", description: \"d\", parameters: { type: \"object\" }, readOnly: true,\n\
            execute: async (_, ctx) => { try { return `has ${await ctx.secrets.get(\"a\")}`; } catch (e) { return e.message; } } });\n\
        });\n";
    let more = json!({
        "contributes": { "tools": ["needy"], "hooks": ["message_received"] },
        "capabilities": ["secret:a", "hooks:conversation"],
    });
    write_plugin(&extensions(&home).join("needy"), &manifest("needy", more), module);
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "needy", false).await;
    assert!(tool(&engine, "needy").await.contains("has "));
    let hash = get(&engine.ops, "needy").await.hash;
    let summary = trust(&engine.ops, "needy", &hash, &[], false).await.unwrap();
    assert_eq!(summary.status.state, RunState::Degraded, "{:?}", summary.status);
    assert!(summary.status.message.contains("hooks:conversation"), "{}", summary.status.message);
    let answer = tool(&engine, "needy").await;
    assert!(answer.contains("“secret:a” has not been granted"), "{answer}");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_granted_without_looking_at_files_asks_once_and_loses_nothing() {
    let home = TestHome::new();
    write_plugin(
        &extensions(&home).join("shout"),
        &manifest(
            "shout",
            json!({ "settings": { "type": "object", "properties": { "word": { "type": "string" } } } }),
        ),
        &module("shout", "one"),
    );
    home.settings(&json!({ "plugins": { "shout": { "enabled": true, "granted": ["net:a.example"], "settings": { "word": "kept" } } } }));
    let engine = TestEngine::start(home).await;
    let seen = get(&engine.ops, "shout").await;
    assert!(waits_for_trust(&seen.summary) && seen.summary.enabled, "{:?}", seen.summary);
    assert!(
        seen.summary.status.message.contains("earlier version"),
        "{}",
        seen.summary.status.message
    );
    assert_eq!(seen.settings.0["word"], "kept");
    assert!(!tools(&engine).await.contains(&"shout".to_owned()));
    let file = || std::fs::read_to_string(engine.home.path().join("settings.json")).unwrap();
    assert!(file().contains("net:a.example"), "nothing is dropped before the person has decided");
    trust(&engine.ops, "shout", &seen.hash, &[], false).await.unwrap();
    becomes(&engine, "shout", "runs", |p| p.status.state == RunState::Running).await;
    assert!(!file().contains("net:a.example") && file().contains("kept"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_what_was_looked_at_also_when_a_file_changes_behind_the_hosts_back() {
    let home = TestHome::new();
    let folder = extensions(&home).join("lazy");
    let module = "import { definePlugin } from \"@kata-agents/plugin-sdk\";\n\
        export default definePlugin((api) => {\n\
          api.registerTool({ name: \"lazy\", description: \"d\", parameters: { type: \"object\" }, readOnly: true,\n\
            execute: async () => { try { return (await import(\"./late.js\")).default; } catch (e) { return `refused: ${e.message}`; } } });\n\
        });\n";
    write_plugin(&folder, &manifest("lazy", json!({})), module);
    std::fs::write(folder.join("late.js"), "export default \"as it was\";").unwrap();
    let engine = TestEngine::start(home).await;
    trusted(&engine.ops, "lazy", false).await;
    std::fs::write(folder.join("late.js"), "export default \"something else\";").unwrap();
    let answer = tool(&engine, "lazy").await;
    assert!(answer.contains("late.js is not the file that was trusted"), "{answer}");
    engine.engine.shutdown().await;
}
